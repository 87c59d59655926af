"""Changes: the figures that differ between two issues, or between what the code and data of two commits compute.

Commits are compared through the command line: each computes its own figures from its own data, in a temporary folder.
Only printed figures decide. A commit that moves one on purpose says so in its message::

    Moves-figure: 2023-11 responses_by_incident_type/Homicide/month -- "HOM." was not known as a homicide
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from viputils.audit.changes.commit_files import Revision, Tree, Wanted, tree_of, wanted_figures
from viputils.audit.changes.commit_runs import run_all
from viputils.audit.changes.figure_tables import compare, is_printed, read_figures
from viputils.audit.changes.messages import read_statements
from viputils.audit.changes.result import Changes, nothing, typed
from viputils.audit.register import IssueName, read_register
from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem, PublishedError, VipError
from viputils.core.files import private_folder
from viputils.core.git import commit_named, messages_between, top_of
from viputils.core.months import ReportMonth
from viputils.core.text import capital, plural
from viputils.figures.counts import KEY


def find_changes(
    project: Project,
    before: str,
    after: str,
    months: Sequence[ReportMonth] = (),
    every: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Changes:
    """Compare two issues, or the figures of two commits.

    Parameters
    ----------
    before, after
        Two issues: of the register (``2023-11``, ``2023-11-r1``), a folder with a figures.csv, or such a file. Or two
        commits: an id, a tag, a branch, or ``.`` for the working tree.
    months
        Of commits, the months to compare; by default those in either register.
    every
        Of commits, compare every month with records on either side.

    Raises
    ------
    ParameterError, PublishedError
        If a side does not exist, or one is an issue and the other a commit.
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
        case [_Issue() as one, _Issue() as other]:
            if months or every:
                wanted = Problem("--month, --all-months", "are about commits;", "leave them out to compare issues.")
                raise ParameterError("Two issues have no other months.", [wanted])
            return _compare_issues(project, one, other)
        case [Revision() as one, Revision() as other]:
            return _compare_commits(project, one, other, months, every, on_step)
    raise ParameterError(
        "An issue cannot be compared with a commit.",
        [
            Problem(
                f"{before}, {after}",
                "are of two kinds;",
                "compare two issues or two commits. To compare an issue with what is computed now, use vip verify.",
            )
        ],
    )


@dataclass(frozen=True)
class _Issue:
    """One issue: its figures, and the keys of those in the register."""

    label: str
    table: pd.DataFrame
    registered: frozenset[tuple[str, ...]] = frozenset()


def _read_side(project: Project, text: str) -> _Issue | Revision:
    if text == ".":
        return Revision("the working tree", None)
    if (issue := _issue_in_register(project, text) or _issue_in_file(text)) is not None:
        return issue
    commit = commit_named(project.root, text)
    if commit is not None:
        return Revision(text if commit.startswith(text) else f"{text} ({commit[:9]})", commit)
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


def _issue_in_register(project: Project, text: str) -> _Issue | None:
    try:
        name = IssueName.parse(text)
    except ParameterError:
        return None
    if not (project.published / f"{name}.csv").is_file():
        return None
    figures = read_register(project).issue(name).figures
    return _Issue(capital(name.label), figures, frozenset(figures[KEY].itertuples(index=False, name=None)))


def _issue_in_file(text: str) -> _Issue | None:
    path = Path(text)
    path = path / "figures.csv" if (path / "figures.csv").is_file() else path
    if path.suffix != ".csv" or not path.is_file():
        return None
    try:
        return _Issue(text, read_figures(path.read_text(encoding="utf-8-sig"), text))
    except UnicodeDecodeError:
        raise PublishedError("Figures cannot be read.", [Problem(text, "is not UTF-8;", "save it as UTF-8.")]) from None


def _compare_issues(project: Project, before: _Issue, after: _Issue) -> Changes:
    found = compare(before.table, after.table).assign(issue="", said="")
    printed = {name: frozenset(measure.printed) for name, measure in project.program.measures.items()}
    found["printed"] = [
        is_printed(row, printed) or row in before.registered | after.registered
        for row in found[KEY].itertuples(index=False, name=None)
    ]
    return Changes(before.label, after.label, typed(found), (f"{before.label}, {after.label}",))


def _compare_commits(
    project: Project,
    before: Revision,
    after: Revision,
    months: Sequence[ReportMonth],
    every: bool,
    on_step: Callable[[str], None],
) -> Changes:
    top = top_of(project.root)
    with private_folder("changes") as scratch:
        on_step("Checking out both sides")
        folders = (scratch / name for name in ("before", "after"))
        trees = [tree_of(project, top, side, folder) for side, folder in zip((before, after), folders, strict=True)]
        if problems := [tree for tree in trees if isinstance(tree, Problem)]:
            return Changes(before.label, after.label, nothing(), not_compared=tuple(problems))
        sides = [tree for tree in trees if isinstance(tree, Tree)]
        registers = [tree.published() for tree in sides]
        wanted = wanted_figures(sides, registers, months, every)
        on_step(f"Computing {plural(len(wanted), 'issue')} on both sides")
        results = run_all([(tree, one) for one in wanted for tree in sides])
        printed = _printed_on_either(sides)
    found = _Found(before.label, after.label, printed)
    for place, one in enumerate(wanted):
        known = [one.period in {issue.period for issue in register} for register in registers]
        registered = registers[0].get(one, frozenset()) | registers[1].get(one, frozenset())
        # A month that was asked for by name must be computed on both sides.
        may_be_new = not months and not known[0]
        pair = results[2 * place], results[2 * place + 1]
        if every and not any(known) and all(isinstance(figures, str) for figures in pair):
            continue
        found.add(one, pair, registered, may_be_new)
    commits = [side.commit or commit_named(project.root, "HEAD") for side in (before, after)]
    messages = messages_between(top, commits[0], commits[1]) if top and commits[0] and commits[1] else []
    return found.changes(messages)


def _printed_on_either(sides: Iterable[Tree]) -> dict[str, frozenset[str]]:
    """Return the periods for which either side prints each measure."""
    printed: dict[str, frozenset[str]] = {}
    for tree in sides:
        printed |= {name: periods | printed.get(name, frozenset()) for name, periods in tree.printed().items()}
    return printed


@dataclass
class _Found:
    """The changes found so far, issue by issue."""

    before: str
    after: str
    printed: Mapping[str, frozenset[str]]
    tables: list[pd.DataFrame] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    not_compared: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        wanted: Wanted,
        pair: tuple[pd.DataFrame | str, pd.DataFrame | str],
        registered: frozenset[tuple[str, ...]],
        may_be_new: bool,
    ) -> None:
        """Add the figures of one issue on both sides, or the error messages."""
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
        table["printed"] = [key in registered or is_printed(key, self.printed) for key in keys]
        self.tables.append(table)

    def changes(self, messages: Iterable[tuple[str, str]]) -> Changes:
        """Return all changes, with the reasons that the commit messages give."""
        table = typed(pd.concat(self.tables, ignore_index=True)) if self.tables else nothing()
        statements, notes = read_statements(messages)
        rows = table.to_dict("records")
        meant = [next((each for each in statements if each.covers(row)), None) for row in rows]
        table["said"] = pd.Series([f"{one.reason} ({one.commit})" if one else "" for one in meant], dtype="str")
        for one in statements:
            if not any(one.covers(row) for row in rows):
                notes.append(f"{one.commit} says that it moves {one.which}, which did not move here.")
        return Changes(
            self.before, self.after, table, tuple(self.compared), tuple(self.not_compared), (*self.notes, *notes)
        )
