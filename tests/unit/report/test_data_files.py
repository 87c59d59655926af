"""Data to take away: valid for every reader, the same figures in every form, and nothing left unsaid about it."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import frictionless
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.artifacts import Artifacts
from tests.support.command import started_vip, vip
from tests.support.examples import examples
from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver, copy_of_the_repository
from tests.support.register import an_issue
from viputils.audit.as_of import load_edition
from viputils.audit.register import IssueName, add_issue, read_register
from viputils.config.program_file import program_from, read_program
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ProgramError
from viputils.core.months import ReportMonth
from viputils.figures.counts import COLUMNS, KEY
from viputils.figures.edition import Edition
from viputils.report.data_files import (
    all_issues,
    all_issues_csv,
    all_issues_data,
    issue_data,
    months_left_out,
)

NOVEMBER = ReportMonth(2023, 11)


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews", "outreach")


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def problems_of(folder: Path) -> list[str]:
    """What the reference library of Data Packages finds wrong with a folder, the rows of its files included."""
    report = frictionless.validate(folder / "datapackage.json")
    return [error.type for error in report.errors] + [error.type for task in report.tasks for error in task.errors]


def package_of(folder: Path) -> dict[str, Any]:
    package: dict[str, Any] = json.loads((folder / "datapackage.json").read_bytes())
    return package


def read_by_schema(folder: Path, file: str) -> pd.DataFrame:
    """Read a CSV file as docs/data.md says: with the types of its schema, and an empty cell as a value."""
    (resource,) = [one for one in package_of(folder)["resources"] if one["path"] == file]
    types = {field["name"]: field["type"] for field in resource["schema"]["fields"]}
    dtypes = {name: "int64" if kind == "integer" else "str" for name, kind in types.items()}
    return pd.read_csv(folder / file, dtype=dtypes, keep_default_na=False)


def since_july(project: Project, delivered: str = "irregularly") -> Project:
    """The same project with records from July 2023 on, so that few months are counted."""
    identity = project.program.identity.model_copy(update={"records_from": dt.date(2023, 7, 1), "delivered": delivered})
    return replace(project, program=project.program.model_copy(update={"identity": identity}))


@pytest.fixture(scope="module")
def november(demonstration: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("november"), issue_data(demonstration, "vip-2023-11"))


@pytest.fixture(scope="module")
def philadelphia(repository_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    edition = load_edition(Project.open(repository_example), "2020-11", dt.date(2020, 12, 1))
    return written(tmp_path_factory.mktemp("philadelphia"), issue_data(edition, "shooting-victims-2020-11"))


@pytest.fixture(scope="module")
def every_issue(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of all issues, as the site has it, without its page."""
    data = artifacts.site() / "_site" / "data"
    folder = tmp_path_factory.mktemp("data") / "all issues"
    return Path(shutil.copytree(data, folder, ignore=shutil.ignore_patterns("*.html")))


@pytest.fixture(params=["november", "philadelphia", "every_issue"])
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


# ---------------------------------------------------------------- every package


def test_the_reference_library_finds_nothing_wrong(folder: Path) -> None:
    assert problems_of(folder) == []


def test_every_file_is_there_and_is_the_one_that_the_package_means(folder: Path) -> None:
    resources = package_of(folder)["resources"]
    assert {one["path"] for one in resources} == {path.name for path in folder.iterdir()} - {"datapackage.json"}
    for one in resources:
        assert one["hash"] == "sha256:" + hashlib.sha256((folder / one["path"]).read_bytes()).hexdigest()


def test_every_column_is_described_and_so_are_license_and_sources(folder: Path) -> None:
    package = package_of(folder)
    for name in ("title", "description", "version", "licenses", "sources"):
        assert package[name]
    for resource in package["resources"]:
        assert resource["title"]
        assert resource["description"]
        for field in resource["schema"]["fields"]:
            assert field["description"].endswith("."), field["name"]
            assert field["title"], field["name"]


def test_the_columns_are_those_of_the_file_in_its_order(folder: Path) -> None:
    for resource in package_of(folder)["resources"]:
        content = (folder / resource["path"]).read_text(encoding="utf-8")
        if resource["format"] == "csv":
            columns = content.splitlines()[0].split(",")
        else:
            columns = list(json.loads(content)["figures"][0])
        assert columns == [field["name"] for field in resource["schema"]["fields"]]


def test_every_column_is_explained_in_the_documentation(folder: Path) -> None:
    words = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
    for resource in package_of(folder)["resources"]:
        assert f"`{resource['path']}`" in words
        for field in resource["schema"]["fields"]:
            assert f"| `{field['name']}` |" in words


def test_there_is_no_clock_time_in_it(folder: Path) -> None:
    package = package_of(folder)
    assert "created" not in package
    day = {"vip-2023-11": "2023.12.4", "shooting-victims-2020-11": "2020.12.1", "all-issues": "2023.12.4"}
    assert package["version"] == day[package["name"]]


# ---------------------------------------------------------------- what the package makes readers find


@pytest.mark.parametrize(
    ("was", "is_now", "problem"),
    [
        ("adults_assisted,,fytd,2599", "adults_assisted,,fytd,-1", "constraint-error"),
        ("adults_assisted,,fytd,2599", "adults_assisted,,fytd,2599.5", "type-error"),
        ("adults_assisted,,fytd,2599", "adults_assisted,,fytd,", "type-error"),
        ("adults_assisted,,fytd,2599", "adults_assisted,,year,2599", "constraint-error"),
        ("adults_assisted,,fytd,2599", "adults_asisted,,fytd,2599", "constraint-error"),
        ("adults_assisted,,fytd,2599", "adults_assisted,,month,2599", "primary-key"),
        ("measure,category,period,value", "measure,category,span,value", "incorrect-label"),
    ],
)
def test_a_figure_that_cannot_be_is_found(november: Path, tmp_path: Path, was: str, is_now: str, problem: str) -> None:
    shutil.copytree(november, tmp_path, dirs_exist_ok=True)
    file, package = tmp_path / "figures.csv", package_of(tmp_path)
    text = file.read_text(encoding="utf-8")
    assert text.count(was) == 1
    file.write_text(text.replace(was, is_now), encoding="utf-8", newline="")
    assert "hash-count" in problems_of(tmp_path)
    package["resources"][0]["hash"] = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert problem in problems_of(tmp_path)


# ---------------------------------------------------------------- one issue


def test_the_files_hold_the_figures_of_the_edition(november: Path, demonstration: Edition) -> None:
    pd.testing.assert_frame_equal(read_by_schema(november, "figures.csv"), demonstration.figures)
    shown = json.loads((november / "figures.json").read_bytes())
    pd.testing.assert_frame_equal(
        pd.DataFrame(shown["figures"])[COLUMNS].astype(demonstration.figures.dtypes.to_dict()), demonstration.figures
    )
    assert {row["label"] for row in shown["figures"] if row["measure"] == "adults_assisted"} == {"adults assisted"}


def test_the_series_holds_each_month_of_each_measure_and_ends_with_the_figures_of_the_month(
    november: Path, demonstration: Edition
) -> None:
    series = read_by_schema(november, "series.csv")
    assert series["month"].min() == "2022-07"
    assert not series.duplicated(["measure", "category", "month"]).any()
    newest = series.loc[series["month"].eq("2023-11")].set_index(["measure", "category"])["value"]
    figures = demonstration.figures.loc[demonstration.figures["period"].eq("month")]
    expected = figures.set_index(["measure", "category"])["value"]
    assert newest.astype("int64").to_dict() == expected.to_dict()
    # The chart of the fiscal year shows the same.
    months = demonstration.figures.loc[demonstration.figures["measure"].eq("responses_by_month")]
    whole = series.loc[series["measure"].eq("responses")].set_index("month")["value"]
    assert whole[months["category"]].astype("int64").tolist() == months["value"].tolist()


def test_a_month_that_was_not_delivered_is_empty_in_the_series_and_no_zero(
    project: Project, deliver: Deliver, tmp_path: Path
) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    (project.root / "program.toml").write_text(text.replace('delivered = "irregularly"', 'delivered = "monthly"'))
    for day in ("2023-05-03", "2023-07-05", "2023-08-03", "2023-09-04", "2023-10-03", "2023-11-03", "2023-12-04"):
        deliver(day, responses=[f"R{day},{day[:7]}-01,DV,SE"])
    # Of the year before, May did not come.
    folder = written(tmp_path / "out", issue_data(load_edition(Project.open(project.root), "2023-11"), "vip-2023-11"))
    lines = (folder / "series.csv").read_text(encoding="utf-8").splitlines()
    assert "responses,,2023-05," in lines
    assert "responses,,2023-06,0" in lines
    assert problems_of(folder) == []


def test_json_and_package_say_what_the_figures_are(november: Path, demonstration: Edition) -> None:
    demo = demonstration.program.demonstration
    assert demo is not None
    for said in (json.loads((november / "figures.json").read_bytes()), package_of(november)):
        assert (said["month"], said["as_of"], said["rows_left_out"]) == ("2023-11", "2023-12-04", 0)
        assert said["demonstration"] == demo.statement
        title = "Violence Intervention Program Monthly Informational Report, November 2023"
        assert title in (said.get("issue"), said.get("title"))
    assert "sample data" in package_of(november)["description"]


def test_real_records_are_not_called_demonstration(philadelphia: Path) -> None:
    package = package_of(philadelphia)
    assert package["demonstration"] is None
    assert "sample data" not in package["description"]
    assert package["licenses"][0]["name"] == "MIT"
    (period,) = [one for one in package["resources"][0]["schema"]["fields"] if one["name"] == "period"]
    assert "calendar year to date" in period["description"]


def test_rows_that_were_left_out_are_counted(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    deliver(responses=["R1,2023-11-02,Homicide,SE", "R2,2023-11-03,Homocide,SE", "R3,2023-11-31,Homicide,SE"])
    folder = written(tmp_path / "out", issue_data(load_edition(project, "2023-11"), "vip-2023-11"))
    assert package_of(folder)["rows_left_out"] == 2
    assert "2 rows" in package_of(folder)["description"]
    assert package_of(folder)["demonstration"] is None, "their ids are not those of demonstration records"
    assert json.loads((folder / "figures.json").read_bytes())["rows_left_out"] == 2
    assert problems_of(folder) == []


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), min_size=1).filter(str.strip)


@settings(max_examples=examples(15))
@given(categories=st.lists(WORDS, min_size=6, max_size=6, unique=True))
def test_csv_and_json_hold_the_same_text_whatever_a_category_is_called(
    demonstration: Edition, categories: list[str]
) -> None:
    names = demonstration.program.categories("responses_by_incident_type", NOVEMBER)
    assert names is not None
    renamed = demonstration.figures["category"].replace(dict(zip(names, categories, strict=True)))
    edition = replace(demonstration, figures=demonstration.figures.assign(category=renamed))
    files = issue_data(edition, "vip-2023-11")
    from_csv = pd.read_csv(io.BytesIO(files["figures.csv"]), keep_default_na=False, dtype={"category": "str"})
    from_json = pd.DataFrame(json.loads(files["figures.json"])["figures"])
    assert from_csv["category"].tolist() == from_json["category"].tolist() == renamed.tolist()
    assert from_csv["value"].tolist() == from_json["value"].tolist()


def test_text_of_the_program_stays_text(demonstration: Edition, tmp_path: Path) -> None:
    said = '</script><script>alert("é \\ 😀")</script>\n{{x}}'
    demo = demonstration.program.demonstration
    assert demo is not None
    program = demonstration.program.model_copy(update={"demonstration": demo.model_copy(update={"statement": said})})
    edition = replace(demonstration, records=replace(demonstration.records, program=program))
    folder = written(tmp_path / "out", issue_data(edition, "vip-2023-11"))
    assert package_of(folder)["demonstration"] == said
    assert "é".encode() in (folder / "datapackage.json").read_bytes()
    assert "😀".encode() in (folder / "figures.json").read_bytes()
    assert "script" not in package_of(folder)["description"]
    assert problems_of(folder) == []


def require_data(issue: Path, november: Path) -> None:
    """Refuse an issue without its data, or with other data than that of the edition."""
    outputs = json.loads((issue / "manifest.json").read_bytes())["outputs"]
    for name in ("figures.csv", "figures.json", "series.csv", "datapackage.json"):
        assert (issue / name).read_bytes() == (november / name).read_bytes()
        assert outputs[name] == hashlib.sha256((issue / name).read_bytes()).hexdigest()
    assert problems_of(issue) == []


def test_an_issue_is_made_with_its_data_and_the_manifest_names_it(artifacts: Artifacts, november: Path) -> None:
    require_data(artifacts.november() / "issues" / "2023-11", november)


@pytest.mark.exact_bytes
def test_an_issue_has_the_same_data_in_another_time_zone_and_locale(tmp_path: Path, november: Path) -> None:
    root = copy_of_the_repository(tmp_path / "another place")
    done = started_vip("report", "2023-11", "--project", str(root), "--engine", "embedded", TZ="Asia/Tokyo", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    require_data(root / "issues" / "2023-11", november)


# ---------------------------------------------------------------- what program.toml says of the data


def program_toml() -> dict[str, Any]:
    return read_program(REPOSITORY / "program.toml").model_dump(by_alias=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"licenses": [{"name": "CC0 1.0", "title": "x", "path": "https://x.org"}]}, "without spaces"),
        ({"licenses": [{"name": "CC0-1.0", "title": "x", "path": "javascript:alert(1)"}]}, "must be a web address"),
        ({"licenses": [{"name": "CC0-1.0", "title": "x", "path": "https://x.org/ y"}]}, "must be a web address"),
        ({"licenses": [{"name": "CC0-1.0", "path": "https://x.org"}]}, r"data.licenses\[1\].title: is missing"),
        ({"licences": []}, "did you mean 'licenses'"),
        ({"sources": [{"title": "x", "path": "../data"}]}, r"data.sources\[1\].path: '../data' is invalid"),
        ({"sources": [{"title": "x", "url": "https://x.org"}]}, "url: is not a known key"),
        ({"sources": [{"title": " "}]}, "must be one line of text"),
    ],
)
def test_a_license_or_source_that_cannot_be_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        program_from({**program_toml(), "data": data})


def test_without_a_license_the_package_is_valid_and_says_so(demonstration: Edition, tmp_path: Path) -> None:
    raw = program_toml()
    del raw["data"]
    records = replace(demonstration.records, program=program_from(raw))
    folder = written(tmp_path / "out", issue_data(replace(demonstration, records=records), "vip-2023-11"))
    assert package_of(folder).keys().isdisjoint({"licenses", "sources"})
    assert package_of(folder)["description"].endswith("No license is stated: ask the publisher before you use it.")
    assert problems_of(folder) == []


# ---------------------------------------------------------------- all issues


def test_published_figures_are_those_of_the_register(every_issue: Path) -> None:
    table = read_by_schema(every_issue, "all-issues.csv")
    published = table.loc[table["source"].eq("published")].reset_index(drop=True)
    (issue,) = read_register(Project.open(REPOSITORY)).issues
    assert len(published) == 28
    pd.testing.assert_frame_equal(published[COLUMNS], issue.figures)
    assert set(published["origin"]) == {issue.source}
    assert set(published["as_of"]) == {""}, "the City does not say as of which day its figures are"


def test_every_month_of_the_records_is_counted_as_its_own_issue_counts_it(every_issue: Path) -> None:
    table = read_by_schema(every_issue, "all-issues.csv")
    counted = table.loc[table["source"].eq("counted")]
    first = ReportMonth(2022, 7)
    assert list(counted["issue"].unique()) == [str(first.plus(number)) for number in range(17)]
    assert set(counted["origin"]) == {"Sample data"}
    project = Project.open(REPOSITORY)
    for month in ("2022-07", "2023-03", "2023-10"):
        edition = load_edition(project, month)
        rows = counted.loc[counted["issue"].eq(month)].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[COLUMNS], edition.figures)
        assert set(rows["as_of"]) == {edition.as_of.isoformat()}


def test_november_as_counted_gives_every_figure_as_published(every_issue: Path) -> None:
    table = read_by_schema(every_issue, "all-issues.csv")
    published, counted = (
        table.loc[table["source"].eq(source) & table["issue"].eq("2023-11")] for source in ("published", "counted")
    )
    both = published.merge(counted, on=KEY, how="left")
    assert len(both) == 28
    assert both["value_x"].eq(both["value_y"]).all()


def test_another_day_counts_every_month_as_it_was_known_then(project: Project, deliver: Deliver) -> None:
    deliver("2023-09-05", responses=["R1,2023-07-02,Homicide,SE", "R2,2023-08-02,Homicide,SE"])
    deliver("2023-10-04", responses=["R3,2023-07-03,Homicide,SE", "R4,2023-09-02,Homicide,SE"])
    add_issue(project, an_issue(as_of=None))
    shown = since_july(project)

    def homicides(as_of: dt.date | None = None) -> dict[tuple[str, str], int]:
        rows = all_issues(shown, as_of)
        rows = rows.loc[rows["source"].eq("counted") & rows["category"].eq("Homicide") & rows["period"].eq("month")]
        return {(row["issue"], row["as_of"]): row["value"] for row in rows.to_dict("records")}

    assert homicides() == {("2023-07", "2023-09-05"): 1, ("2023-08", "2023-09-05"): 1, ("2023-09", "2023-10-04"): 1}
    assert homicides(dt.date(2023, 9, 5)) == {("2023-07", "2023-09-05"): 1, ("2023-08", "2023-09-05"): 1}
    assert months_left_out(shown, dt.date(2023, 9, 5)) == {}, "a month that is not over is not left out"
    day = dt.date(2023, 10, 4)
    assert homicides(day) == {(f"2023-{month}", "2023-10-04"): n for month, n in (("07", 2), ("08", 1), ("09", 1))}
    # An issue of a month that was not over then had not been published either.
    assert set(all_issues(shown, day)["source"]) == {"counted"}


def test_an_issue_and_its_correction_both_stay_and_say_which_one_stands(project: Project, deliver: Deliver) -> None:
    deliver()
    first = an_issue()
    second = replace(first, name=IssueName(NOVEMBER, 1), as_of=dt.date(2024, 1, 5), reason="A late delivery.")
    for issue in (first, second):
        add_issue(project, issue)
    shown = since_july(project)
    rows = all_issues(shown)
    rows = rows.loc[rows["source"].eq("published")]
    assert rows.groupby("issue")["replaced_by"].unique().map(list).to_dict() == {
        "2023-11": ["2023-11-r1"],
        "2023-11-r1": [""],
    }
    assert set(rows["month"]) == {"2023-11"}
    known = all_issues(shown, dt.date(2023, 12, 4))
    known = known.loc[known["source"].eq("published")]
    assert (set(known["issue"]), set(known["replaced_by"])) == ({"2023-11"}, {""})


def test_a_month_that_cannot_be_counted_is_left_out_and_named(project: Project, deliver: Deliver) -> None:
    deliver("2023-08-03")
    deliver("2023-10-04")
    shown = since_july(project, delivered="monthly")
    # August came in late, so it is counted as of that day; the year of September lacks what came in for August in time.
    rows = all_issues(shown)
    assert dict(zip(rows["issue"], rows["as_of"], strict=True)) == {"2023-07": "2023-08-03", "2023-08": "2023-10-04"}
    left_out = {str(month): why for month, why in months_left_out(shown).items()}
    assert left_out == {"2023-09": "A delivery within the fiscal year of 2023-09 is missing."}


def test_a_register_without_records_is_given_as_it_is(project: Project, tmp_path: Path) -> None:
    add_issue(project, an_issue(as_of=None))
    assert set(all_issues(project)["source"]) == {"published"}
    assert problems_of(written(tmp_path / "out", all_issues_data(project))) == []
    assert months_left_out(project) == {}


def test_where_there_is_nothing_at_all_nothing_is_given(project: Project) -> None:
    with pytest.raises(DeliveryError, match="contains no delivery"):
        all_issues(project)


def test_no_cell_is_taken_for_a_formula(project: Project, deliver: Deliver, tmp_path: Path) -> None:
    add_issue(project, an_issue(source="=HYPERLINK(1)"))
    text = all_issues_csv(all_issues(project))
    assert "'=HYPERLINK(1)" in text
    assert ",=" not in text
    assert "\r" not in text


# ---------------------------------------------------------------- the command


def test_the_command_prints_what_the_library_gives(project: Project, deliver: Deliver) -> None:
    path = project.root / "program.toml"
    path.write_text(path.read_text("utf-8").replace("records_from = 2022-07-01", "records_from = 2023-07-01"), "utf-8")
    shown = Project.open(project.root)
    deliver("2023-08-03", responses=["R1,2023-07-02,Homicide,SE"])
    deliver("2023-09-05", responses=["R2,2023-08-02,Homocide,SE"])
    done = vip("figures", "--all", "--csv", cwd=project.root)
    assert (done.returncode, done.stdout) == (0, all_issues_csv(all_issues(shown))), done.stderr
    assert "2023-08 is left out. Rows are in quarantine as of 2023-09-05" in done.stderr
    rows = all_issues(shown, allow_quarantined=True)
    done = vip("figures", "--all", "--csv", "--allow-quarantined", cwd=project.root)
    assert (done.returncode, done.stdout) == (0, all_issues_csv(rows)), done.stderr
    (project.raw / "2023-08-03" / "reviews.csv").unlink()
    done = vip("figures", "--all", "--json", "--as-of", "2023-08-04", cwd=project.root)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"figures": []}), done.stderr
    assert "2023-07 is left out. The data for 2023-07 is incomplete" in done.stderr


@pytest.mark.parametrize("arguments", [["figures"], ["figures", "2023-11", "--all"]])
def test_one_month_or_all_of_them(arguments: list[str]) -> None:
    done = vip(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "write a month, as in 2023-11, or --all" in done.stderr
