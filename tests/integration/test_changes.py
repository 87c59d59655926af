"""`vip changes`: real repositories with real commits, each computing its own figures with its own code.

A process for each commit and month takes seconds. Where commits differ in their program or records only, `make test`
counts them in the process of the test, and `make test-all` runs the same test with the code of each commit as well.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.command import TIMEOUT, VIP, vip
from tests.support.examples import examples
from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver, contents
from tests.support.register import an_issue
from viputils.audit.as_of import load_edition
from viputils.audit.changes import find_changes
from viputils.audit.changes.figure_tables import compare, read_figures
from viputils.audit.changes.result import Changes
from viputils.audit.register import add_issue
from viputils.config.project import Project
from viputils.core.errors import ParameterError, PublishedError, VipError
from viputils.core.git import check_out
from viputils.core.months import ReportMonth, parse_date
from viputils.figures.counts import figures_csv

NOVEMBER = ReportMonth(2023, 11)
KEY = ["measure", "category", "period"]
HOMICIDES = "responses_by_incident_type/Homicide/month"
ROWS = ["R1,2023-11-02,DV,SE", "R2,2023-11-30,HOM,NE", "R3,2023-11-30,SUI,NE"]
PUBLISHED = "measure,category,period,value\nresponses_by_incident_type,Homicide,month,1\n"

GIT_ENV = {
    "GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "person@example.org", "GIT_COMMITTER_NAME": "A Person",
    "GIT_COMMITTER_EMAIL": "person@example.org", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **GIT_ENV}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, message: str = "Change something") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def count_homicides_as_suicides(project: Project) -> None:
    edit(project.root / "program.toml", '"Homicide" = ["HOM", "Murder"]', '"Homicide" = ["Murder"]')
    edit(project.root / "program.toml", '"Suicide" = ["SUI",', '"Suicide" = ["HOM", "SUI",')


def moved(found: Changes) -> dict[str, tuple[object, object]]:
    rows = found.figures.astype("object").to_dict("records")
    return {"/".join(filter(None, (row[part] for part in KEY))): (row["before"], row["after"]) for row in rows}


@pytest.fixture
def project(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time; for whole issues it has all."""
    return project if "two_issues" in request.fixturenames else with_tables(project, "responses", "outreach")


@pytest.fixture
def city(project: Project, deliver: Deliver, request: pytest.FixtureRequest) -> Project:
    """A small project with one delivery, one issue in its register, one commit, and its own code where that counts."""
    deliver(responses=ROWS)
    (project.published / "2023-11.csv").write_text(PUBLISHED, encoding="utf-8")
    if "_counted" not in request.fixturenames or request.getfixturevalue("_counted") != HERE:
        shutil.copytree(
            REPOSITORY / "src", project.root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    git(project.root, "init", "--quiet", "--initial-branch=main")
    commit(project.root, "Begin")
    return project


def _counted_here(_: object, tree: Any, wanted: Any) -> pd.DataFrame | str:
    """Count what a commit would count, with the code of this process in place of the commit's own."""
    as_of = parse_date(wanted.as_of) if wanted.as_of else None
    try:
        return load_edition(Project.open(tree.root), wanted.period, as_of).figures
    except VipError as error:
        return str(error).splitlines()[0]


HERE = "in this process"


@pytest.fixture(params=[HERE, pytest.param("with the code of each commit", marks=pytest.mark.history)])
def _counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == HERE:
        monkeypatch.setattr("viputils.audit.changes.commit_runs.Runs.figures", _counted_here)
    return str(request.param)


# For commits whose code is the same.
both_ways = pytest.mark.usefixtures("_counted")


# ---------------------------------------------------------------- Two tables

Table = dict[tuple[str, str, str], int]
tables = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y/z"]), st.sampled_from(["month", "fytd"])),
    st.integers(min_value=0, max_value=3),
)


def frame(table: Table) -> pd.DataFrame:
    rows = pd.DataFrame([(*key, value) for key, value in table.items()], columns=[*KEY, "value"])
    return rows.astype({**dict.fromkeys(KEY, "str"), "value": "int64"})


@settings(max_examples=examples(40))
@given(tables, tables)
def test_the_changes_put_upon_the_one_table_give_the_other(before: Table, after: Table) -> None:
    found = compare(frame(before), frame(after))
    now = dict(before)
    for row in found.to_dict("records"):
        key = (row["measure"], row["category"], row["period"])
        if row["what"] == "removed":
            assert now.pop(key) == row["before"]
        else:
            assert (row["what"] == "added") == (key not in now)
            assert row["what"] == "added" or row["change"] == row["after"] - row["before"] != 0
            now[key] = int(row["after"])
    assert now == after
    assert (len(found) == 0) == (before == after)


@settings(max_examples=examples(40))
@given(tables, tables)
def test_the_other_way_round_the_same_figures_change_by_the_opposite(before: Table, after: Table) -> None:
    there, back = (compare(frame(one), frame(other)) for one, other in ((before, after), (after, before)))
    there = there.sort_values(KEY, ignore_index=True)
    back = back.sort_values(KEY, ignore_index=True)
    assert there[KEY].equals(back[KEY])
    assert there["before"].equals(back["after"])
    assert there["change"].equals(-back["change"])


@settings(max_examples=examples(40))
@given(tables)
def test_a_figures_table_is_read_as_it_was_written(table: Table) -> None:
    pd.testing.assert_frame_equal(read_figures(figures_csv(frame(table)), "figures.csv"), frame(table))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the header is ''; it must be measure,category,period,value."),
        ("a,b\n", "line 1: the header is 'a,b'"),
        (PUBLISHED + PUBLISHED.splitlines()[1], "'responses_by_incident_type/Homicide/month' occurs twice"),
        (PUBLISHED + "x,,month,many\n", "line 3: 'many' is not a whole number"),
        (PUBLISHED + "x,month,1\n", "line 3: has 3 fields; it must have 4: measure, category, period, value."),
        (PUBLISHED + 'x,"y,month,1\n', "is not CSV"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(text: str, says: str) -> None:
    with pytest.raises(PublishedError) as error:
        read_figures(text, "figures.csv")
    assert says in str(error.value)


# ---------------------------------------------------------------- Two issues


@pytest.fixture
def two_issues(project: Project) -> Project:
    """An issue in the register, its re-issue with one homicide more, and the same in folders of issues."""
    text = (REPOSITORY / "data" / "published" / "2023-11.csv").read_text(encoding="utf-8")
    figures = read_figures(text, "2023-11.csv")
    first = an_issue("2023-11", figures=figures)
    more = figures["value"] + (figures["category"].eq("Homicide") & figures["period"].eq("month"))
    second = an_issue("2023-11-r1", figures=figures.assign(value=more), reason="one homicide was found later")
    for issue in (first, second):
        add_issue(project, issue)
        folder = project.issues / str(issue.name)
        folder.mkdir(parents=True)
        (folder / "figures.csv").write_text(figures_csv(issue.figures), encoding="utf-8")
    return project


def test_two_issues_of_the_register_are_compared_figure_by_figure(two_issues: Project) -> None:
    done = vip("changes", "2023-11", "2023-11-r1", "--json", cwd=two_issues.root)
    assert done.returncode == 1, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["before"], shown["after"]) == ("November 2023", "November 2023, re-issue 1")
    (row,) = shown["figures"]
    assert "/".join(row[part] for part in KEY) == HOMICIDES
    assert (row["before"], row["after"], row["change"], row["what"]) == (5, 6, 1, "moved")
    assert (row["printed"], row["said"], shown["unsaid"]) == (True, "", 1)


def test_folders_and_files_of_issues_are_compared_too_and_the_same_is_said_to_be(two_issues: Project) -> None:
    for other in ("issues/2023-11", "issues/2023-11/figures.csv"):
        done = vip("changes", "2023-11", other, cwd=two_issues.root)
        assert (done.returncode, done.stdout) == (0, f"November 2023 to {other}: No figure changed.\n"), done.stderr
    assert moved(find_changes(two_issues, "2023-11", str(two_issues.issues / "2023-11-r1"))) == {HOMICIDES: (5, 6)}


def test_changes_are_printed_as_a_table_csv_and_release_notes(two_issues: Project) -> None:
    text = vip("changes", "2023-11", "2023-11-r1", cwd=two_issues.root).stdout
    assert "│ responses_by_incident_type │ Homicide │ month  │      5 │     6 │     +1 │ moved │" in text
    assert "1 printed figure moved." in text
    as_csv = vip("changes", "2023-11", "2023-11-r1", "--csv", cwd=two_issues.root)
    assert as_csv.stdout.splitlines() == [
        "issue,measure,category,period,before,after,change,what,printed,said",
        ",responses_by_incident_type,Homicide,month,5,6,1,moved,True,",
    ]
    assert "1 printed figure moved." in as_csv.stderr
    assert vip("changes", "2023-11", "2023-11-r1", "--csv", "--markdown", cwd=two_issues.root).returncode == 2


def test_release_notes_show_the_characters_of_a_file_and_nothing_else(two_issues: Project) -> None:
    row = "a|b<script>,*c*,month,1\n"
    (two_issues.issues / "2023-11" / "figures.csv").write_text(PUBLISHED + row, encoding="utf-8")
    (two_issues.issues / "2023-11-r1" / "figures.csv").write_text(PUBLISHED, encoding="utf-8")
    done = vip("changes", "issues/2023-11", "issues/2023-11-r1", "--markdown", cwd=two_issues.root)
    lines = done.stdout.splitlines()
    assert lines[0] == r"# Figures from issues/2023\-11 to issues/2023\-11\-r1"
    assert lines[2] == r"1 printed figure was removed\."
    assert lines[6] == r"| a\|b\<script\>/\*c\*/month | 1 |  |  | removed |"


def test_figures_that_moved_were_added_and_were_removed_are_counted_apart(two_issues: Project) -> None:
    figures = two_issues.issues / "2023-11" / "figures.csv"
    figures.write_text(
        "measure,category,period,value\nnew,,month,1\nnewer,,month,1\nresponses,,month,3\n"
        "responses_by_incident_type,Homicide,month,4\n",
        encoding="utf-8",
    )
    (two_issues.issues / "2023-11-r1" / "figures.csv").write_text(PUBLISHED + "old,,month,1\n", encoding="utf-8")
    arguments = ("changes", "issues/2023-11-r1", "issues/2023-11")
    sentence = "1 printed figure moved, 2 were added and 1 was removed; 1 figure that no issue prints was added."
    found = json.loads(vip(*arguments, "--json", cwd=two_issues.root).stdout)
    assert found["sentence"] == sentence
    assert found["counts"] == {
        "printed": {"moved": 1, "added": 2, "removed": 1},
        "not_printed": {"moved": 0, "added": 1, "removed": 0},
    }
    assert sentence in vip(*arguments, cwd=two_issues.root).stdout
    assert sentence.replace(".", r"\.") in vip(*arguments, "--markdown", cwd=two_issues.root).stdout


def test_a_figure_that_no_issue_prints_is_shown_and_decides_nothing(two_issues: Project) -> None:
    path = two_issues.issues / "2023-11" / "figures.csv"
    path.write_text(path.read_text(encoding="utf-8") + "responses,,month,90\n", encoding="utf-8")
    done = vip("changes", "2023-11", "issues/2023-11", cwd=two_issues.root)
    assert done.returncode == 0
    assert "added, not printed" in done.stdout
    assert "No printed figure changed; 1 figure that no issue prints was added." in done.stdout


def test_what_cannot_be_compared_is_refused_by_name(two_issues: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    root = two_issues.root
    git(root, "init", "--quiet")
    commit(root)
    (root / "bad.csv").write_bytes(b"\xff")
    monkeypatch.chdir(root)
    for before, after, says in (
        ("2023-12", "nothing", "2023-12: is neither an issue of the register, nor a folder with a figures.csv, nor"),
        ("2023-12", "nothing", "nothing: is neither an issue"),
        ("2023-11", "HEAD", "2023-11, HEAD: are of two kinds;"),
        ("issues/2023-11", "bad.csv", "bad.csv: is not UTF-8;"),
    ):
        with pytest.raises(ParameterError) as error:
            find_changes(two_issues, before, after)
        assert says in str(error.value)
    for arguments, says in (
        (("2023-11", "2023-11-r1", "--month", "2023-10"), "--month, --all-months: are about commits;"),
        (("HEAD", "HEAD", "--month", "2023-13"), "'2023-13' is not a month"),
        (("--", "HEAD", "--output=x"), "--output=x: is neither an issue"),
    ):
        done = vip("changes", *arguments, cwd=root)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert says in done.stderr


# ---------------------------------------------------------------- Two commits


def test_a_change_of_code_shows_the_printed_figure_that_it_moves_by_one(city: Project) -> None:
    source = city.root / "src" / "viputils" / "figures" / "counts.py"
    edit(
        source,
        "between(pd.Timestamp(span.start), pd.Timestamp(span.end))",
        'between(pd.Timestamp(span.start), pd.Timestamp(span.end), inclusive="left")',
    )
    commit(city.root, "Lose the last day of a month")
    done = vip("changes", "HEAD~1", "HEAD", "--json", cwd=city.root)
    assert done.returncode == 1, done.stderr
    shown = json.loads(done.stdout)
    homicides = [row for row in shown["figures"] if row["category"] == "Homicide"]
    assert [(row["issue"], row["before"], row["after"], row["what"]) for row in homicides] == [
        ("2023-11", 1, 0, "moved")
    ] * 2
    whole = [row for row in shown["figures"] if row["measure"] == "responses"]
    assert [(row["before"], row["after"], row["printed"]) for row in whole] == [(3, 1, False)] * 2
    assert shown["compared"] == ["2023-11"]


@both_ways
def test_what_a_message_says_that_it_moves_is_shown_with_its_reason_and_decides_nothing(city: Project) -> None:
    count_homicides_as_suicides(city)
    first = commit(
        city.root,
        "Count HOM. as suicide\n\n"
        f"Moves-figure: 2023-11 {HOMICIDES} — the agency says\n  that HOM. is no homicide\n"
        "moves-figure: all responses_by_incident_type/suicide/MONTH -- the same\n"
        f"Moves-figure: 2023-10 {HOMICIDES} -- of another month\n"
        "Moves-figure: 2023-11 people_notified/month -- which stays where it is\n"
        "Moves-figure: 2023-11 responses_by_incident_type/Suicide/fytd\n"
        "Moves-figure: all --\n",
    )[:9]
    found = find_changes(city, "HEAD~1", "HEAD")
    said = {"/".join(row[part] for part in KEY): row["said"] for row in found.figures.to_dict("records")}
    kind = "responses_by_incident_type"
    assert said == {
        f"{kind}/Homicide/month": f"the agency says that HOM. is no homicide ({first})",
        f"{kind}/Homicide/fytd": "",
        f"{kind}/Suicide/month": f"the same ({first})",
        f"{kind}/Suicide/fytd": "",
    }
    assert len(found.unsaid) == 2
    not_moved = [note for note in found.notes if "did not move" in note]
    assert [note.split("it moves ")[1] for note in not_moved] == [
        f"2023-10 {HOMICIDES}, which did not move here.",
        "2023-11 people_notified/month, which did not move here.",
    ]
    assert sum("lacks a figure or a reason" in note for note in found.notes) == 2

    # A later message says the rest: by measure, and it need not be its last paragraph.
    commit(city.root, f"Say so\n\nMoves-figure: 2023-11 {kind} -- as the commit before\n\nAnd more.\n")
    done = vip("changes", "HEAD~2", "HEAD", cwd=city.root)
    assert done.returncode == 0, done.stdout
    assert "4 printed figures moved, 4 of them explained by commit messages." in done.stdout


@both_ways
def test_figures_that_come_and_go_with_a_measure_are_added_and_removed(city: Project) -> None:
    before = commit(city.root)
    edit(city.root / "program.toml", "[measures.adults_assisted]", "[measures.adults_helped]")
    edit(city.root / "program.toml", 'headline = ["adults_assisted",', 'headline = ["adults_helped",')
    commit(city.root)
    found = find_changes(city, before, "HEAD")
    rows = found.figures.loc[found.figures["printed"]].to_dict("records")
    assert [(row["measure"], row["what"]) for row in rows] == [
        ("adults_helped", "added"),
        ("adults_assisted", "removed"),
    ]
    assert len(found.unsaid) == 2
    assert found.sentence.startswith("1 printed figure was added and 1 was removed; ")


@both_ways
def test_the_working_tree_is_compared_as_it_is_and_nothing_is_written_into_it(
    city: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    count_homicides_as_suicides(city)
    before = contents(city.root)
    found = find_changes(city, "HEAD", ".")
    assert moved(found)[HOMICIDES] == (1, 0)
    assert found.after == "the working tree"
    assert contents(city.root) == before


def break_code(project: Project) -> str:
    (project.root / "src" / "viputils" / "figures" / "counts.py").write_text(
        "import no_such_package\n", encoding="utf-8"
    )
    return "2023-11 at {}: cannot be computed: ModuleNotFoundError: No module named 'no_such_package'"


def break_records(project: Project) -> str:
    shutil.rmtree(project.raw / "2023-12-04")
    (project.raw / "README.md").write_text("none", encoding="utf-8")
    return "2023-11 at {}: cannot be computed: "


def print_what_is_no_table(project: Project) -> str:
    (project.root / "src" / "viputils" / "cli" / "main.py").write_text(
        "def main():\n    print('ready')\n", encoding="utf-8"
    )
    return "2023-11 at {}: cannot be computed: what it printed, line 1: the header is 'ready'"


def take_the_project_away(project: Project) -> str:
    (project.root / "program.toml").unlink()
    return "{}: has no program.toml at that place"


@pytest.mark.parametrize(
    "spoil",
    [
        break_code,
        pytest.param(break_records, marks=pytest.mark.history),
        pytest.param(print_what_is_no_table, marks=pytest.mark.history),
        take_the_project_away,
    ],
)
def test_what_one_side_cannot_compute_is_never_no_change(city: Project, spoil: Callable[[Project], str]) -> None:
    says = spoil(city)
    bad = commit(city.root)
    # The earlier one or the later one.
    sides = (bad, "HEAD~1") if spoil in (break_code, take_the_project_away) else ("HEAD~1", bad)
    found = find_changes(city, *sides)
    (problem,) = found.not_compared
    assert str(problem).startswith(says.format(bad))
    assert (found.compared, found.sentence, len(found.unsaid)) == ((), "Nothing could be compared.", 0)


@both_ways
def test_where_one_month_cannot_be_told_and_the_others_stayed_the_command_cannot_tell(
    city: Project, deliver: Deliver
) -> None:
    (city.published / "2024-01.csv").write_text(PUBLISHED, encoding="utf-8")
    commit(city.root)
    done = vip("changes", "HEAD", ".", cwd=city.root)
    assert done.returncode == 2
    assert "COULD NOT BE COMPARED: 2024-01 at HEAD" in done.stdout
    assert "No figure changed in what could be compared." in done.stdout
    # A figure that did move is told.
    count_homicides_as_suicides(city)
    assert vip("changes", "HEAD", ".", cwd=city.root).returncode == 1


@both_ways
def test_an_issue_that_only_the_later_commit_has_is_new_and_no_failure(city: Project, deliver: Deliver) -> None:
    deliver("2024-01-04", responses=["R9,2023-12-02,DV,SE"])
    (city.published / "2023-12.csv").write_text(PUBLISHED, encoding="utf-8")
    commit(city.root)
    done = vip("changes", "HEAD~1", "HEAD", cwd=city.root)
    assert done.returncode == 0, done.stdout
    assert "Note: 2023-12 is new at HEAD" in done.stdout
    # Asked for by name it is no answer.
    assert vip("changes", "HEAD~1", "HEAD", "--month", "2023-12", cwd=city.root).returncode == 2


@both_ways
def test_months_are_those_of_either_register_those_asked_for_or_all_with_records(
    city: Project, deliver: Deliver
) -> None:
    edit(city.root / "program.toml", "records_from = 2022-07-01", "records_from = 2023-10-01")
    edit(city.root / "program.toml", "fiscal_year_starts = 7", "fiscal_year_starts = 11")
    deliver("2024-01-04", responses=["R9,2023-12-02,DV,SE"])
    commit(city.root)
    assert find_changes(city, "HEAD", "HEAD", [ReportMonth(2023, 12)]).compared == ("2023-12",)
    every = find_changes(city, "HEAD", "HEAD", every=True)
    # The fiscal year of October begins before the records do, so there is no issue of it.
    assert (every.compared, every.not_compared) == (("2023-11", "2023-12"), ())
    (city.published / "2023-11.csv").unlink()
    with pytest.raises(ParameterError, match="There is nothing to compare"):
        find_changes(city, ".", ".")


@both_ways
def test_a_re_issue_is_computed_as_of_the_day_that_the_register_states(city: Project, deliver: Deliver) -> None:
    deliver("2024-01-04", responses=["R3,2023-11-30,HOM,NE"])
    (city.published / "2023-11-r1.csv").write_text(PUBLISHED, encoding="utf-8")
    index = "issue,as_of\n2023-11,\n2023-11-r1,2024-01-04\n"
    (city.published / "index.csv").write_text(index, encoding="utf-8")
    commit(city.root)
    count_homicides_as_suicides(city)
    found = find_changes(city, "HEAD", ".")
    assert found.compared == ("2023-11", "2023-11 as of 2024-01-04")
    rows = found.figures.loc[found.figures["category"].eq("Homicide") & found.figures["period"].eq("month")]
    assert rows[["issue", "before", "after"]].astype("object").to_numpy().tolist() == [
        ["2023-11", 1, 0],
        ["2023-11 as of 2024-01-04", 2, 0],
    ]


@pytest.mark.history
def test_a_city_in_a_folder_of_a_repository_takes_its_code_and_may_share_what_lies_beside_it(
    city: Project, tmp_path: Path
) -> None:
    top = tmp_path / "a repository"
    root = top / "cities" / "one"
    root.mkdir(parents=True)
    (tmp_path / "common").mkdir()
    shutil.move(city.root / "src", top / "src")
    shutil.copytree(city.root / "data", root / "data")
    text = (city.root / "program.toml").read_text(encoding="utf-8")
    shares = text.replace('language = "en"', 'language = "en"\nshares = "../../../common"')
    (root / "program.toml").write_text(shares, encoding="utf-8")
    git(top, "init", "--quiet")
    commit(top)
    edit(
        top / "src" / "viputils" / "figures" / "counts.py",
        "[counts.get(category, 0) for",
        "[counts.get(category, 0) + 1 for",
    )
    commit(top)
    found = find_changes(Project.open(root), "HEAD~1", "HEAD")
    assert not found.not_compared
    assert moved(found)[HOMICIDES] == (1, 2)


@both_ways
def test_a_city_without_code_of_its_own_is_computed_with_the_code_that_asks(city: Project) -> None:
    shutil.rmtree(city.root / "src", ignore_errors=True)
    commit(city.root)
    count_homicides_as_suicides(city)
    commit(city.root)
    assert moved(find_changes(city, "HEAD~1", "HEAD"))[HOMICIDES] == (1, 0)


# ---------------------------------------------------------------- Nothing is left behind


@both_ways
def test_nothing_stays_in_the_repository_and_no_hook_or_setting_matters(city: Project, tmp_path: Path) -> None:
    root, home, scratch = city.root, tmp_path / "home", tmp_path / "scratch"
    (root / ".gitattributes").write_text("*.csv export-ignore\nprogram.toml export-subst\n", encoding="utf-8")
    count_homicides_as_suicides(city)
    commit(root, f"Count\n\nMoves-figure: 2023-11 {HOMICIDES} -- because\n")
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    scratch.mkdir()
    for name in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        for folder in (hooks, root / ".git" / "hooks"):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(f"#!/bin/sh\ntouch '{home}/a-hook-ran'\nexit 1\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        "[core]\nautocrlf = true\nsplitIndex = true\nfsmonitor = /bin/false\n"
        "[log]\nshowSignature = true\ndecorate = full\n[format]\npretty = oneline\n[color]\nui = always\n"
        "[trailer]\nseparators = %\n",
        encoding="utf-8",
    )
    git(root, "config", "core.hooksPath", str(hooks))
    before = contents(root)
    # As in a hook of another repository, which says where that one is.
    env = {"HOME": str(home), "TMPDIR": str(scratch), "GIT_DIR": str(tmp_path / "another"), "GIT_INDEX_FILE": "x"}
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in env.items():
            patch.setenv(variable, value)
        patch.setattr(tempfile, "tempdir", None)
        done = vip("changes", "HEAD~1", "HEAD", "--json", cwd=root)
    assert done.returncode == 1, done.stderr
    said = {row["said"][:7] for row in json.loads(done.stdout)["figures"] if row["category"] == "Homicide"}
    assert said == {"", "because"}
    assert contents(root) == before
    assert not (home / "a-hook-ran").exists()
    assert list(scratch.iterdir()) == []
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_a_commit_is_taken_out_as_it_was_committed_whatever_the_settings_of_git(city: Project, tmp_path: Path) -> None:
    (city.root / ".gitattributes").write_text("*.csv export-ignore\n*.toml export-subst\n", encoding="utf-8")
    name = commit(city.root)
    for setting in ("core.autocrlf", "core.splitIndex", "core.sparseCheckout"):
        git(city.root, "config", setting, "true")
    (city.root / ".git" / "info" / "sparse-checkout").write_text("/src/\n", encoding="utf-8")
    before = contents(city.root)
    folder = tmp_path / "taken out"
    assert check_out(city.root, name, folder)
    assert contents(city.root) == before
    assert contents(folder) == {path: data for path, data in before.items() if not path.startswith(".git/")}
    assert not check_out(city.root, "0" * 40, tmp_path / "nothing")


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.process)])
def test_an_interruption_ends_what_is_under_way_and_leaves_nothing(
    city: Project, tmp_path: Path, number: signal.Signals
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    witness = tmp_path / "running"
    cli = city.root / "src" / "viputils" / "cli" / "main.py"
    slow = f"\n\ndef main():\n    open({str(witness)!r}, 'w').close()\n    import time\n    time.sleep(600)\n"
    cli.write_text(cli.read_text(encoding="utf-8") + slow, encoding="utf-8")
    commit(city.root)
    before = contents(city.root)
    process = subprocess.Popen(
        [VIP, "changes", "HEAD", "HEAD"], cwd=city.root, env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + TIMEOUT
    while not witness.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(number)
    _, said = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert "Interrupted. Nothing was changed." in said
    assert "Traceback" not in said
    assert not [child for child in children if child.is_running()]
    assert list(scratch.iterdir()) == []
    assert contents(city.root) == before


# ---------------------------------------------------------------- make changes


@pytest.fixture
def make(city: Project) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The repository's own Makefile in the small city; its environment is set up already."""
    shutil.copy(REPOSITORY / "Makefile", city.root)
    (city.root / "scripts").mkdir()
    (city.root / "scripts" / "set_up.sh").write_text("exit 0\n", encoding="utf-8")
    (city.root / ".venv" / "bin").mkdir(parents=True)
    (city.root / ".venv" / "bin" / "vip").symlink_to(VIP)
    (city.root / ".gitignore").write_text("/.venv\n", encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", "changes", *arguments],
            cwd=city.root, env={**os.environ, **GIT_ENV}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("code", "ends", "last"),
    [
        (0, 0, "vip changes HEAD~1 HEAD\n"),
        (1, 2, "vip changes HEAD~1 HEAD\n"),
        (2, 0, "what could be compared has not changed.\n"),
    ],
)
def test_make_changes_fails_where_the_command_finds_that_a_figure_moved(
    city: Project, make: Callable[..., subprocess.CompletedProcess[str]], code: int, ends: int, last: str
) -> None:
    nothing = make()
    assert (nothing.returncode, nothing.stdout) == (0, "No figures were compared: there is no commit HEAD~1 here.\n")
    assert "there is no commit origin/main here" in make("BASE=origin/main").stdout
    commit(city.root)
    command = city.root / ".venv" / "bin" / "vip"
    command.unlink()
    command.write_text(f'#!/bin/sh\necho "vip $*"\nexit {code}\n', encoding="utf-8")
    command.chmod(0o755)
    done = make()
    assert (done.returncode, done.stdout.endswith(last)) == (ends, True), done.stdout
    assert ("NOT EVERYTHING COULD BE COMPARED with HEAD~1;" in done.stdout) == (code == 2)


@pytest.mark.history
def test_make_changes_fails_only_where_a_printed_figure_moved_that_no_message_names(
    city: Project, make: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = make()
    assert (done.returncode, done.stdout) == (0, "No figures were compared: there is no commit HEAD~1 here.\n")
    commit(city.root)
    done = make()
    assert (done.returncode, done.stdout.endswith("No figure changed.\n")) == (0, True), done.stderr
    count_homicides_as_suicides(city)
    commit(city.root)
    done = make()
    assert done.returncode != 0
    assert "4 printed figures moved." in done.stdout
    assert "there is no commit origin/main here" in make("BASE=origin/main").stdout


@pytest.mark.history
def test_make_changes_says_loudly_that_an_old_commit_lacks_something_and_goes_on(
    city: Project, make: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    text = (city.root / "src" / "viputils" / "figures" / "counts.py").read_text(encoding="utf-8")
    break_code(city)
    commit(city.root)
    (city.root / "src" / "viputils" / "figures" / "counts.py").write_text(text, encoding="utf-8")
    commit(city.root)
    done = make()
    assert done.returncode == 0, done.stderr
    assert "COULD NOT BE COMPARED: 2023-11 at HEAD~1" in done.stdout
    assert done.stdout.endswith(
        "NOT EVERYTHING COULD BE COMPARED with HEAD~1; what could be compared has not changed.\n"
    )
    shutil.rmtree(city.root / ".git")
    assert make().stdout == "No figures were compared: there is no commit HEAD~1 here.\n"
