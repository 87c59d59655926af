"""An issue that was made here goes into the register once; a correction is a numbered re-issue, and both stay."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.pages import PlainEngine, issue_made
from tests.support.projects import REPOSITORY
from tests.support.register import APPROVER, an_issue
from viputils.audit.as_of import load_edition, note_on_day
from viputils.audit.register import IssueName, add_issue, read_register, write_register
from viputils.audit.verdicts import verify_register, worst
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError, PublishedError, QuarantineError, TextError
from viputils.core.months import ReportMonth
from viputils.publish.publication import keep_reproduction, publish
from viputils.publish.reproduction import reproduce
from viputils.report.markdown import unescape
from viputils.report.render import choose_engine
from viputils.report.verdict_sections import verdicts_page

OCTOBER = ReportMonth(2023, 10)
DAY = dt.date(2023, 11, 10)


@pytest.fixture
def city(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> Project:
    """The repository's project with its October issue, made in this folder."""
    return Project.open(shutil.copytree(artifacts.plain_issue("2023-10"), tmp_path / "a project"))


def test_an_issue_made_here_is_published_with_every_figure_and_its_manifest(city: Project) -> None:
    done = vip(
        "publish", "2023-10", f"--approved-by={APPROVER}", "--printed", "2023-11-10", "--project", str(city.root)
    )
    assert done.returncode == 0, done.stderr
    assert "data/published/2023-10.csv" in done.stdout
    october, november = read_register(city).issues
    assert [str(issue.name) for issue in (october, november)] == ["2023-10", "2023-11"]
    made = (city.issues / "2023-10" / "figures.csv").read_bytes()
    assert (city.published / "2023-10.csv").read_bytes() == made
    assert (october.as_of, october.printed) == (dt.date(2023, 11, 3), DAY)
    assert "sample data" in october.source
    assert (october.transcribed_by, october.approved_by) == ("vip publish", APPROVER)
    assert october.manifest is not None
    assert october.manifest.read_bytes() == (city.issues / "2023-10" / "manifest.json").read_bytes()
    verdicts = verify_register(city)
    assert worst(verdicts) is None
    # What came in with the November delivery has moved October since.
    assert verdicts[0].count("reproduced") + verdicts[0].count("revised since") == len(october.figures)


def test_an_issue_needs_a_person_who_approved_it(city: Project) -> None:
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    for given in ([], ["--approved-by", " "]):
        done = vip("publish", "2023-10", "--printed", "2023-11-10", *given, "--project", str(city.root))
        assert done.returncode == 2
        assert '--approved-by: is missing; add the name, as in --approved-by "A. Person, Director".' in done.stderr
    with pytest.raises(ParameterError, match=r"--approved-by: .* contains an invisible character"):
        publish(city, OCTOBER, DAY, "A. Person\u202e")
    with pytest.raises(TextError, match=r"--approved-by, line 1: phone number"):
        publish(city, OCTOBER, DAY, "A. Person, 505-555-0123")
    assert {path.name: path.read_bytes() for path in city.published.iterdir()} == before
    done = vip("publish", "2023-11", "--reproduction", "--approved-by", APPROVER, "--project", str(city.root))
    assert (done.returncode, "leave out --printed, --approved-by," in done.stderr) == (2, True)


@pytest.mark.whole_issues
def test_the_page_of_number_checks_names_who_approved_an_issue(city: Project) -> None:
    publish(city, OCTOBER, DAY, "A. <b>Person</b>")
    for code, said in (("en", "Approved by: A. <b>Person</b>"), ("es", "Aprobado por: A. <b>Person</b>")):
        project = city.in_language(code)
        october, november = verdicts_page(verify_register(project), project.language)[1:]
        assert said in unescape(october)
        assert "<b>" not in october
        assert "Approved" not in november, "it is not known"


def test_what_was_published_is_never_replaced(city: Project) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    with pytest.raises(PublishedError, match="publish a correction as a re-issue"):
        publish(city, OCTOBER, DAY, APPROVER)
    assert {path.name: path.read_bytes() for path in city.published.iterdir()} == before


@pytest.mark.whole_issues
def test_a_correction_needs_an_issue_and_a_reason_and_both_stay(city: Project) -> None:
    with pytest.raises(ParameterError, match="--reason: is missing"):
        publish(city, OCTOBER, DAY, APPROVER, reissue=True)
    with pytest.raises(ParameterError, match="--reason: was given without --reissue"):
        publish(city, OCTOBER, DAY, APPROVER, reason="why")
    with pytest.raises(PublishedError, match="There is no issue of 2023-10 to correct"):
        publish(city, OCTOBER, DAY, APPROVER, reissue=True, reason="why")
    publish(city, OCTOBER, DAY, APPROVER)
    for number in (1, 2):
        made_with_another_text(city, number)
        issue = publish(city, OCTOBER, DAY, APPROVER, reissue=True, reason=f"The\nreason {number}.")
        assert (issue.name.number, issue.reason) == (number, f"The reason {number}.")
    assert [str(issue.name) for issue in read_register(city).of(OCTOBER)] == ["2023-10", "2023-10-r1", "2023-10-r2"]
    traced = vip("trace", "2023-10-r1", "responses/month", "--json", "--project", str(city.root))
    assert (traced.returncode, json.loads(traced.stdout)["as_of"]) == (0, str(issue.as_of)), traced.stderr
    unknown = vip("trace", "2023-10-r9", "responses/month", "--project", str(city.root))
    assert unknown.returncode == 2
    assert "2023-10-r9 is not in the register" in unknown.stderr


def made_with_another_text(city: Project, number: int = 1) -> None:
    """Make the October issue again, with something that a correction corrects."""
    activities = city.activities(OCTOBER)
    text = activities.read_text("utf-8") if activities.is_file() else "## News\n"
    activities.write_text(f"{text}\nWords that were missing, {number}.\n", "utf-8")
    issue_made(city, "2023-10", PlainEngine())


def test_a_correction_corrects_something(city: Project) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    done = vip(
        "publish",
        "2023-10",
        f"--approved-by={APPROVER}",
        "--reissue",
        "--reason",
        "why",
        "--printed",
        "2023-12-08",
        "--project",
        str(city.root),
    )
    assert done.returncode == 2
    assert (
        "issues/2023-10: has the same pages and figures as 2023-10; more records came in by 2023-12-04" in done.stderr
    )
    assert "Make it with --as-of 2023-12-04." in done.stderr
    assert {path.name: path.read_bytes() for path in city.published.iterdir()} == before


@pytest.mark.whole_issues
def test_a_correction_is_not_published_before_what_it_corrects(city: Project) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    made_with_another_text(city)
    with pytest.raises(ParameterError, match="2023-11-09 is before 2023-11-10, the day of 2023-10"):
        publish(city, OCTOBER, dt.date(2023, 11, 9), APPROVER, reissue=True, reason="why")


def test_a_report_of_a_published_month_says_that_records_came_in_later(city: Project) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    said = [note_on_day(city, load_edition(city, OCTOBER, day)) for day in (None, dt.date(2023, 12, 4))]
    assert said[0].endswith("More was received by 2023-12-04; --as-of 2023-12-04 makes a correction with it.")
    assert said[1] == ""
    assert note_on_day(city, load_edition(city, ReportMonth(2023, 9))) == "", "it is not published"


@pytest.mark.parametrize("name", ["vip-2023-10.html", "vip-2023-10.pdf", "figures.csv", "charts/chart-by-month.svg"])
def test_an_issue_of_which_a_file_was_edited_or_is_gone_is_not_published(city: Project, name: str) -> None:
    path = city.issues / "2023-10" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ManifestError, match=rf"issues/2023-10/{name}: was edited after it was made"):
        publish(city, OCTOBER, DAY, APPROVER)
    path.unlink()
    with pytest.raises(ManifestError, match=rf"issues/2023-10/{name}: is missing"):
        publish(city, OCTOBER, DAY, APPROVER)
    assert [str(issue.name) for issue in read_register(city).issues] == ["2023-11"]


def test_an_issue_whose_records_are_not_as_they_were_is_not_published(city: Project) -> None:
    (city.raw / "2023-11-03" / "reviews.csv").unlink()
    with pytest.raises(ManifestError, match=r"data/raw/2023-11-03/reviews\.csv: is missing"):
        publish(city, OCTOBER, DAY, APPROVER)


def test_an_issue_that_is_counted_otherwise_now_is_not_published(city: Project) -> None:
    settings = city.root / "program.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace('count = { sum = "children_assisted" }', 'count = { sum = "adults_assisted" }'), "utf-8"
    )
    with pytest.raises(ManifestError, match="The figures differ from those of the issue"):
        publish(Project.open(city.root), OCTOBER, DAY, APPROVER)


def test_an_issue_that_was_not_made_or_is_not_over_is_not_published(city: Project) -> None:
    with pytest.raises(ManifestError, match=r"issues/2023-09/manifest\.json: is missing"):
        publish(city, ReportMonth(2023, 9), DAY, APPROVER)
    with pytest.raises(ParameterError, match="2023-11-02 is before 2023-11-03"):
        publish(city, OCTOBER, dt.date(2023, 11, 2), APPROVER)
    done = vip(
        "publish", "2023-10", f"--approved-by={APPROVER}", "--printed", "2999-01-01", "--project", str(city.root)
    )
    assert (done.returncode, "has not come yet" in done.stderr) == (2, True)


def test_an_issue_that_does_not_add_up_is_published_with_what_it_says_of_that(city: Project) -> None:
    # One response of this fiscal year has no area command, so its two tables differ by one.
    said = publish(city, OCTOBER, DAY, APPROVER).footnote
    assert said.startswith("In the fiscal year to date, 1 of 229 responses has no usable area command")
    words = BeautifulSoup((city.issues / "2023-10" / "vip-2023-10.html").read_text("utf-8"), "html.parser").get_text(
        " "
    )
    assert said in " ".join(words.split())
    made_with_another_text(city)
    own = publish(city, OCTOBER, DAY, APPROVER, reissue=True, reason="why", footnote="One\nhas none.")
    assert own.footnote == "One has none."


@pytest.mark.whole_issues
def test_an_issue_that_does_not_add_up_and_does_not_say_why_is_not_published(city: Project) -> None:
    settings = city.root / "program.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        re.sub(r"(?m)^breakdowns = .*\n|^\[report\.tile_map(?:\.tiles)?\]\n(?:[^\[\n].*\n|\n)*", "", text), "utf-8"
    )
    project = Project.open(city.root)
    issue_made(project, str(OCTOBER), choose_engine("embedded"))
    with pytest.raises(ParameterError, match="by incident type 229, by area command 228"):
        publish(project, OCTOBER, DAY, APPROVER)


@pytest.mark.whole_issues
def test_a_reproduction_is_kept_beside_a_print_whose_figures_it_gives(city: Project) -> None:
    issue_made(city, "2023-11", choose_engine("embedded"))
    figures = (city.published / "2023-11.csv").read_bytes()
    done = vip("publish", "2023-11", "--reproduction", "--project", str(city.root))
    assert done.returncode == 0, done.stderr
    kept = json.loads((city.published / "2023-11.manifest.json").read_text(encoding="utf-8"))
    assert kept["outputs"] == json.loads((city.issues / "2023-11" / "manifest.json").read_text("utf-8"))["outputs"]
    assert (city.published / "2023-11.csv").read_bytes() == figures
    assert vip("publish", "2023-11", "--reproduction", "--reissue", "--project", str(city.root)).returncode == 2


def test_the_record_of_what_was_published_from_here_is_never_replaced(city: Project) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    before = {path.name: path.read_bytes() for path in city.published.iterdir()}
    with pytest.raises(
        PublishedError, match="is the record of what was published; published records are never replaced"
    ):
        keep_reproduction(city, OCTOBER)
    assert {path.name: path.read_bytes() for path in city.published.iterdir()} == before


def test_a_reproduction_as_of_another_day_than_the_print_is_not_kept(city: Project) -> None:
    (issue,) = read_register(city).issues
    figures = load_edition(city, OCTOBER).figures.head(3)
    write_register(
        city.published, [issue, replace(issue, name=IssueName(OCTOBER), figures=figures, as_of=DAY, manifest=None)]
    )
    with pytest.raises(PublishedError, match="is as of 2023-11-10, and the one made here as of 2023-11-03"):
        keep_reproduction(city, OCTOBER)


@pytest.mark.whole_issues
def test_a_reproduction_that_gives_other_figures_is_not_kept(city: Project) -> None:
    path = city.raw / "2023-12-04" / "responses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",Homicide,", ",Suicide,", 1), encoding="utf-8")
    issue_made(city, "2023-11", choose_engine("embedded"))
    before = {each.name: each.read_bytes() for each in city.published.iterdir()}
    with pytest.raises(PublishedError, match="responses_by_incident_type/Homicide/"):
        keep_reproduction(city, ReportMonth(2023, 11))
    assert {each.name: each.read_bytes() for each in city.published.iterdir()} == before


def test_the_sister_series_cannot_happen_here(city: Project) -> None:
    """An issue titled with another month's figures, replaced in silence: the register refuses each step of it."""
    shutil.copytree(city.issues / "2023-10", city.issues / "2023-09")
    with pytest.raises(ManifestError, match=r"parameters\.month: is 2023-10; it is 2023-09"):
        publish(city, ReportMonth(2023, 9), DAY, APPROVER)
    publish(city, OCTOBER, DAY, APPROVER)
    figures = city.published / "2023-10.csv"
    figures.write_text(figures.read_text(encoding="utf-8").replace("fytd,1", "fytd,2", 1), encoding="utf-8")
    done = vip("verify", "--all", "--project", str(city.root))
    assert done.returncode == 2
    assert "2023-10.csv: was edited after it was published" in done.stderr
    assert "reproduced" not in done.stdout


def test_the_repository_itself_can_be_published_from_a_fresh_clone(tmp_path: Path) -> None:
    """The register that is committed passes its own checks, and is what git would give to anyone."""
    done = subprocess.run(
        ["git", "ls-files", "data/published"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("git keeps no history of this folder")
    known = {Path(name).name for name in done.stdout.splitlines()}
    assert {f"{issue.name}.csv" for issue in read_register(Project.open(REPOSITORY)).issues} | {"index.csv"} <= known


@pytest.mark.parametrize("text", ["a\x1b[31m", "b\u202e", "c\udcff"])
def test_a_reason_is_plain_text(city: Project, text: str) -> None:
    publish(city, OCTOBER, DAY, APPROVER)
    with pytest.raises(ParameterError, match=r"--reason: .* contains an invisible character"):
        publish(city, OCTOBER, DAY, APPROVER, reissue=True, reason=text)


def test_a_register_that_could_not_be_read_again_is_not_written(project: Project) -> None:
    issue = an_issue(value=10**18)
    with pytest.raises(PublishedError, match="'1000000000000000000' is not a whole number"):
        add_issue(project, issue)
    assert not list(project.published.iterdir())
    add_issue(project, an_issue(value=10**18 - 1))
    assert read_register(project).issues[0].figures["value"].item() == 10**18 - 1


@pytest.mark.whole_issues
def test_an_issue_that_was_made_without_some_rows_says_so_in_the_register(city: Project) -> None:
    path = city.raw / "2023-11-03" / "responses.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",Homicide,", ",Nonsense,", 1), encoding="utf-8")
    issue_made(city, str(OCTOBER), choose_engine("embedded"), allow_quarantined=True)
    issue = publish(city, OCTOBER, DAY, APPROVER)
    assert issue.footnote.endswith("1 row could not be read and was not counted.")
    # As of its own day it is verified as it was made; as of now the rows are asked for.
    (found,) = verify_register(city, "2023-10", as_of=dt.date(2023, 11, 3))
    assert found.count("reproduced") == len(issue.figures)
    assert found.left_out
    with pytest.raises(QuarantineError):
        verify_register(city, "2023-10")


@pytest.mark.whole_issues
def test_an_issue_with_an_empty_folder_for_activities_is_made_again_from_a_clone_that_has_none(city: Project) -> None:
    shutil.rmtree(city.report / "activities")
    (city.report / "activities").mkdir()
    issue_made(city, str(OCTOBER), choose_engine("embedded"))
    (city.report / "activities").rmdir()
    assert reproduce(city, "2023-10").identical


@pytest.mark.whole_issues
def test_a_correction_does_not_know_less_than_what_it_corrects(city: Project) -> None:
    issue_made(city, str(OCTOBER), choose_engine("embedded"), dt.date(2023, 12, 4))
    publish(city, OCTOBER, dt.date(2023, 12, 8), APPROVER)
    issue_made(city, str(OCTOBER), choose_engine("embedded"), dt.date(2023, 11, 3))
    with pytest.raises(ParameterError, match="2023-11-03 is before 2023-12-04, that of 2023-10"):
        publish(city, OCTOBER, dt.date(2023, 12, 8), APPROVER, reissue=True, reason="why")
