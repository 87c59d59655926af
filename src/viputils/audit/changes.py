"""Changes of figures: which ones move between two issues, or between what the code and data of two commits make.

Commits are compared through the command line: each computes its own figures from its own data, in a folder that goes
again. Only a figure that is printed decides; and one that moves on purpose is named in a commit's message::

    Moves-figure: 2023-11 responses_by_incident_type/Homicide/month -- "HOM." was not known for a homicide
"""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from viputils.audit.register import INDEX, IssueName, read_register
from viputils.config.fields import DELIVERIES_VARIABLE
from viputils.config.project import Project
from viputils.core.encoding import decoded
from viputils.core.errors import ParameterError, Problem, PublishedError, VipError
from viputils.core.files import private_folder
from viputils.core.git import check_out, commit_named, messages_between, top_of
from viputils.core.months import ReportMonth, parse_date
from viputils.core.text import folded, plural
from viputils.figures.counts import COLUMNS, KEY, key_of_row, key_text

CHANGES: Final = ["issue", *KEY, "before", "after", "change", "what", "printed", "said"]
MOVED: Final = "moved"
ADDED: Final = "added"
REMOVED: Final = "removed"
SAY_SO: Final = "Moves-figure: MONTH FIGURE -- REASON"

_AT_ONCE: Final = 2
_TRAILER: Final = re.compile(r"^moves-figure:(.*(?:\n[ \t]+\S.*)*)", re.IGNORECASE | re.MULTILINE)
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")

# What a commit's own Python runs. It must be that commit's code that counts, and not the one that asks.
_COUNT: Final = """
import os, sys
own = sys.argv.pop(1)
import viputils
there = os.path.realpath(viputils.__file__)
if own and not there.startswith(os.path.realpath(own) + os.sep):
    sys.exit("the code of the commit was not used, but " + there)
try:
    from viputils.cli.main import main
except ModuleNotFoundError as error:
    # Before November 2026 the command line was one module.
    if error.name != "viputils.cli.main":
        raise
    from viputils.cli import main
main()
"""


@dataclass(frozen=True)
class Changes:
    """What moved between two issues or two commits.

    Attributes
    ----------
    before, after
        What was compared, in words.
    figures
        One row for each figure that is not the same on both sides: ``issue`` (empty where two issues are compared),
        ``measure``, ``category``, ``period``; ``before``, ``after`` and ``change`` (``Int64``, missing where there is
        none); ``what`` (moved, added, removed); ``printed``; ``said`` (the reason that a commit's message gives).
    compared
        The issues whose figures both sides could compute.
    not_compared
        What one side or both could not compute, and why.
    notes
        What else a reader must know.
    """

    before: str
    after: str
    figures: pd.DataFrame
    compared: tuple[str, ...] = ()
    not_compared: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unsaid(self) -> pd.DataFrame:
        """The printed figures that are not the same and that no message names."""
        return self.figures.loc[self.figures["printed"] & self.figures["said"].eq("")]

    @property
    def sentence(self) -> str:
        """How many figures moved, in a sentence."""
        rows = self.figures
        where = " in what could be compared" if self.not_compared else ""
        if rows.empty:
            return f"No figure moved{where}." if self.compared else "Nothing could be compared."
        printed, said = int(rows["printed"].sum()), int((rows["printed"] & rows["said"].ne("")).sum())
        words = f"{printed or 'No'} printed {'figure' if printed < 2 else 'figures'} moved{where}"
        words += f", {said} of them as a commit's message says" if said else ""
        rest = len(rows) - printed
        others = (
            f"; {'so did ' if printed else ''}{rest} that no issue prints{'' if printed else ' did'}" if rest else ""
        )
        return f"{words}{others}."

    @property
    def conclusion(self) -> list[str]:
        """What came of it in sentences: what moved, what could not be compared, and what else to know."""
        return [
            f"{self.before} to {self.after}: {self.sentence}",
            *(f"COULD NOT BE COMPARED: {problem}" for problem in self.not_compared),
            *(f"Note: {note}" for note in self.notes),
        ]

    @property
    def shown(self) -> pd.DataFrame:
        """The changes as a table of texts for people."""
        rows = self.figures
        text = {name: rows[name].map("{:d}".format, na_action="ignore") for name in ("before", "after")}
        text["change"] = rows["change"].map("{:+d}".format, na_action="ignore")
        said = rows["said"].map(lambda reason: f", as said: {reason}" if reason else "")
        what = rows["what"] + rows["printed"].map({True: "", False: ", not printed"}) + said
        table = rows[["issue", *KEY]].assign(**text, what=what).astype("object").fillna("")
        return table if rows["issue"].ne("").any() else table.drop(columns="issue")

    def as_json(self) -> dict[str, Any]:
        """Return everything by name; the figures as a table."""
        return {
            "before": self.before,
            "after": self.after,
            "sentence": self.sentence,
            "unsaid": len(self.unsaid),
            "figures": self.figures,
            "compared": list(self.compared),
            "not_compared": [vars(problem) for problem in self.not_compared],
            "notes": list(self.notes),
        }


def find_changes(
    project: Project,
    before: str,
    after: str,
    months: Sequence[ReportMonth] = (),
    every: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Changes:
    """Compare two issues, or what two commits make.

    Parameters
    ----------
    before, after
        Two issues: of the register (``2023-11``, ``2023-11-r1``), a folder with a figures.csv, or such a file. Or two
        commits: an id, a tag, a branch, or ``.`` for the working tree as it is.
    months
        Of commits, the months to compare; by default those that either has in its register.
    every
        Of commits, compare every month that either has records of.

    Raises
    ------
    ParameterError, PublishedError
        If the one or the other is not there, or they are of two kinds.
    """
    problems: list[Problem] = []
    sides = []
    for text in (before, after):
        try:
            sides.append(_read_side(project, text))
        except VipError as error:
            problems += error.problems
    if problems:
        raise ParameterError("There are no two sides to compare.", dict.fromkeys(problems))
    match sides:
        case [_Figures() as one, _Figures() as other]:
            if months or every:
                wanted = Problem("--month, --all-months", "are about commits;", "two issues are compared as they are.")
                raise ParameterError("Two issues have no other months.", [wanted])
            return _of_issues(project, one, other)
        case [_Revision() as one, _Revision() as other]:
            return _of_commits(project, one, other, months, every, on_step)
    raise ParameterError(
        "An issue cannot be compared with a commit.",
        [
            Problem(
                f"{before}, {after}",
                "are of two kinds;",
                "compare two issues or two commits; vip verify compares an issue with what is computed now.",
            )
        ],
    )


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare two figures tables.

    Returns
    -------
    DataFrame
        ``measure``, ``category``, ``period``, ``before``, ``after``, ``change``, ``what``: one row for each figure
        that is not the same, in the order of ``after``, and what was removed last.
    """
    keys = pd.concat([after[KEY], before[KEY]], ignore_index=True).drop_duplicates()
    table = keys
    for name, side in (("before", before), ("after", after)):
        values = side[COLUMNS].rename(columns={"value": name}).astype({name: "Int64"})
        table = table.merge(values, on=KEY, how="left", validate="one_to_one")
    table = table.assign(change=table["after"] - table["before"], what=MOVED)
    table["what"] = table["what"].mask(table["before"].isna(), ADDED).mask(table["after"].isna(), REMOVED)
    return table.loc[table["change"].ne(0).fillna(True)].reset_index(drop=True)


def read_figures(text: str, name: str) -> pd.DataFrame:
    """Read a figures table from CSV, as ``vip figures --csv`` and an issue's figures.csv hold it.

    Raises
    ------
    PublishedError
        With every line at fault; ``name`` says where they stand.
    """
    problems: list[Problem] = []
    rows: dict[tuple[str, ...], int] = {}
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise PublishedError("Figures cannot be read.", [Problem(name, f"is not CSV: {error}.")]) from None
    if not lines or lines[0] != COLUMNS:
        head = ",".join(lines[0] if lines else [])[:80]
        problem = Problem(f"{name}, line 1", f"is {head!r};", f"a figures table begins with {','.join(COLUMNS)}.")
        raise PublishedError("Figures cannot be read.", [problem])
    for number, line in enumerate(lines[1:], start=2):
        where = f"{name}, row {number}"
        if len(line) != len(COLUMNS):
            problems.append(Problem(where, f"has {plural(len(line), 'field')};", f"{len(COLUMNS)} belong there."))
        elif not _WHOLE.fullmatch(line[-1]):
            problems.append(Problem(where, f"{line[-1]!r} is not a whole number;", "write digits only, as in 2599."))
        elif (key := tuple(line[:-1])) in rows:
            problems.append(Problem(where, f"{key_text(key)!r} stands there twice;", "keep one of them."))
        else:
            rows[key] = int(line[-1])
    if problems:
        raise PublishedError("Figures cannot be read.", problems)
    return _frame([(*key, value) for key, value in rows.items()])


def _frame(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype({**dict.fromkeys(KEY, "str"), "value": "int64"})


# ---------------------------------------------------------------- The two sides


@dataclass(frozen=True)
class _Figures:
    """One issue: its figures, and which of them are in the register."""

    label: str
    table: pd.DataFrame
    registered: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True)
class _Revision:
    """One commit, or the working tree where there is none."""

    label: str
    commit: str | None


def _read_side(project: Project, text: str) -> _Figures | _Revision:
    if text == ".":
        return _Revision("the working tree", None)
    try:
        name: IssueName | None = IssueName.parse(text)
    except ParameterError:
        name = None
    if name is not None and (project.published / f"{name}.csv").is_file():
        figures = read_register(project).issue(name).figures
        return _Figures(name.label, figures, frozenset(figures[KEY].itertuples(index=False, name=None)))
    path = Path(text)
    path = path / "figures.csv" if (path / "figures.csv").is_file() else path
    if path.suffix == ".csv" and path.is_file():
        try:
            return _Figures(text, read_figures(path.read_text(encoding="utf-8-sig"), text))
        except UnicodeDecodeError:
            raise PublishedError("Figures cannot be read.", [Problem(text, "is not UTF-8;", "save it so.")]) from None
    commit = commit_named(project.root, text)
    if commit is not None:
        return _Revision(text if commit.startswith(text) else f"{text} ({commit[:9]})", commit)
    raise ParameterError(
        "There is nothing of that name.",
        [
            Problem(
                text,
                "is neither an issue of the register, nor a folder with a figures.csv, nor a commit here;",
                "name one, as in 2023-11, issues/2023-11 or HEAD~1.",
            )
        ],
    )


def _of_issues(project: Project, before: _Figures, after: _Figures) -> Changes:
    found = compare(before.table, after.table).assign(issue="", said="")
    printed = {name: frozenset(measure.printed) for name, measure in project.program.measures.items()}
    found["printed"] = [
        _is_printed(row, printed) or row in before.registered | after.registered
        for row in found[KEY].itertuples(index=False, name=None)
    ]
    return Changes(before.label, after.label, _typed(found), (f"{before.label}, {after.label}",))


def _is_printed(key: tuple[str, ...], printed: Mapping[str, frozenset[str]]) -> bool:
    """Return whether issues print a figure. Of a measure that nobody declares it is not known, so it may well be."""
    measure, _, period = key
    return measure not in printed or period in printed[measure]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    types = dict.fromkeys(["issue", *KEY, "what", "said"], "str") | dict.fromkeys(
        ["before", "after", "change"], "Int64"
    )
    return table[CHANGES].astype({**types, "printed": "bool"}).reset_index(drop=True)


# ---------------------------------------------------------------- What two commits make


class _Wanted(NamedTuple):
    """Figures to compute: of a month, as of its own date or as of one that the register states."""

    month: ReportMonth
    as_of: str = ""

    def __str__(self) -> str:
        return f"{self.month} as of {self.as_of}" if self.as_of else str(self.month)


@dataclass(frozen=True)
class _Tree:
    """The files of a commit: the project in them, and the folder of the code that belongs to it, if there is one."""

    label: str
    root: Path
    source: Path | None

    def program(self) -> dict[str, Any]:
        """Return what program.toml says, as far as it can be read; its own code says what is wrong with it."""
        try:
            return tomllib.loads(decoded((self.root / "program.toml").read_bytes()).replace("\r\n", "\n"))
        except (OSError, ValueError):
            return {}

    def printed(self) -> dict[str, frozenset[str]]:
        """Return the periods for which an issue prints each measure."""
        found = {}
        measures = self.program().get("measures")
        for name, measure in measures.items() if isinstance(measures, dict) else ():
            periods = measure.get("printed", []) if isinstance(measure, dict) else []
            found[name] = frozenset(period for period in periods if isinstance(period, str))
        return found

    def published(self) -> dict[_Wanted, frozenset[tuple[str, ...]]]:
        """Return the issues of the register, each as of the day that it states, with the keys of their figures."""
        folder = self.root / "data" / "published"
        days = {}
        index = _text(folder / INDEX)
        for row in csv.DictReader(io.StringIO(index, newline="")):
            try:
                days[row.get("issue")] = parse_date(row.get("as_of") or "").isoformat()
            except VipError:
                continue
        found: dict[_Wanted, frozenset[tuple[str, ...]]] = {}
        for path in sorted(folder.glob("*.csv")):
            try:
                name = IssueName.parse(path.stem)
            except VipError:
                continue
            rows = csv.DictReader(io.StringIO(_text(path), newline=""))
            wanted = _Wanted(name.month, days.get(str(name), ""))
            keys = frozenset(tuple(row.get(part) or "" for part in KEY) for row in rows)
            found[wanted] = found.get(wanted, frozenset()) | keys
        return found

    def months(self) -> Iterator[ReportMonth]:
        """Yield every month that there may be records of: from the day on which they begin to the newest delivery."""
        days = []
        for folder in (self.root / "data" / "raw").glob("*"):
            try:
                days.append(parse_date(folder.name[:10]))
            except VipError:
                continue
        if not days:
            return
        identity = self.program().get("program")
        start = identity.get("records_from") if isinstance(identity, dict) else None
        try:
            month = ReportMonth.of(parse_date(str(start)))
        except VipError:
            month = ReportMonth.of(min(days)).plus(-1)
        while month < ReportMonth.of(max(days)):
            yield month
            month = month.plus(1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""


@dataclass
class _Runs:
    """The processes that are under way, so that none of them outlives an interruption."""

    stopped: bool = False
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def figures(self, tree: _Tree, wanted: _Wanted) -> pd.DataFrame | str:
        """Let a commit compute figures; where it cannot, give the first line of what it said."""
        path = [str(tree.source)] if tree.source else []
        path += filter(None, [os.environ.get("PYTHONPATH")])
        # Nothing is written into a tree, and no locale changes what is said.
        # Each side counts its own records, and not both of them what the environment names.
        env = {name: value for name, value in os.environ.items() if name != DELIVERIES_VARIABLE}
        env |= {"PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
        command = [sys.executable, "-P", "-c", _COUNT, str(tree.source or ""), "figures", str(wanted.month), "--csv"]
        command += ["--as-of", wanted.as_of] if wanted.as_of else []
        pipe = subprocess.PIPE
        with self.lock:
            if self.stopped:
                return "was stopped"
            process = subprocess.Popen(  # noqa: S603 - this Python, on code of this repository's own history
                command, cwd=tree.root, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
            )
            self.running.add(process)
        try:
            out, said = (part.decode(errors="replace") for part in process.communicate())
        finally:
            with self.lock:
                self.running.discard(process)
        if process.returncode:
            return _first_line(said) or f"it ended with {process.returncode}, and said nothing"
        try:
            return read_figures(out, "what it printed")
        except PublishedError as error:
            return str(error.problems[0])

    def stop(self) -> None:
        """End what is under way, and begin nothing more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()


def _first_line(said: str) -> str:
    """Return the line that says what was wrong: the first one, or the error at the end of a traceback."""
    lines = [line for line in said.splitlines() if line.strip()]
    if any(line.startswith("Traceback ") for line in lines):
        errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(:|$)", line)]
        return errors[-1] if errors else lines[-1]
    return lines[0] if lines else ""


def _of_commits(
    project: Project,
    before: _Revision,
    after: _Revision,
    months: Sequence[ReportMonth],
    every: bool,
    on_step: Callable[[str], None],
) -> Changes:
    top = top_of(project.root)
    runs = _Runs()
    with private_folder("changes") as scratch:
        on_step("Taking the files of both sides")
        folders = (scratch / name for name in ("before", "after"))
        trees = [_tree(project, top, side, folder) for side, folder in zip((before, after), folders, strict=True)]
        if problems := [tree for tree in trees if isinstance(tree, Problem)]:
            return Changes(before.label, after.label, _nothing(), not_compared=tuple(problems))
        sides = [tree for tree in trees if isinstance(tree, _Tree)]
        registers = [tree.published() for tree in sides]
        wanted = _wanted(sides, registers, months, every)
        on_step(f"Computing {len(wanted)} {'issue' if len(wanted) == 1 else 'issues'} on both sides")
        jobs = [(tree, one) for one in wanted for tree in sides]
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            results = list(pool.map(lambda job: runs.figures(*job), jobs))
        except BaseException:
            runs.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
        printed: dict[str, frozenset[str]] = {}
        for tree in sides:
            printed |= {name: periods | printed.get(name, frozenset()) for name, periods in tree.printed().items()}
    found = _Found(before.label, after.label)
    for place, one in enumerate(wanted):
        known = [one.month in {issue.month for issue in register} for register in registers]
        registered = [register.get(one, frozenset()) for register in registers]
        # Asked for by name, a month that is not there is no answer.
        may_be_new = not months and not known[0]
        pair = results[2 * place], results[2 * place + 1]
        if every and not any(known) and all(isinstance(figures, str) for figures in pair):
            continue
        found.add(one, pair, printed, registered[0] | registered[1], may_be_new)
    commits = [side.commit or commit_named(project.root, "HEAD") for side in (before, after)]
    said = messages_between(top, commits[0], commits[1]) if top and commits[0] and commits[1] else []
    return found.changes(said)


def _tree(project: Project, top: Path | None, side: _Revision, folder: Path) -> _Tree | Problem:
    """Return the files of one side: of a commit in a folder of its own, of the working tree where they are."""
    home = top or project.root
    if side.commit is not None:
        # So deep that what a project shares with a folder beside its repository lies in the scratch folder as well.
        files = folder.joinpath(*["of"] * 6)
        files.mkdir(parents=True)
        if not check_out(home, side.commit, files):
            return Problem(side.label, "cannot be taken out of the repository;", "git fsck may say why.")
    else:
        files = home
    root = files / project.root.relative_to(home)
    if not (root / "program.toml").is_file():
        # Above it there may be another project; its figures would be those of another city.
        return Problem(side.label, "has no program.toml at that place, so there is nothing to compute.")
    above = [files, *(files / part for part in _upwards(root.relative_to(files)))]
    source = next((at / "src" for at in reversed(above) if (at / "src" / "viputils" / "__init__.py").is_file()), None)
    tree = _Tree(side.label, root, source)
    if side.commit is not None:
        identity = tree.program().get("program")
        shares = identity.get("shares") if isinstance(identity, dict) else None
        if isinstance(shares, str) and not Path(shares).is_absolute():
            # No figure depends on what is shared; that it is there is asked for.
            shared = Path(os.path.normpath(root / shares))
            if shared.is_relative_to(folder):
                shared.mkdir(parents=True, exist_ok=True)
    return tree


def _upwards(path: Path) -> Iterator[Path]:
    """Yield every folder on the way to a path, from the top, and the path."""
    return (Path(*path.parts[: length + 1]) for length in range(len(path.parts)))


def _wanted(
    sides: Sequence[_Tree],
    registers: Sequence[Mapping[_Wanted, object]],
    months: Sequence[ReportMonth],
    every: bool,
) -> list[_Wanted]:
    """Return what is to be computed: issues as of the day that the register states, others as of their own."""
    registered = {one for register in registers for one in register}
    asked = set(months) or {one.month for one in registered}
    if every:
        asked |= {month for tree in sides for month in tree.months()}
    if not asked:
        raise ParameterError(
            "There is nothing to compare.",
            [
                Problem(
                    "data/published",
                    "holds no issue on either side;",
                    "say which months: --month 2023-11, or --all-months.",
                )
            ],
        )
    wanted = {one for one in registered if one.month in asked}
    wanted |= {_Wanted(month) for month in asked - {one.month for one in wanted}}
    return sorted(wanted)


def _nothing() -> pd.DataFrame:
    return _typed(pd.DataFrame(columns=CHANGES))


@dataclass(frozen=True)
class _Statement:
    """What a commit's message says that it moves; any month and any figure where it says so."""

    commit: str
    which: str
    month: str
    figure: str
    reason: str

    def covers(self, row: Mapping[Any, Any]) -> bool:
        """Return whether a figure is meant: by its key, by its measure, or with all others."""
        month = str(row["issue"]).split(" ", maxsplit=1)[0]
        names = (folded(key_of_row(row)), folded(str(row["measure"])))
        return self.month in ("", month) and (not self.figure or folded(self.figure) in names)


def _statements(messages: Iterable[tuple[str, str]]) -> tuple[list[_Statement], list[str]]:
    """Read what commit messages say that they move; what is not in form says nothing, and that is said."""
    found, notes = [], []
    for commit, message in messages:
        for line in _TRAILER.finditer(message):
            text = " ".join(line[1].split())
            which, reason = (*re.split(r" (?:—|--) ", f"{text} ", maxsplit=1), "")[:2]
            month, _, figure = which.strip().partition(" ")
            month, figure = ("" if part.casefold() == "all" else part.strip() for part in (month, figure))
            if month:
                try:
                    good = bool(which.strip().partition(" ")[2]) and bool(ReportMonth.parse(month))
                except VipError:
                    good = False
            else:
                good = bool(which.strip())
            if good and reason.strip():
                found.append(_Statement(commit[:9], which.strip(), month, figure, reason.strip()))
            else:
                notes.append(f"{commit[:9]} says '{text}', which names nothing and no reason; write: {SAY_SO}.")
    return found, notes


@dataclass
class _Found:
    """What was found out of each issue so far."""

    before: str
    after: str
    tables: list[pd.DataFrame] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    not_compared: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        wanted: _Wanted,
        pair: tuple[pd.DataFrame | str, pd.DataFrame | str],
        printed: Mapping[str, frozenset[str]],
        registered: frozenset[tuple[str, ...]],
        may_be_new: bool,
    ) -> None:
        """Add what both sides computed of one issue, or could not."""
        one, other = pair
        if isinstance(one, str) and not isinstance(other, str) and may_be_new:
            self.notes.append(f"{wanted} is new at {self.after}: {self.before} could not compute it ({one}).")
            return
        for label, figures in ((self.before, one), (self.after, other)):
            if isinstance(figures, str):
                self.not_compared.append(Problem(f"{wanted} at {label}", f"cannot be computed: {figures}"))
        if isinstance(one, str) or isinstance(other, str):
            return
        self.compared.append(str(wanted))
        table = compare(one, other).assign(issue=str(wanted), said="")
        keys = table[KEY].itertuples(index=False, name=None)
        table["printed"] = [key in registered or _is_printed(key, printed) for key in keys]
        self.tables.append(table)

    def changes(self, messages: Iterable[tuple[str, str]]) -> Changes:
        """Return everything that was found, with what the messages say of it."""
        table = _typed(pd.concat(self.tables, ignore_index=True)) if self.tables else _nothing()
        statements, notes = _statements(messages)
        rows = table.to_dict("records")
        meant = [next((each for each in statements if each.covers(row)), None) for row in rows]
        table["said"] = pd.Series([f"{one.reason} ({one.commit})" if one else "" for one in meant], dtype="str")
        for one in statements:
            if not any(one.covers(row) for row in rows):
                notes.append(f"{one.commit} says that it moves {one.which}, which did not move here.")
        return Changes(
            self.before, self.after, table, tuple(self.compared), tuple(self.not_compared), (*self.notes, *notes)
        )
