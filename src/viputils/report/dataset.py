"""What programs read of the data of a page: a schema.org Dataset, as JSON-LD in the head of the page.

Search engines for data read it (https://schema.org/Dataset). It repeats what the page and datapackage.json state.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from viputils.audit.manifest import MANIFEST
from viputils.config.project import Project
from viputils.core.months import IssuePeriod, Span
from viputils.core.text import uncapital
from viputils.report.data_files import ALL_ISSUES, PACKAGE, SERIES_CSV

_KINDS: Final = {"csv": "text/csv", "json": "application/json"}


def issue_dataset(
    project: Project,
    title: str,
    period: IssuePeriod,
    as_of: dt.date,
    package: bytes,
    to_files: str | None = "",
) -> dict[str, Any]:
    """Return the description of the data of an issue, in the language of the project.

    Parameters
    ----------
    title
        The title of the issue, as plain text.
    package
        The content of its datapackage.json.
    to_files
        What leads to the files of its data, as the beginning of their address; none if they are not beside the page.
    """
    language, identity = project.language, project.shown.identity
    last = period.last(identity.fiscal_year_starts)
    span = last.fytd(identity.fiscal_year_starts)
    counted = language.text(
        "From {start} to {end}, counted from the records received by {as_of}.",
        start=language.date(span.start),
        end=language.date(span.end),
        as_of=language.date(as_of),
    )
    known = json.loads(package)
    about = [language.text("Every number of the report as data, with one row for each number."), counted]
    found = _dataset(project, title, about, span, demonstration=bool(known["demonstration"]))
    found["dateModified"] = as_of.isoformat()
    if to_files is None:
        return found
    files = {one["path"]: one["hash"].removeprefix("sha256:") for one in known["resources"]}
    longer = {SERIES_CSV: Span(identity.records_from, span.end)}
    found["distribution"] = [
        _download(to_files, name)
        | {"sha256": sha256}
        | ({"temporalCoverage": _days(longer[name])} if name in longer else {})
        for name, sha256 in files.items()
    ]
    found["subjectOf"] = [_file(to_files, name, "CreativeWork", "url") for name in (PACKAGE, MANIFEST)]
    return found


def all_issues_dataset(project: Project, span: Span, demonstration: bool, to_files: str) -> dict[str, Any]:
    """Return the description of the figures of all issues, in the language of the project.

    Parameters
    ----------
    span
        The days that the figures count.
    demonstration
        Whether the records are sample data.
    to_files
        As ``issue_dataset``.
    """
    text, identity = project.language.text, project.shown.identity
    title = text("{program}: the numbers of all reports", program=identity.name)
    about = text("Every number of every report as published, and of every month as its own records gave it.")
    found = _dataset(project, title, [about], span, demonstration)
    found["distribution"] = [_download(to_files, ALL_ISSUES)]
    found["subjectOf"] = [_file(to_files, PACKAGE, "CreativeWork", "url")]
    return found


def describe(page: Path, dataset: Mapping[str, Any]) -> None:
    """Put the description of its data into the head of an HTML page."""
    html = page.read_text(encoding="utf-8")
    page.write_text(html.replace("</head>", f"{script(dataset)}\n</head>", 1), encoding="utf-8", newline="")


def script(dataset: Mapping[str, Any]) -> str:
    """Return a description as an element of HTML. No text in it can end the element."""
    text = json.dumps(dataset, ensure_ascii=False, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/ld+json">{text}</script>'


def _dataset(project: Project, title: str, about: list[str], span: Span, demonstration: bool) -> dict[str, Any]:
    """Return what is true of any data of the city."""
    program = project.shown
    identity, data = program.identity, program.data
    if demonstration and program.demonstration:
        about = [*about, program.demonstration.statement.strip()]
    city = {"@type": "Organization", "name": identity.city}
    creator = {"@type": "Organization", "name": identity.department, "parentOrganization": city}
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": title,
        "description": " ".join(about),
        "inLanguage": project.language.code,
        **_terms([one.path for one in data.licenses]),
        "isAccessibleForFree": True,
        "creator": creator | ({"url": program.contact.address} if program.contact and program.contact.address else {}),
        "publisher": city,
        "temporalCoverage": _days(span),
        "spatialCoverage": {"@type": "Place", "name": identity.city},
        "variableMeasured": [
            {"@type": "PropertyValue", "propertyID": name, "name": _what_is_counted(project, name)}
            for name in program.measures
        ],
        "isBasedOn": [
            {"@type": "CreativeWork", "name": one.title, **({"url": one.path} if one.path else {})}
            for one in data.sources
        ],
    }


def _what_is_counted(project: Project, name: str) -> str:
    """Return in words what a measure counts."""
    measure = project.shown.measures[name]
    title = project.shown.tables[measure.table].title
    if measure.by is None:
        return f"{title}: {measure.label}"
    return project.language.text("{measure} by {category}", measure=title, category=uncapital(measure.label))


def _terms(licenses: list[str]) -> dict[str, Any]:
    """Return the addresses of the licenses, if there are any."""
    return {"license": licenses[0] if len(licenses) == 1 else licenses} if licenses else {}


def _days(span: Span) -> str:
    """Return a span of days as ISO 8601 writes it."""
    return f"{span.start}/{span.end}"


def _download(to_files: str, name: str) -> dict[str, Any]:
    return _file(to_files, name, "DataDownload", "contentUrl")


def _file(to_files: str, name: str, kind: str, address: str) -> dict[str, Any]:
    form = _KINDS[name.rpartition(".")[2]]
    return {"@type": kind, "name": name, "encodingFormat": form, address: f"{to_files}{name}"}
