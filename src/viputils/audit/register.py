"""The register of published issues: the printed figures of each issue, and their source.

``data/published`` holds one file of figures for each issue, and ``index.csv``, which says where they come from and
holds their checksum. No figure in it is ever changed: a correction is a numbered re-issue with a reason, and both stay.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.audit.manifest import added_deliveries, delivery_problems, read_manifest
from viputils.config.program import Program
from viputils.config.project import Project
from viputils.core.csv_rows import csv_rows
from viputils.core.errors import ManifestError, ParameterError, Problem, PublishedError, nearest
from viputils.core.files import replaced_whole
from viputils.core.months import IssuePeriod, parse_date
from viputils.core.periods import is_long, parse_period
from viputils.core.spreadsheet import inert, original
from viputils.figures.counts import COLUMNS, FIGURES_CSV, categories_of, figures_csv, issue_periods, key_text
from viputils.records.checksums import checksum

INDEX: Final = "index.csv"
INDEX_COLUMNS: Final = (
    "issue", "as_of", "printed", "source", "transcribed_by", "approved_by", "reason", "footnote", "sha256",
    "manifest_sha256",
)  # fmt: skip
# Older registers do not record who approved an issue.
_OPTIONAL: Final = ("approved_by",)
_TEXTS: Final = ("source", "transcribed_by", "approved_by", "reason", "footnote")
MANIFEST_SUFFIX: Final = ".manifest.json"
SIGNATURE_SUFFIX: Final = ".sig"
SIGNERS: Final = "allowed_signers"

# The sum of the largest counts that deliveries may have fits in.
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME: Final = re.compile(r"([0-9]{4}-[0-9]{2}|FY[0-9]{4}(?:-Q[1-4])?)(?:[- ]r([1-9][0-9]?))?")
_CHECKSUM: Final = re.compile(r"[0-9a-f]{64}")
_TRANSCRIBE: Final = "transcribe the printed issue, one figure on each line."


@dataclass(frozen=True)
class IssueName:
    """The name of an issue: its period, and the number of the re-issue (0 is the issue itself)."""

    period: IssuePeriod
    number: int = 0

    def __lt__(self, other: IssueName) -> bool:
        return self._place < other._place

    @property
    def _place(self) -> tuple[bool, str, int]:
        """Its place in the register: months come first."""
        return is_long(self.period), str(self.period), self.number

    @classmethod
    def parse(cls, text: str) -> IssueName:
        """Read ``2023-11``, ``FY2024-Q1`` or ``FY2024``, and ``-r1`` after it for a re-issue.

        Raises
        ------
        ParameterError
            If the text is not the name of an issue.
        """
        found = _NAME.fullmatch(text)
        if not found:
            raise ParameterError(
                "The issue cannot be read.",
                [
                    Problem(
                        "issue", f"{text!r} is not the name of an issue;", "write 2023-11, or 2023-11-r1, or FY2024-Q1."
                    )
                ],
            )
        return cls(parse_period(found[1]), int(found[2] or 0))

    def __str__(self) -> str:
        return f"{self.period}-r{self.number}" if self.number else str(self.period)

    @property
    def label(self) -> str:
        """The name in words: ``November 2023``, ``November 2023, re-issue 1``."""
        return f"{self.period.label}, re-issue {self.number}" if self.number else self.period.label


@dataclass(frozen=True)
class PublishedIssue:
    """One issue as it was printed.

    Attributes
    ----------
    figures
        The figures table: ``measure``, ``category``, ``period``, ``value``.
    as_of
        The as-of date that the issue states; none if it states none.
    printed
        The day on which it was printed; none if unknown.
    source
        The source of the figures.
    transcribed_by
        The person who transcribed them.
    approved_by
        The person who approved the issue; empty if not recorded.
    reason
        The reason for a re-issue.
    footnote
        The explanation if the print does not add up.
    manifest
        The manifest, if the issue was made here.
    """

    name: IssueName
    figures: pd.DataFrame
    as_of: dt.date | None
    printed: dt.date | None
    source: str
    transcribed_by: str
    reason: str = ""
    footnote: str = ""
    approved_by: str = ""
    manifest: Path | None = None

    @property
    def is_from_here(self) -> bool:
        """Whether its figures were made here and not transcribed by hand."""
        if self.manifest is None:
            return False
        figures = read_manifest(self.manifest, f"data/published/{self.manifest.name}").outputs.get(FIGURES_CSV)
        return figures == checksum(self.manifest.with_name(f"{self.name}.csv"))

    @property
    def fingerprint(self) -> str:
        """A checksum of all attributes except the manifest."""
        said = [self.name, self.as_of, self.printed, self.source, self.transcribed_by, self.reason, self.footnote]
        # Without a name, the checksum is the one that older manifests list.
        said += [self.approved_by] if self.approved_by else []
        text = "\0".join([*("" if part is None else str(part) for part in said), figures_csv(self.figures)])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Register:
    """Every published issue, in order of period and number."""

    issues: tuple[PublishedIssue, ...] = field(default=())

    def issue(self, name: IssueName) -> PublishedIssue:
        """Return one issue.

        Raises
        ------
        PublishedError
            If it is not in the register.
        """
        for issue in self.issues:
            if issue.name == name:
                return issue
        known = ", ".join(str(issue.name) for issue in self.issues) or "none"
        raise PublishedError(
            f"The issue of {name} is not in the register of published figures.",
            [Problem(f"data/published/{name}.csv", "is missing;", f"issues in the register: {known}.")],
        )

    def named(self, text: str) -> list[PublishedIssue]:
        """Return the issue of a period (``2023-11``) with its re-issues, or one re-issue (``2023-11-r1``).

        Raises
        ------
        ParameterError, PublishedError
            If the text does not name an issue of the register.
        """
        issue = self.issue(IssueName.parse(text))
        return [issue] if issue.name.number else self.of(issue.name.period)

    def of(self, period: IssuePeriod) -> list[PublishedIssue]:
        """Return the issue of a period and its re-issues."""
        return [issue for issue in self.issues if issue.name.period == period]

    def seen_by(self, periods: Sequence[IssuePeriod], as_of: dt.date) -> list[PublishedIssue]:
        """Return the published issues that the issue of the last period shows, as of a day.

        These are the issues of all the periods, except those from records received after that day, and except the issue
        itself if it was published from here: publication does not change an issue.
        """
        seen = [
            issue
            for issue in self.issues
            if issue.name.period in periods and (issue.as_of is None or issue.as_of <= as_of)
        ]
        own = [
            issue for issue in seen if (issue.name.period, issue.as_of) == (periods[-1], as_of) and issue.is_from_here
        ]
        itself = {issue.name for issue in own[-1:]}
        return [issue for issue in seen if issue.name not in itself]

    def replaced_by(self, name: IssueName) -> PublishedIssue | None:
        """Return the newest re-issue that replaces an issue, if there is one."""
        newest = self.of(name.period)[-1]
        return newest if newest.name != name else None


def read_register(project: Project) -> Register:
    """Read the register, and check each of its files against the index.

    Raises
    ------
    PublishedError
        If lines are invalid, or files do not match the index or are not in it; lists all of them.
    """
    return _read(project.published, project.program)


def _read(folder: Path, program: Program) -> Register:
    if not folder.is_dir() or not any(not entry.name.startswith(".") for entry in folder.iterdir()):
        return Register()
    rows, problems = _rows(folder / INDEX, f"data/published/{INDEX}", INDEX_COLUMNS, _OPTIONAL)
    if problems and not rows:
        # Without the index, nothing is known about the other files.
        raise PublishedError("The index of the register cannot be read.", problems)
    entries = list(_entries(rows, problems))
    expected = {INDEX, SIGNERS, "README.md"}
    issues = []
    for where, name, row in entries:
        expected |= {f"{name}.csv", f"{name}{MANIFEST_SUFFIX}", f"{name}{SIGNATURE_SUFFIX}"}
        _check_file(folder / f"{name}.csv", where, row["sha256"], problems)
        _check_file(folder / f"{name}{MANIFEST_SUFFIX}", where, row["manifest_sha256"], problems)
        if (folder / f"{name}.csv").is_file():
            figures = _read_figures(folder / f"{name}.csv", program, name.period, problems)
            issues.append(_issue(where, name, row, figures, folder, problems))
            if issues[-1].manifest is not None and issues[-1].manifest.is_file():
                _check_manifest(where, issues[-1], problems)
    _check_numbers([(where, name, row) for where, name, row in entries], problems)
    for entry in sorted(folder.iterdir()):
        if entry.name not in expected and not entry.name.startswith("."):
            problems.append(
                Problem(
                    f"data/published/{entry.name}",
                    "is not in the register's index;",
                    f"add a line for it to {INDEX}, or remove it.",
                )
            )
    if problems:
        raise PublishedError("The register of published figures is invalid.", dict.fromkeys(problems))
    return Register(tuple(sorted(issues, key=lambda issue: issue.name)))


def deliveries_not_as_published(project: Project, period: IssuePeriod | None = None) -> list[Problem]:
    """Return a problem for each delivered file that was changed, removed or added since an issue was published.

    A file was added if the manifest does not list it although the as-of date of the issue includes it. An issue that
    was replaced says nothing about that. If the register is invalid, its problems are returned.

    Parameters
    ----------
    period
        Only the issues of this period; by default all.
    """
    try:
        register = read_register(project)
    except PublishedError as error:
        return list(error.problems)
    problems: list[Problem] = []
    for issue in register.issues if period is None else register.of(period):
        if issue.manifest is None:
            continue
        name = f"data/published/{issue.manifest.name}"
        manifest = read_manifest(issue.manifest, name)
        problems += delivery_problems(project, manifest, name)
        if register.replaced_by(issue.name) is None:
            what = f"is not in {name}, and the as-of date of that issue, {manifest.as_of}, includes it;"
            remedy = "name the folder for the day on which it came, or publish a re-issue."
            problems += [Problem(change.name, what, remedy) for change in added_deliveries(project, manifest)]
    # Every later issue lists the same file: one problem is enough.
    first = {problem.where: problem for problem in reversed(problems)}
    return [first[where] for where in sorted(first)]


def add_issue(project: Project, issue: PublishedIssue, finish: Callable[[Path], None] = lambda _: None) -> None:
    """Add an issue to the register. If this fails, the register stays as it was.

    Parameters
    ----------
    finish
        As ``change_register``.

    Raises
    ------
    PublishedError
        If the register is invalid or already has the issue.
    """

    def added(register: Register) -> Sequence[PublishedIssue]:
        if any(known.name == issue.name for known in register.issues):
            raise PublishedError(
                f"{issue.name} is in the register already. Nothing was written.",
                [
                    Problem(
                        f"data/published/{issue.name}.csv",
                        "is there, and what was published is never replaced;",
                        f"publish a correction as a re-issue: vip publish {issue.name.period} --reissue --reason TEXT "
                        "--approved-by NAME.",
                    )
                ],
            )
        return [*register.issues, issue]

    change_register(project, added, finish)


def keep_manifest(
    project: Project, name: IssueName, manifest: Path, finish: Callable[[Path], None] = lambda _: None
) -> None:
    """Replace the manifest of an issue of the register by the manifest of its reproduction.

    Parameters
    ----------
    finish
        As ``change_register``.

    Raises
    ------
    PublishedError
        If the register is invalid or lacks the issue.
    """

    def kept(register: Register) -> Sequence[PublishedIssue]:
        known = register.issue(name)
        return [replace(known, manifest=manifest) if issue is known else issue for issue in register.issues]

    change_register(project, kept, finish)


def write_register(folder: Path, issues: Sequence[PublishedIssue]) -> None:
    """Write the index, and the missing files of every issue."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(INDEX_COLUMNS)
    for issue in sorted(issues, key=lambda one: one.name):
        figures, manifest = folder / f"{issue.name}.csv", folder / f"{issue.name}{MANIFEST_SUFFIX}"
        if not figures.exists():
            figures.write_text(figures_csv(issue.figures), encoding="utf-8", newline="")
        if issue.manifest is not None:
            manifest.write_bytes(issue.manifest.read_bytes())
        writer.writerow(map(inert, index_values(folder, issue)))
    (folder / INDEX).write_text(lines.getvalue(), encoding="utf-8", newline="")


def index_values(folder: Path, issue: PublishedIssue) -> list[str]:
    """Return the line of an issue in the index, with the checksums of its files in the folder of the register."""
    manifest = folder / f"{issue.name}{MANIFEST_SUFFIX}"
    days = [day.isoformat() if day else "" for day in (issue.as_of, issue.printed)]
    texts = [issue.source, issue.transcribed_by, issue.approved_by, issue.reason, issue.footnote]
    checksums = [checksum(folder / f"{issue.name}.csv"), checksum(manifest) if manifest.exists() else ""]
    return [str(issue.name), *days, *texts, *checksums]


def change_register(
    project: Project,
    change: Callable[[Register], Sequence[PublishedIssue]],
    finish: Callable[[Path], None] = lambda _: None,
) -> None:
    """Replace the register in one step.

    It is read under the lock, so two people who publish at the same time do not lose an issue.

    Parameters
    ----------
    finish
        Called with the folder of the new register before it takes the place of the old one.
    """
    # If it is a link, the folder behind the link is replaced.
    there = project.published.resolve()
    with replaced_whole(there.parent, there.name) as folder:
        issues = change(read_register(project))
        if project.published.is_dir():
            shutil.copytree(project.published, folder, dirs_exist_ok=True)
        write_register(folder, issues)
        finish(folder)
        # A register that cannot be read must not replace the old one.
        _read(folder, project.program)


def _rows(
    path: Path, name: str, columns: Sequence[str], optional: Sequence[str] = ()
) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    """Return the rows of a file with their lines, and what is wrong with its form."""
    try:
        return csv_rows(path.read_text(encoding="utf-8"), name, columns, optional)
    except FileNotFoundError:
        return [], [Problem(name, "is missing;", "restore it from a copy of the project.")]
    except (OSError, UnicodeDecodeError) as error:
        return [], [Problem(name, f"{error}.", "It must be CSV in UTF-8.")]


def _entries(
    rows: Sequence[tuple[int, Mapping[str, str]]], problems: list[Problem]
) -> Iterator[tuple[str, IssueName, Mapping[str, str]]]:
    """Yield each line of the index that names an issue, without repeats."""
    seen: dict[IssueName, int] = {}
    for line, row in rows:
        where = f"data/published/{INDEX}, line {line}"
        try:
            name = IssueName.parse(row["issue"])
        except ParameterError as error:
            problems += [Problem(f"{where}, issue", problem.what, problem.remedy) for problem in error.problems]
            continue
        if name in seen:
            problems.append(Problem(where, f"{name} is already on line {seen[name]};", "keep the line written first."))
            continue
        seen[name] = line
        for column in ("source", "transcribed_by"):
            if not row[column].strip():
                problems.append(
                    Problem(
                        f"{where}, {column}",
                        "is empty;",
                        "write the source of the figures, and who transcribed them.",
                    )
                )
        for column in _TEXTS:
            if not original(row[column]).isprintable():
                problems.append(
                    Problem(
                        f"{where}, {column}",
                        "has a character that cannot be seen;",
                        "write it as plain text, on one line.",
                    )
                )
        for column in ("sha256", "manifest_sha256"):
            if not _CHECKSUM.fullmatch(row[column]) and (row[column] or column == "sha256"):
                problems.append(
                    Problem(f"{where}, {column}", f"{row[column]!r} is not a checksum;", "write 64 hexadecimal digits.")
                )
        yield where, name, row


def _issue(
    where: str, name: IssueName, row: Mapping[str, str], figures: pd.DataFrame, folder: Path, problems: list[Problem]
) -> PublishedIssue:
    days: dict[str, dt.date | None] = {}
    for column in ("as_of", "printed"):
        try:
            days[column] = parse_date(row[column]) if row[column] else None
        except ParameterError as error:
            days[column] = None
            problems += [Problem(f"{where}, {column}", problem.what, problem.remedy) for problem in error.problems]
    as_of, printed = days["as_of"], days["printed"]
    if as_of is not None and printed is not None and printed < as_of:
        problems.append(
            Problem(f"{where}, printed", f"{printed} is before its as-of date, {as_of};", "correct one of them.")
        )
    texts = {column: original(row[column]) for column in _TEXTS}
    manifest = folder / f"{name}{MANIFEST_SUFFIX}" if row["manifest_sha256"] else None
    return PublishedIssue(name, figures, days["as_of"], days["printed"], **texts, manifest=manifest)


def _check_manifest(where: str, issue: PublishedIssue, problems: list[Problem]) -> None:
    """Add a problem for a manifest of another issue."""
    place = f"data/published/{issue.name}{MANIFEST_SUFFIX}"
    try:
        manifest = read_manifest(issue.manifest or Path(), place)
    except ManifestError as error:
        problems += error.problems
        return
    if manifest.period != issue.name.period:
        problems.append(
            Problem(
                f"{place}, parameters.month",
                f"is {manifest.period};",
                f"it must be {issue.name.period}, as in its name.",
            )
        )
    if issue.as_of is not None and manifest.as_of != issue.as_of:
        problems.append(
            Problem(f"{place}, parameters.as_of", f"is {manifest.as_of};", f"it must be {issue.as_of}, as in {where}.")
        )


def _check_file(path: Path, where: str, expected: str, problems: list[Problem]) -> None:
    """Add a problem for a file that does not match the index; an empty checksum means that there is no file."""
    name = f"data/published/{path.name}"
    if not path.is_file():
        if expected:
            problems.append(
                Problem(name, f"is missing, and {where} names it;", "restore it from a copy of the project.")
            )
    elif not expected:
        problems.append(Problem(name, f"has no checksum in {where};", "remove it, or write its checksum there."))
    elif hashlib.sha256(path.read_bytes()).hexdigest() != expected and _CHECKSUM.fullmatch(expected):
        problems.append(
            Problem(
                name,
                f"was edited after it was published ({where} has another checksum);",
                "a published file is never changed; restore it, and publish a correction as a re-issue.",
            )
        )


def _check_numbers(entries: Sequence[tuple[str, IssueName, Mapping[str, str]]], problems: list[Problem]) -> None:
    """Add a problem for each re-issue without a reason or without its predecessor."""
    names = {name for _, name, _ in entries}
    for where, name, row in entries:
        if name.number and not row["reason"].strip():
            problems.append(Problem(f"{where}, reason", "is empty;", "write why the issue was printed again."))
        if name.number and IssueName(name.period, name.number - 1) not in names:
            before = IssueName(name.period, name.number - 1)
            problems.append(
                Problem(
                    where, f"{before} is not in the register;", "re-issues are numbered without a gap, and all stay."
                )
            )


def _read_figures(path: Path, program: Program, period: IssuePeriod, problems: list[Problem]) -> pd.DataFrame:
    name = f"data/published/{path.name}"
    rows, wrong = _rows(path, name, COLUMNS)
    first_line: dict[tuple[str, ...], int] = {}
    figures = []
    former = {old: measure for measure, one in program.measures.items() for old in one.formerly}
    for line, row in rows:
        where = f"{name}, line {line}"
        row["measure"] = former.get(row["measure"], row["measure"])
        wrong += _row_problems(program, period, where, row)
        key = (row["measure"], row["category"], row["period"])
        before = first_line.setdefault(key, line)
        if before != line:
            wrong.append(Problem(where, f"'{key_text(key)}' is already on line {before};", "keep the printed one."))
        figures.append({**row, "value": int(row["value"]) if _WHOLE.fullmatch(row["value"]) else -1})
    if not rows and not wrong:
        wrong.append(Problem(name, "contains no figure;", _TRANSCRIBE))
    problems += wrong
    return pd.DataFrame(figures, columns=COLUMNS).astype(
        {"measure": "str", "category": "str", "period": "str", "value": "int64"}
    )


def _row_problems(program: Program, issue: IssuePeriod, where: str, row: Mapping[str, str]) -> list[Problem]:
    problems = []
    measure, category, period, value = (row[column] for column in COLUMNS)
    if measure not in program.measures:
        remedy = nearest(measure, program.measures) or f"known: {', '.join(program.measures)}."
        problems.append(Problem(f"{where}, measure", f"{measure!r} is not a measure of program.toml;", remedy))
    elif category not in (known := categories_of(program, measure, issue)):
        listed = ", ".join(name or "the empty category" for name in known)
        remedy = nearest(category, known) or f"known: {listed}."
        problems.append(Problem(f"{where}, category", f"{category!r} is not a category of {measure};", remedy))
    if period not in (periods := issue_periods(program, issue)):
        remedy = f"write {', '.join(periods[:-1])} or {periods[-1]}." if periods[1:] else f"write {periods[0]}."
        problems.append(Problem(f"{where}, period", f"{period!r} is not a period;", remedy))
    if not _WHOLE.fullmatch(value):
        problems.append(
            Problem(f"{where}, value", f"{value!r} is not a whole number;", "write digits only, as in 2599.")
        )
    return problems
