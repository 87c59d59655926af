"""The register of published issues: what is in it stays as printed, and what is wrong with it is said by line."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from pathlib import Path

import pytest

from tests.support.projects import REPOSITORY
from tests.support.register import an_issue
from viputils.audit.manifest import Manifest
from viputils.audit.register import (
    INDEX_COLUMNS,
    IssueName,
    add_issue,
    keep_manifest,
    read_register,
    write_register,
)
from viputils.config.project import Project
from viputils.core.errors import ParameterError, PublishedError
from viputils.core.months import ReportMonth

NOVEMBER = ReportMonth(2023, 11)
HEADER = "measure,category,period,value\n"
GOOD = HEADER + "adults_assisted,,fytd,2599\n"


def register(project: Project, figures: str = GOOD, **changes: str) -> None:
    """A register with one issue, whatever is wrong with it."""
    (project.published / "2023-11.csv").write_text(figures, encoding="utf-8")
    row = dict.fromkeys(INDEX_COLUMNS, "") | {
        "issue": "2023-11",
        "source": "a printed page",
        "transcribed_by": "a person",
        "sha256": hashlib.sha256(figures.encode()).hexdigest(),
    }
    write_index(project, row | changes)


def write_index(project: Project, *rows: dict[str, str]) -> None:
    with (project.published / "index.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, INDEX_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def index_rows(project: Project) -> list[dict[str, str]]:
    with (project.published / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def refusal(project: Project) -> str:
    with pytest.raises(PublishedError) as refused:
        read_register(project)
    return str(refused.value)


def test_the_november_2023_issue_prints_28_figures_that_do_not_add_up() -> None:
    (issue,) = read_register(Project.open(REPOSITORY)).of(NOVEMBER)
    # From the printed issue: both tables are right as published, and their totals differ by one.
    assert len(issue.figures) == 28
    totals = issue.figures.groupby(["measure", "period"])["value"].sum()
    assert totals["responses_by_incident_type"].to_dict() == {"fytd": 320, "month": 90}
    assert totals["responses_by_area_command"].to_dict() == {"fytd": 319, "month": 90}
    assert "320" in issue.footnote
    assert "319" in issue.footnote
    assert "City of Albuquerque" in issue.source
    # The print does not say, so neither does the register.
    assert issue.printed is None
    assert issue.as_of is None


def test_an_empty_register_has_no_issue(project: Project) -> None:
    assert read_register(project).issues == ()
    project.published.rmdir()
    assert read_register(project).issues == ()


def test_an_issue_that_is_not_in_the_register_is_named_with_those_that_are(project: Project) -> None:
    register(project)
    with pytest.raises(PublishedError, match=r"2023-10\.csv: is missing; issues in the register: 2023-11"):
        read_register(project).named("2023-10")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the header is ''"),
        (HEADER, "contains no figure"),
        ("measure,category,value\n", "it must be measure,category,period,value"),
        (HEADER + "adult_assisted,,fytd,1\n", "line 2, measure: 'adult_assisted' is not a measure"),
        (HEADER + "adults_assisted,Homicide,fytd,1\n", "'Homicide' is not a category of adults_assisted"),
        (HEADER + "responses_by_incident_type,Homocide,fytd,1\n", "did you mean 'Homicide'?"),
        (HEADER + "responses_by_month,2023-12,fytd,1\n", "'2023-12' is not a category of responses_by_month"),
        (HEADER + "adults_assisted,,year,1\n", "'year' is not a period"),
        (HEADER + "adults_assisted,,fytd,1.0\n", "'1.0' is not a whole number"),
        (HEADER + 'adults_assisted,,fytd,"1,000"\n', "'1,000' is not a whole number"),
        (HEADER + "adults_assisted,,fytd,-1\n", "'-1' is not a whole number"),
        (HEADER + "adults_assisted,,fytd,99999999999999999999\n", "is not a whole number"),
        (HEADER + "adults_assisted,,fytd,٣\n", "is not a whole number"),
        (HEADER + "adults_assisted,,fytd,005\n", "'005' is not a whole number"),
        (HEADER + "adults_assisted,,fytd\n", "line 2: has 3 fields"),
        (
            HEADER + "adults_assisted,,fytd,1\nadults_assisted,,fytd,2\n",
            "'adults_assisted/fytd' is already on line 2",
        ),
        (HEADER + 'adults_assisted,,fytd,"1\n', "is not CSV"),
    ],
)
def test_malformed_figures_are_refused_by_line(project: Project, text: str, says: str) -> None:
    register(project, text)
    message = refusal(project)
    assert "data/published/2023-11.csv" in message
    assert says in message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issue": "2023-13"}, "line 2, issue: '2023-13' is not a month"),
        ({"issue": "november"}, "'november' is not the name of an issue; write 2023-11, or 2023-11-r1"),
        ({"as_of": "4 December"}, "line 2, as_of: '4 December' is not a date"),
        ({"as_of": "2023-12-05", "printed": "2023-12-04"}, "line 2, printed: 2023-12-04 is before its as-of date"),
        ({"printed": "2023-12-32"}, "line 2, printed: '2023-12-32' is not a date"),
        ({"source": " "}, "line 2, source: is empty; write the source of the figures"),
        ({"transcribed_by": ""}, "line 2, transcribed_by: is empty"),
        ({"approved_by": "a\u202e"}, "line 2, approved_by: has a character that cannot be seen"),
        ({"sha256": "abc"}, "line 2, sha256: 'abc' is not a checksum"),
        ({"sha256": "0" * 64}, "2023-11.csv: was edited after it was published"),
        (
            {"manifest_sha256": "0" * 64},
            "2023-11.manifest.json: is missing, and data/published/index.csv, line 2 names it",
        ),
        ({"issue": "2023-11-r1", "reason": "x"}, "line 2: 2023-11 is not in the register; re-issues are numbered"),
    ],
)
def test_a_malformed_index_is_refused_by_line(project: Project, changes: dict[str, str], says: str) -> None:
    register(project, **changes)
    assert says in refusal(project)


def test_everything_that_is_wrong_with_the_register_is_said_at_once(project: Project) -> None:
    register(project, HEADER + "adults_assisted,,fytd,x\nadults,,fytd,1\n", printed="soon", source="")
    message = refusal(project)
    for place in ("2023-11.csv, line 2, value", "2023-11.csv, line 3, measure", "line 2, printed", "line 2, source"):
        assert place in message


def test_a_figure_that_was_edited_by_hand_is_found_by_its_checksum(project: Project) -> None:
    register(project)
    (project.published / "2023-11.csv").write_text(GOOD.replace("2599", "2600"), encoding="utf-8")
    assert "2023-11.csv: was edited after it was published (data/published/index.csv, line 2" in refusal(project)


def test_a_file_that_the_index_does_not_know_is_named(project: Project) -> None:
    register(project)
    (project.published / "november.csv").write_text(GOOD, encoding="utf-8")
    (project.published / "2023-11.manifest.json").write_text("{}", encoding="utf-8")
    message = refusal(project)
    assert "data/published/november.csv: is not in the register's index" in message
    assert "2023-11.manifest.json: has no checksum in" in message


@pytest.mark.parametrize("content", [None, b"", b"\xef\xbb\xbfissue,as_of\n", b"\xff"])
def test_where_the_index_cannot_be_read_nothing_is_said_of_the_other_files(
    project: Project, content: bytes | None
) -> None:
    register(project)
    index = project.published / "index.csv"
    index.unlink() if content is None else index.write_bytes(content)
    message = refusal(project)
    assert "data/published/index.csv" in message
    # Nobody must take away a published file because the index is broken.
    assert "remove it" not in message


def test_a_register_behind_a_link_is_changed_where_it_lies(project: Project, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "register"
    there.mkdir(parents=True)
    project.published.rmdir()
    project.published.symlink_to(there)
    add_issue(project, an_issue())
    assert project.published.is_symlink()
    assert sorted(path.name for path in there.iterdir()) == ["2023-11.csv", "index.csv"]


def test_an_issue_named_twice_is_refused(project: Project) -> None:
    register(project)
    write_index(project, *index_rows(project), *index_rows(project))
    assert "line 3: 2023-11 is already on line 2" in refusal(project)


def test_what_is_added_is_read_back_as_it_was(project: Project) -> None:
    add_issue(project, an_issue(source='=1+1, "quoted"', footnote="one, two"))
    (read,) = read_register(project).issues
    assert (read.source, read.footnote, read.as_of) == ('=1+1, "quoted"', "one, two", dt.date(2023, 12, 4))
    assert read.figures["value"].tolist() == [5]
    # In the file itself no spreadsheet finds a formula.
    assert index_rows(project)[0]["source"].startswith("'=")


def test_a_register_from_before_approval_was_recorded_can_be_read_and_gets_the_column_with_the_next_issue(
    project: Project,
) -> None:
    register(project)
    index = project.published / "index.csv"
    rows = [line.split(",") for line in index.read_text(encoding="utf-8").splitlines()]
    place = INDEX_COLUMNS.index("approved_by")
    index.write_text("".join(",".join(row[:place] + row[place + 1 :]) + "\n" for row in rows), encoding="utf-8")
    assert "approved_by" not in index.read_text(encoding="utf-8")
    (issue,) = read_register(project).issues
    assert (issue.transcribed_by, issue.approved_by) == ("a person", "")
    add_issue(project, an_issue("2023-12", approved_by="=A. Person"))
    assert [row["approved_by"] for row in index_rows(project)] == ["", "'=A. Person"]
    assert [one.approved_by for one in read_register(project).issues] == ["", "=A. Person"]


def test_only_the_column_of_approval_may_be_missing_and_it_has_its_place(project: Project) -> None:
    for columns in (
        [name for name in INDEX_COLUMNS if name != "reason"],
        ["approved_by", *(name for name in INDEX_COLUMNS if name != "approved_by")],
    ):
        register(project)
        (project.published / "index.csv").write_text(",".join(columns) + "\n", encoding="utf-8")
        assert "index.csv, line 1: the header is" in refusal(project)


def test_an_issue_of_the_register_is_never_replaced(project: Project) -> None:
    add_issue(project, an_issue())
    before = {path.name: path.read_bytes() for path in project.published.iterdir()}
    with pytest.raises(PublishedError, match="what was published is never replaced"):
        add_issue(project, an_issue(value=6))
    assert {path.name: path.read_bytes() for path in project.published.iterdir()} == before


def test_a_correction_is_a_numbered_re_issue_and_both_stay(project: Project) -> None:
    add_issue(project, an_issue())
    add_issue(project, an_issue("2023-11-r1", value=6, reason="The April issue showed March's calls."))
    found = read_register(project)
    assert [str(issue.name) for issue in found.named("2023-11")] == ["2023-11", "2023-11-r1"]
    assert [issue.figures["value"].item() for issue in found.issues] == [5, 6]
    assert [str(issue.name) for issue in found.named("2023-11 r1")] == ["2023-11-r1"]
    replaced_by = found.replaced_by(IssueName(NOVEMBER))
    assert replaced_by is not None
    assert replaced_by.name == IssueName(NOVEMBER, 1)
    assert found.replaced_by(replaced_by.name) is None


def test_a_re_issue_without_a_reason_is_refused(project: Project) -> None:
    add_issue(project, an_issue())
    write_register(project.published, [an_issue(), an_issue("2023-11-r1")])
    assert "line 3, reason: is empty" in refusal(project)


def a_manifest(month: str = "2023-11", as_of: str = "2023-12-04", python: str = "3.13") -> str:
    kinds = ("deliveries", "program", "notebook", "templates", "texts", "library", "register")
    return Manifest.model_validate(
        {
            "manifest_version": 1,
            "parameters": {"month": month, "as_of": as_of, "allow_quarantined": False, "has_activities": True},
            "engine": {"name": "embedded", "version": "1"},
            "git": None,
            "python": python,
            "packages": {},
            "inputs": {kind: {} for kind in kinds},
            "outputs": {},
        }
    ).text()


def test_a_manifest_is_kept_beside_its_issue_and_the_figures_stay(project: Project, tmp_path: Path) -> None:
    add_issue(project, an_issue())
    figures = (project.published / "2023-11.csv").read_bytes()
    for text in (a_manifest(), a_manifest(python="3.14")):
        (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
        keep_manifest(project, IssueName(NOVEMBER), tmp_path / "manifest.json")
        (issue,) = read_register(project).issues
        assert issue.manifest is not None
        assert issue.manifest.read_text(encoding="utf-8") == text
        assert (project.published / "2023-11.csv").read_bytes() == figures
    # A later issue leaves it where it is.
    add_issue(project, an_issue("2023-12"))
    assert read_register(project).issues[0].manifest == issue.manifest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (a_manifest(month="2023-10"), "2023-11.manifest.json, parameters.month: is 2023-10; it must be 2023-11"),
        (
            a_manifest(as_of="2023-12-05"),
            "parameters.as_of: is 2023-12-05; it must be 2023-12-04, as in data/published/index.csv",
        ),
        ("{}", "2023-11.manifest.json, parameters: Field required"),
        (a_manifest().replace('"manifest_version": 1', '"manifest_version": 3'), "3 is newer than 2"),
    ],
)
def test_a_manifest_that_is_not_that_of_its_issue_is_refused(
    project: Project, tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    write_register(project.published, [an_issue(manifest=tmp_path / "manifest.json")])
    assert says in refusal(project)


def test_an_issue_without_an_approver_has_the_fingerprint_that_older_manifests_list() -> None:
    assert an_issue().fingerprint == "eb2fe615fd3169bc6ba81505022e8a6ea969b6b83858f5569b556fcf764c2e9b"


def test_an_issue_has_another_fingerprint_if_anything_that_it_says_is_another() -> None:
    issue = an_issue()
    others = [
        an_issue(value=6),
        an_issue("2023-10"),
        an_issue(printed=dt.date(2023, 12, 5)),
        an_issue(as_of=None),
        an_issue(footnote="x"),
        an_issue(reason="x"),
        an_issue(source="x"),
        an_issue(approved_by="x"),
    ]
    assert len({one.fingerprint for one in [issue, *others]}) == 9
    assert an_issue(manifest=Path("manifest.json")).fingerprint == issue.fingerprint


@pytest.mark.parametrize(
    "text", ["", "2023-11-r0", "2023-11-r", "2023-11-R1", "2023-11-r100", "../2023-11", "2023-11\n"]
)
def test_what_is_no_name_of_an_issue_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        IssueName.parse(text)
