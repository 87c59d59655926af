"""Make the published site: every issue in every language, the pages around them, and their data.

Only issues and pages that are out of date are made. The site is replaced as a whole or not at all. Its links are
relative, so it works in any folder of any server.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from viputils.audit.manifest import MANIFEST
from viputils.audit.register import IssueName, read_register
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, ManifestError, Problem
from viputils.core.files import replaced_whole
from viputils.core.months import ReportMonth
from viputils.figures.counts import FIGURES_CSV
from viputils.publish.site.checks import changed_since_published, require_as_published, require_salts
from viputils.publish.site.feeds import write_feeds
from viputils.publish.site.issues import SiteIssue
from viputils.publish.site.navigation import Version
from viputils.publish.site.outdated import make_outdated
from viputils.publish.site.plan import Plan, left_out_since, not_shown, plan_issues
from viputils.publish.site.record import Record, sum_of_data, sum_of_site, sums_of_pages
from viputils.publish.site.releases import Releases, withhold
from viputils.publish.site.render import STYLES, make_pages, settings_of
from viputils.publish.site.search import write_index
from viputils.publish.site.versions import versions_of, with_navigation
from viputils.report.data_files import ALL_ISSUES, FIGURES_JSON, PACKAGE, SERIES_CSV, all_issues_data
from viputils.report.press import SUMMARY
from viputils.report.render import Engine
from viputils.report.seal import sealed

# The files of the theme that the pages link to.
_ASSETS: Final = (STYLES, "report/theme/search.js", "report/theme/icon.svg", "report/fonts/*.woff2")
# The data of an issue is the same in every language, so the site has it once, beside the page in the main language.
_DATA: Final = (FIGURES_CSV, FIGURES_JSON, SERIES_CSV, PACKAGE)
# The summary for mails is no page of the site.
_MAIL: Final = f"{SUMMARY}.html"


@dataclass(frozen=True)
class Site:
    """The site that was made.

    Attributes
    ----------
    home
        The page to open first.
    issues
        The number of issues, counted once for each language.
    made
        The issues that were made for it, each with the reasons.
    pages, pages_made
        The number of pages, and how many of them were made again.
    notes
        Texts and issues that are on no page, and issues that changed since they were published.
    withheld
        Issues that were left out because of an embargo.
    """

    home: Path
    issues: int
    made: tuple[tuple[str, tuple[str, ...]], ...]
    pages: int
    pages_made: int
    notes: tuple[Problem, ...] = ()
    withheld: tuple[Problem, ...] = ()


def make_site(
    project: Project,
    engine: Engine,
    address: str | None = None,
    since: ReportMonth | None = None,
    out: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    go_on: Callable[[str], bool] = lambda _: True,
    on: dt.date = dt.date.min,
) -> Site:
    """Make the site.

    Parameters
    ----------
    address
        Its web address, for the feed, the sitemap and the "not found" page; by default the one in program.toml.
    since
        Leave out the issues of earlier months.
    out
        The folder that becomes the site; by default ``_site``.
    on_step
        Called with a few words at the start of each step.
    go_on
        Asked before very many issues are made, with their number and how long that takes.
    on
        The day for release dates and embargoes. By default no date has come, and every embargo holds.

    Raises
    ------
    ProgramError
        If a release date has passed, and its issue does not exist.
    ParameterError
        If very many issues would have to be made, and the answer is no.
    DeliveryError, QuarantineError, TextError, NotebookError, RenderError
        If an issue or a page cannot be made. The site does not change; issues that were made stay.
    PublishedError
        If an issue that was published from here has other figures now.
    """
    # If _site is a link, the link stays.
    out = (project.site if out is None else out).resolve()
    with sealed(project) as seal:
        return _make_site(seal.project, engine, address, since, out, on_step, go_on, on)


def _make_site(
    project: Project,
    engine: Engine,
    address: str | None,
    since: ReportMonth | None,
    out: Path,
    on_step: Callable[[str], None],
    go_on: Callable[[str], bool],
    on: dt.date,
) -> Site:
    projects, starts = project.in_every_language(), project.program.identity.fiscal_year_starts
    every, no_pages = plan_issues(project)
    releases, known = Releases(project.program.releases, on), _months(one.name for one in every)
    published = _months(one.name for one in read_register(project).issues)
    releases.require_made(known | published)
    if releases.withheld_from is not None:
        every = [one for one in every if not releases.withholds(one.name.period.last(starts))]
        withhold(project, releases, max((one.as_of for one in every), default=None))
    planned = [one for one in every if since is None or one.name.period.last(starts) >= since]
    no_pages = [one for one in no_pages if since is None or one.where >= f"issues/{since}"]
    if no_pages and not planned:
        raise DeliveryError("No issue can be made. The site was not changed.", no_pages)
    made, failed = make_outdated(projects, planned, engine, on_step, go_on)
    every, planned = ([one for one in issues if one.name.period not in failed] for issues in (every, planned))
    if failed:
        releases.require_made((known | published) - failed.keys())
    no_pages += [problem for problems in failed.values() for problem in problems]
    plan = Plan(
        projects,
        [[one.in_site(spoken) for one in planned] for spoken in projects],
        every[0] if every else None,
        address or project.program.identity.address,
        releases,
    )
    require_salts(project, plan.issues[0])
    require_as_published(planned, plan.issues[0])
    notes = (
        *not_shown(project, planned, since, releases),
        *left_out_since(every, planned, since),
        *no_pages,
        *changed_since_published(planned, plan.issues[0]),
    )
    left_out_rows = {one.as_of for one in planned if one.left_out_rows}
    pages, pages_made = _replace(plan, engine, out, left_out_rows, on_step)
    withheld = tuple(releases.notes(known))
    return Site(out / "index.html", plan.number_of_issues, made, pages, pages_made, notes, withheld)


def _months(names: Iterable[IssueName]) -> set[ReportMonth]:
    """Return the months of some issues. Quarters and years have no release dates."""
    return {name.period for name in names if isinstance(name.period, ReportMonth)}


def _replace(
    plan: Plan, engine: Engine, out: Path, left_out_rows: Collection[dt.date], on_step: Callable[[str], None]
) -> tuple[int, int]:
    """Replace the site if anything in it would change; return how many pages it has, and how many were made."""
    old, made_from = Record.read(out), sum_of_site(plan, engine)
    if old.made_from == made_from and old.is_whole():
        return len(old.pages), 0
    on_step("Putting the pages together")
    versions = versions_of(plan)
    pages = with_navigation(plan, versions)
    on_step(f"Making the pages ({engine.name} engine)")
    project = plan.project
    with replaced_whole(out.parent, out.name) as folder:
        keys = sums_of_pages(project, pages, engine, settings_of(project))
        pages_made = make_pages(project, engine, pages, keys, old, folder)
        _copy_assets(project, folder)
        _copy_issues(plan, versions, folder)
        for version in versions:
            write_index(version, folder)
        data_from = sum_of_data(plan)
        _write_data(plan, old, data_from, folder, left_out_rows)
        if plan.address is not None:
            write_feeds(plan, versions, plan.address, folder)
        if sum_of_site(plan, engine) != made_from:
            problem = Problem("the site", "would mix files from before and after the change;", "make it again.")
            raise ManifestError("Something was changed while the site was being made. No site was made.", [problem])
        Record(out, keys, {}, made_from, data_from).write(engine, folder)
    return len(pages), pages_made


def _copy_assets(project: Project, folder: Path) -> None:
    for pattern in _ASSETS:
        for path in sorted(project.pages.glob(pattern)):
            target = folder / path.relative_to(project.pages)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _copy_issues(plan: Plan, versions: list[Version], folder: Path) -> None:
    for version, issues in zip(versions, plan.issues, strict=True):
        left_out = _DATA if version.prefix else ()
        for issue in issues:
            _copy_issue(issue, left_out, folder / version.prefix / issue.place)


def _copy_issue(issue: SiteIssue, left_out: Collection[str], place: Path) -> None:
    """Copy the manifest of an issue and the files that it lists."""
    for name in issue.files:
        if name not in left_out and not name.endswith(_MAIL):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(issue.content_of(name))
    shutil.copyfile(issue.folder / MANIFEST, place / MANIFEST)


def _write_data(plan: Plan, old: Record, data_from: str, folder: Path, left_out_rows: Collection[dt.date]) -> None:
    """Write the figures of all issues, or copy them from the site that is there if they would be the same."""
    (folder / "data").mkdir(exist_ok=True)
    names = [f"data/{name}" for name in (ALL_ISSUES, PACKAGE)]
    if old.data == data_from and all(old.has(name) for name in names):
        for name in names:
            shutil.copyfile(old.folder / name, folder / name)
        return
    for name, data in all_issues_data(plan.project, left_out=left_out_rows, before=plan.releases.withheld_from).items():
        (folder / "data" / name).write_bytes(data)
