"""The manifest of an issue: its inputs, the versions of its software, and the checksums of its files.

The same inputs and versions make the same bytes. A manifest contains no clock time and no name of a machine.
docs/manifest.md describes the format.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from packaging.requirements import Requirement
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from viputils.audit.library import LIBRARY_FOLDER
from viputils.config.language import LOCALES, TEMPLATE
from viputils.config.page_settings import SETTINGS, named_files
from viputils.config.program import RAW
from viputils.config.project import Project, notebook_name
from viputils.core.errors import ManifestError, ParameterError, Problem
from viputils.core.files import files_below
from viputils.core.git import Commit
from viputils.core.months import IssuePeriod, ReportMonth, parse_date
from viputils.core.periods import parse_period
from viputils.core.text import first_of
from viputils.records.checksums import checksum, salt_of, salted_checksum, what_was_edited
from viputils.records.clean import Records
from viputils.records.deliveries import Delivery, find_deliveries, has_deliveries
from viputils.records.remote.fetch import deliveries_folder

MANIFEST: Final = "manifest.json"
VERSION: Final = 2

Kind = Literal["deliveries", "program", "notebook", "templates", "texts", "library"]
KINDS: Final[tuple[Kind, ...]] = ("deliveries", "program", "notebook", "templates", "texts", "library")


def _is_inside(name: str) -> str:
    # The files that a manifest names are read and copied, so they must be in the project.
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts) or ":" in parts[0]:
        raise ValueError("must be a path inside the project, as in 'data/raw/2023-12-04/responses.csv'")
    return name


def _is_period(text: str) -> str:
    try:
        return str(parse_period(text))
    except ParameterError:
        raise ValueError("must be a month, as in '2023-11', or a longer period, as in 'FY2024-Q1'") from None


def _is_day(text: str) -> str:
    try:
        parse_date(text)
    except ParameterError:
        raise ValueError("must be a date, as in '2023-12-04'") from None
    return text


Checksum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal digits.")]
Files = dict[Annotated[str, AfterValidator(_is_inside)], Checksum]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Parameters(_Part):
    """The parameters of the issue."""

    month: Annotated[str, AfterValidator(_is_period)]
    """The month of the issue, ``YYYY-MM``, or its quarter (``FY2024-Q1``) or fiscal year (``FY2024``)."""
    as_of: Annotated[str, AfterValidator(_is_day)]
    """The as-of date, ``YYYY-MM-DD``: only records received by then count."""
    allow_quarantined: bool
    """Whether rows were in quarantine and left out."""
    has_activities: bool
    """Whether the report has a part for the activities of the month, even if there are none."""
    lang: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    """The language of the issue. Manifests from before there were several leave it out."""
    draft: bool = False
    """Whether every page is marked as a draft. Older manifests leave it out."""


class EngineUsed(_Part):
    """The engine that made the pages, and the versions of its programs."""

    name: Literal["embedded", "quarto"]
    """The engine, as ``--engine`` names it."""
    version: str
    """The programs of the engine, each with its version."""


class GitCommit(_Part):
    """The commit of the project, and whether its files were those of the commit."""

    commit: str
    """The id of the commit."""
    clean: bool
    """Whether no file was changed or added since."""


class Inputs(_Part):
    """The inputs of the issue: files with their checksums, by kind, and the issues of the register that it uses."""

    deliveries: Files
    """Every file of raw records that was read: the HMAC-SHA-256 of its content, keyed with the salt of its delivery.
    Without a salt, and in a manifest of version 1, it is the SHA-256."""
    program: Files
    """program.toml."""
    notebook: Files
    """The notebook that is the report."""
    templates: Files
    """The settings of the pages, and every file of the theme and the fonts."""
    texts: Files
    """The introduction, the definitions and the activities of the month, if they exist; of a translation also the
    city's catalogue and the activities in its language."""
    library: Files
    """Every file of the library."""
    register_: Annotated[dict[str, Checksum], Field(alias="register")]
    """The issues of the register with verdicts in the issue; a checksum of the entry of each."""


class Manifest(_Part):
    """The inputs, the software and the files of an issue."""

    manifest_version: Annotated[int, Field(ge=1)]
    """The version of the format."""
    parameters: Parameters
    engine: EngineUsed
    git: GitCommit | None
    """Null if the project is not in a git repository."""
    python: str
    """The version of Python."""
    packages: dict[str, str]
    """The versions of viputils and of every package that it needs, by name."""
    inputs: Inputs
    outputs: Files
    """Every file of the issue except the manifest, by its path in the issue's folder."""

    @property
    def period(self) -> IssuePeriod:
        """The month, quarter or year of the issue."""
        return parse_period(self.parameters.month)

    @property
    def as_of(self) -> dt.date:
        """Its as-of date."""
        return dt.date.fromisoformat(self.parameters.as_of)

    def text(self) -> str:
        """Return the manifest as JSON, with LF line ends on every system."""
        return json.dumps(self.model_dump(by_alias=True), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Change:
    """An input or a version that is not as in a manifest: what it was, and what it is now (empty if it is gone)."""

    kind: str
    name: str
    was: str
    now: str

    def __str__(self) -> str:
        if self.kind in ("version", "engine"):
            return f"{self.name}: {self.was or 'not there'} then, {self.now or 'not there'} now"
        return f"{self.name} ({self.kind}): {'changed' if self.was and self.now else 'new' if self.now else 'gone'}"


def manifest_of(
    project: Project,
    period: IssuePeriod,
    records: Records,
    engine: tuple[str, str],
    inputs: Inputs,
    commit: Commit | None,
    draft: bool = False,
) -> Manifest:
    """Return the manifest of an issue, without its files: see ``with_outputs``.

    Parameters
    ----------
    engine
        The engine of the pages, and its versions.
    inputs
        The inputs of the issue.
    commit
        The commit of the project, if it is in a git repository.
    """
    return Manifest(
        manifest_version=VERSION,
        parameters=Parameters(
            month=str(period),
            as_of=records.as_of.isoformat(),
            allow_quarantined=not records.quarantine.empty,
            has_activities=project.has_activities(period),
            lang=project.language.code,
            draft=draft,
        ),
        engine=EngineUsed.model_validate({"name": engine[0], "version": engine[1]}),
        git=GitCommit(commit=commit.id, clean=commit.clean) if commit else None,
        python=platform.python_version(),
        packages=package_versions(),
        inputs=inputs,
        outputs={},
    )


def with_outputs(manifest: Manifest, folder: Path) -> Manifest:
    """Return a manifest with the files of the issue in a folder."""
    outputs = {
        path.relative_to(folder).as_posix(): checksum(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    return manifest.model_copy(update={"outputs": outputs})


def read_manifest(path: Path, name: str | None = None) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    name
        The name of the manifest in errors.

    Raises
    ------
    ManifestError
        If there is none, its format is newer than this software, or keys are invalid; lists all of them.
    """
    where = name or path.name
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once_each)
    except FileNotFoundError:
        raise ManifestError(
            "There is no manifest.",
            [Problem(where, "is missing;", "make the issue with its manifest: vip report MONTH.")],
        ) from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ManifestError("The manifest cannot be read.", [Problem(where, f"is not JSON: {error}.")]) from None
    version = raw.get("manifest_version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise ManifestError(
            "The manifest is from a newer version of viputils. Nothing was compared.",
            [
                Problem(
                    f"{where}, manifest_version",
                    f"{version} is newer than {VERSION}, the newest version known here;",
                    "use the viputils that made the issue, or a newer one.",
                )
            ],
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        problems = [
            Problem(
                f"{where}, {'.'.join(str(step) for step in detail['loc'] if step != '[key]') or 'its top'}",
                f"{detail['msg'].removeprefix('Value error, ')};",
                "docs/manifest.md describes the format.",
            )
            for detail in error.errors()
        ]
        raise ManifestError("The manifest is invalid. Nothing was compared.", problems) from None


def input_file(project: Project, kind: Kind, name: str) -> Path:
    """Return the path of a file that a manifest names."""
    if kind == "library":
        return LIBRARY_FOLDER.parent / name
    if kind == "templates":
        return project.pages / name
    if kind == "deliveries" and name.startswith(f"{RAW}/"):
        return deliveries_folder(project) / name.removeprefix(f"{RAW}/")
    return project.own_or_shared(name) if kind == "notebook" else project.root / name


def input_checksum(kind: Kind, path: Path) -> str:
    """Return the checksum of an input as manifests list it."""
    return salted_checksum(path) if kind == "deliveries" else checksum(path)


def changed_inputs(project: Project, manifest: Manifest, kinds: Collection[Kind] = KINDS) -> list[Change]:
    """Return the inputs of an issue that changed or are gone."""
    changes = []
    for kind in kinds:
        for name, was in getattr(manifest.inputs, kind).items():
            path = input_file(project, kind, name)
            now = input_checksum(kind, path) if path.is_file() else ""
            # A manifest can be older than the salt of a delivery.
            if now != was and not (now and kind == "deliveries" and checksum(path) == was):
                changes.append(Change(kind, name, was, now))
    return changes


def added_deliveries(project: Project, manifest: Manifest) -> list[Change]:
    """Return delivered files that the as-of date of an issue includes and its manifest does not list."""
    if not has_deliveries(project):
        return []
    known = [one for one in find_deliveries(project) if one.received <= manifest.as_of]
    files = {name: path for one in known for name, path in one.counted_from.items()}
    added = files.keys() - manifest.inputs.deliveries.keys()
    return [Change("deliveries", name, "", salted_checksum(path)) for name, path in files.items() if name in added]


def lines_of(changes: Sequence[Change]) -> list[str]:
    """Return a line for each change, and one with the number of changed files of viputils."""
    lines = [f"  {change}" for change in changes if change.kind != "library"]
    own = len(changes) - len(lines)
    return [*lines, f"  viputils itself: {own} of its files"] if own else lines


def notes_on_salts(records: Records) -> list[str]:
    """Return a note if real records have no salt, so that a manifest would confirm a guess at a record."""
    bare = [one.name for one in records.received.deliveries if not salt_of(one.folder)]
    if not bare or records.is_demonstration:
        return []
    verb = "has" if len(bare) == 1 else "have"
    return [
        f"{first_of(bare)} {verb} no salt, so a published manifest would let anyone check a guess at a record. "
        "Run vip seal, and make the issues again."
    ]


def changed_versions(manifest: Manifest, engine: tuple[str, str]) -> list[Change]:
    """Return the versions that differ from those of an issue."""
    was = {"Python": manifest.python, **manifest.packages}
    now = {"Python": platform.python_version(), **package_versions()}
    names = sorted(was.keys() | now.keys(), key=str.casefold)
    changes = [
        Change("version", name, was.get(name, ""), now.get(name, ""))
        for name in names
        if was.get(name) != now.get(name)
    ]
    if engine != (manifest.engine.name, manifest.engine.version):
        changes.append(
            Change(
                "engine", "engine", f"{manifest.engine.name} ({manifest.engine.version})", f"{engine[0]} ({engine[1]})"
            )
        )
    return changes


def changed_since(manifest: Manifest, inputs: Inputs, engine: tuple[str, str]) -> list[Change]:
    """Return everything that changed since an issue was made: files, the register, versions.

    Parameters
    ----------
    inputs
        The inputs of the issue now.
    engine
        The engine of the pages now, and its versions.
    """
    changes = []
    for kind in (*KINDS, "register_"):
        was, now = getattr(manifest.inputs, kind), getattr(inputs, kind)
        changes += [
            Change(kind.rstrip("_"), name, was.get(name, ""), now.get(name, ""))
            for name in sorted(was.keys() | now.keys())
            if was.get(name) != now.get(name)
        ]
    return changes + changed_versions(manifest, engine)


def delivery_problems(project: Project, manifest: Manifest, where: str) -> list[Problem]:
    """Return a problem for each delivered file in a manifest that changed or is gone.

    Parameters
    ----------
    where
        The name of the manifest in messages.
    """
    problems = []
    for change in changed_inputs(project, manifest, ["deliveries"]):
        path = input_file(project, "deliveries", change.name)
        what = f"is missing, and {where} names it;"
        if change.now:
            lost = manifest.manifest_version > 1 and not salt_of(path.parent)
            told = what_was_edited(path, change.was) or (", or its salt is gone from SHA256SUMS" if lost else "")
            what = f"is not the file that {where} names{told};"
        remedy = "restore it: an issue can be made again only from its own deliveries."
        problems.append(Problem(change.name, what, remedy))
    return problems


def require_deliveries(project: Project, manifest: Manifest, where: str) -> None:
    """Raise ``ManifestError`` if delivered files in a manifest changed or are gone; lists all of them."""
    problems = delivery_problems(project, manifest, where)
    if problems:
        raise ManifestError("Deliveries of the issue changed since it was made. Nothing was compared.", problems)


def touched_since(manifest: Manifest, folder: Path, name: str) -> list[Problem]:
    """Return a problem for each file of an issue that was edited since, is missing or cannot be read.

    Parameters
    ----------
    folder
        The folder of the issue.
    name
        The name of the folder in messages.
    """
    problems = []
    for file, was in manifest.outputs.items():
        try:
            now = checksum(folder / file) if (folder / file).is_file() else None
        except OSError as error:
            problems.append(Problem(f"{name}/{file}", f"cannot be read ({error.strerror});", "make the issue again."))
            continue
        if now is None:
            problems.append(Problem(f"{name}/{file}", "is missing;", "make the issue again."))
        elif now != was:
            what = "was edited after it was made;"
            problems.append(Problem(f"{name}/{file}", what, "change the inputs, and make the issue again."))
    return problems


@cache
def package_versions() -> dict[str, str]:
    """Return the versions of viputils and of every package that it needs here, without extras."""
    found: dict[str, str] = {}
    waiting = ["viputils"]
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        try:
            # `distribution(name).version` and `.requires` would read the file twice.
            about = distribution(name).metadata
        except PackageNotFoundError:
            continue  # Needed only on another system or by another Python.
        found[name] = about["Version"]
        for text in about.get_all("Requires-Dist") or []:
            marker = text.partition(";")[2]
            # Most requirements are for an extra that is not installed, and parsing each is slow.
            if "extra ==" in marker and " or " not in marker:
                continue
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return dict(sorted(found.items()))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class Inventory:
    """The input files of issues at one moment. Each is read once.

    Parameters
    ----------
    project
        The project, in any language.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._checksums: dict[tuple[Kind, str], str | None] = {}

    def checksum(self, kind: Kind, name: str) -> str | None:
        """Return the checksum of a file, or none if it does not exist."""
        if (kind, name) not in self._checksums:
            path = input_file(self._project, kind, name)
            self._checksums[kind, name] = input_checksum(kind, path) if path.is_file() else None
        return self._checksums[kind, name]

    @cached_property
    def deliveries(self) -> list[Delivery]:
        """The deliveries, in order of receipt."""
        return find_deliveries(self._project)

    @cached_property
    def templates(self) -> list[str]:
        """The settings of the pages, every file of the theme and the fonts, and other files that the settings name."""
        pages = self._project.pages
        folders = ("report/theme", "report/fonts")
        found = [path.relative_to(pages).as_posix() for folder in folders for path in files_below(pages / folder)]
        return [SETTINGS, *dict.fromkeys([*found, *named_files(pages)])]

    @cached_property
    def library(self) -> list[str]:
        """The name of every file of code of the library."""
        return [
            path.relative_to(LIBRARY_FOLDER.parent).as_posix()
            for path in files_below(LIBRARY_FOLDER)
            if path.suffix == ".py"
        ]


def inputs_of(
    project: Project,
    period: IssuePeriod,
    as_of: dt.date,
    register: Mapping[str, str],
    inventory: Inventory | None = None,
) -> Inputs:
    """Return the inputs of the issue of a period.

    Parameters
    ----------
    register
        The fingerprint of each issue of the register with verdicts in the issue.
    inventory
        The files of the project, if they were read before.
    """
    there = inventory or Inventory(project)
    texts = ["report/introduction.md", "report/definitions.md"]
    if isinstance(period, ReportMonth):
        texts.append(project.activities(period).relative_to(project.root).as_posix())
    own = list(there.library)
    code = project.language.code
    if not project.language.is_english:
        own += [(LOCALES / name).relative_to(LIBRARY_FOLDER.parent).as_posix() for name in (TEMPLATE, f"{code}.po")]
        texts.append(project.catalogue(code).relative_to(project.root).as_posix())
    translation = project.translated_activities(period) if isinstance(period, ReportMonth) else None
    if translation is not None:
        texts.append(translation.relative_to(project.root).as_posix())
    known = [one for one in there.deliveries if one.received <= as_of]
    names: dict[Kind, Sequence[str]] = {
        "deliveries": [name for one in known for name in one.counted_from],
        "program": ["program.toml"],
        "notebook": [notebook_name(period)],
        "templates": there.templates,
        "texts": texts,
        "library": own,
    }
    files: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        # Texts are optional. A missing file that is required is reported when it is read.
        found = {name: there.checksum(kind, name) for name in names[kind]}
        files[kind] = {name: value for name, value in found.items() if value is not None}
    return Inputs.model_validate({**files, "register": dict(register)})


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raise ``ValueError`` if a key occurs twice: JSON would silently use the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return found
