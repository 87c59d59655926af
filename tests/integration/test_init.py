"""Another city: from its files to a project, to its first report, with no line edited by hand."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from tests.support.command import TIMEOUT, VIP, started_vip, vip
from tests.support.projects import REPOSITORY, Deliver, contents
from viputils.audit.advice import advice_on
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.figures.counts import value_of

# ---------------------------------------------------------------- exports of three forms

FIRST = dt.datetime(2022, 1, 3, 20, 30)  # noqa: DTZ001 - as a file writes it
WHEN = [FIRST + dt.timedelta(hours=37 * number) for number in range(480)]
LAST_WHOLE = "2023-12"


@dataclass(frozen=True)
class Export:
    """The files of a city, the answers, and the counts that a plain recount gives: by measure and category."""

    files: list[Path]
    answers: str
    month: str
    counts: dict[tuple[str, str], int]


def incidents_with_a_zone(folder: Path) -> Export:
    """One file of incidents, each with a time and a zone. Several rows can be of one incident."""
    rows = [
        [
            f"I{number // 2:05}-00",
            f"{when}+00",
            "ABC"[number % 3],
            ("Fatal", "Non-Fatal")[number % 5 > 0],
            19 + number % 50,
        ]
        for number, when in enumerate(WHEN)
    ]
    with (folder / "shootings.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["incident_num", "shooting_date", "district", "shooting_type", "age"], *rows])
    answers = 'city = "Exampleton"\nfiscal_year_starts = 7\ntime_zone = "as written"\n'
    counts = recount(((when.date(), {"": 1, f"district/{row[2]}": 1}) for when, row in zip(WHEN, rows, strict=True)))
    named = {"": "victims", "district": "victims_by_district"}
    answers += '[tables.shootings]\ntable = "victims"\nrecords = "people shot"\n'
    return Export([folder / "shootings.csv"], answers, LAST_WHOLE, keyed(counts, named))


def people_in_a_workbook(folder: Path) -> Export:
    """A workbook in which a row is a person, with a title, a total and a sheet of remarks."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Participants 2023"
    sheet.append(["Outreach log of Exampleton"])
    sheet.append([])
    sheet.append(
        ["Contact #", "Client Name", "DOB", "Date of contact", "Neighborhood", "Children in home", "Consented"]
    )
    people = [
        (f"C-{number}", when.date(), ("North", "SOUTH", "South")[number % 3], number % 4, ("Yes", "no")[number % 2])
        for number, when in enumerate(WHEN)
    ]
    for code, day, area, children, consented in people:
        sheet.append([code, f"Person {code}", dt.date(1990, 1, 1), day, area, children, consented])
    sheet.append(["Total", None, None, None, None, sum(person[3] for person in people), None])
    book.create_sheet("Remarks").append(["Made by the office"])
    book.save(folder / "outreach.xlsx")
    counts = recount(
        (day, {"": 1, f"area/{area.capitalize()}": 1, "children": children, "consented": consented == "Yes"})
        for _, day, area, children, consented in people
    )
    named = {
        "": "participants",
        "area": "participants_by_neighborhood",
        "children": "participants_children_in_home",
        "consented": "participants_consented",
    }
    return Export([folder / "outreach.xlsx"], 'city = "Exampleton"\n', LAST_WHOLE, keyed(counts, named))


def philadelphia(folder: Path) -> Export:
    """Real records: the file of all victims as it was known on three days."""
    files = []
    for delivery in sorted((REPOSITORY / "examples" / "philadelphia" / "data" / "raw").iterdir()):
        files.append(folder / f"victims-as-of-{delivery.name}.csv")
        shutil.copy(delivery / "victims.csv", files[-1])
    with files[-1].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counts = recount(
        (dt.date.fromisoformat(row["date"]), {"": 1, f"police/{row['police'].split('.')[0] or 'Not recorded'}": 1})
        for row in rows
    )
    answers = 'city = "City of Philadelphia"\nfiscal_year_starts = 1\n'
    return Export(files, answers, "2021-06", keyed(counts, {"": "victims", "police": "victims_by_police"}))


def recount(records: object) -> Counter[tuple[str, str]]:
    """Add up amounts by month and key."""
    counts: Counter[tuple[str, str]] = Counter()
    for day, amounts in records:  # type: ignore[attr-defined]
        for key, amount in amounts.items():
            counts[day.strftime("%Y-%m"), key] += amount
    return counts


def keyed(counts: Counter[tuple[str, str]], named: dict[str, str]) -> dict[tuple[str, str], int]:
    """Return the counts of the last whole month by measure and category."""
    month = "2021-06" if "victims_by_police" in named.values() else LAST_WHOLE
    return {
        (named[key.partition("/")[0]], key.partition("/")[2]): number
        for (when, key), number in counts.items()
        if when == month
    }


@pytest.mark.parametrize(
    "export",
    [incidents_with_a_zone, people_in_a_workbook, pytest.param(philadelphia, marks=pytest.mark.exhaustive)],
)
def test_the_counts_of_the_last_whole_month_are_those_of_a_plain_recount(
    export: Callable[[Path], Export], tmp_path: Path
) -> None:
    given = export(tmp_path)
    (tmp_path / "answers.toml").write_text(given.answers, "utf-8")
    city = tmp_path / "a city"
    options = ("--answers", str(tmp_path / "answers.toml"), "--yes")
    made = vip("init", str(city), *map(str, given.files), *options, cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stdout.endswith(f"Next:\n  cd {city}\n  vip doctor\n  make report\n")
    project = Project.open(city)
    assert f"MONTH ?= {given.month}\n" in (city / "Makefile").read_text("utf-8")
    edition = load_edition(project, given.month)
    assert edition.records.quarantine.empty
    assert len(given.counts) > 3
    counted = {key: value_of(edition.figures, key[0], "month", key[1]) for key in given.counts}
    assert counted == given.counts
    assert advice_on(project).problems == ()


@pytest.mark.whole_issues
def test_with_what_it_makes_alone_the_two_commands_of_its_readme_work(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    given = incidents_with_a_zone(tmp_path / "exports")
    made = started_vip("init", "our city", str(given.files[0]), "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    city = tmp_path / "our city"
    for command in ("report", "test"):
        environment = {**os.environ, "PATH": f"{VIP.parent}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["make", command], cwd=city, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
    page = (city / "issues" / LAST_WHOLE / f"vip-{LAST_WHOLE}.html").read_text("utf-8")
    assert "Our City" in page
    assert "Albuquerque" not in page
    published = started_vip("publish", LAST_WHOLE, "--approved-by", "A. Person", cwd=city)
    assert published.returncode == 0, published.stderr
    assert started_vip("verify", LAST_WHOLE, cwd=city).returncode == 0


def test_a_project_has_all_that_a_city_commits_and_nothing_of_albuquerque(tmp_path: Path) -> None:
    given = people_in_a_workbook(tmp_path)
    assert vip("init", "ourcity", str(given.files[0]), "--yes", cwd=tmp_path).returncode == 0
    files = {path: path.read_bytes() for path in (tmp_path / "ourcity").rglob("*") if path.is_file()}
    names = {path.relative_to(tmp_path / "ourcity").as_posix() for path in files}
    assert names >= {
        *("program.toml", "_quarto.yml", "README.md", "Makefile", ".gitignore", "requirements.txt"),
        *("notebooks/monthly_report.ipynb", "report/theme/report.css", "tests/test_register.py"),
        *(".github/workflows/check.yml", "data/published/.gitkeep", "report/fonts/OFL.txt"),
    }
    assert any(name.endswith("/participants.csv") for name in names)
    for path, content in files.items():
        assert not any(word in content.lower() for word in (b"albuquerque", b"cabq")), path


def test_what_may_describe_a_person_is_left_out_and_said(tmp_path: Path) -> None:
    given = people_in_a_workbook(tmp_path)
    made = vip("init", "ourcity", str(given.files[0]), "--yes", cwd=tmp_path)
    for heading, what in (("Client Name", "a name"), ("DOB", "a day of birth")):
        assert f"left out: {heading}, because it may be {what}" in made.stdout
    for path in (tmp_path / "ourcity").rglob("*"):
        if path.is_file():
            assert b"Person C-1" not in path.read_bytes(), path


# ---------------------------------------------------------------- what cannot be made


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.csv", "", "empty.csv, line 1: is empty"),
        ("header.csv", "id,date\n", "header.csv: has no table"),
        ("nothing.csv", "name,kind\nx,y\nz,w\n", "nothing.csv: has no column of dates"),
        ("twice.csv", "id,Date,date\n1,2023-01-02,2023-01-02\n", "has the heading 'date' twice, in columns B and C"),
        ("letter.pdf", "%PDF-1.7", "letter.pdf: is named .pdf and is a PDF document"),
    ],
)
def test_a_file_that_fits_nothing_is_refused_and_nothing_is_made(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    refused = vip("init", "ourcity", name, "--yes", cwd=tmp_path)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not (tmp_path / "ourcity").exists()


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    given = incidents_with_a_zone(tmp_path)
    (tmp_path / "ourcity").mkdir()
    (tmp_path / "ourcity" / "mine.txt").write_text("mine", "utf-8")
    before = contents(tmp_path / "ourcity")
    refused = vip("init", "ourcity", str(given.files[0]), "--yes", cwd=tmp_path)
    assert refused.returncode == 2
    assert "ourcity: is not empty; name a new folder, or an empty one." in refused.stderr
    assert contents(tmp_path / "ourcity") == before


def test_answers_with_wrong_keys_are_all_named(tmp_path: Path) -> None:
    given = incidents_with_a_zone(tmp_path)
    (tmp_path / "answers.toml").write_text(
        'citty = "X"\nfiscal_year_starts = 13\n[tables.shootings]\nident = "a"\n', "utf-8"
    )
    refused = vip("init", "ourcity", str(given.files[0]), "--answers", "answers.toml", "--yes", cwd=tmp_path)
    assert refused.returncode == 2
    for key in (
        "citty: is not a known key",
        "fiscal_year_starts: is invalid",
        "tables.shootings.ident: is not a known",
    ):
        assert f"answers.toml, {key}" in refused.stderr
    assert not (tmp_path / "ourcity").exists()


def counted(city: Path, month: str, measure: str) -> int:
    return value_of(load_edition(Project.open(city), month).figures, measure, "month")


def write(path: Path, heading: str, *rows: str) -> Path:
    path.write_text("\n".join([heading, *rows]) + "\n", "utf-8")
    return path


def test_files_that_share_few_ids_add_up_and_a_corrected_row_counts_once(tmp_path: Path) -> None:
    rows = {
        name: [f"C{number},2023-{name}-{number % 28 + 1:02},N" for number in range(*ids)] for name, ids in IDS.items()
    }
    rows["02"] += [f"C{number},2023-01-{number % 28 + 1:02},S" for number in range(36, 40)]
    rows["01"][0], rows["02"][0] = "C0,2023-01-31,N", "C40,2023-02-28,N"
    files = [write(tmp_path / f"cases {name}.csv", "Case ID,Date,Area", *given) for name, given in rows.items()]
    made = vip("init", "ourcity", *map(str, files), "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (counted(tmp_path / "ourcity", "2023-01", "cases"), counted(tmp_path / "ourcity", "2023-02", "cases")) == (
        40,
        36,
    )


IDS = {"01": (0, 40), "02": (40, 76)}


def test_files_with_several_rows_for_an_incident_add_up(tmp_path: Path) -> None:
    january = [f"I{number // 2},2023-01-{number % 28 + 1:02},N" for number in range(39)] + ["I99,2023-01-31,N"]
    february = [f"I{100 + number // 2},2023-02-{number % 27 + 1:02},S" for number in range(29)] + ["I199,2023-02-28,N"]
    files = [
        write(tmp_path / "v1.csv", "Incident ID,Date,Area", *january),
        write(tmp_path / "v2.csv", "Incident ID,Date,Area", *february),
    ]
    made = vip("init", "ourcity", *map(str, files), "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert [counted(tmp_path / "ourcity", month, "records") for month in ("2023-01", "2023-02")] == [40, 30]


def test_two_kinds_of_records_with_the_same_headings_are_two_tables(tmp_path: Path) -> None:
    rows = [f"{{}}{number},2023-11-{number % 30 + 1:02},{{}}{number % 2}" for number in range(40)]
    files = [
        write(tmp_path / f"{name}.csv", "Case ID,Date,District", *(row.format(name[0], name[0]) for row in rows))
        for name in ("homicides", "assaults")
    ]
    made = vip("init", "ourcity", *map(str, files), "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    # Each has its own districts, so no row is in quarantine.
    assert advice_on(Project.open(tmp_path / "ourcity")).problems == ()
    assert [counted(tmp_path / "ourcity", "2023-11", name) for name in ("homicides", "assaults")] == [40, 40]


def test_workbooks_that_all_call_their_sheet_sheet1_are_told_apart_by_their_file(tmp_path: Path) -> None:
    for name, kind in (("shootings", "Type"), ("contacts", "Service")):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Sheet1"
        sheet.append(["Case ID", "Date", kind])
        for number in range(30):
            sheet.append([f"{name[0]}{number}", dt.date(2023, 11, number + 1), "AB"[number % 2]])
        book.save(tmp_path / f"{name}.xlsx")
    made = vip("init", "ourcity", "shootings.xlsx", "contacts.xlsx", "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert [counted(tmp_path / "ourcity", "2023-11", name) for name in ("shootings", "contacts")] == [30, 30]


def asked(folder: Path, replies: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [VIP, "init", *arguments],
        cwd=folder,
        input=replies,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_without_yes_it_asks_what_no_file_can_tell(tmp_path: Path) -> None:
    given = incidents_with_a_zone(tmp_path)
    replies = "Exampleton\n\nJuly\n7\n\npeople shot\nsnapshot\nn\n"
    made = asked(tmp_path, replies, "ourcity", str(given.files[0]))
    assert made.returncode == 0, made.stderr
    program = Project.open(tmp_path / "ourcity").program
    assert (program.identity.city, program.identity.fiscal_year_starts) == ("Exampleton", 7)
    assert program.measures["shootings"].label == "people shot"
    # The answer to the last question was no.
    assert not list((tmp_path / "ourcity" / "data" / "raw").glob("2*"))
    assert "Nothing was written." in made.stdout


def test_a_question_that_nobody_answers_makes_nothing(tmp_path: Path) -> None:
    given = incidents_with_a_zone(tmp_path)
    refused = asked(tmp_path, "", "ourcity", str(given.files[0]))
    assert refused.returncode == 2
    assert "use --yes to guess, or --answers FILE" in refused.stderr
    assert not (tmp_path / "ourcity").exists()


def test_without_files_it_makes_a_project_to_describe(tmp_path: Path) -> None:
    made = vip("init", "ourcity", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    hints = advice_on(Project.open(tmp_path / "ourcity")).hints
    assert any("is a guess" in hint.what for hint in hints)
    assert any("has no delivery yet" in hint.what for hint in hints)


# ---------------------------------------------------------------- vip doctor


def test_the_doctor_names_values_codes_measures_and_months_with_the_lines_to_paste(
    project: Project, deliver: Deliver
) -> None:
    deliver(
        "2023-09-04",
        responses=["R1,2023-07-05,Homocide,SE", "R2,2023-07-06,Homocide,SE", "R3,2023-08-02,Arson,SE"],
        candidates=["C-1,2023-07-02,Hospital", "C1,2023-07-03,Hospital"],
        outreach=["O1,2023-07-02,SE,HV,R1,1,0", "O2,2023-09-02,SE,HV,,1,0"],
    )
    found = advice_on(project)
    problems, hints = "\n".join(map(str, found.problems)), "\n".join(map(str, found.hints))
    assert "vocabularies.incident_type lacks: 'Homocide' (2 rows), 'Arson' (1 row);" in problems
    instead = """If 'Homocide' should be 'Homicide', write instead, in the place of its line:"""
    assert f'{instead}\n      "Homicide" = ["HOM", "Murder", "Homocide"]' in problems
    assert '"Arson" = []' in problems
    assert "candidate_id: has codes that look like each other: 'C-1' and 'C1';" in problems
    assert "measures.children_assisted: counts nothing from 2023-07-02 to 2023-09-02" in hints
    assert "tables.outreach: has no record in 2023-08" in hints
    assert "vocabularies.outreach_kind: has values that no record has: 'Response follow-up'" in hints


@pytest.mark.parametrize(("is_homicide", "homicides"), [(True, 1), (False, 0)])
def test_the_lines_that_the_doctor_prints_mend_the_file(
    project: Project, deliver: Deliver, is_homicide: bool, homicides: int
) -> None:
    """What only looks like another value is one of its own, unless a person says otherwise."""
    deliver("2023-12-04", responses=["R1,2023-11-05,Homocide,SE", "R2,2023-11-06,Arson,SE"])
    (problem,) = advice_on(project).problems
    lines = [line.strip() for line in problem.remedy.splitlines() if " = [" in line]
    assert lines == ['"Homocide" = []', '"Arson" = []', '"Homicide" = ["HOM", "Murder", "Homocide"]']
    path = project.root / "program.toml"
    text = path.read_text("utf-8")
    if is_homicide:
        text = text.replace('"Homicide" = ["HOM", "Murder"]\n', "")
    added = [lines[1], lines[2] if is_homicide else lines[0]]
    heading = "[vocabularies.incident_type]\n"
    path.write_text(text.replace(heading, heading + "".join(f"{line}\n" for line in added)), "utf-8")
    mended = Project.open(project.root)
    assert advice_on(mended).problems == ()
    figures = load_edition(mended, "2023-11").figures
    assert value_of(figures, "responses_by_incident_type", "month", "Homicide") == homicides
    assert value_of(figures, "responses_by_incident_type", "month", "Arson") == 1


def test_the_doctor_names_the_columns_of_a_file_that_nobody_decided_about(tmp_path: Path) -> None:
    given = incidents_with_a_zone(tmp_path)
    assert vip("init", "ourcity", str(given.files[0]), "--yes", cwd=tmp_path).returncode == 0
    text = given.files[0].read_text("utf-8").replace("district,", "district,weapon,", 1)
    lines = text.splitlines()
    new = [lines[0], *(f"{','.join(line.split(',')[:3])},gun,{','.join(line.split(',')[3:])}" for line in lines[1:])]
    given.files[0].write_text("\n".join(new) + "\n", "utf-8")
    found = vip("doctor", str(given.files[0]), "--json", "--project", "ourcity", cwd=tmp_path)
    assert found.returncode == 1
    (problem,) = json.loads(found.stdout)["problems"]
    assert "has columns that are not imported: 'weapon'" in problem["what"]
    assert 'shootings = ["age", "weapon"]' in problem["remedy"]
