"""A print that was made with other rules, code or deliveries is not blamed; what is not the same is named first."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.projects import HEADERS, Deliver
from tests.support.register import NOVEMBER, all_printed, an_issue, published_here
from viputils.audit.health import check_project
from viputils.audit.library import library_checksum
from viputils.audit.register import add_issue, read_register
from viputils.audit.verdicts import verify_register, worst
from viputils.config.project import Project
from viputils.publish.status import project_status
from viputils.records.checksums import checksum, write_checksums
from viputils.report import verdict_sections

ADULTS = 'count = { sum = "adults_assisted" }\n'
DAY = "2023-11-20"


@pytest.fixture
def city(whole_project: Project, deliver: Deliver) -> Project:
    """A city whose issue of November 2023 was published from here."""
    deliver("2023-12-04", outreach=["O1,2023-11-05,SE,Home visit,,4,1"], responses=["R1,2023-11-06,DV,SE"])
    published_here(whole_project)
    return whole_project


def with_rows_for_adults(project: Project) -> Project:
    """The same city with another rule: it counts operations in the place of adults."""
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    assert ADULTS in text
    path.write_text(text.replace(ADULTS, 'count = "rows"\n'), encoding="utf-8")
    return Project.open(project.root)


def wrong_print(project: Project, **printed: int) -> None:
    """Print other numbers of the fiscal year to date in the published issue."""
    issue = read_register(project).issues[0]
    figures = issue.figures.copy()
    for name, value in printed.items():
        figures.loc[figures["measure"].eq(name) & figures["period"].eq("fytd"), "value"] = value
    shutil.rmtree(project.published)
    project.published.mkdir()
    manifest = project.issues / "2023-11" / "manifest.json"
    add_issue(project, replace(issue, figures=figures, manifest=manifest))


def backdated(project: Project) -> None:
    """Somebody adds a delivery by hand, dated before the as-of date of the issue."""
    folder = project.raw / DAY
    folder.mkdir()
    rows = f"{HEADERS['responses']}\nR2,2023-11-07,Homicide,NE\n"
    (folder / "responses.csv").write_text(rows, encoding="utf-8")


def test_an_issue_made_with_what_is_here_needs_no_caution(city: Project) -> None:
    done = vip("verify", "2023-11", cwd=city.root)
    assert (done.returncode, "other rules" in done.stdout) == (0, False)
    assert "figures reproduced." in done.stdout


def test_other_rules_are_named_first_and_the_print_is_not_blamed(city: Project) -> None:
    with_rows_for_adults(city)
    done = vip("verify", "2023-11", cwd=city.root)
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "2023-11 was made with other rules, code or deliveries than are here now:",
        "  program.toml (program): changed",
    ]
    assert "vip reproduce 2023-11" in lines[2]
    assert "2 not comparable" in done.stdout
    for blame in ("differs", "internally inconsistent", "does not add up", "contradicts itself"):
        assert blame not in done.stdout
    assert done.returncode == 2


def test_machines_and_the_status_hear_it_too(city: Project) -> None:
    with_rows_for_adults(city)
    (issue,) = json.loads(vip("verify", "--json", cwd=city.root).stdout)["issues"]
    assert [change["name"] for change in issue["made_otherwise"]] == ["program.toml"]
    assert issue["counts"]["not comparable"] == 2
    as_csv = vip("verify", "--csv", cwd=city.root)
    assert "2023-11 was made with other rules" in as_csv.stderr
    assert "not comparable" in as_csv.stdout
    statuses = {str(one.month): one.verdict for one in project_status(Project.open(city.root)).months}
    assert "2 not comparable" in statuses["2023-11"]
    assert "differ" not in statuses["2023-11"]


def test_the_page_of_verdicts_hears_it_too(city: Project) -> None:
    project = with_rows_for_adults(city)
    text = "\n".join(verdict_sections.verdicts_page(verify_register(project)))
    assert "was made with other rules, code or deliveries than we have now (program.toml)" in text.replace("\\", "")
    assert "contradict each other" not in text
    spanish = "\n".join(verdict_sections.verdicts_page(verify_register(project), project.in_language("es").language))
    assert "other rules" not in spanish
    assert "program.toml" in spanish.replace("\\", "")


def test_another_target_of_a_crosswalk_is_another_rule(city: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-06,DV,UNI"])
    shutil.rmtree(city.published)
    shutil.rmtree(city.issues)
    city.published.mkdir()
    published_here(city)
    path = city.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    assert 'counted_as = "Southeast"' in text
    path.write_text(text.replace('counted_as = "Southeast"', 'counted_as = "Valley"'), encoding="utf-8")
    (found,) = verify_register(Project.open(city.root))
    assert found.count("differs") == 0
    # Of two areas, for the month and the year to date.
    assert found.count("not comparable") == 4
    assert worst([found]) == "not comparable"


def test_other_code_is_named(city: Project) -> None:
    manifest = city.issues / "2023-11" / "manifest.json"
    raw = json.loads(manifest.read_text(encoding="utf-8"))
    raw["inputs"]["library"]["viputils/figures/counts.py"] = "0" * 64
    manifest.write_text(json.dumps(raw), encoding="utf-8")
    wrong_print(city, adults_assisted=5)
    done = vip("verify", "2023-11", cwd=city.root)
    assert done.stdout.splitlines()[1] == "  viputils itself: 1 of its files"
    assert (done.returncode, "1 not comparable" in done.stdout) == (2, True)


def test_figures_that_are_as_printed_pass_under_other_rules_with_a_caution(city: Project) -> None:
    path = city.root / "program.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# A remark.\n", encoding="utf-8")
    done = vip("verify", "2023-11", cwd=city.root)
    assert done.returncode == 0
    assert done.stdout.startswith("2023-11 was made with other rules")


def test_a_print_that_is_wrong_is_still_blamed_with_the_same_rules(city: Project) -> None:
    figures = city.published / "2023-11.csv"
    figures.write_text(
        figures.read_text(encoding="utf-8").replace("adults_assisted,,fytd,4", "adults_assisted,,fytd,5")
    )
    index = city.published / "index.csv"
    lines = index.read_text(encoding="utf-8").splitlines()
    parts = lines[1].split(",")
    parts[-2] = checksum(figures)
    index.write_text("\n".join([lines[0], ",".join(parts)]) + "\n", encoding="utf-8")
    done = vip("verify", "2023-11", cwd=city.root)
    assert (done.returncode, "1 differs" in done.stdout) == (1, True)


# ---------------------------------------------------------------- deliveries that the manifest does not list


def test_verify_names_a_delivery_that_the_manifest_does_not_list(city: Project) -> None:
    backdated(city)
    done = vip("verify", "2023-11", cwd=city.root)
    assert done.stdout.splitlines()[1] == f"  data/raw/{DAY}/responses.csv (deliveries): new"
    assert done.returncode == 2
    # The total, the type and the area, for the month and the year to date; and the month of the year.
    assert "7 not comparable" in done.stdout
    assert "differs" not in done.stdout


def test_check_names_it(city: Project) -> None:
    assert check_project(city).problems == ()
    backdated(city)
    (problem,) = check_project(city).problems
    assert problem.where == f"data/raw/{DAY}/responses.csv"
    assert "is not in data/published/2023-11.manifest.json" in problem.what
    assert check_project(city, as_of=None).clean is False


def test_the_status_of_the_issue_made_here_names_it(city: Project) -> None:
    def made() -> str:
        return {str(one.month): one.row["made"] for one in project_status(city).months}["2023-11"]

    assert "out of date" not in made()
    backdated(city)
    assert made().endswith("out of date: deliveries have changed")


def test_check_as_of_an_earlier_day_leaves_it_out(city: Project) -> None:
    backdated(city)
    days = [dt.date(2023, 11, day) for day in (19, 20)]
    assert [len(check_project(city, as_of=day).problems) for day in days] == [0, 1]


def test_revisions_name_it(city: Project) -> None:
    backdated(city)
    done = vip("revisions", "2023-11", cwd=city.root)
    assert f"WARNING: data/raw/{DAY}/responses.csv: is not in data/published/2023-11.manifest.json" in done.stdout
    as_json = json.loads(vip("revisions", "2023-11", "--json", cwd=city.root).stdout)
    assert [warning["where"] for warning in as_json["warnings"]] == [f"data/raw/{DAY}/responses.csv"]


def test_reproduce_names_it_and_leaves_it_out(artifacts: Artifacts, tmp_path: Path, plain_pages: None) -> None:
    root = shutil.copytree(artifacts.two_plain_months_of_a_town(), tmp_path / "a town")
    backdated(Project.open(root))
    done = vip("reproduce", "2023-11", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not in the manifest, and so left out." in done.stdout
    assert f"  data/raw/{DAY}/responses.csv" in done.stdout.splitlines()


def test_a_delivery_of_a_later_day_is_nothing_to_name(city: Project, deliver: Deliver) -> None:
    deliver("2023-12-05", responses=["R2,2023-11-07,Homicide,NE"])
    assert check_project(city).problems == ()
    assert "WARNING" not in vip("revisions", "2023-11", cwd=city.root).stdout
    assert verify_register(city)[0].caution == []


def test_a_reissue_that_counts_it_settles_it(city: Project) -> None:
    backdated(city)
    published_here(city, "2023-11-r1")
    assert check_project(city).problems == ()


def test_check_finds_a_delivery_that_is_gone_and_one_whose_checksums_were_written_again(
    city: Project, deliver: Deliver
) -> None:
    folder = deliver("2023-11-03", responses=["R0,2023-10-02,DV,SE"])
    write_checksums(folder, [])
    write_checksums(city.raw / "2023-12-04", [])
    published_here(city, "2023-11-r1")
    assert check_project(city).problems == ()
    rows = folder / "responses.csv"
    rows.write_text(rows.read_text(encoding="utf-8").replace("DV", "Suicide"), encoding="utf-8")
    write_checksums(folder, [])
    (problem,) = check_project(city).problems
    assert problem.where == "data/raw/2023-11-03/responses.csv"
    assert "is not the file that data/published/2023-11-r1.manifest.json names" in problem.what
    shutil.rmtree(folder)
    found = {one.where: one.what for one in check_project(city).problems}
    assert "is missing" in found["data/raw/2023-11-03/responses.csv"]
    assert len(found) == len(city.program.tables)
    for command in (["verify"], ["revisions", "2023-11"], ["check"]):
        done = vip(*command, cwd=city.root)
        assert "data/raw/2023-11-03/responses.csv: is missing" in done.stdout + done.stderr


def test_check_looks_at_issues_that_were_made_and_not_published_too(city: Project) -> None:
    shutil.rmtree(city.published)
    city.published.mkdir()
    (city.raw / "2023-12-04" / "outreach.csv").write_text(f"{HEADERS['outreach']}\n", encoding="utf-8")
    (problem,) = check_project(city).problems
    assert "is not the file that issues/2023-11/manifest.json names" in problem.what


def test_a_register_that_is_not_as_it_must_be_is_a_problem_for_check_and_a_warning_of_revisions(city: Project) -> None:
    (city.published / "2023-11.csv").unlink()
    assert [one.where for one in check_project(city).problems] == ["data/published/2023-11.csv"]
    done = vip("revisions", "2023-11", cwd=city.root)
    assert (done.returncode, "WARNING: data/published/2023-11.csv: is missing" in done.stdout) == (0, True)


# ---------------------------------------------------------------- records without a category


def test_a_record_without_an_area_is_told_as_the_footnote_tells_it(whole_project: Project, deliver: Deliver) -> None:
    deliver("2023-12-04", responses=["R1,2023-11-06,DV,SE", "R2,2023-11-07,DV,"])
    published_here(whole_project)
    done = vip("verify", "2023-11", cwd=whole_project.root)
    assert done.returncode == 0
    assert "does not add up" not in done.stdout
    assert "In November 2023, 1 of 2 responses has no usable area command" in done.stdout
    assert "The register has no footnote" not in done.stdout


def test_a_print_that_the_records_do_not_explain_still_does_not_add_up(city: Project) -> None:
    shutil.rmtree(city.published)
    city.published.mkdir()
    figures = all_printed(city, NOVEMBER, 4)
    of_type = figures["measure"].eq("responses_by_incident_type")
    figures.loc[of_type.idxmax(), "value"] = 1
    add_issue(city, an_issue(figures=figures))
    assert "The print does not add up." in vip("verify", "2023-11", cwd=city.root).stdout


# ---------------------------------------------------------------- what verify counted with, and in how many words


def test_verify_tells_machines_the_program_code_and_deliveries_that_it_used(city: Project, deliver: Deliver) -> None:
    deliver("2024-01-04", responses=["R2,2023-11-07,Homicide,NE"])
    used = json.loads(vip("verify", "--json", cwd=city.root).stdout)["counted_with"]
    assert used["program"] == {"program.toml": checksum(city.root / "program.toml")}
    assert used["code"]["checksum"] == library_checksum()
    assert {name.split("/")[2] for name in used["deliveries"]} == {"2023-12-04", "2024-01-04"}
    assert used["deliveries"]["data/raw/2024-01-04/responses.csv"] == checksum(city.raw / "2024-01-04/responses.csv")
    early = json.loads(vip("verify", "--json", "--as-of", "2023-12-04", cwd=city.root).stdout)["counted_with"]
    assert {name.split("/")[2] for name in early["deliveries"]} == {"2023-12-04"}


@pytest.mark.parametrize(("adults", "children", "said"), [(5, 1, "1 differs"), (5, 2, "2 differ")])
def test_one_differs_and_two_differ(city: Project, adults: int, children: int, said: str) -> None:
    wrong_print(city, adults_assisted=adults, children_assisted=children)
    done = vip("verify", "2023-11", cwd=city.root)
    assert f", {said}." in done.stdout
    statuses = {str(one.month): one.verdict for one in project_status(Project.open(city.root)).months}
    assert statuses["2023-11"].endswith(said)
