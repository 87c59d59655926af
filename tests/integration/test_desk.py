"""A month's activities are begun, looked at and kept back as long as they must be; and every month has a status."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import vip
from tests.support.histories import with_tables
from tests.support.pages import PlainEngine, issue_made, plain_pages
from tests.support.projects import REPOSITORY, Deliver, copy_of_the_repository, with_a_short_report
from tests.support.register import APPROVER
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, TextError
from viputils.core.months import ReportMonth
from viputils.publish.activities import new_month
from viputils.publish.publication import publish
from viputils.publish.status import _read, project_status
from viputils.records.clean import clean_records, first_doubt
from viputils.records.deliveries import find_deliveries, read_received
from viputils.report.markdown import read_sections
from viputils.report.privacy.particulars import TO_WRITE

OCTOBER, NOVEMBER, DECEMBER = (ReportMonth(2023, month) for month in (10, 11, 12))
DAY = dt.date(2023, 11, 10)
TELLS = "## Help\n\nMany people\ncalled 505-\n555-0123.\n"
ALLOWED = (
    '[[allowed]]\nkind = "phone number"\ntext = "505- 555-0123"\nreason = "The public line."\nby = "J. Doe, comms"\n'
)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return copy_of_the_repository(tmp_path / "a project")


def status_of(project: Project, month: ReportMonth) -> dict[str, str]:
    """The row of one month, without those of all others."""
    return _read(project, []).period(month).row


# ------------------------------------------------------------------ vip new


def test_a_new_month_has_the_themes_of_the_newest_earlier_one_to_be_written(city: Path) -> None:
    done = vip("new", "2023-12", "--project", str(city))
    assert done.returncode == 0, done.stderr
    assert "Written: report/activities/2023-12.md, with the themes of 2023-11." in done.stdout
    path = city / "report" / "activities" / "2023-12.md"
    sections = read_sections(path, "it")
    before = read_sections(REPOSITORY / "report" / "activities" / "2023-11.md", "it")
    assert [one.title for one in sections] == [one.title for one in before]
    assert all(TO_WRITE in one.body and "December 2023" in one.body for one in sections)
    # Nothing of December was delivered, and it says so table by table.
    words = " ".join(done.stdout.split())
    assert "responses │ missing" in words
    assert "data/raw/…/responses.csv: was last received on 2023-12-04" in words
    # What is not written does not pass.
    done = vip("new", "2023-12", "--check", "--project", str(city))
    assert done.returncode == 1
    assert done.stdout.count("not written yet") == len(before)


def test_a_month_that_is_in_says_as_of_when(city: Path) -> None:
    done = vip("new", "2023-10", "--project", str(city))
    assert done.returncode == 0, done.stderr
    assert "with one sample theme" in done.stdout
    assert "The data for 2023-10 is complete as of 2023-11-03." in done.stdout
    assert "missing" not in done.stdout
    assert (city / "report/activities/2023-10.md").read_text("utf-8").startswith("## Activities\n\nTO BE WRITTEN: ")


def test_a_table_that_did_not_come_in_is_named(project: Project, deliver: Deliver) -> None:
    (deliver("2023-12-04") / "reviews.csv").unlink()
    begun = new_month(project, NOVEMBER)
    received = dict(begun.tables.itertuples(index=False, name=None))
    assert received.pop("reviews") == "missing"
    assert set(received.values()) == {"2023-12-04"}
    assert begun.as_of is None
    assert [problem.where for problem in begun.problems] == ["data/raw/…/reviews.csv"]


def test_what_is_written_is_never_overwritten(city: Path) -> None:
    path = city / "report" / "activities" / "2023-11.md"
    before = path.read_bytes()
    done = vip("new", "2023-11", "--project", str(city))
    assert done.returncode == 0, done.stderr
    assert "already exists, and was not changed" in done.stdout
    assert path.read_bytes() == before


def test_themes_come_over_as_they_were_typed(project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04")
    path = project.activities(OCTOBER)
    path.parent.mkdir(parents=True)
    path.write_text("## Food & *rent* [1] -- \\o/\n\nText.\n", encoding="utf-8")
    assert new_month(project, NOVEMBER).themes == ("Food & *rent* [1] -- \\o/",)
    read_sections(project.activities(NOVEMBER), "it")


@pytest.mark.parametrize(
    ("month", "said"),
    [("2022-06", "2022-07-01, when the records begin"), ("2998-01", "has not started"), ("2023-13", "is not a month")],
)
def test_a_month_that_no_records_can_cover_is_refused(city: Path, month: str, said: str) -> None:
    done = vip("new", month, "--project", str(city))
    assert done.returncode == 2
    assert said in done.stderr
    assert sorted(path.name for path in (city / "report" / "activities").iterdir()) == ["2023-11.es.md", "2023-11.md"]


def test_a_city_without_deliveries_can_begin_to_write(project: Project) -> None:
    begun = new_month(project, NOVEMBER)
    assert begun.created
    assert set(begun.tables["received"]) == {"missing"}


# ------------------------------------------------------------------ vip new --check


def test_the_activities_of_the_repository_pass() -> None:
    done = vip("new", "2023-11", "--check")
    assert (done.returncode, done.stdout) == (0, "No private details were found.\n")


def test_a_finding_is_shown_with_its_line_and_allowed_as_it_says(city: Path) -> None:
    folder = city / "report" / "activities"
    (folder / "2023-11.es.md").unlink()
    (folder / "2023-11.md").write_text(TELLS, encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 1
    assert "WARNING: report/activities/2023-11.md, line 4: phone number: '505- 555-0123'; take it out." in done.stdout
    # What it says is what it takes.
    example = done.stdout[done.stdout.index("    [[allowed]]") :]
    example = example.replace("why it may go out", "The public line.").replace("who allows it", "J. Doe, comms")
    (folder / "2023-11.allowed.toml").write_text(example, encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 0, done.stdout
    assert "Allowed: report/activities/2023-11.md, line 4: phone number: 505- 555-0123" in done.stdout
    # Once the number is gone, the allowance is not needed.
    (folder / "2023-11.md").write_text("## Help\n\nText.\n", encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 1
    assert "2023-11.allowed.toml, allowed 1: names nothing in the text" in done.stdout


def test_activities_that_are_not_written_yet_cannot_be_allowed_and_no_lines_say_how(city: Path) -> None:
    folder = city / "report" / "activities"
    (folder / "2023-11.es.md").unlink()
    (folder / "2023-11.md").write_text("## Help\n\nTO BE WRITTEN\n", encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 1
    assert "not written yet: 'TO BE WRITTEN'; write it" in done.stdout
    assert "allow" not in done.stdout


def test_a_translation_is_looked_at_as_well(city: Path) -> None:
    (city / "report" / "activities" / "2023-11.es.md").write_text(
        "## Ayuda {12345678}\n\n505-555-0123\n", encoding="utf-8"
    )
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 1
    assert "report/activities/2023-11.es.md, line 3: phone number" in done.stdout


def test_a_translation_whose_text_was_changed_and_what_comes_out_as_typed_are_named(city: Path) -> None:
    text = city / "report" / "activities" / "2023-11.md"
    text.write_text(text.read_text(encoding="utf-8").replace("five food boxes", "`six` food boxes"), encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 0
    assert (
        "Note: report/activities/2023-11.md, line 3: holds code; it will be shown just as it was typed." in done.stdout
    )
    said = " ".join(done.stdout.split())
    assert "the heading 'Ayuda con vivienda y alimentos': is not shown, because the text that it translates was" in said


def test_a_text_that_cannot_be_shown_is_an_error_and_says_what_else_was_found(city: Path) -> None:
    (city / "report" / "activities" / "2023-11.md").write_text(f"{TELLS}\n## Help\n\nMore.\n", encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 2
    assert "line 7: the heading 'Help' stands there twice" in done.stderr
    assert "line 4: phone number" in done.stderr
    done = vip("new", "2023-10", "--check", "--project", str(city))
    assert done.returncode == 2
    assert "create it with vip new 2023-10" in done.stderr


# ------------------------------------------------------------------ vip report, vip publish


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October, made with a text that holds a phone number; the report says so, and goes on."""
    root = copy_of_the_repository(tmp_path_factory.mktemp("desk") / "a project")
    (root / "report" / "activities" / "2023-10.md").write_text(TELLS, encoding="utf-8")
    with_a_short_report(root)
    with plain_pages():
        done = vip("report", "2023-10", "--project", str(root), "--engine", "embedded")
    assert done.returncode == 0, done.stderr
    assert "WARNING: report/activities/2023-10.md, line 4: phone number: '505- 555-0123'" in done.stderr
    return root


@pytest.fixture
def told(made: Path, tmp_path: Path) -> Project:
    root = tmp_path / "a project"
    shutil.copytree(made, root)
    # A library that is being worked on makes an issue out of date as well, which these tests do not look at.
    manifest = root / "issues" / "2023-10" / "manifest.json"
    shown = json.loads(manifest.read_text("utf-8"))
    assert shown["inputs"]["library"]
    shown["inputs"]["library"] = {}
    manifest.write_text(json.dumps(shown), encoding="utf-8")
    return Project.open(root)


def test_what_was_not_allowed_is_not_published(told: Project) -> None:
    before = {path.name: path.read_bytes() for path in told.published.iterdir()}
    done = vip(
        "publish", "2023-10", f"--approved-by={APPROVER}", "--printed", "2023-11-10", "--project", str(told.root)
    )
    assert done.returncode == 2
    assert "report/activities/2023-10.md, line 4: phone number: '505- 555-0123'" in done.stderr
    assert "report/activities/2023-10.allowed.toml" in done.stderr
    assert {path.name: path.read_bytes() for path in told.published.iterdir()} == before
    # Another number is not allowed by this one.
    allowed = told.report / "activities" / "2023-10.allowed.toml"
    allowed.write_text(ALLOWED.replace("0123", "0124"), encoding="utf-8")
    with pytest.raises(TextError, match="line 4"):
        publish(told, OCTOBER, DAY, APPROVER)
    allowed.write_text(ALLOWED, encoding="utf-8")
    assert publish(told, OCTOBER, DAY, APPROVER).name.period == OCTOBER


def made_with_another_text(told: Project) -> None:
    """Make the October issue again, with something that a correction corrects."""
    activities = told.activities(OCTOBER)
    text = activities.read_text("utf-8") if activities.is_file() else "## News\n"
    activities.write_text(f"{text}\nWords that were missing.\n", "utf-8")
    issue_made(told, "2023-10", PlainEngine())


@pytest.mark.parametrize("option", ["--reason", pytest.param("--footnote", marks=pytest.mark.exhaustive)])
def test_a_reason_and_a_footnote_are_screened_before_anything_is_written(told: Project, option: str) -> None:
    (told.report / "activities" / "2023-10.allowed.toml").write_text(ALLOWED, encoding="utf-8")
    publish(told, OCTOBER, DAY, APPROVER)
    before = {path.name: path.read_bytes() for path in told.published.iterdir()}
    words = {"--reason": "A correction.", "--footnote": "One row."} | {option: "Maria Lopez, 19, was counted twice."}
    given = [part for pair in words.items() for part in pair]

    def published_again() -> subprocess.CompletedProcess[str]:
        by = f"--approved-by={APPROVER}"
        return vip(
            "publish", "2023-10", by, "--printed", "2023-11-10", "--reissue", *given, "--project", str(told.root)
        )

    done = published_again()
    assert done.returncode == 2
    assert f"{option}, line 1: name and age: 'Maria Lopez, 19'; take the name out, or the age." in done.stderr
    assert "report/texts.allowed.toml: allows by name what may still be published" in done.stderr
    assert {path.name: path.read_bytes() for path in told.published.iterdir()} == before
    lines = done.stderr[done.stderr.index("    [[allowed]]") :]
    lines = lines.replace("why it may go out", "A made-up person.").replace("who allows it", "J. Doe, comms")
    (told.report / "texts.allowed.toml").write_text(lines, encoding="utf-8")
    done = published_again()
    # The texts pass; the pages are those that were published.
    assert "name and age" not in done.stderr
    assert "The correction changes nothing." in done.stderr


def test_the_check_gives_hints_on_plain_words_and_they_refuse_nothing(city: Path) -> None:
    long = " ".join(["CORA went from door to door"] * 5)
    text = f"## Outreach\n\nNobody was home.\n\n- {long}.\n"
    (city / "report" / "activities" / "2023-12.md").write_text(text, encoding="utf-8")
    done = vip("new", "2023-12", "--check", "--project", str(city))
    assert done.returncode == 0, done.stdout
    hints = [line for line in done.stdout.splitlines() if line.startswith("Plain words: ")]
    assert hints == [
        "Plain words: report/activities/2023-12.md, line 3: “Nobody”: write no one.",
        "Plain words: report/activities/2023-12.md, line 5: A sentence has 30 words; split it: “CORA went from door to "
        "door CORA went …”",
    ]


def test_the_check_looks_at_every_other_text_too_and_at_names_that_no_font_can_show(city: Path) -> None:
    introduction = city / "report" / "introduction.md"
    introduction.write_text("## Theme\n\nCall 505-555-0123.\n", encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 2  # Its translation is missing now, too.
    program = city / "program.toml"
    text = program.read_text(encoding="utf-8").replace('also_in = ["es"]', "")
    program.write_text(text, encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 1
    assert "WARNING: report/introduction.md, line 3: phone number: '505-555-0123'; take it out." in done.stdout
    assert "To publish a finding anyway, add it to report/texts.allowed.toml:" in done.stdout
    introduction.write_text("## Theme\n\nDone ✓.\n", encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 2
    assert "report/introduction.md, line 3: contains characters that the fonts of the report lack: ✓" in done.stderr
    introduction.unlink()
    program.write_text(text.replace('"CABQ.GOV/VIP"', '"CABQ.GOV/VIP ✓"'), encoding="utf-8")
    done = vip("new", "2023-11", "--check", "--project", str(city))
    assert done.returncode == 2
    assert (
        "program.toml, program.site: contains characters that the fonts of the report lack: ✓ (U+2713)" in done.stderr
    )


def test_it_is_the_text_in_the_issue_that_has_to_pass(told: Project) -> None:
    path = told.activities(OCTOBER)
    path.write_text("## Help\n\nText.\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"2023-10.md: was changed; make the issue again"):
        publish(told, OCTOBER, DAY, APPROVER)
    path.unlink()
    with pytest.raises(ManifestError, match=r"2023-10.md: was changed"):
        publish(told, OCTOBER, DAY, APPROVER)


# ------------------------------------------------------------------ vip status


def test_the_status_of_every_month_is_one_row(told: Project) -> None:
    done = vip("status", "--csv", "--project", str(told.root))
    assert done.returncode == 0, done.stderr
    rows = {row["month"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    first = ReportMonth(2022, 7)
    assert list(rows) == [str(first.plus(ahead)) for ahead in range(17)]
    assert all(row["data"].startswith("complete as of ") for row in rows.values())
    assert rows["2023-10"] == {
        "month": "2023-10", "data": "complete as of 2023-11-03", "activities": "1 finding",
        "made": "as of 2023-11-03", "published": "no", "verdict": "",
    }  # fmt: skip
    assert rows["2023-11"] == {
        "month": "2023-11", "data": "complete as of 2023-12-04", "activities": "yes", "made": "no",
        "published": "2023-11", "verdict": "28 reproduced",
    }  # fmt: skip
    assert done.stderr == ""


def test_the_status_has_the_same_as_json_and_for_people(told: Project) -> None:
    done = vip("status", "--json", "--project", str(told.root))
    shown = json.loads(done.stdout)
    assert shown["notes"] == []
    assert shown["months"][-1] == {
        "month": "2023-11", "data": "complete as of 2023-12-04", "activities": "yes", "made": "no",
        "published": "2023-11", "verdict": "28 reproduced", "as_of": "2023-12-04", "missing": [], "quarantined": 0,
    }  # fmt: skip
    (told.report / "activities" / "2024-02.md").write_text("## Help\n\nText.\n", encoding="utf-8")
    (told.report / "activities" / "march.md").write_text("## Help\n\nText.\n", encoding="utf-8")
    done = vip("status", "--project", str(told.root))
    assert done.returncode == 0
    assert "28 reproduced" in done.stdout
    assert "Note: report/activities/2024-02.md: has no complete data for its month;" in done.stdout
    assert "Note: report/activities/march.md: is not shown in any issue;" in done.stdout
    assert vip("status", "--json", "--csv", "--project", str(told.root)).returncode == 2


@pytest.mark.whole_issues
def test_an_issue_is_out_of_date_once_something_that_it_was_made_from_changed(told: Project) -> None:
    told.activities(OCTOBER).write_text("## Help\n\nText.\n", encoding="utf-8")
    assert status_of(told, OCTOBER)["made"] == "as of 2023-11-03, out of date: texts have changed"
    assert status_of(told, OCTOBER)["activities"] == "yes"
    # The words of the JSON output stay as they were.
    assert _read(told, []).period(OCTOBER).as_json()["made"] == "as of 2023-11-03, stale: other texts now"
    (told.root / "program.toml").write_text((told.root / "program.toml").read_text("utf-8") + "\n", encoding="utf-8")
    assert status_of(told, OCTOBER)["made"] == "as of 2023-11-03, out of date: program.toml and texts have changed"
    (told.issues / "2023-10" / "figures.csv").unlink()
    assert "edited or incomplete" in status_of(told, OCTOBER)["made"]
    (told.issues / "2023-10" / "manifest.json").unlink()
    assert status_of(told, OCTOBER)["made"] == "without a manifest"


def test_a_text_written_after_the_issue_makes_it_out_of_date(told: Project) -> None:
    manifest = told.issues / "2023-10" / "manifest.json"
    shown = json.loads(manifest.read_text("utf-8"))
    del shown["inputs"]["texts"]["report/activities/2023-10.md"]
    manifest.write_text(json.dumps(shown), encoding="utf-8")
    assert status_of(told, OCTOBER)["made"] == "as of 2023-11-03, out of date: texts have changed"


@pytest.mark.whole_issues
def test_published_issues_are_named_and_the_newest_has_the_verdict(told: Project) -> None:
    (told.report / "activities" / "2023-10.allowed.toml").write_text(ALLOWED, encoding="utf-8")
    publish(told, OCTOBER, DAY, APPROVER)
    made_with_another_text(told)
    publish(told, OCTOBER, DAY, APPROVER, reissue=True, reason="A typo.")
    row = status_of(told, OCTOBER)
    assert row["published"] == "2023-10, 2023-10-r1"
    done = vip("verify", "2023-10-r1", "--project", str(told.root))
    # "27 of 28 figures reproduced, 1 revised since." says the same as "27 reproduced, 1 revised since".
    said = re.search(r"([0-9]+) of [0-9]+ figures (reproduced, [0-9]+ revised since)\.", done.stdout)
    assert said is not None, done.stdout
    assert row["verdict"] == f"{said[1]} {said[2]}"
    assert row["activities"] == "yes"


def test_what_is_missing_or_in_quarantine_is_said(project: Project, deliver: Deliver) -> None:
    project = Project.open(project.root)
    deliver("2022-08-03", responses=["R1,2022-07-02,DV,SE"])
    deliver("2022-09-05", responses=["R2,2022-08-02,Homocide,SE", "R3,2022-08-32,DV,SE"])
    deliver("2022-10-04", responses=["R2,2022-08-02,Homicide,SE", "R3,2022-08-32,DV,SE", "R4,2022-09-02,DV,SE"])
    (deliver("2022-11-03", responses=["R5,2022-10-02,DV,SE"]) / "reviews.csv").unlink()
    found = project_status(project)
    assert [str(one.month) for one in found.months] == ["2022-07", "2022-08", "2022-09", "2022-10"]
    assert [one.data for one in found.months] == [
        "complete as of 2022-08-03",
        "complete as of 2022-09-05, 2 in quarantine",
        "complete as of 2022-10-04, 1 in quarantine",
        "missing: reviews",
    ]
    assert found.months[-1].missing == ("reviews",)


def test_a_missing_month_is_said_where_deliveries_come_monthly(city: Path) -> None:
    shutil.rmtree(city / "data" / "raw" / "2023-09-05")
    found = {str(one.month): one for one in project_status(Project.open(city)).months}
    assert found["2023-10"].data == "an earlier month is missing"
    assert found["2023-11"].verdict == "cannot be told"
    assert found["2023-07"].data == "complete as of 2023-08-03"


@pytest.mark.parametrize(
    ("file", "text", "cell", "note"),
    [
        ("data/published/2023-11.csv", "x", ("published", "cannot be told"), "data/published/2023-11.csv"),
        pytest.param(
            "data/raw/2023-12-04/responses.csv",
            "x\n",
            ("verdict", "cannot be told"),
            "responses.csv",
            marks=pytest.mark.exhaustive,
        ),
        ("data/raw/2023-12-04/unknown.csv", "x\n", ("data", "none yet"), "unknown.csv"),
        ("report/activities/2023-11.md", "## A\n\n## A\n", ("activities", "cannot be shown"), "2023-11.md, line 3"),
        pytest.param(
            "report/activities/2023-11.allowed.toml",
            "x",
            ("activities", "cannot be shown"),
            "2023-11.allowed.toml",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "issues/2023-11/manifest.json",
            "{",
            ("made", "cannot be told"),
            "issues/2023-11/manifest.json",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_what_is_wrong_in_one_place_is_a_note_and_hides_nothing_else(
    city: Path, file: str, text: str, cell: tuple[str, str], note: str
) -> None:
    (city / file).parent.mkdir(parents=True, exist_ok=True)
    (city / file).write_text(text, encoding="utf-8")
    found = project_status(Project.open(city))
    rows = {str(one.month): one.row for one in found.months}
    assert rows["2023-11"][cell[0]] == cell[1]
    assert any(note in one.where for one in found.notes)
    assert rows["2023-11"].keys() == {"month", "data", "activities", "made", "published", "verdict"}


def test_a_project_without_anything_has_no_months(project: Project) -> None:
    found = project_status(project)
    assert (found.months, found.notes) == ((), ())
    assert "All months" in vip("status", "--project", str(project.root)).stdout


def test_a_city_with_snapshots_has_a_status(repository_example: Path) -> None:
    found = project_status(Project.open(repository_example))
    assert [one for one in found.months if one.data.startswith("complete as of ")]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 8))])
def test_before_the_first_doubt_nothing_is_in_quarantine(project: Project, deliver: Deliver, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    days = ["2022-08-03", "2022-09-05", "2022-10-04", "2022-11-03"]
    for day in days:
        rows = [
            ",".join(
                [
                    draw.choice(["R1", "R2", "R3", "r3", "R4", "R5", ""]),
                    draw.choice(["2022-07-02"] * 9 + ["2022-07-32"]),
                    draw.choice(["DV", "dv", "HOM"] * 5 + ["Homocide"]),
                    draw.choice(["SE", "SW"]),
                ]
            )
            for _ in range(draw.randint(0, 3))
        ]
        voids = [f"V{day},{day},responses,{draw.choice(['R1', 'R9'])}"] if draw.random() < 0.2 else []
        deliver(day, responses=rows, voids=voids)
    deliveries = find_deliveries(project)
    received = read_received(project, deliveries, deliveries[-1].received)
    doubt = first_doubt(project.program, received)
    for delivery in deliveries:
        if doubt is None or delivery.received < doubt:
            assert clean_records(project.program, received.by(delivery.received)).quarantine.empty
    if doubt is not None:
        assert str(doubt) in days


def test_a_new_month_needs_deliveries_that_can_be_read(project: Project) -> None:
    (project.raw / "not a day").mkdir()
    with pytest.raises(DeliveryError, match="is not a delivery"):
        new_month(project, NOVEMBER)
    assert not project.activities(NOVEMBER).exists()
