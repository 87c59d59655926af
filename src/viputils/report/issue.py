"""One issue: the report of a period in its own folder, replaced whole or not at all."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viputils.audit.as_of import load_edition, note_on_day, require_no_quarantine
from viputils.audit.manifest import (
    MANIFEST,
    Manifest,
    changed_since,
    manifest_of,
    notes_on_salts,
    read_manifest,
    touched_since,
    with_outputs,
)
from viputils.config.project import Project
from viputils.core.errors import ManifestError, NotebookError, Problem
from viputils.core.files import replaced_whole
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import is_long
from viputils.core.text import capital
from viputils.figures.edition import Edition
from viputils.records.account import account_line
from viputils.report.data_files import PACKAGE, issue_data
from viputils.report.dataset import describe, issue_dataset
from viputils.report.layout import report_title
from viputils.report.markdown import escape, outdated_activities, require_names_shown, unescape
from viputils.report.notebook import PapermillEngine, clean_copy, run_notebook
from viputils.report.press import CARD, SUMMARY, card, first_point, link_slides, slides, write_summary
from viputils.report.privacy.screening import screen_activities
from viputils.report.process import ProcessDiedError, Tell, in_own_process
from viputils.report.render import Engine
from viputils.report.render.rasters import rasters
from viputils.report.seal import Present, Sealed, issue_inputs


@dataclass(frozen=True)
class Issue:
    """Where the parts of one issue are."""

    period: IssuePeriod
    as_of: dt.date
    engine: str
    html: Path
    pdf: Path
    docx: Path
    figures: Path
    notebook: Path
    manifest: Path
    summary: Path | None = None

    def as_json(self) -> dict[str, str]:
        """Return every part as text, paths as they are on this machine. A notebook can make no summary."""
        parts = {"month": self.period, **vars(self)}
        del parts["period"]
        return {name: str(value) for name, value in parts.items() if value is not None}


def make_issue(
    seal: Sealed,
    period: IssuePeriod,
    as_of: dt.date | None,
    engine: Engine,
    *,
    place: str | None = None,
    allow_quarantined: bool = False,
    draft: bool = False,
    papermill_engine: PapermillEngine = "vip",
    on_step: Callable[[str], None] = lambda _: None,
    on_notes: Callable[[Notes], None] = lambda _: None,
) -> Issue:
    """Make the issue of a period from sealed inputs, and put it into its folder: whole, or not at all.

    It is made in a separate process. If that process dies, only this issue fails.

    Parameters
    ----------
    as_of
        Only what was received by this day counts; by default as ``OwnDays``.
    place
        Its folder in ``issues``; by default its period. A re-issue, ``2023-11-r1``, is beside what it replaces.
    allow_quarantined
        Whether rows that are in quarantine are left out.
    draft
        Whether every page is marked as a draft, which cannot be published.
    papermill_engine
        What runs the notebook, as ``run_notebook`` takes it.
    on_step
        Called with a few words at the beginning of each step.
    on_notes
        Called with what people should know, once the records were counted.

    Raises
    ------
    DeliveryError, QuarantineError
        If the records do not give the issue.
    NotebookError, RenderError
        If a cell fails, a page cannot be made, or the process dies. The issue's folder is then as it was before.
    """
    project = seal.project
    place = place or project.issue_place(str(period))
    final = project.issues / place
    with _without_new_folders(final.parent), replaced_whole(final.parent, final.name) as folder:
        what = (seal, period, as_of, engine, folder, allow_quarantined, draft, papermill_engine)
        try:
            as_of = in_own_process(_fill, *what, hear={"step": on_step, "notes": on_notes})
        except ProcessDiedError as death:
            problem = Problem(f"issues/{place}", death.how, death.said or "it may have run out of memory.")
            raise NotebookError(
                "The process that made the issue ended unexpectedly. Nothing was made.", [problem]
            ) from None
        keep_what_is_not_ours(final, folder)
    name = _name_of(project, period)
    return Issue(
        period,
        as_of,
        engine.name,
        html=final / f"{name}.html",
        pdf=final / f"{name}.pdf",
        docx=final / f"{name}.docx",
        figures=final / "figures.csv",
        notebook=final / f"{name}.ipynb",
        manifest=final / MANIFEST,
        summary=summary if (summary := final / f"{name}{SUMMARY}.pdf").is_file() else None,
    )


@contextmanager
def _without_new_folders(folder: Path) -> Iterator[None]:
    """Remove the folder of issues if it is new and no issue was made."""
    was_there = folder.is_dir()
    try:
        yield
    finally:
        if not was_there:
            with suppress(OSError):
                folder.rmdir()


def _fill(
    seal: Sealed,
    period: IssuePeriod,
    as_of: dt.date | None,
    engine: Engine,
    folder: Path,
    allow_quarantined: bool,
    draft: bool,
    papermill_engine: PapermillEngine,
    tell: Tell,
) -> dt.date:
    """Fill an empty folder with the issue of a period, and return its as-of date.

    Figures and data files are ready before the notebook runs, so no cell can change them.
    """
    project, language = seal.project, seal.project.language
    tell("step", "Reading and cleaning the records")
    edition = load_edition(project, period, as_of)
    if not allow_quarantined:
        require_no_quarantine(project, edition)
    tell("notes", notes_on(project, edition))
    inputs = seal.inputs(period, edition.as_of)
    require_names_shown(project)
    name = _name_of(project, period)
    data = issue_data(edition, name)
    used = (engine.name, engine.version())
    manifest = manifest_of(project, period, edition.records, used, inputs, seal.commit, draft)
    what, title = language.period(period), report_title(project.shown, language, period)
    header = front_matter(project, what, edition.as_of, edition.records.is_demonstration, draft, title)
    header["vip"]["month"] = escape(capital(_in_words(project, period)))
    tell("step", "Running the notebook")
    parameters = {"period" if is_long(period) else "month": str(period), "as_of": edition.as_of.isoformat()}
    if not language.is_english:
        parameters["lang"] = language.code
    executed = run_notebook(project.notebook_of(period), parameters, project.root, papermill_engine)
    summary, _ = clean_copy(executed, header, only_summary=True)
    if description := first_point(summary):
        header["vip"]["description"] = escape(description)
    copy, images = clean_copy(executed, header)
    mark = unescape(header["vip"].get("draft", ""))
    pictures = images | rasters(images) | slides(copy, images, project.fonts, mark)
    link_slides(copy)
    _write_sources(folder, name, copy, pictures | data)
    tell("step", f"Making HTML, PDF and DOCX ({engine.name} engine)")
    engine.render(project.pages, folder / f"{name}.ipynb", ["html", "pdf", "docx"])
    if not draft:
        # The site has the data once for all languages, so it is not always beside a translation.
        to_files = None if project.is_translation else ""
        shown = unescape(header["title"])
        dataset = issue_dataset(project, shown, period, edition.as_of, data[PACKAGE], to_files)
        describe(folder / f"{name}.html", dataset)
    header["vip"]["summary"] = True
    summary, _ = clean_copy(executed, header, only_summary=True)
    if any(cell.get("outputs") for cell in summary.cells):
        _write_sources(folder, f"{name}{SUMMARY}", summary, {})
        write_summary(engine, project.pages, folder / f"{name}{SUMMARY}.ipynb", header)
        (folder / f"{name}{SUMMARY}.ipynb").unlink()
        (folder / CARD).write_bytes(card(header, description, project.fonts))
    tell("step", "Writing the manifest")
    (folder / MANIFEST).write_text(with_outputs(manifest, folder).text(), encoding="utf-8", newline="")
    return edition.as_of


@dataclass(frozen=True)
class Notes:
    """What people should know of an issue that is being made.

    Attributes
    ----------
    account
        What became of the rows that were read.
    texts
        What is missing, outdated, or must not go out in the texts.
    records
        What is not as it should be with its records and its as-of date.
    """

    account: str
    texts: tuple[str, ...]
    records: tuple[str, ...]


def notes_on(project: Project, edition: Edition) -> Notes:
    """Return what people should know of an issue."""
    about = [f"WARNING: {note}" for note in notes_on_salts(edition.records)]
    if note := note_on_day(project, edition):
        about.append(f"Note: {note}")
    account = account_line(edition.records.account, edition.as_of)
    return Notes(account, tuple(notes_on_texts(project, edition.period)), tuple(about))


def _in_words(project: Project, period: IssuePeriod) -> str:
    """Return a period in words; a longer one with its first and last month."""
    language, months = project.language, period.months(project.program.identity.fiscal_year_starts)
    if not is_long(period):
        return language.period(period)
    first, last = months[0], months[-1]
    begin = language.month_name(first) if first.year == last.year else language.month(first)
    between = language.text("{first} to {last}", first=begin, last=language.month(last))
    return f"{language.period(period)} ({between})"


def _name_of(project: Project, period: IssuePeriod) -> str:
    """Return how the files of an issue begin: ``vip-2023-11``, ``vip-2023-11-es``, ``vip-FY2024-Q1``."""
    name = f"{_slug(project.program.identity.short_name)}-{period}"
    return f"{name}-{project.language.code}" if project.is_translation else name


def notes_on_texts(project: Project, period: IssuePeriod) -> list[str]:
    """Return what people should know of the activities in an issue: what is missing, outdated, or must not go out."""
    if not isinstance(period, ReportMonth):
        return []
    month = period
    activities = project.activities(month)
    translation = project.translated_activities(month)
    notes = []
    if activities.parent.is_dir() and not activities.is_file():
        name = f"report/activities/{month}.md"
        notes.append(f"Note: there is no {name}, so the issue says that no activities were written down.")
    if translation is not None and activities.is_file() and not translation.is_file():
        name = project.relative(translation)
        notes.append(f"Note: there is no {name}, so the issue shows the activities in English and says so.")
    notes += [f"Note: {note}" for note in outdated_activities(project, month)]
    return notes + [f"WARNING: {problem}" for problem in screen_activities(project, month).problems]


def keep_what_is_not_ours(before: Path, folder: Path) -> None:
    """Carry over files that users added to the issue folder.

    The files in the issue's manifest are its own. Without a manifest, every file that the new issue lacks is kept.
    """
    try:
        ours = {MANIFEST, *read_manifest(before / MANIFEST, MANIFEST).outputs}
    except ManifestError:
        ours = {MANIFEST}
    for path in sorted(before.rglob("*")):
        place = folder / path.relative_to(before)
        is_file = path.is_file() or path.is_symlink()
        if is_file and path.relative_to(before).as_posix() not in ours and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place, follow_symlinks=False)


def reasons_to_make(
    project: Project,
    period: IssuePeriod,
    as_of: dt.date,
    engine: Engine,
    place: str | None = None,
    present: Present | None = None,
    left_out_rows: bool = False,
) -> list[str]:
    """Return why the issue that lies in a folder is not the one that would be made now; nothing where it is.

    What counts is what the files hold, never when they were written.

    Parameters
    ----------
    place
        As ``make_issue`` takes it.
    present
        What there is, where somebody looked just now.
    left_out_rows
        Whether rows that are in quarantine may be left out of it.
    """
    place = place or project.issue_place(str(period))
    folder, name = project.issues / place, f"issues/{place}"
    if not folder.is_dir():
        return ["it was not made yet"]
    try:
        manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
    except ManifestError as error:
        return [f"{problem.where} {problem.what.rstrip(';.')}" for problem in error.problems]
    asked = asked_otherwise(manifest, project, period, as_of, left_out_rows)
    if asked:
        return [f"{name} {what}" for what in asked]
    changes = changed_since(manifest, issue_inputs(project, period, as_of, present), (engine.name, engine.version()))
    touched = touched_since(manifest, folder, name)
    return [*(str(one) for one in changes), *(f"{one.where} {one.what.rstrip(';')}" for one in touched)]


def asked_otherwise(
    manifest: Manifest, project: Project, period: IssuePeriod, as_of: dt.date, left_out_rows: bool = False
) -> list[str]:
    """Return in what an issue is another one than is asked for, whatever it was made from.

    Parameters
    ----------
    left_out_rows
        As ``reasons_to_make`` takes it.
    """
    was, there = manifest.parameters, project.has_activities(period)
    found = []
    if (manifest.period, manifest.as_of) != (period, as_of):
        found.append(f"is of {manifest.period} as of {manifest.as_of}")
    if was.lang != project.language.code:
        found.append(f"is in {was.lang!r}")
    if was.has_activities != there:
        found.append(
            f"has {'a' if was.has_activities else 'no'} part for activities, and report/activities is "
            f"{'there' if there else 'not there'} now"
        )
    if was.draft:
        found.append("is a draft")
    if was.allow_quarantined and not left_out_rows:
        found.append("leaves out rows that were in quarantine, which was not asked for now")
    return found


def front_matter(
    project: Project, what: str, as_of: dt.date, demonstration: bool, draft: bool = False, title: str = ""
) -> dict[str, Any]:
    """Return what the cover, the running header and the document's properties say. Engines read it as Markdown.

    Parameters
    ----------
    what
        What the pages are about, in the language of the project: the period of an issue.
    demonstration
        Whether the records are sample data.
    draft
        Whether every page is marked as a draft.
    title
        The title of the report; by default that of program.toml.
    """
    language, program = project.language, project.shown
    identity, text = program.identity, language.text
    title = title or identity.report_title
    running = f"{identity.name} | {title} | {what}".upper()
    vip = {
        "program": identity.name,
        "report": title,
        "month": capital(what),
        "city": identity.city,
        "department": identity.department,
        "site": identity.site,
        "running-header": running,
        "as-of": language.date(as_of),
        "words-skip": text("Skip to the report"),
        "words-as-of": text("Records as of"),
        "words-contents": text("On this page"),
        "words-slide": text("Picture for slides (PNG)"),
    }
    if demonstration and program.demonstration:
        vip["demonstration"] = program.demonstration.statement
        vip["mark"] = program.demonstration.mark
    if draft:
        vip["draft"] = text("Draft: not for publication")
        vip["mark"] = " | ".join(filter(None, [vip["draft"], vip.get("mark")]))
    return {
        "title": escape(text("{program} {report}, {month}", program=identity.name, report=title, month=what)),
        "author": escape(f"{identity.city}, {identity.department}"),
        "lang": language.code,
        "date": as_of.isoformat(),
        "vip": {key: escape(value) for key, value in vip.items()},
    }


def _slug(text: str) -> str:
    """Return text as the beginning of a file name: nothing that comes from a file is ever a path."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "report"


def _write_sources(folder: Path, name: str, notebook: Any, files: dict[str, bytes]) -> None:
    import nbformat

    for path, data in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    nbformat.write(notebook, folder / f"{name}.ipynb")
