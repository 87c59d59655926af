"""An issue as an RO-Crate 1.1: its files, and a description that archives of research data read.

https://www.researchobject.org/ro-crate/1.1/. The crate contains what the issue's manifest publishes already, and
nothing else: no records, no names of people and no folders of this machine.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from viputils.audit.manifest import KINDS, MANIFEST, Manifest, read_manifest, touched_since
from viputils.audit.register import IssueName, read_register
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError, Problem
from viputils.core.files import replaced_whole
from viputils.publish.publication import require_no_plain_checksum
from viputils.records.checksums import checksum
from viputils.report.data_files import PACKAGE

METADATA: Final = "ro-crate-metadata.json"

_PROFILE: Final = "https://w3id.org/ro/crate/1.1"
# RO-Crate 1.1 is older than this property of schema.org.
_CONTEXT: Final = [f"{_PROFILE}/context", {"sha256": "https://schema.org/sha256"}]
_KINDS: Final = {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}

Entity = dict[str, Any]


def write_crate(project: Project, name: IssueName, folder: Path) -> list[Path]:
    """Write the crate of an issue into a new folder, and return its files. If this fails, there is no folder.

    Parameters
    ----------
    name
        An issue in the folder ``issues``.

    Raises
    ------
    ParameterError
        If the folder is there already.
    ManifestError
        If the issue was not made, is a draft, or one of its files was edited, or its manifest would let anyone check a
        guess at a record.
    """
    if folder.exists():
        raise ParameterError("The crate cannot be written.", [Problem(str(folder), "exists;", "name a new folder.")])
    issue = project.issues / str(name)
    manifest = _as_made(project, name, issue)
    files = [*manifest.outputs, MANIFEST]
    with replaced_whole(folder.parent, folder.name) as partial:
        for file in files:
            (partial / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(issue / file, partial / file)
        text = json.dumps(_metadata(project, name, manifest, partial), indent=2, ensure_ascii=False) + "\n"
        (partial / METADATA).write_text(text, encoding="utf-8", newline="")
    return [folder / file for file in (METADATA, *files)]


def _as_made(project: Project, name: IssueName, issue: Path) -> Manifest:
    """Return the manifest of an issue that can go out."""
    manifest = read_manifest(issue / MANIFEST, f"issues/{name}/{MANIFEST}")
    problems = touched_since(manifest, issue, f"issues/{name}")
    if manifest.parameters.draft:
        problems.append(Problem(f"issues/{name}", "is a draft;", f"run vip report {name.period} without --draft."))
    if problems:
        raise ManifestError("The issue cannot be exported. Nothing was written.", problems)
    if json.loads((issue / PACKAGE).read_bytes())["demonstration"] is None:
        require_no_plain_checksum(project, manifest)
    return manifest


def _metadata(project: Project, name: IssueName, manifest: Manifest, folder: Path) -> Entity:
    """Return the content of ro-crate-metadata.json."""
    package = json.loads((folder / PACKAGE).read_bytes())
    files = [_file(folder, file) for file in (*manifest.outputs, MANIFEST)]
    inputs, software = list(_inputs(manifest)), list(_software(manifest))
    licenses, sources = list(_licenses(package)), list(_sources(package))
    publisher = {
        "@id": "#publisher",
        "@type": "Organization",
        "name": f"{project.program.identity.city}, {project.program.identity.department}",
    }
    action = {
        "@id": "#made",
        "@type": "CreateAction",
        "name": f"Making of the issue {name}",
        "agent": _to(publisher),
        "instrument": [_to(one) for one in software if one["@id"].startswith("#software/")],
        "object": [_to(one) for one in inputs],
        "result": [_to(one) for one in files],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": package["title"],
        "description": " ".join(filter(None, [package["description"], package["demonstration"]])),
        "datePublished": _day(project, name, manifest).isoformat(),
        **({"license": [_to(one) for one in licenses]} if licenses else {}),
        "publisher": _to(publisher),
        "isBasedOn": [_to(one) for one in sources],
        "hasPart": [_to(one) for one in files],
        "mentions": _to(action),
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": _to(root),
    }
    return {
        "@context": _CONTEXT,
        "@graph": [descriptor, root, *files, action, publisher, *software, *inputs, *licenses, *sources],
    }


def _day(project: Project, name: IssueName, manifest: Manifest) -> dt.date:
    """Return the day of publication, or the as-of date if it is not known."""
    printed = [one.printed for one in read_register(project).issues if one.name == name]
    return next(filter(None, printed), manifest.as_of)


def _file(folder: Path, name: str) -> Entity:
    path = folder / name
    kind = _KINDS.get(path.suffix)
    return {
        "@id": quote(name),
        "@type": "File",
        "name": name,
        **({"encodingFormat": kind} if kind else {}),
        "contentSize": str(path.stat().st_size),
        "sha256": checksum(path),
    }


def _inputs(manifest: Manifest) -> Iterable[Entity]:
    """Yield what the issue was made from: the parameters, and the files with the checksums of the manifest."""
    for name, value in manifest.parameters.model_dump().items():
        yield {"@id": f"#parameter/{name}", "@type": "PropertyValue", "name": name, "value": str(value)}
    for kind in KINDS:
        # The checksum of a delivery can have a secret salt.
        before = "" if kind == "deliveries" else "sha256:"
        for name, known in getattr(manifest.inputs, kind).items():
            yield _named(f"#input/{quote(name)}", name, f"{before}{known}")
    for name, known in manifest.inputs.register_.items():
        yield _named(f"#register/{name}", f"data/published, {name}", f"sha256:{known}")
    if manifest.git:
        found = _named("#commit", "The project in its repository", manifest.git.commit)
        yield found if manifest.git.clean else {**found, "description": "Files were changed since this commit."}


def _named(key: str, name: str, identifier: str) -> Entity:
    """Return a thing that is not in the crate."""
    return {"@id": key, "@type": "CreativeWork", "name": name, "identifier": identifier}


def _software(manifest: Manifest) -> Iterable[Entity]:
    """Yield viputils, the engine of the pages and Python, and then the packages that viputils needs."""
    packages = {
        name: _program(f"https://pypi.org/project/{name}/{version}/", name, version)
        for name, version in manifest.packages.items()
        if name != "viputils"
    }
    own = _program("#software/viputils", "viputils", manifest.packages["viputils"])
    yield {**own, "softwareRequirements": [_to(one) for one in packages.values()]}
    yield _program("#software/engine", f"{manifest.engine.name} engine", manifest.engine.version)
    yield _program("#software/python", "Python", manifest.python)
    yield from packages.values()


def _program(key: str, name: str, version: str) -> Entity:
    return {"@id": key, "@type": "SoftwareApplication", "name": name, "version": version}


def _licenses(package: Mapping[str, Any]) -> Iterable[Entity]:
    for one in package.get("licenses", []):
        yield {"@id": one["path"], "@type": "CreativeWork", "name": one["title"], "identifier": one["name"]}


def _sources(package: Mapping[str, Any]) -> Iterable[Entity]:
    for number, one in enumerate(package.get("sources", []), start=1):
        about = {"url": one["path"]} if "path" in one else {}
        yield {"@id": f"#source/{number}", "@type": "CreativeWork", "name": one["title"], **about}


def _to(entity: Mapping[str, Any]) -> dict[str, str]:
    """Return a link to an entity."""
    return {"@id": entity["@id"]}
