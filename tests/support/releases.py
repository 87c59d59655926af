"""A town with release dates, and an embargo on its issue of November 2023."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.support.pages import PlainEngine
from tests.support.projects import HEADERS, town, with_a_short_report
from tests.support.register import APPROVER
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.publish.publication import publish
from viputils.publish.site.build import make_site

OCTOBER, NOVEMBER = ReportMonth(2023, 10), ReportMonth(2023, 11)
# Numbers that only the issue of November has: adults and children assisted in November.
SECRETS = ("70017", "80018")
RELEASES = """
[[releases]]
issue = "2023-10"
date = 2023-11-06

[[releases]]
issue = "2023-11"
date = 2023-12-11
time = "10:00"
embargo = true

[[releases]]
issue = "2023-12"
date = 2024-01-08
"""
BEFORE, AFTER = dt.date(2023, 12, 10), dt.date(2023, 12, 11)


def with_release_dates(root: Path, address: str) -> None:
    """Make a town in two languages with October and November published, and its site after the embargo on November."""
    with_a_short_report(town(root))
    raw = root / "data" / "raw"
    (raw / "2023-12-04").rename(raw / "2023-11-03")
    responses = raw / "2023-11-03" / "responses.csv"
    late = "DEMO-R1,2023-11-02,DV,SE"
    responses.write_text(responses.read_text(encoding="utf-8").replace(f"{late}\n", ""), encoding="utf-8")
    reviews = raw / "2023-11-03" / "reviews.csv"
    reviews.write_text(f"{HEADERS['reviews']}\n", encoding="utf-8")
    # The delivery of November has a response of October that came late.
    rows = {
        "responses": [late, "DEMO-R5,2023-10-09,Suicide,SW"],
        "outreach": [f"DEMO-O1,2023-11-07,SE,Event,,{','.join(SECRETS)}"],
    }
    (raw / "2023-12-04").mkdir()
    for table, header in HEADERS.items():
        if table != "voids":
            lines = "\n".join([header, *rows.get(table, [])]) + "\n"
            (raw / "2023-12-04" / f"{table}.csv").write_text(lines, encoding="utf-8", newline="")
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8").replace('language = "en"', 'language = "en"\nalso_in = ["es"]', 1)
    program.write_text(text + RELEASES, encoding="utf-8")
    project = Project.open(root)
    make_site(project, PlainEngine(), address, OCTOBER, on=AFTER)
    publish(project, OCTOBER, dt.date(2023, 11, 6), APPROVER)
    # November shows the number checks of October.
    make_site(project, PlainEngine(), address, OCTOBER, on=AFTER)
    publish(project, NOVEMBER, dt.date(2023, 12, 5), APPROVER)
    make_site(project, PlainEngine(), address, OCTOBER, on=AFTER)
