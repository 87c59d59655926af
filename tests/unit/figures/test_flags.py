"""Measures that count the records whose flag is set."""

from __future__ import annotations

from tests.support.projects import Deliver
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.counts import compute_figures, value_of
from viputils.records.clean import load_records


def test_a_measure_counts_the_records_whose_flag_is_set(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    measure = [
        "[measures.with_a_leader]",
        'label = "with a leader"',
        'table = "notifications"',
        "where = { community_leader_present = true }",
        'count = "rows"',
    ]
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(["", *measure, ""]), encoding="utf-8")
    flagged = Project.open(project.root)
    deliver(
        notifications=[
            "N1,2023-11-02,C1,Delivered,yes",
            "N2,2023-11-03,C2,Delivered,no",
            "N3,2023-11-04,C3,Declined,TRUE",
        ]
    )
    figures = compute_figures(load_records(flagged), ReportMonth(2023, 11))
    assert value_of(figures, "with_a_leader", period="month") == 2
