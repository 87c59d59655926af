"""Small projects with any history of deliveries, for tests that try many."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.projects import HEADERS, REPOSITORY
from viputils.config.project import Project


def as_snapshot(project: Project, one_row_per_id: bool = True) -> Project:
    """Change the delivery of responses to snapshots."""
    path = project.root / "program.toml"
    more = f'delivery = "snapshot"\none_row_per_id = {str(one_row_per_id).lower()}'
    text = path.read_text(encoding="utf-8").replace('id = "response_id"', f'id = "response_id"\n{more}')
    path.write_text(text, encoding="utf-8")
    return Project.open(project.root)


# One table and few measures, so that many histories run quickly.
SMALL = """
[vocabularies.incident_type]
"DV/Sexual Assault" = ["DV"]
"Homicide" = ["HOM"]
[vocabularies.area_command]
"Southeast" = ["SE"]
[[crosswalks]]
vocabulary = "area_command"
value = "University"
aliases = ["UNI"]
counted_as = "Southeast"
valid_from = 2023-11-02
reason = "It was split off."
[tables.responses]
title = "Responses"
id = "response_id"
date = "response_date"
delivery = "DELIVERY"
one_row_per_id = UNIQUE
columns.response_date = { type = "date" }
columns.incident_type = { type = "category", vocabulary = "incident_type" }
columns.area_command = { type = "category", vocabulary = "area_command", required = false }
[measures.responses]
label = "responses"
table = "responses"
count = "rows"
[measures.responses_by_incident_type]
label = "Incident type"
table = "responses"
count = "rows"
by = "incident_type"
[measures.responses_by_area_command]
label = "Area command"
table = "responses"
count = "rows"
by = "area_command"
missing = "Not recorded"
[measures.responses_by_month]
label = "Month"
table = "responses"
count = "rows"
by = "month"
[report]
headline = ["responses"]
"""


Row = tuple[str, str, str, str]


History = list[tuple[list[Row], list[str]]]


IDS = st.sampled_from(["R1", "R2", "R3", "R4"])


DAYS = st.sampled_from(["2023-10-30", "2023-11-02", "2023-11-30", "2023-12-01"])


ROWS = st.lists(
    st.tuples(IDS, DAYS, st.sampled_from(["DV", "HOM", "x", ""]), st.sampled_from(["SE", "UNI", ""])), max_size=5
)


# Deliveries after November, each with rows of responses and the ids that it withdraws.
HISTORIES: st.SearchStrategy[History] = st.lists(st.tuples(ROWS, st.lists(IDS, max_size=2)), min_size=1, max_size=4)


KINDS = st.sampled_from([("incremental", "true"), ("snapshot", "true"), ("snapshot", "false")])


ON_DISK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30, fewest=3))


def remade(root: Path, kind: tuple[str, str], history: History) -> Project:
    """Write a small project with a history of deliveries, replacing the previous one."""
    shutil.rmtree(root, ignore_errors=True)
    whole = (REPOSITORY / "program.toml").read_text(encoding="utf-8")
    identity = whole[whole.index("[program]") : whole.index("# Records whose id")].replace("monthly", "irregularly")
    small = SMALL.replace("DELIVERY", kind[0]).replace("UNIQUE", kind[1])
    for number, (rows, voids) in enumerate(history):
        folder = root / "data" / "raw" / f"2023-12-{4 + number:02}"
        folder.mkdir(parents=True)
        withdrawn = [f"V{number}{place},2023-12-01,responses,{record}" for place, record in enumerate(voids)]
        # The first delivery contains November.
        brings = ["R0,2023-11-15,DV,SE"] if number == 0 else []
        for table, lines in (("responses", [*brings, *(",".join(row) for row in rows)]), ("voids", withdrawn)):
            (folder / f"{table}.csv").write_text("\n".join([HEADERS[table], *lines]) + "\n", encoding="utf-8")
    (root / "program.toml").write_text(identity + small, encoding="utf-8")
    return Project.open(root)


def with_tables(project: Project, *tables: str) -> Project:
    """Remove all but some tables of a project, with their measures, so that it runs faster."""
    path = project.root / "program.toml"
    head, *parts = re.split(r"(?m)^(?=\[)", path.read_text(encoding="utf-8"))
    given = tomllib.loads("".join([head, *parts]))
    measures = [
        name
        for name, measure in given["measures"].items()
        if {measure["table"], measure.get("followed_by", measure["table"])} <= set(tables)
    ]
    kept = [head]
    for part in parts:
        kind, _, name = part[1 : part.index("]")].partition(".")
        if kind == "intake":
            if name == "left_out":
                lines = part.splitlines(keepends=True)
                part = "".join(line for line in lines if "=" not in line or line.split()[0] in tables)
            elif name and name.removeprefix("headings.") not in tables:
                continue
        if (kind == "tables" and name not in tables) or (kind == "measures" and name not in measures):
            continue
        if kind != "report":
            kept.append(part)
    report = {key: value for key, value in given["report"].items() if not isinstance(value, dict)}
    kept.append("[report]\n")
    for key, value in report.items():
        if isinstance(value, str):
            kept += [f'{key} = "{value}"\n'] if value in measures else []
        else:
            left = [one for one in value if one in measures]
            if key == "headline":
                left = left or [name for name in measures if "by" not in given["measures"][name]][:1]
            elif len(left) < len(value):
                continue
            kept.append(f"{key} = {json.dumps(left)}\n")
    path.write_text("".join(kept), encoding="utf-8")
    return Project.open(project.root)
