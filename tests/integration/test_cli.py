"""What the commands say, and how they end: real files, exit codes, and nothing half-written."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tests.support.artifacts import Artifacts
from tests.support.command import vip
from tests.support.projects import (
    REPOSITORY,
    Deliver,
    contents,
    copy_of_the_repository,
    with_a_short_report,
    without_manifests,
)
from viputils import __version__
from viputils.audit.register import add_issue, read_register
from viputils.cli import main as cli
from viputils.config.project import Project


@pytest.fixture(scope="module")
def made(artifacts: Artifacts) -> Path:
    """The issue of November 2023, in a folder with a blank and an accent in its path."""
    return artifacts.november() / "issues" / "2023-11"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The repository's project in another folder, with a report that is made quickly."""
    return with_a_short_report(copy_of_the_repository(tmp_path / "a project"))


# ---------------------------------------------------------------- vip report


def test_report_prints_where_the_parts_of_the_issue_are(city: Path, plain_pages: None) -> None:
    done = vip("report", "2023-11", "--project", str(city), "--engine", "embedded", "--json", cwd=Path("/"))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert set(made) == {"month", "as_of", "engine", "html", "pdf", "docx", "figures", "notebook", "manifest"}
    assert (made["month"], made["as_of"], made["engine"]) == ("2023-11", "2023-12-04", "embedded")
    for name in ("html", "pdf", "docx", "figures", "notebook", "manifest"):
        assert Path(made[name]).is_file()
        assert Path(made[name]).parent == city / "issues" / "2023-11"


def test_the_page_holds_every_part_of_the_printed_issue(made: Path) -> None:
    page = BeautifulSoup((made / "vip-2023-11.html").read_text(encoding="utf-8"), "html.parser")
    (title,) = page.find_all("h1")
    assert "Monthly Informational Report" in title.get_text()
    assert "November 2023" in page.get_text()
    headings = [heading.get_text(strip=True) for heading in page.find_all(["h2", "h3", "h4"])]
    for part in (
        "Main points", "Headline numbers", "Responses to incidents", "Introduction to VIP", "Custom Notifications",
        "Referrals", "Engaging with services", "Enforcement", "From notification to engagement",
        "Significant response activities", "Housing and food assistance", "Domestic violence", "Community healing",
        "Proactive engagement", "Where to get help", "About this report", "Where the numbers come from",
    ):  # fmt: skip
        assert part in headings
    words = " ".join(page.get_text(" ").split())
    assert "This is sample data." in words
    assert "adds up to 319 and not to 320" in words
    assert "CABQ.GOV/VIP" in words
    assert [script["type"] for script in page.find_all("script")] == ["application/ld+json"]


def published_rows() -> list[tuple[str, str, str, str]]:
    text = (REPOSITORY / "data" / "published" / "2023-11.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return [(measure, category, period, f"{int(value):,}") for measure, category, period, value in rows]


def test_the_tables_of_the_page_hold_the_printed_figures(made: Path) -> None:
    page = BeautifulSoup((made / "vip-2023-11.html").read_text(encoding="utf-8"), "html.parser")
    # The tables of the records below have names of their own.
    by_row = {
        row.select("th")[0].get_text(strip=True): [cell.get_text(strip=True) for cell in row.find_all("td")]
        for row in reversed(page.select("tbody tr"))
    }
    labels = {"adults_assisted": "Adults assisted", "children_assisted": "Children assisted",
              "referrals_made": "Referrals made", "outreach_operations": "Outreach operations"}  # fmt: skip
    for measure, category, period, value in published_rows():
        assert by_row[category or labels[measure]][("month", "fytd").index(period)] == value


def test_the_pdf_holds_the_same_words_and_its_running_header_and_footer(made: Path) -> None:
    pdf = PdfReader(made / "vip-2023-11.pdf")
    pages = [" ".join((page.extract_text() or "").split()) for page in pdf.pages]
    assert len(pages) >= 4
    assert "Monthly Informational Report" in pages[0]
    assert "November 2023" in pages[0]
    for page in pages[1:]:
        assert "VIOLENCE INTERVENTION PROGRAM | MONTHLY INFORMATIONAL REPORT | NOVEMBER 2023" in page
        assert "CABQ.GOV/VIP" in page
    words = " ".join(pages)
    for measure, category, _, value in published_rows():
        assert value in words
        assert category in words, measure
    assert "This is sample data." in words
    assert float(pdf.pages[0].mediabox.width) == 612
    assert float(pdf.pages[0].mediabox.height) == 792
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Violence Intervention Program Monthly Informational Report, November 2023"


def test_every_page_says_that_it_was_made_from_sample_data(made: Path) -> None:
    pages = [" ".join((page.extract_text() or "").split()) for page in PdfReader(made / "vip-2023-11.pdf").pages]
    assert "This is sample data. It does not describe real people or events." in pages[0]
    assert all("Sample data" in page for page in pages)
    page = BeautifulSoup((made / "vip-2023-11.html").read_text(encoding="utf-8"), "html.parser")
    assert "Sample data" in page.select("footer")[0].get_text()
    assert "This is sample data." in page.select(".notice")[0].get_text()


def test_figures_csv_is_the_figures_table_of_the_issue(made: Path) -> None:
    printed = vip("figures", "2023-11", "--csv", "--project", str(made.parents[1])).stdout
    assert (made / "figures.csv").read_text(encoding="utf-8") == printed


def test_the_kept_notebook_is_valid_and_begins_with_its_front_matter(made: Path) -> None:
    notebook = nbformat.read(made / "vip-2023-11.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "raw"


def test_another_month_can_be_made_and_says_that_it_has_no_activities(city: Path, plain_pages: None) -> None:
    done = vip("report", "2023-10", "--project", str(city), "--engine", "embedded")
    assert done.returncode == 0, done.stderr
    assert "there is no report/activities/2023-10.md" in done.stderr
    page = (city / "issues" / "2023-10" / "vip-2023-10.html").read_text(encoding="utf-8")
    assert "No activities have been written down for October 2023." in page


@pytest.mark.whole_issues
def test_an_issue_as_of_a_later_day_is_made_from_what_was_known_then(tmp_path: Path) -> None:
    city = copy_of_the_repository(tmp_path / "a project")
    arguments = ("2023-10", "--project", str(city), "--as-of", "2023-12-04")
    done = vip("report", *arguments, "--engine", "embedded", "--json")
    assert done.returncode == 0, done.stderr
    page = BeautifulSoup(Path(json.loads(done.stdout)["html"]).read_text(encoding="utf-8"), "html.parser")
    assert "received by December 4, 2023" in page.get_text()
    shown = {row.select("th")[0].get_text(): row.select("td")[0].get_text() for row in page.select("tbody tr")}
    figures = json.loads(vip("figures", *arguments, "--json").stdout)["figures"]
    months = {
        row["category"]: row["value"]
        for row in figures
        if row["measure"] == "responses_by_incident_type" and row["period"] == "month"
    }
    earlier = json.loads(vip("figures", "2023-10", "--project", str(city), "--json").stdout)["figures"]
    assert figures != earlier
    assert {category: int(shown[category]) for category in months} == months


def test_progress_and_the_balance_are_shown_while_it_works(city: Path, plain_pages: None) -> None:
    done = vip("--project", str(city), "report", "2022-07", "--engine", "embedded", "--json")
    assert "Reading and cleaning the records" in done.stderr
    assert "Running the notebook" in done.stderr
    counts = [int(word.replace(",", "")) for word in done.stderr.split() if word.replace(",", "").isdecimal()]
    read, *became = counts[:5]
    assert read == sum(became)
    json.loads(done.stdout)


# ---------------------------------------------------------------- vip verify, vip figures


def test_verify_reproduces_28_of_28() -> None:
    done = vip("verify", "2023-11")
    assert done.returncode == 0
    assert "28 of 28 figures reproduced." in done.stdout


def test_verify_fails_where_one_raw_row_was_changed(tmp_path: Path) -> None:
    root = copy_of_the_repository(tmp_path)
    path = root / "data" / "raw" / "2023-12-04" / "responses.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if line.split(",")[2] == "Homicide" and "2023-11" in line)
    lines[place] = lines[place].replace("Homicide", "Suicide")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refused = vip("verify", "2023-11", "--project", str(root))
    assert refused.returncode == 2
    assert "data/raw/2023-12-04/responses.csv: is not the file that data/published/2023-11" in refused.stderr
    without_manifests(root / "data" / "published")
    done = vip("verify", "2023-11", "--project", str(root))
    assert done.returncode == 1
    assert "24 of 28 figures reproduced, 4 differ." in done.stdout


def test_verify_of_an_issue_that_is_not_in_the_register_is_refused() -> None:
    done = vip("verify", "2023-10")
    assert done.returncode == 2
    assert "data/published/2023-10.csv: is missing; issues in the register: 2023-11." in done.stderr


def test_figures_are_printed_as_a_table_json_and_csv() -> None:
    table, as_json, as_csv = (vip("figures", "2023-11", *form) for form in ((), ("--json",), ("--csv",)))
    assert "responses_by_incident_type" in table.stdout
    shown = json.loads(as_json.stdout)
    assert (shown["month"], shown["as_of"]) == ("2023-11", "2023-12-04")
    rows = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [{**row, "value": int(row["value"])} for row in rows] == shown["figures"]
    assert {"measure": "adults_assisted", "category": "", "period": "fytd", "value": 2599} in shown["figures"]
    assert vip("figures", "2023-11", "--json", "--csv").returncode == 2


def test_an_as_of_date_shows_what_was_known_then() -> None:
    then = json.loads(vip("figures", "2023-10", "--json", "--as-of", "2023-11-03").stdout)
    now = json.loads(vip("figures", "2023-10", "--json", "--as-of", "2023-12-04").stdout)
    assert then["as_of"] == "2023-11-03"
    # The delivery of 4 December 2023 corrects records of October.
    assert then["figures"] != now["figures"]


# ---------------------------------------------------------------- Bad input


@pytest.fixture
def small(whole_project: Project, deliver: Deliver) -> Project:
    deliver(responses=["R1,2023-11-02,DV,SE"])
    old = whole_project.issues / "2023-11"
    old.mkdir(parents=True)
    (old / "vip-2023-11.html").write_text("the issue as it was", encoding="utf-8")
    return whole_project


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["2023-13"], "'2023-13' is not a month; write YYYY-MM"),
        (["November"], "'November' is not a month"),
        (["../x"], "'../x' is not a month"),
        (["2031-01"], "There is no data for 2031-01 yet"),
        (["2021-05"], "There is no data for 2021-05"),
        (["2023-12"], "The newest delivery was received on 2023-12-04"),
        (["2023-11", "--as-of", "4 Dec"], "--as-of: '4 Dec' is not a date"),
        (["2023-11", "--as-of", "2023-11-30"], "was not over on 2023-11-30"),
        (["2023-11", "--as-of", "2999-01-01"], "2999-01-01 has not come yet"),
        (["2023-11", "--engine", "word"], "word"),
        (["2023-11", "--project", "/nowhere"], "program.toml: is missing"),
        ([], "PERIOD"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(small: Project, arguments: list[str], says: str) -> None:
    before = contents(small.root)
    done = vip("report", *arguments, cwd=small.root)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(small.root) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "2023-13"],
        ["report", "2023-11", "--as-of", "2023-13-01"],
        ["report", "2023-11", "--as-of", "2023-11-30"],
        ["report", "2023-11", "--lang", "xx"],
        ["backfill", "2023-10", "2023-11", "--lang", "xx"],
        ["backfill", "2023-13", "2023-13"],
        ["export", "tables", "--as-of", "2023-13-01"],
        ["changes", "2023-10", "2023-11", "--month", "2023-13"],
    ],
)
def test_arguments_are_looked_at_before_the_first_step_is_shown(small: Project, arguments: list[str]) -> None:
    done = vip(*arguments, cwd=small.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "…" not in done.stderr.splitlines()[0], done.stderr


Spoil = Callable[[Project], None]


def raw_file(project: Project, table: str = "responses") -> Path:
    return project.raw / "2023-12-04" / f"{table}.csv"


def replace_row(table: str, row: str) -> Spoil:
    def spoil(project: Project) -> None:
        path = raw_file(project, table)
        header = path.read_text(encoding="utf-8").splitlines()[0]
        path.write_text(f"{header}\n{row}\n", encoding="utf-8")

    return spoil


def in_notebook(source: str) -> Spoil:
    def spoil(project: Project) -> None:
        notebook = nbformat.read(project.notebook, as_version=4)
        notebook.cells[5].source = source
        nbformat.write(notebook, project.notebook)

    return spoil


def edit(name: str, old: str, new: str) -> Spoil:
    def spoil(project: Project) -> None:
        path = project.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: raw_file(p, "reviews").unlink(), "reviews.csv: was never received"),
        (lambda p: shutil.rmtree(p.raw), "data/raw: No such file or directory"),
        (lambda p: raw_file(p).write_text("response_id,response_date,incident_type\n"), "'area_command' is missing"),
        (lambda p: raw_file(p).write_bytes(b"\xef\xbb\xbf" + raw_file(p).read_bytes()), "byte-order mark"),
        (lambda p: raw_file(p).write_bytes(raw_file(p).read_bytes() + b"R2,2023-11"), "line 3: has no end of line"),
        (lambda p: raw_file(p).write_bytes(raw_file(p).read_bytes().replace(b"SE", b"\xd1")), "is not UTF-8"),
        (replace_row("responses", "R1,2023-11-31,DV,SE"), "responses.csv, line 2, response_date: '2023-11-31' [not_a"),
        (replace_row("responses", "R1,2023-11-02,Homocide,SE"), "[unknown_value]: did you mean 'Homicide'?"),
        (replace_row("responses", "R1,2023-11-02,DV,Downtown"), "area_command: 'Downtown' [unknown_value]"),
        (replace_row("outreach", "O1,2023-11-02,SE,D2D,,-2,0"), "adults_assisted: '-2' [negative_count]"),
        (in_notebook("raise ValueError('x')"), "cell 6 (raise ValueError('x')): ValueError: x"),
        (in_notebook("1 / 0"), "ZeroDivisionError: division by zero"),
        (in_notebook("print('x')\nheadline = sections.headline(edition)"), "shows printed text"),
        (edit("program.toml", "fiscal_year_starts = 7", "fiscal_year_starts = 0"), "program.fiscal_year_starts: 0"),
        (edit("report/activities/2023-11.md", "## Domestic violence", "# Domestic violence"), "is of another level"),
        (edit("_quarto.yml", "minimal: true", "minimal: true\n    mermaid: dark"), "format.html.mermaid"),
        (lambda p: p.notebook.unlink(), "notebooks/monthly_report.ipynb: is missing"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_the_issue_stays_as_it_was(small: Project, spoil: Spoil, says: str) -> None:
    spoil(small)
    done = vip("report", "2023-11", "--engine", "embedded", cwd=small.root)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(small.issues / "2023-11") == {"vip-2023-11.html": b"the issue as it was"}
    assert not list(small.issues.glob("*partial*"))
    assert not list(small.issues.glob(".*partial*"))


@pytest.mark.parametrize("command", ["figures", "verify"])
def test_figures_and_verdicts_too_are_refused_while_rows_are_in_quarantine(small: Project, command: str) -> None:
    add_issue(small, replace(read_register(Project.open(REPOSITORY)).issues[0], manifest=None))
    replace_row("responses", "R1,2023-11-02,DV,Downtown")(small)
    done = vip(command, "2023-11", cwd=small.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 row is in quarantine" in done.stderr
    assert (
        vip(command, "2023-11", "--allow-quarantined", cwd=small.root).returncode
        == {"figures": 0, "verify": 1}[command]
    )


def test_the_version_is_printed_without_a_command() -> None:
    done = vip("--version")
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


def test_a_crash_never_has_the_exit_code_of_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(cli, "app", crash)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(SystemExit) as left:
        cli.main()
    for number, handler in before.items():
        signal.signal(number, handler)
    assert left.value.code == 3
    assert "a bug in viputils" in capsys.readouterr().err


def test_what_a_file_says_reaches_the_terminal_as_text(small: Project) -> None:
    raw_file(small).write_text(
        "response_id,response_date,incident_type,area_command,\x1b[31mx,\x1b[31mx\n", encoding="utf-8"
    )
    done = vip("figures", "2023-11", cwd=small.root)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    replace_row("responses", "R1,2023-11-02,[bold]x[/bold] :smile:,SE")(small)
    raw = raw_file(small).read_text(encoding="utf-8").replace(",\x1b[31mx,\x1b[31mx", "")
    raw_file(small).write_text(raw, encoding="utf-8")
    assert "'[bold]x[/bold] :smile:'" in vip("figures", "2023-11", cwd=small.root).stderr


def test_quarantined_rows_can_be_left_out_on_demand_and_the_page_says_so(small: Project, plain_pages: None) -> None:
    replace_row("responses", "R1,2023-11-02,DV,Downtown")(small)
    done = vip("report", "2023-11", "--engine", "embedded", "--allow-quarantined", "--json", cwd=small.root)
    assert done.returncode == 0, done.stderr
    page = Path(json.loads(done.stdout)["html"]).read_text(encoding="utf-8")
    assert "1 record could not be read" in page
