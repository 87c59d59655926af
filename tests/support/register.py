"""Issues for a register of published figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd

from viputils.audit.as_of import load_edition
from viputils.audit.manifest import MANIFEST, manifest_of, with_outputs
from viputils.audit.register import (
    IssueName,
    PublishedIssue,
    add_issue,
)
from viputils.audit.verdicts import printed_keys
from viputils.config.project import Project
from viputils.core.git import commit_of
from viputils.core.months import ReportMonth
from viputils.figures.counts import figures_csv
from viputils.report.seal import issue_inputs

NOVEMBER = ReportMonth(2023, 11)
# The person who approves the issues that tests publish.
APPROVER = "A. Person, Director"


def an_issue(name: str = "2023-11", value: int = 5, **changes: object) -> PublishedIssue:
    row = {"measure": "adults_assisted", "category": "", "period": "fytd", "value": value}
    issue = PublishedIssue(IssueName.parse(name), pd.DataFrame([row]), dt.date(2023, 12, 4), None, "here", "a person")
    return replace(issue, **changes)  # type: ignore[arg-type]


KEY = ["measure", "category", "period"]


def printed(project: Project, value: int, **changes: object) -> PublishedIssue:
    """Add an issue to the register with the given adults assisted and all other figures 0."""
    figures = all_printed(project, NOVEMBER, value)
    issue = replace(an_issue(), figures=figures, as_of=None, **changes)  # type: ignore[arg-type]
    add_issue(project, issue)
    return issue


def all_printed(project: Project, month: ReportMonth, adults: int) -> pd.DataFrame:
    rows = [(*key, adults if key[0] == "adults_assisted" else 0) for key in printed_keys(project.program, month)]
    return pd.DataFrame(rows, columns=[*KEY, "value"])


def published_here(project: Project, name: str = "2023-11") -> PublishedIssue:
    """Add an issue to the register with the manifest of an issue made here, without making pages."""
    edition = load_edition(project, IssueName.parse(name).period)
    folder = project.issues / name
    folder.mkdir(parents=True)
    (folder / "figures.csv").write_text(figures_csv(edition.figures), encoding="utf-8", newline="")
    inputs = issue_inputs(project, edition.period, edition.as_of)
    made_with = ("embedded", "none")
    manifest = manifest_of(project, edition.period, edition.records, made_with, inputs, commit_of(project.root))
    manifest = with_outputs(manifest, folder)
    (folder / MANIFEST).write_text(manifest.text(), encoding="utf-8", newline="")
    issue = replace(an_issue(name), figures=edition.figures, as_of=edition.as_of, reason="A reason.")
    issue = replace(issue, manifest=folder / MANIFEST)
    add_issue(project, issue)
    return issue
