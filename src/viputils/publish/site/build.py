"""The published site: every issue in every language, the pages around them, and their data.

An issue is made only where it is not what would be made now, and a page only where something on it changed. The site
is replaced whole or not at all, and its links lead from page to page, so that it works in any folder of any server.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import nbformat
import pandas as pd
import yaml
from nbformat.v4 import new_notebook

from viputils.audit.as_of import load_edition
from viputils.audit.library import LIBRARY_FOLDER
from viputils.audit.manifest import MANIFEST, Inventory, package_versions, read_manifest
from viputils.audit.register import IssueName, PublishedIssue, read_register
from viputils.audit.verdicts import IssueVerdicts, verify_register
from viputils.config.page_settings import SETTINGS, copy_named_files, named_files
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, ParameterError, Problem, PublishedError
from viputils.core.files import copy_files, files_below, private_folder, replaced_whole
from viputils.core.months import ReportMonth
from viputils.core.text import capital
from viputils.figures.counts import FIGURES_CSV, KEY, key_of_row
from viputils.figures.edition import Edition
from viputils.publish.backfill import Order, carry_out, cores
from viputils.publish.site.feeds import Entry, atom_feed, sitemap
from viputils.publish.site.issues import SiteIssue, home_page, issue_page
from viputils.publish.site.navigation import Edge, Notice, Version, navigation
from viputils.publish.site.pages import (
    NOT_FOUND,
    Page,
    data_page,
    methods_page,
    not_found_page,
    overview_page,
    search_page,
    verdicts_of_all,
)
from viputils.publish.site.search import index_script
from viputils.records.checksums import checksum, salt_of
from viputils.records.deliveries import find_deliveries, has_deliveries
from viputils.records.remote.fetch import deliveries_folder
from viputils.report.data_files import (
    ALL_ISSUES,
    FIGURES_JSON,
    PACKAGE,
    SERIES_CSV,
    all_issues_data,
    countable_months,
)
from viputils.report.issue import reasons_to_make
from viputils.report.layout import label_of
from viputils.report.markdown import outdated_activities
from viputils.report.notebook import clean_copy
from viputils.report.privacy.screening import require_screened, screen_activities, screen_texts
from viputils.report.render import Engine
from viputils.report.seal import Present, sealed

# How each page of the site was made, and the checksum of every file of it.
RECORD: Final = "site.json"
# What pages take from the theme; the rest of it is for the engines.
_STYLES: Final = "report/theme/report.css"
_ASSETS: Final = (_STYLES, "report/theme/search.js", "report/theme/icon.svg", "report/fonts/*.woff2")
# What figures are counted from.
_COUNTED: Final = ("program.toml", "data/published")
# The data of an issue is the same in every language, and lies beside the page in the main one.
_DATA: Final = (FIGURES_CSV, FIGURES_JSON, SERIES_CSV, PACKAGE)


# Of more issues that have to be made, people are told before, and asked if they are there to answer.
_MANY: Final = 40
_SECONDS_AN_ISSUE: Final = 6


@dataclass(frozen=True)
class Site:
    """What came of making the site.

    Attributes
    ----------
    home
        The page to open first.
    issues
        How many issues it holds, each counted once for each language.
    made
        The issues that were made for it, each with why.
    pages, pages_made
        How many pages it has, and how many of them were made anew.
    notes
        What was written and is on no page.
    """

    home: Path
    issues: int
    made: tuple[tuple[str, tuple[str, ...]], ...]
    pages: int
    pages_made: int
    notes: tuple[Problem, ...] = ()


def make_site(
    project: Project,
    engine: Engine,
    address: str | None = None,
    since: ReportMonth | None = None,
    out: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    go_on: Callable[[str], bool] = lambda _: True,
) -> Site:
    """Make the site.

    Parameters
    ----------
    address
        Where it will lie, for the feed, the sitemap and the page for what is not there; by default what program.toml
        says.
    since
        Leave out the issues of earlier months.
    out
        The folder that becomes the site; by default ``_site``.
    on_step
        Called with a few words at the beginning of each step.
    go_on
        Asked before very many issues are made, with how many they are and how long that takes.

    Raises
    ------
    ParameterError
        If very many issues would have to be made, and the answer is no.
    DeliveryError, QuarantineError, TextError, NotebookError, RenderError
        If an issue or a page cannot be made. The site is then as it was before; issues that were made stay.
    PublishedError
        If an issue that was published from here has other figures now.
    """
    # A link to where the pages go online stays one.
    out = (project.site if out is None else out).resolve()
    with sealed(project) as seal:
        return _make_site(seal.project, engine, address, since, out, on_step, go_on)


def _make_site(
    project: Project,
    engine: Engine,
    address: str | None,
    since: ReportMonth | None,
    out: Path,
    on_step: Callable[[str], None],
    go_on: Callable[[str], bool],
) -> Site:
    address = address or project.program.identity.address
    projects = project.in_every_language()
    every, no_pages = _wanted(project)
    wanted = [one for one in every if since is None or one.name.month >= since]
    no_pages = [one for one in no_pages if since is None or one.where >= f"issues/{since}"]
    if no_pages and not wanted:
        raise DeliveryError("No issue can be made. The site is as it was.", no_pages)
    made, failed = _make_outdated(project, projects, wanted, engine, on_step, go_on)
    every, wanted = ([one for one in issues if one.name.month not in failed] for issues in (every, wanted))
    no_pages += [problem for problems in failed.values() for problem in problems]
    notes = (*_unshown(project, wanted, since), *_left_out(every, wanted, since), *no_pages)
    issues = [[one.in_site(spoken) for one in wanted] for spoken in projects]
    _require_salts(project, issues[0])
    _require_as_published(wanted, issues[0])
    notes += _changed_since_published(wanted, issues[0])
    made_from = _everything(project, projects, engine, address, issues)
    known = _record_of(out)
    if known.get("made_from") == made_from and _is_as_made(out, known):
        return Site(out / "index.html", sum(map(len, issues)), made, len(known["pages"]), 0, notes)
    on_step("Putting the pages together")
    verdicts = verify_register(project) if read_register(project).issues else []
    newest = every[0] if every else None
    versions = [_version(one, projects, mine, newest, verdicts) for one, mine in zip(projects, issues, strict=True)]
    pages = _with_navigation(projects, versions, issues, address)
    on_step(f"Making the pages ({engine.name} engine)")
    # Any line of the library can have a part in a page.
    code = [package_versions(), _checksums(LIBRARY_FOLDER, ".")]
    theme = _checksums(project.pages, "report/theme", *named_files(project.pages))
    made_with = [engine.name, engine.version(), _settings(project), theme, code]
    with replaced_whole(out.parent, out.name) as folder:
        keys = {file: _key(page, made_with) for file, page in pages.items()}
        pages_made = _make_pages(project, engine, pages, keys, out, folder)
        _copy_assets(project, folder)
        for version, mine in zip(versions, issues, strict=True):
            for issue in mine:
                left_out = () if version is versions[0] else _DATA
                _copy_issue(issue, left_out, folder / version.prefix / issue.place)
            index = folder / version.prefix / "search" / "index.js"
            up = "../" * (version.prefix.count("/") + 1)
            # In the order of the site: the newest issues come first.
            found = [version.file_of(place) for place in version.pages if place != NOT_FOUND]
            searched = [(folder / name, f"{up}{name}") for name in found]
            index.write_text(index_script(searched), encoding="utf-8", newline="")
        data_from = _sum([code, _checksums(project.root, *_COUNTED), _checksums(deliveries_folder(project), ".")])
        left_out_rows = {one.as_of for one in wanted if one.left_out_rows}
        _write_data(project, out if known.get("data") == data_from else None, known, folder / "data", left_out_rows)
        if address is not None:
            _write_feeds(projects, versions, issues, address, folder)
        record = {"engine": {"name": engine.name, "version": engine.version()}, "made_from": made_from}
        record |= {"pages": keys, "data": data_from}
        record["files"] = _checksums(folder, ".")
        if _everything(project, projects, engine, address, issues) != made_from:
            problem = Problem("the site", "holds what was there before and after the change;", "make it again.")
            raise ManifestError("Something was changed while the site was being made. No site was made.", [problem])
        (folder / RECORD).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="")
    return Site(out / "index.html", sum(map(len, issues)), made, len(pages), pages_made, notes)


@dataclass(frozen=True)
class _Wanted:
    """An issue that belongs into the site.

    Attributes
    ----------
    published
        What the register says of it, if it is there.
    replaced_by
        The re-issue in whose favour it does not stand.
    """

    name: IssueName
    as_of: dt.date
    published: PublishedIssue | None = None
    replaced_by: IssueName | None = None

    @property
    def left_out_rows(self) -> bool:
        """Whether it was published without the rows that were in quarantine, and says so itself."""
        if self.published is None or self.published.manifest is None:
            return False
        name = f"data/published/{self.published.manifest.name}"
        return read_manifest(self.published.manifest, name).parameters.allow_quarantined

    def in_site(self, project: Project) -> SiteIssue:
        """Return it as the site shows it in the language of a project, once it was made."""
        place = project.issue_place(str(self.name))
        manifest = read_manifest(project.issues / place / MANIFEST, f"issues/{place}/{MANIFEST}")
        return SiteIssue(
            self.name,
            self.as_of,
            project.issues / place,
            manifest.outputs,
            f"issues/{self.name}",
            "../" if project.is_translation else "",
            self.published.printed if self.published is not None else None,
            self.replaced_by,
            self.published.reason if self.published is not None else "",
        )


def _wanted(project: Project) -> tuple[list[_Wanted], list[Problem]]:
    """Return every month that can be counted, and every re-issue of the register, the newest first.

    Months of which rows are in quarantine are left out, and named.
    """
    if not has_deliveries(project):
        return [], []
    kept = {
        issue.as_of
        for issue in read_register(project).issues
        if issue.as_of is not None and _Wanted(issue.name, issue.as_of, issue).left_out_rows
    }
    deliveries = find_deliveries(project)
    months, _ = countable_months(project, deliveries, with_quarantine=kept)
    every, _ = countable_months(project, deliveries)
    notes = [
        Problem(f"issues/{month}", f"has no page: rows are in quarantine as of {day};", f"see vip check {month}.")
        for month, day in every.items()
        if month not in months
    ]
    wanted = {IssueName(month): _Wanted(IssueName(month), as_of) for month, as_of in months.items()}
    register = read_register(project)
    for issue in register.issues:
        as_of = issue.as_of
        if as_of is None and issue.manifest is not None:
            as_of = read_manifest(issue.manifest, f"data/published/{issue.manifest.name}").as_of
        if as_of is None and issue.name in wanted:
            as_of = wanted[issue.name].as_of
        if as_of is not None and issue.name.month in months:
            wanted[issue.name] = _Wanted(issue.name, as_of, issue)
    for issue in register.issues:
        by = register.replaced_by(issue.name)
        # What replaced it may have been printed elsewhere, as of nobody knows which day, and is on no page.
        if issue.name in wanted and by is not None and by.name in wanted:
            wanted[issue.name] = replace(wanted[issue.name], replaced_by=by.name)
    return [one for _, one in sorted(wanted.items(), reverse=True)], notes


def _unshown(project: Project, shown: Collection[_Wanted], since: ReportMonth | None) -> tuple[Problem, ...]:
    """Name what is on no page: activities of months whose data is not there, and re-issues without a day."""
    notes = []
    months = {one.name.month for one in shown}
    for path in sorted((project.report / "activities").glob("*.md")):
        try:
            month = ReportMonth.parse(path.stem)
        except ParameterError:
            continue
        if month not in months and (since is None or month >= since):
            what = "is on no page, because the data of its month is not complete;"
            notes.append(Problem(project.relative(path), what, f"vip status says what {month} lacks."))
        elif month in months:
            notes += outdated_activities(project, month)
    named = {one.name for one in shown}
    for issue in read_register(project).issues:
        if issue.name.number and issue.name not in named and issue.name.month in months:
            what = "is on no page, because nobody says as of which day it is;"
            notes.append(Problem(f"data/published/{issue.name}.csv", what, "add its as-of date to the index."))
    return tuple(notes)


def _left_out(every: Sequence[_Wanted], wanted: Sequence[_Wanted], since: ReportMonth | None) -> list[Problem]:
    """Return the note that a site without its earlier issues is no site to put online."""
    number = len(every) - len(wanted)
    if not number:
        return []
    what = f"leaves out {number} {'issue' if number == 1 else 'issues'} of months before {since};"
    return [Problem("--since", what, "make the site without it before it goes online.")]


def _changed_since_published(wanted: Sequence[_Wanted], issues: Sequence[SiteIssue]) -> tuple[Problem, ...]:
    """Name the issues that were published from here and whose pages are not any more what the register keeps."""
    notes = []
    for one, issue in zip(wanted, issues, strict=True):
        if one.published is None or one.published.manifest is None or not one.published.is_from_here:
            continue
        kept = read_manifest(one.published.manifest, f"data/published/{one.published.manifest.name}")
        if kept.outputs != issue.files:
            what = "was published, and its pages are not quite those that were; its figures are;"
            remedy = f"vip reproduce {one.name} says what changed."
            notes.append(Problem(f"issues/{one.name}", what, remedy))
    return tuple(notes)


def _make_outdated(
    project: Project,
    projects: Sequence[Project],
    wanted: Sequence[_Wanted],
    engine: Engine,
    on_step: Callable[[str], None],
    go_on: Callable[[str], bool],
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], dict[ReportMonth, list[Problem]]]:
    """Make the issues that are not as they would be made now.

    Returns
    -------
    tuple
        The folder of each that was made and why, and the months of which one could not be made, with what was wrong.

    Raises
    ------
    VipError
        If none can be made.
    """
    todo, present = [], Present.of(project)
    if wanted:
        require_screened(screen_texts(project))
    for spoken in projects:
        for one in wanted:
            require_screened(screen_activities(spoken, one.name.month))
            place = spoken.issue_place(str(one.name))
            if why := tuple(
                reasons_to_make(spoken, one.name.month, one.as_of, engine, place, present, one.left_out_rows)
            ):
                todo.append(Order(one.name.month, one.as_of, spoken.language.code, place, why, one.left_out_rows))
    if len(todo) > _MANY and not go_on(_how_many(todo)):
        raise ParameterError("No site was made.", [Problem("--since", "leaves out earlier issues;", "name a month.")])
    if todo:
        on_step(f"Making {todo[0].place}, 1 of {len(todo)} ({todo[0].why[0]})")
    done = 0
    failed: dict[ReportMonth, list[Problem]] = {}
    with closing(carry_out(project, todo, engine)) as outcomes:
        for outcome in outcomes:
            done += 1
            if outcome.error is not None:
                if len(failed | {outcome.order.month: []}) == len({one.name.month for one in wanted}):
                    raise outcome.error
                problem = Problem(f"issues/{outcome.order.place}", f"has no page: {outcome.error.summary}")
                failed.setdefault(outcome.order.month, []).extend([problem, *outcome.error.problems])
            elif done < len(todo):
                on_step(f"Made {outcome.order.place}, {done} of {len(todo)}")
    return tuple((order.place, order.why) for order in todo if order.month not in failed), failed


def _require_salts(project: Project, issues: Sequence[SiteIssue]) -> None:
    """Refuse to put checksums of real records online that would confirm a guess: those of deliveries without a salt."""
    newest = max((one.as_of for one in issues if one.demonstration is None), default=None)
    if newest is None:
        return
    bare = [one.name for one in find_deliveries(project) if one.received <= newest and not salt_of(one.folder)]
    if bare:
        problems = [Problem(name, "has no salt;", "run vip seal, and make the site again.") for name in bare]
        raise DeliveryError("The site would let anyone check a guess at a record. No site was made.", problems)


def _how_many(todo: Sequence[Order]) -> str:
    """Return how many issues have to be made, how long that takes, and how to make fewer, in words."""
    minutes = max(1, round(len(todo) * _SECONDS_AN_ISSUE / cores() / 60))
    since = max(order.month for order in todo).plus(-11)
    return (
        f"{len(todo)} issues have to be made, which takes about {minutes} {'minute' if minutes == 1 else 'minutes'}. "
        f"--since {since} makes the site of the last twelve months first."
    )


def _require_as_published(wanted: Sequence[_Wanted], issues: Sequence[SiteIssue]) -> None:
    """Refuse to put other figures at the address of an issue than were published there from here.

    A figure may have got a new name since, or company. An issue that was printed elsewhere is another matter: what the
    records give for it has a verdict.
    """
    problems = []
    for one, issue in zip(wanted, issues, strict=True):
        if one.published is None or not one.published.is_from_here:
            continue
        both = one.published.figures.merge(issue.figures, on=KEY, how="left", suffixes=("_published", ""))
        moved = both.loc[both["value"].ne(both["value_published"])]
        for row in moved.to_dict("records"):
            key = key_of_row(row)
            now = "gone" if pd.isna(row["value"]) else f"{int(row['value']):,}"
            what = f"was published as {row['value_published']:,} and would be {now};"
            problems.append(Problem(f"issues/{one.name}, {key}", what, "a correction is a re-issue."))
    if problems:
        raise PublishedError("Figures at the address of an issue never change. No site was made.", problems)


def _copy_issue(issue: SiteIssue, left_out: Collection[str], place: Path) -> None:
    """Put the files of an issue beside its page: those that its manifest names, as it names them, and the manifest."""
    for name in issue.files:
        if name not in left_out:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(issue.content_of(name))
    shutil.copyfile(issue.folder / MANIFEST, place / MANIFEST)


def _version(
    project: Project,
    projects: Sequence[Project],
    issues: Sequence[SiteIssue],
    newest: _Wanted | None,
    verdicts: Sequence[IssueVerdicts],
) -> Version:
    """Put the pages of the site in one language together.

    Parameters
    ----------
    newest
        The newest issue that there is, whether it is shown or not: the pages around the issues are about it.
    """
    day = newest.as_of if newest is not None else project.program.identity.records_from
    home = home_page(project, issues, newest.as_of if newest is not None else None)
    pages: list[Page | None] = [home, *(issue_page(project, one) for one in issues)]
    is_demonstration = any(one.demonstration for one in issues)
    if newest is not None:
        edition = load_edition(project, newest.name.month, newest.as_of)
        is_demonstration = is_demonstration or edition.records.is_demonstration
        pages += _pages_about(project, edition, "../../data/" if project.is_translation else "")
    if verdicts:
        pages.append(verdicts_of_all(project, verdicts))
    pages.append(search_page(project, day, is_demonstration))
    if not project.is_translation:
        pages.append(not_found_page(projects, day))
    prefix = f"{project.language.code}/" if project.is_translation else ""
    return Version(project.language, prefix, {page.place: page for page in pages if page is not None})


def _pages_about(project: Project, edition: Edition, to_files: str) -> list[Page | None]:
    return [overview_page(project, edition), methods_page(project, edition), data_page(project, edition, to_files)]


def _with_navigation(
    projects: Sequence[Project],
    versions: Sequence[Version],
    issues: Sequence[Sequence[SiteIssue]],
    address: str | None,
) -> dict[str, Page]:
    """Return every page by its file in the site, with the links that stand on it."""
    pages: dict[str, Page] = {}
    for project, version, mine in zip(projects, versions, issues, strict=True):
        edges = _edges(project, mine)
        for place, page in version.pages.items():
            nav = navigation(version, page, versions, edges.get(place, Edge()), address)
            # For a template even nothing is something, where it has a name.
            header = {**page.front_matter, "vip": page.front_matter["vip"] | ({"nav": nav} if nav else {})}
            pages[version.file_of(place)] = Page(place, page.title, header, page.cells, page.files)
    return pages


def _edges(project: Project, issues: Sequence[SiteIssue]) -> dict[str, Edge]:
    """Return for each issue which ones stand before and after it, and which files lie beside it."""
    edges = {}
    at = {one.name: one for one in issues}
    named = [(one.place, capital(label_of(one.name, project.language))) for one in issues]
    for place, issue in enumerate(issues):
        edges[issue.place] = Edge(
            earlier=named[place + 1] if place + 1 < len(named) else None,
            later=named[place - 1] if place else None,
            files=issue.downloads(),
            notice=_notice(project, issue, at),
        )
    return edges


def _notice(project: Project, issue: SiteIssue, issues: Mapping[IssueName, SiteIssue]) -> Notice | None:
    """Return of an issue that it does not stand any more, or that it is the correction of another one."""
    language = project.language
    if issue.replaced_by is not None:
        other = issues[issue.replaced_by]
        return Notice(
            language.text("This issue was replaced. Its figures stay here as they were. What stands is:"),
            other.place,
            capital(label_of(other.name, language)),
        )
    first = issues.get(IssueName(issue.name.month))
    if not issue.name.number or first is None:
        return None
    reason, code = issue.reason, language.code
    if not language.has(reason):
        code = project.program.identity.language
    else:
        reason = language.text(reason) if reason else ""
    text = language.text("This issue corrects an earlier one:")
    return Notice(text, first.place, capital(label_of(first.name, language)), reason, code)


def _make_pages(
    project: Project, engine: Engine, pages: Mapping[str, Page], keys: Mapping[str, str], old: Path, folder: Path
) -> int:
    """Make the pages that are not as they were, and take the others from the site that is there; say how many."""
    known = _record_of(old)
    fresh = {
        file
        for file, key in keys.items()
        if known.get("pages", {}).get(file) != key or not _is_whole(old / file, known["files"].get(file))
    }
    if fresh and engine.name == "quarto":
        fresh = set(pages)  # What Quarto writes beside the pages is about all of them.
    with private_folder("site") as root:
        for file in sorted(fresh):
            write_page(root, file, pages[file])
        if fresh:
            write_settings(project, root)
            shutil.copytree(engine.render_site(root), folder, dirs_exist_ok=True)
    for file in fresh:
        if "nav" not in pages[file].front_matter["vip"]:
            _put_styles_into(folder / file, project)
    for file, page in pages.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        if file not in fresh:
            shutil.copyfile(old / file, folder / file)
        for name, data in page.files.items():
            (folder / file).parent.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).parent.joinpath(name).write_bytes(data)
    return len(fresh)


def _put_styles_into(page: Path, project: Project) -> None:
    """Put the style sheet into a page that cannot say where it lies; its fonts stay out, for the same reason."""
    css = (project.pages / _STYLES).read_text(encoding="utf-8")
    style = "<style>" + re.sub(r"@font-face \{.*?\}\n", "", css, flags=re.DOTALL) + "</style>\n</head>"
    text = page.read_text(encoding="utf-8").replace("</head>", style, 1)
    page.write_text(text, encoding="utf-8", newline="")


def write_page(root: Path, file: str, page: Page) -> None:
    """Write a page as a notebook of a website project, to become ``file``, with what lies beside it."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook, _ = clean_copy(new_notebook(cells=list(page.cells)), page.front_matter)
    nbformat.write(notebook, path.with_suffix(".ipynb"))
    for name, data in page.files.items():
        (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / name).write_bytes(data)


def write_settings(project: Project, root: Path) -> None:
    """Write the settings of the website: those of an issue, but for what makes an issue one file of its own."""
    (root / SETTINGS).write_text(_settings(project), encoding="utf-8")
    for name in ("report/theme", "report/fonts"):
        copy_files(project.pages / name, root / name)
    copy_named_files(project.pages, root)


def _settings(project: Project) -> str:
    settings = yaml.safe_load((project.pages / SETTINGS).read_text(encoding="utf-8"))
    html = {name: value for name, value in settings["format"]["html"].items() if name not in ("css", "embed-resources")}
    website = {
        **settings,
        "project": {"type": "website", "output-dir": "_site", "render": ["**/*.ipynb"]},
        "website": {"title": project.program.identity.name},
        "format": {"html": html},
    }
    return yaml.safe_dump(website, allow_unicode=True, sort_keys=False)


def _copy_assets(project: Project, folder: Path) -> None:
    for pattern in _ASSETS:
        for path in sorted(project.pages.glob(pattern)):
            target = folder / path.relative_to(project.pages)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _write_data(
    project: Project,
    old: Path | None,
    known: Mapping[str, Any],
    folder: Path,
    left_out: Collection[dt.date],
) -> None:
    """Write the figures of all issues, or take them from the site that is there where nothing counted changed."""
    folder.mkdir(exist_ok=True)
    names = [f"data/{name}" for name in (ALL_ISSUES, PACKAGE)]
    if old is not None and all(_is_whole(old / name, known["files"].get(name)) for name in names):
        for name in names:
            shutil.copyfile(old / name, folder / Path(name).name)
        return
    for name, data in all_issues_data(project, left_out=left_out).items():
        (folder / name).write_bytes(data)


def _write_feeds(
    projects: Sequence[Project],
    versions: Sequence[Version],
    issues: Sequence[Sequence[SiteIssue]],
    address: str,
    folder: Path,
) -> None:
    """Write a feed in every language, and one sitemap of all pages."""
    for project, version, mine in zip(projects, versions, issues, strict=True):
        identity, language = project.shown.identity, project.language
        said = project.shown.demonstration.statement if project.shown.demonstration else ""
        entries = []
        for one in mine:
            day = language.text("Counted from the records received by {as_of}.", as_of=language.date(one.as_of))
            entries.append(
                Entry(
                    f"{identity.report_title}, {label_of(one.name, language)}",
                    f"{version.prefix}{one.place}/",
                    one.published or one.as_of,
                    f"{day} {said}" if one.demonstration else day,
                )
            )
        title, author = f"{identity.name}: {identity.report_title}", f"{identity.city}, {identity.department}"
        place = f"{version.prefix}feed.xml"
        feed = atom_feed(address, place, title, author, language.code, entries, identity.records_from)
        (folder / place).write_bytes(feed)
    places = [
        (
            [(one.language.code, one.address_of(place)) for one in versions if place in one.pages],
            dt.date.fromisoformat(str(page.front_matter["date"])),
        )
        for place, page in versions[0].pages.items()
        if place != NOT_FOUND
    ]
    (folder / "sitemap.xml").write_bytes(sitemap(address, places))
    (folder / "robots.txt").write_text(f"Sitemap: {address}sitemap.xml\n", encoding="utf-8")


def _key(page: Page, made_with: Sequence[Any]) -> str:
    """Return a checksum of everything that a page is made from and with."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in page.files.items()}
    return _sum([made_with, page.front_matter, page.cells, files])


def _everything(
    project: Project,
    projects: Sequence[Project],
    engine: Engine,
    address: str | None,
    issues: Sequence[Sequence[SiteIssue]],
) -> str:
    """Return a checksum of all that the site is made from and with: where it is the same, nothing has to be made."""
    return _sum(
        [
            [engine.name, engine.version(), address, [one.language.code for one in projects], package_versions()],
            _checksums(project.root, *_COUNTED, "report"),
            _checksums(deliveries_folder(project), "."),
            _checksums(project.pages, *Inventory(project).templates),
            _checksums(LIBRARY_FOLDER, "."),
            [[one.place, checksum(one.folder / MANIFEST)] for mine in issues for one in mine],
        ]
    )


def _checksums(root: Path, *names: str) -> dict[str, str]:
    """Return the checksum of files, and of every file in folders but hidden ones and Python's own."""
    found = {}
    for name in names:
        there = root / name
        for path in [there] if there.is_file() else files_below(there):
            if path.suffix != ".pyc":
                found[path.relative_to(root).as_posix()] = checksum(path)
    return found


def _sum(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _record_of(site: Path) -> dict[str, Any]:
    """Read how the site that is there was made; where that cannot be told, all of it is made again."""
    try:
        known = json.loads((site / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(known, dict) and all(isinstance(known.get(name), dict) for name in ("pages", "files"))
    return known if whole else {}


def _is_as_made(site: Path, known: Mapping[str, Any]) -> bool:
    """Return whether a site holds just the files that were made, as they were made."""
    files = _checksums(site, ".")
    files.pop(RECORD, None)
    return files == known["files"] and set(known["pages"]) <= set(files)


def _is_whole(path: Path, was: object) -> bool:
    return path.is_file() and checksum(path) == was
