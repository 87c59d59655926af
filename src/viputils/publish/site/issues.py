"""The issues on the site: their own pages, and the home page with the newest issue and all issues by fiscal year."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nbformat
import pandas as pd
from IPython.display import Markdown

from viputils.audit.register import IssueName
from viputils.config.language import Language, message
from viputils.config.project import Project
from viputils.core.errors import ManifestError, Problem
from viputils.core.months import FiscalYear, ReportMonth
from viputils.core.periods import is_long
from viputils.core.text import capital, uncapital
from viputils.figures.comparison import SMALL
from viputils.figures.counts import FIGURES_CSV, breakdown, value_of
from viputils.publish.site.pages import Page, page_of
from viputils.report.about import where_to_get_help
from viputils.report.data_files import FIGURES_JSON, PACKAGE
from viputils.report.dataset import issue_dataset
from viputils.report.drawing import image_markdown, one_flattens_the_rest, panels_chart
from viputils.report.layout import NOT_AVAILABLE, category_in, div, label_of, pipe_table, report_title
from viputils.report.markdown import escape, unescape
from viputils.report.press import CARD, SUMMARY
from viputils.report.render.frontmatter import read_front_matter
from viputils.report.sections import demonstration_notice

# A chart needs at least two months. Above six months, their names no longer fit.
_ENOUGH_FOR_A_CHART: Final = 2
_MONTHS_WITH_NAMES: Final = 6


@dataclass(frozen=True)
class SiteIssue:
    """An issue of the site, in one language.

    Attributes
    ----------
    folder
        Where it was made.
    files
        The files that its manifest lists, with their checksums. Other files in the folder do not belong to the issue.
    place
        Its folder in the site of its language.
    to_data
        The relative path from the home page of its language to the main one, which has the data.
    published
        The day on which it was published, if known.
    replaced_by
        The re-issue that replaced it, if any.
    reason
        The reason for a re-issue, from the register.
    """

    name: IssueName
    as_of: dt.date
    folder: Path
    files: Mapping[str, str]
    place: str
    to_data: str
    published: dt.date | None
    replaced_by: IssueName | None
    reason: str = ""

    @property
    def figures(self) -> pd.DataFrame:
        """The figures table of the issue."""
        content = io.BytesIO(self.content_of(FIGURES_CSV))
        return pd.read_csv(content, keep_default_na=False).astype({"value": "int64"})

    @property
    def demonstration(self) -> str | None:
        """The statement that its records are sample data, if they are."""
        said: str | None = json.loads(self.content_of(FIGURES_JSON))["demonstration"]
        return said

    @property
    def notebook(self) -> str:
        """The executed notebook."""
        return next(name for name in self.files if name.endswith(".ipynb"))

    def content_of(self, file: str) -> bytes:
        """Read a file of the issue.

        Raises
        ------
        ManifestError
            If it does not match the manifest: the issue was made again or edited in the meantime.
        """
        path = self.folder / file
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != self.files[file]:
            problem = Problem(f"issues/{self.name}/{file}", "was changed meanwhile;", "make the site again.")
            raise ManifestError("An issue was changed while the site was being made. No site was made.", [problem])
        return content

    @property
    def card(self) -> str | None:
        """The picture that social media show with a link to the issue, relative to the home page of its language."""
        return f"{self.place}/{CARD}" if CARD in self.files else None

    def part(self, title: str) -> str:
        """Return the text of a part of the issue without its heading; empty if the issue has no such part."""
        heading = f"## {title}\n"
        for cell in nbformat.reads(self.content_of(self.notebook).decode(), as_version=4).cells:
            for output in cell.get("outputs", ()):
                text = str(output.get("data", {}).get("text/markdown", ""))
                if text.startswith(heading):
                    return text.removeprefix(heading).strip()
        return ""

    def downloads(self, language: Language) -> list[tuple[str, str]]:
        """Return each file to download, relative to the home page of its language, with its kind."""
        kinds = ((".pdf", "PDF"), (".docx", "Word"), (f"{SUMMARY}.pdf", language.text("Summary")))
        files = [
            (f"{self.place}/{name}", kind)
            for ending, kind in kinds
            for name in sorted(self.files)
            if name.endswith(ending) and Path(name).stem.endswith(SUMMARY) == (SUMMARY in ending)
        ]
        return [*files, (f"{self.to_data}{self.place}/{FIGURES_CSV}", language.text("CSV"))]


def issue_page(project: Project, issue: SiteIssue, address: str | None = None) -> Page:
    """Return the page of an issue: the outputs of its notebook, from which the issue itself was made.

    Parameters
    ----------
    address
        The web address of the site, if known.
    """
    cells = nbformat.reads(issue.content_of(issue.notebook).decode(), as_version=4).cells
    header = read_front_matter(issue.notebook, cells).metadata
    files = {name: issue.content_of(name) for name in sorted(issue.files) if name.startswith("charts/")}
    label = capital(label_of(issue.name, project.language))
    if issue.name.number:
        # A re-issue is made before it gets its number. Two pages must not have the same title.
        identity = project.shown.identity
        title = project.language.text(
            "{program} {report}, {month}",
            program=identity.name,
            report=report_title(project.shown, project.language, issue.name.period),
            month=label,
        )
        header = {**header, "title": escape(title), "vip": {**header["vip"], "month": escape(label)}}
    beside = f"../../{issue.to_data}{issue.place}/" if issue.to_data else ""
    to_files = f"{address}{issue.place}/" if address else beside
    title = unescape(header["title"])
    dataset = issue_dataset(project, title, issue.name.period, issue.as_of, issue.content_of(PACKAGE), to_files)
    if issue.published is not None:
        dataset["datePublished"] = issue.published.isoformat()
    return Page(issue.place, label, header, cells[1:], files, dataset)


def home_page(project: Project, issues: Sequence[SiteIssue], newest: dt.date | None = None) -> Page:
    """Return the home page: the newest issue with its headline figures, and all issues by fiscal year.

    Parameters
    ----------
    issues
        The newest first.
    newest
        The as-of date of the newest issue, even if it is not shown here.
    """
    program, text = project.shown, project.language.text
    demonstration = any(one.demonstration for one in issues)
    parts = [demonstration_notice(program)] if demonstration else []
    description = text("Monthly reports of the {program}", program=program.identity.name)
    if issues:
        archive = Markdown("\n\n".join(_archive(project, issues)))
        help_part = where_to_get_help(project)
        parts += [
            Markdown(_newest(project, issues[0])),
            _month_by_month(project, _by_month(issues)),
            help_part,
            archive,
        ]
        points = re.findall(r"^- (.*)$", _main_points(project, issues[0]), re.MULTILINE)
        description = unescape(points[0]) if points else description
    else:
        none = text("No report can be made from the records yet.")
        if newest is not None:
            none = text("All reports are of earlier months than the first one that is shown here.")
        parts.append(Markdown(escape(none)))
    as_of = max((one.as_of for one in issues), default=newest or program.identity.records_from)
    return page_of(project, "", program.identity.report_title, parts, as_of, demonstration, description=description)


def _newest(project: Project, issue: SiteIssue) -> str:
    """Return the newest issue as the home page shows it: its main points, its headline numbers and its files."""
    language = project.language
    month = label_of(issue.name, language)
    read = language.text("Read the report for {month}", month=month)
    files = [f"[{escape(kind)}]({file})" for file, kind in issue.downloads(language)]
    links = "\n".join(f"- {link}" for link in (f"[{escape(read)}]({issue.place}/index.html)", *files))
    heading = language.text("Newest report: {month}", month=month)
    headline = issue.part(escape(language.text("Headline numbers"))) or _tiles(project, issue)
    shown = [f"## {escape(heading)}", _main_points(project, issue), div("newest", links), headline]
    return "\n\n".join(filter(None, shown))


def _main_points(project: Project, issue: SiteIssue) -> str:
    return issue.part(escape(project.language.text("Main points")))


def _tiles(project: Project, issue: SiteIssue) -> str:
    """Return the headline figures of an issue whose notebook does not show them as a table."""
    language, measures, figures = project.language, project.shown.measures, issue.figures
    tiles = [
        f"- **{language.number(value_of(figures, name, 'fytd'))}** {escape(measures[name].label)}"
        for name in project.shown.report.headline
    ]
    starts = project.shown.identity.fiscal_year_starts
    span = issue.name.period.last(starts).fytd(starts)
    sentence = language.text(
        "From {start} to {end}, counted from the records received by {as_of}.",
        start=language.date(span.start),
        end=language.date(span.end),
        as_of=language.date(issue.as_of),
    )
    return "\n\n".join([escape(sentence), div("tiles", "\n".join(tiles))])


def _by_month(issues: Sequence[SiteIssue]) -> list[tuple[ReportMonth, SiteIssue]]:
    """Return the issues of months, each with its month."""
    return [(period, one) for one in issues if isinstance(period := one.name.period, ReportMonth)]


def _month_by_month(project: Project, issues: Sequence[tuple[ReportMonth, SiteIssue]]) -> Markdown:
    """Show the first breakdown for each month of the newest fiscal year, from the issue of that month."""
    language, program, starts = project.language, project.shown, project.program.identity.fiscal_year_starts
    if not issues:
        return Markdown("")
    year = issues[0][0].fiscal_year(starts)
    standing = {month: one for month, one in issues if one.replaced_by is None and month.fiscal_year(starts) == year}
    if len(standing) < _ENOUGH_FOR_A_CHART or not program.report.breakdowns:
        return Markdown("")
    name = program.report.breakdowns[0]
    counts = {month: breakdown(one.figures, name)["month"] for month, one in standing.items()}
    months = [month for month in year.months() if min(standing) <= month <= max(standing)]
    # In the order of the newest issue. Categories that only earlier issues have come last.
    categories = dict.fromkeys(
        category for month in reversed(months) if month in counts for category in counts[month].index
    )
    rows = [
        (
            category_in(language, str(category)),
            [
                int(counts[month][category]) if month in counts and category in counts[month] else None
                for month in months
            ],
        )
        for category in categories
    ]
    noun = program.measures[program.whole_of(name) or name].label
    label = program.measures[name].label
    what = language.text("{measure} by {category}", measure=capital(noun), category=uncapital(label))
    between = language.text("{first} to {last}", first=language.month(months[0]), last=language.month(months[-1]))

    def shown(value: int | None) -> str:
        return NOT_AVAILABLE if value is None else language.number(value)

    own_scales = one_flattens_the_rest(rows)
    alt = language.text(
        "Small column charts of one scale, {what}, month by month, {between}.", what=what, between=between
    )
    if own_scales:
        alt = language.text(
            "Small column charts, each with its own scale, {what}, month by month, {between}.",
            what=what,
            between=between,
        )
    alt += "".join(f" {category}: {', '.join(map(shown, values))}." for category, values in rows)
    short = [language.short_month(month) for month in months]
    if len(short) > _MONTHS_WITH_NAMES:
        short = [month[0] for month in short]
    image = image_markdown(
        lambda: panels_chart(project.fonts, short, rows, language, own_scales),
        "chart-month-by-month",
        escape(f"{what}, {between}"),
        alt,
    )
    heads = [language.text("Month"), *(name for name, _ in rows)]
    cells = [
        [escape(capital(language.month(month))), *(escape(shown(values[at])) for _, values in rows)]
        for at, month in enumerate(months)
    ]
    note = language.text("Each month shows the numbers of its own report. All charts have the same scale.")
    if own_scales:
        note = language.text("Each month shows the numbers of its own report. Each chart has its own scale.")
    known = [value for _, values in rows for value in values if value is not None]
    if sum(value < SMALL for value in known) * 2 > len(known):
        small = language.text("Most of these numbers are small. Small numbers often go up and down by chance.")
        note = f"{note} {small}"
    if len(known) < len(rows) * len(months):
        missing = language.text("{mark} means not available: no report counts it for that month.", mark=NOT_AVAILABLE)
        note = f"{note} {missing}"
    numbers = pipe_table([*map(escape, heads)], cells, escape(f"{what}, {between}"))
    sentences = "\n".join(f"- {escape(_finding(language, name, months[-1], values))}" for name, values in rows)
    heading = f"## {escape(language.text('Month by month'))}"
    return Markdown("\n\n".join([heading, sentences, image, numbers, div("note", escape(note))]))


def _finding(language: Language, name: str, month: ReportMonth, values: Sequence[int | None]) -> str:
    """Return in one sentence how the newest month of a small chart compares with the earlier months of its year."""
    newest, earlier = values[-1], [value for value in values[:-1] if value is not None]
    said = {"category": name, "month": language.month(month)}
    if newest is None:
        return language.text("{category}: not available for {month}.", **said)
    if not earlier:
        return language.text("{category}: {number} in {month}.", number=language.number(newest), **said)
    low, high = (language.number(value) for value in (min(earlier), max(earlier)))
    said["number"] = language.number(newest)
    said["range"] = low if low == high else language.text("{low} to {high}", low=low, high=high)
    text = message("{category}: {number} in {month} (other months: {range}).")
    return language.text(text, **said)


def _archive(project: Project, issues: Sequence[SiteIssue]) -> Iterator[str]:
    """Yield a table of the issues of each fiscal year, the newest year first."""
    text, identity = project.language.text, project.shown.identity
    yield f"## {escape(text('All reports'))}"
    yield escape(
        text(
            "Published reports and their web addresses do not change. If records came in later or were corrected, a "
            "later report can show another number for the same month."
        )
    )
    years: dict[FiscalYear, list[SiteIssue]] = {}
    for month, issue in _by_month(issues):
        years.setdefault(month.fiscal_year(identity.fiscal_year_starts), []).append(issue)
    for year, those in years.items():
        calendar = identity.fiscal_year_starts == 1
        title = text("Calendar year {year}", year=year.year) if calendar else text("Fiscal year {year}", year=year.year)
        yield f"### {escape(title)}"
        yield _year_table(project, those, text("Reports of the year, the newest first"))
    if longer := [one for one in issues if is_long(one.name.period)]:
        yield f"### {escape(text('Quarterly and annual reports'))}"
        yield _year_table(project, longer, text("Reports of quarters and years, the newest first"))


def _year_table(project: Project, issues: Sequence[SiteIssue], title: str) -> str:
    language, program = project.language, project.shown
    breakdowns = program.report.breakdowns
    whole = program.whole_of(breakdowns[0]) if breakdowns else None
    heads = [language.text("Report")]
    if whole is not None:
        heads.append(capital(program.measures[whole].label))
    rows = []
    for issue in issues:
        label = escape(capital(label_of(issue.name, language)))
        day = language.text("records as of {as_of}", as_of=language.date(issue.as_of))
        cells = [f"[{label}]({issue.place}/index.html) [{escape(day)}]{{.aside}}"]
        if issue.replaced_by is not None:
            note = language.text("replaced by {issue}", issue=label_of(issue.replaced_by, language))
            cells[0] += f" ({escape(note)})"
        if whole is not None:
            cells.append(language.number(value_of(issue.figures, whole, issue.name.period.kind)))
        cells.append(" ".join(f"[{escape(kind)}]({file})" for file, kind in issue.downloads(language)))
        rows.append(cells)
    heads.append(language.text("Files"))
    return pipe_table([*map(escape, heads)], rows, escape(title), words=[len(heads) - 1])
