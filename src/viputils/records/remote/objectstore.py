"""List deliveries in an object store, on a server or in an archive: any address that fsspec can open.

The folders are like those in ``data/raw``: one for each delivery, with the day of receipt as its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from viputils.core.errors import DeliveryError, Problem, nearest
from viputils.core.urls import DIALECTS
from viputils.records.remote.mirror import Offered, name_problem, not_installed, unreachable, unreadable

# Properties of a file that change with its content, as different stores call them. The size alone is not enough.
_MARKS: Final = {
    *("etag", "md5", "md5hash", "md5checksum", "crc32c", "content_md5", "generation", "versionid", "version_id"),
    # The time of the last change.
    *("mtime", "lastmodified", "last_modified", "updated", "created"),
}


def offered_files(address: str, shown: str) -> list[Offered]:
    """List the delivered files below an address.

    Parameters
    ----------
    address
        An address for fsspec: ``s3://bucket/deliveries``, ``memory://deliveries``.
    shown
        The address as messages show it.

    Raises
    ------
    DeliveryError
        If the address cannot be opened or reached, or a file is in no delivery. Lists all of them.
    """
    try:
        import fsspec
    except ImportError:
        raise not_installed(shown, "fsspec") from None
    protocol = address.partition("://")[0]
    # Protocols can be chained, as in zip://deliveries::s3://bucket/all.zip.
    known = fsspec.available_protocols()
    if protocol.partition("::")[0] not in known:
        remedy = nearest(protocol, [*known, *DIALECTS]) or "name a folder, an address of fsspec or of a database."
        raise unreadable(shown, f"'{protocol}://' is not a known kind of address;", remedy)
    try:
        files, top = fsspec.core.url_to_fs(address)
        files.invalidate_cache()
        if not files.isdir(top):
            remedy = "name the folder that has one folder for each day of receipt."
            raise unreadable(shown, "is not a folder there;", remedy)
        found: Mapping[str, Mapping[str, Any]] = files.find(top, detail=True)
    except DeliveryError:
        raise
    except Exception as error:  # Each kind of store has its own errors.
        raise unreachable(shown, address, error, isinstance(error, ImportError)) from None
    problems: list[Problem] = []
    offered: list[Offered] = []
    for path in sorted(found):
        name = path.removeprefix(files._strip_protocol(top)).strip("/")
        parts = name.split("/")
        if any(part.startswith(".") for part in parts) or (len(parts) == 1 and name.endswith(".md")):
            continue
        wrong = [problem for part in parts if (problem := name_problem(part, shown))]
        if not wrong and len(parts) != 2:
            wrong = [
                Problem(
                    f"{shown}, {name}", "is not in a delivery;", "move it to a folder, as in 2023-12-04/responses.csv."
                )
            ]
        problems += wrong
        if not wrong:
            bring = partial(_bring, files, path, f"{shown}, {name}", address)
            offered.append(Offered(parts[0], parts[1], _mark(found[path]), bring))
    if problems:
        raise DeliveryError("The deliveries are invalid.", problems)
    return offered


def _mark(info: Mapping[str, Any]) -> str:
    told = {key: str(value) for key, value in info.items() if key.casefold() in _MARKS and value is not None}
    return hashlib.sha256(repr((info.get("size"), sorted(told.items()))).encode()).hexdigest() if told else ""


def _bring(files: Any, path: str, shown: str, address: str, target: Path) -> None:
    try:
        files.get_file(path, str(target))
    except Exception as error:  # Each kind of store has its own errors.
        raise unreachable(shown, address, error, isinstance(error, ImportError)) from None
