"""One issue: a month's report in its own folder, replaced whole or not at all."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viputils.audit.as_of import OwnDays, Shelf, issue_day, load_edition, stamps_of
from viputils.audit.handover import hand_over, key_of
from viputils.audit.library import LIBRARY_AS_READ, library_checksum
from viputils.audit.manifest import (
    MANIFEST,
    Inputs,
    Inventory,
    Manifest,
    changed_since,
    inputs_of,
    manifest_of,
    read_manifest,
    touched_since,
)
from viputils.audit.register import Register, read_register
from viputils.config.language import capital
from viputils.config.project import Project
from viputils.core.errors import ManifestError, Problem
from viputils.core.files import replaced_whole
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.records.deliveries import find_deliveries
from viputils.records.remote.fetch import deliveries_folder
from viputils.report.data_files import issue_data
from viputils.report.markdown import escape, outdated_activities, require_names_shown
from viputils.report.notebook import Kernel, clean_copy, kernel_ahead, run_notebook
from viputils.report.privacy.screening import screen_activities
from viputils.report.render import Engine
from viputils.report.render.rasters import rasters


@dataclass(frozen=True)
class Issue:
    """Where the parts of one issue are."""

    month: ReportMonth
    as_of: dt.date
    engine: str
    html: Path
    pdf: Path
    docx: Path
    figures: Path
    notebook: Path
    manifest: Path

    def as_json(self) -> dict[str, str]:
        """Give every part as text, paths as they are on this machine."""
        return {name: str(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Beginning:
    """An issue's records, what its inputs were before these were read, and a kernel for its notebook."""

    inputs: Inputs
    edition: Edition
    kernel: Kernel


@contextmanager
def issue_begun(
    project: Project,
    month: ReportMonth,
    as_of: dt.date | None = None,
    kernel: Kernel | None = None,
    shelf: Shelf | None = None,
) -> Iterator[Beginning]:
    """Begin an issue: its kernel starts while its records are read. It is gone at the end of the block.

    Parameters
    ----------
    kernel
        One that was started before, in the folder of the project.
    shelf
        What was read for other issues.

    Raises
    ------
    VipError
        As ``load_edition``.
    """
    with nullcontext(kernel) if kernel else kernel_ahead(project.root, deliveries_folder(project)) as ready:
        deliveries = find_deliveries(project)
        # Before anything is read, checksums included: what is written to from here on is noticed.
        stamps = stamps_of(deliveries)
        days = OwnDays(project, deliveries)
        as_of = issue_day(project, deliveries, month, as_of, days)
        inputs = issue_inputs(project, month, as_of)
        require_as_read(project, str(month))
        key = key_of(project, deliveries, month, as_of)
        edition = load_edition(project, month, as_of, shelf, days)
        if not stamps.items() >= stamps_of(deliveries, as_of).items():
            # Also where it holds again what it did before: what was read may have been in between.
            raise _changed_meanwhile(month)
        hand_over(ready.handed_over, key, edition.records, edition.figures)
        yield Beginning(inputs, edition, ready)


def make_issue(
    project: Project,
    edition: Edition,
    engine: Engine,
    on_step: Callable[[str], None] = lambda _: None,
    place: str | None = None,
    begun: Beginning | None = None,
) -> Issue:
    """Make the issue of an edition and put it into its folder.

    Parameters
    ----------
    on_step
        Called with a few words at the beginning of each step.
    place
        Its folder in ``issues``; by default its month. A re-issue, ``2023-11-r1``, lies beside what it replaces.
    begun
        What ``issue_begun`` gave, where the edition is the one in it. By default the records are read again, to be
        sure that the edition is made from what the inputs are.

    Raises
    ------
    NotebookError, RenderError
        Where a cell fails or a page cannot be made. The issue's folder is then as it was before.
    """
    month, program = edition.month, edition.program
    is_translated = project.language.code != program.identity.language
    name = f"{_slug(program.identity.short_name)}-{month}" + (f"-{project.language.code}" if is_translated else "")
    if begun is None:
        with issue_begun(project, month, edition.as_of) as own:
            if not own.edition.figures.equals(edition.figures):
                raise _changed_meanwhile(month)  # It was read before the inputs were looked at.
            return make_issue(project, own.edition, engine, on_step, place, own)
    inputs = begun.inputs
    require_names_shown(project)
    place = place or project.issue_place(str(month))
    with replaced_whole((project.issues / place).parent, Path(place).name) as folder:
        on_step("Running the notebook")
        parameters = {"month": str(month), "as_of": edition.as_of.isoformat()}
        if not project.language.is_english:
            parameters["lang"] = project.language.code
        executed = run_notebook(project.notebook, parameters, project.root, begun.kernel)
        on_step("Writing the figures")
        demonstration = edition.records.is_demonstration
        copy, images = clean_copy(
            executed, front_matter(project, project.language.month(month), edition.as_of, demonstration)
        )
        _write_sources(folder, name, copy, images | rasters(images) | issue_data(edition, name))
        on_step(f"Making HTML, PDF and DOCX ({engine.name} engine)")
        engine.render(project.pages, folder / f"{name}.ipynb", ["html", "pdf", "docx"])
        on_step("Writing the manifest")
        if issue_inputs(project, month, edition.as_of) != inputs:
            raise _changed_meanwhile(month)
        require_as_read(project, str(month))
        manifest = manifest_of(project, edition.month, edition.records, (engine.name, engine.version()), inputs, folder)
        (folder / MANIFEST).write_text(manifest.text(), encoding="utf-8", newline="")
        keep_what_is_not_ours(project.issues / place, folder)
    final = project.issues / place
    return Issue(
        month,
        edition.as_of,
        engine.name,
        html=final / f"{name}.html",
        pdf=final / f"{name}.pdf",
        docx=final / f"{name}.docx",
        figures=final / "figures.csv",
        notebook=final / f"{name}.ipynb",
        manifest=final / MANIFEST,
    )


def notes_on_texts(project: Project, month: ReportMonth) -> list[str]:
    """Say what people should know of the activities in an issue: what is missing, outdated, or must not go out."""
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
    """Put into a new folder what somebody had put beside an issue, in the folder that the new one replaces.

    What the issue's manifest names is the issue's own. Without a manifest nobody can tell, and all of it stays that the
    new issue does not hold itself.
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


def require_as_read(project: Project, what: str) -> None:
    """Refuse to go on with a program.toml, a catalogue or a library that was changed since this process read it.

    Raises
    ------
    ManifestError
        Naming each file.
    """
    changed = project.changed_since_read()
    if library_checksum() != LIBRARY_AS_READ:
        changed.append("viputils")
    if changed:
        raise ManifestError(
            f"What {what} is made from was changed while it was being made. Nothing was made.",
            [Problem(name, "was changed since it was read;", "make it again.") for name in changed],
        )


def _changed_meanwhile(month: ReportMonth) -> ManifestError:
    return ManifestError(
        "Something that the issue is made from was changed while it was being made. Nothing was made.",
        [Problem(str(month), "its manifest would not tell what it was made from;", "make it again.")],
    )


@dataclass(frozen=True)
class Present:
    """What issues would be made from now, looked at once for however many of them."""

    files: Inventory
    register: Register

    @classmethod
    def of(cls, project: Project) -> Present:
        """Look at a project."""
        return cls(Inventory(project), read_register(project))


def reasons_to_make(
    project: Project,
    month: ReportMonth,
    as_of: dt.date,
    engine: Engine,
    place: str | None = None,
    present: Present | None = None,
    left_out_rows: bool = False,
) -> list[str]:
    """Say why the issue that lies in a folder is not the one that would be made now; nothing where it is.

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
    place = place or project.issue_place(str(month))
    folder, name = project.issues / place, f"issues/{place}"
    if not folder.is_dir():
        return ["it was not made yet"]
    try:
        manifest = read_manifest(folder / MANIFEST, f"{name}/{MANIFEST}")
    except ManifestError as error:
        return [f"{problem.where} {problem.what.rstrip(';.')}" for problem in error.problems]
    asked = asked_otherwise(manifest, project, month, as_of, left_out_rows)
    if asked:
        return [f"{name} {what}" for what in asked]
    changes = changed_since(manifest, issue_inputs(project, month, as_of, present), (engine.name, engine.version()))
    touched = touched_since(manifest, folder, name)
    return [*(str(one) for one in changes), *(f"{one.where} {one.what.rstrip(';')}" for one in touched)]


def asked_otherwise(
    manifest: Manifest, project: Project, month: ReportMonth, as_of: dt.date, left_out_rows: bool = False
) -> list[str]:
    """Say in what an issue is another one than is asked for, whatever it was made from.

    Parameters
    ----------
    left_out_rows
        As ``reasons_to_make`` takes it.
    """
    was, there = manifest.parameters, project.activities(month).parent.is_dir()
    found = []
    if (manifest.month, manifest.as_of) != (month, as_of):
        found.append(f"is of {manifest.month} as of {manifest.as_of}")
    if was.lang != project.language.code:
        found.append(f"is in {was.lang!r}")
    if was.has_activities != there:
        found.append(
            f"has {'a' if was.has_activities else 'no'} part for activities, and report/activities is "
            f"{'there' if there else 'not there'} now"
        )
    if was.allow_quarantined and not left_out_rows:
        found.append("leaves out rows that were in quarantine, which was not asked for now")
    return found


def issue_inputs(project: Project, month: ReportMonth, as_of: dt.date, present: Present | None = None) -> Inputs:
    """Find everything that the issue of a month is made from, the register's other issues of the year included."""
    present = present or Present.of(project)
    year = month.fiscal_year(project.program.identity.fiscal_year_starts)
    seen = present.register.seen_by(list(year.months(until=month)), as_of)
    return inputs_of(project, month, as_of, {str(one.name): one.fingerprint for one in seen}, present.files)


def front_matter(project: Project, what: str, as_of: dt.date, demonstration: bool) -> dict[str, Any]:
    """Give what the cover, the running header and the document's properties say. Engines read it as Markdown.

    Parameters
    ----------
    what
        What the pages are about, in the language of the project: the month of an issue.
    demonstration
        Whether the records are synthetic.
    """
    language, program = project.language, project.shown
    identity, text = program.identity, language.text
    running = f"{identity.name} | {identity.report_title} | {what}".upper()
    vip = {
        "program": identity.name,
        "report": identity.report_title,
        "month": capital(what),
        "city": identity.city,
        "department": identity.department,
        "site": identity.site,
        "running-header": running,
        "as-of": language.date(as_of),
        "words-skip": text("Skip to the report"),
        "words-as-of": text("Records as of"),
        "words-contents": text("On this page"),
    }
    if demonstration and program.demonstration:
        vip["demonstration"] = program.demonstration.statement
        vip["mark"] = program.demonstration.mark
    return {
        "title": escape(
            text("{program} {report}, {month}", program=identity.name, report=identity.report_title, month=what)
        ),
        "author": escape(f"{identity.city}, {identity.department}"),
        "lang": language.code,
        "date": as_of.isoformat(),
        "vip": {key: escape(value) for key, value in vip.items()},
    }


def _slug(text: str) -> str:
    """Give text as the beginning of a file name: nothing that comes from a file is ever a path."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "report"


def _write_sources(folder: Path, name: str, notebook: Any, files: dict[str, bytes]) -> None:
    import nbformat

    for path, data in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    nbformat.write(notebook, folder / f"{name}.ipynb")
