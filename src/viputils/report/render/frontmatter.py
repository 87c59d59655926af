"""The front matter of an issue's notebook: the document's metadata, and the one day that its pages know of."""

from __future__ import annotations

import calendar
import datetime as dt
import os
import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from viputils.core.errors import Problem, RenderError

# Where the pages of a website project come to lie in it, whichever engine makes them.
SITE_FOLDER: Final = "_site"


@dataclass(frozen=True)
class FrontMatter:
    """The metadata of a document, ``date`` in ISO form, and the same day as ``as_of``."""

    metadata: dict[str, Any]
    as_of: dt.date

    @property
    def timestamp(self) -> int:
        """The as-of date in seconds since 1970, midnight UTC."""
        return calendar.timegm(self.as_of.timetuple())

    def environment(self) -> dict[str, str]:
        """Return the environment for programs that make pages: a clock, a time zone or a locale would get into them."""
        return os.environ | {"SOURCE_DATE_EPOCH": str(self.timestamp), "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def read_front_matter(name: str, cells: list[dict[str, Any]]) -> FrontMatter:
    """Read the metadata from the first cell of a notebook called ``name``.

    Raises
    ------
    RenderError
        If that is no raw cell with YAML between two lines ``---``, or it lacks a title, a language or a date.
    """
    where = f"{name}, cell 1"
    cell = cells[0] if cells else {}
    found = re.fullmatch(r"\s*---\n(.*)\n---\s*", "".join(cell.get("source", "")), re.DOTALL)
    problems: list[Problem] = []
    metadata, day = None, None
    try:
        metadata = yaml.safe_load(found[1]) if found and cell.get("cell_type") == "raw" else None
    except yaml.YAMLError as error:
        problems.append(Problem(where, f"its YAML cannot be read: {error}"))
    if isinstance(metadata, dict):
        problems += [
            Problem(where, f"the front matter has no {key!r}.") for key in ("title", "lang") if not metadata.get(key)
        ]
        try:
            day = dt.date.fromisoformat(str(metadata.get("date")))
        except ValueError:
            problems.append(
                Problem(where, "the front matter has no 'date'", "that is an ISO date, such as 2023-12-04.")
            )
    elif not problems:
        problems.append(Problem(where, "is no raw cell with the front matter of the document between two lines '---'."))
    if problems or not isinstance(metadata, dict) or day is None:
        raise RenderError("The notebook does not begin with its front matter.", problems)
    return FrontMatter({**metadata, "date": day.isoformat()}, day)
