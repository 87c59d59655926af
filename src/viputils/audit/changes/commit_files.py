"""The files of a commit: its program, its register and its deliveries, read without that commit's code."""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from viputils.audit.register import INDEX, IssueName
from viputils.config.project import Project
from viputils.core.encoding import decoded
from viputils.core.errors import ParameterError, Problem, VipError
from viputils.core.git import check_out
from viputils.core.months import IssuePeriod, ReportMonth, parse_date
from viputils.figures.counts import KEY

# The scratch folder must also contain what a project shares with a folder beside its repository.
_DEPTH: Final = 6


@dataclass(frozen=True)
class Revision:
    """A commit, or the working tree if ``commit`` is none."""

    label: str
    commit: str | None


class Wanted(NamedTuple):
    """The figures to compute: of a period, as of the date in the register or, if empty, as of its own."""

    period: IssuePeriod
    as_of: str = ""

    def __str__(self) -> str:
        return f"{self.period} as of {self.as_of}" if self.as_of else str(self.period)


@dataclass(frozen=True)
class Tree:
    """The files of a commit: the folder of the project, and the folder of its code if the commit contains any.

    A file that cannot be read counts as empty: the commit's own code reports what is wrong with it.
    """

    label: str
    root: Path
    source: Path | None

    def program(self) -> dict[str, Any]:
        """Return the content of program.toml."""
        try:
            return tomllib.loads(decoded((self.root / "program.toml").read_bytes()).replace("\r\n", "\n"))
        except (OSError, ValueError):
            return {}

    def identity(self) -> dict[str, Any]:
        """Return the table ``[program]`` of program.toml."""
        found = self.program().get("program")
        return found if isinstance(found, dict) else {}

    def printed(self) -> dict[str, frozenset[str]]:
        """Return the periods for which an issue prints each measure."""
        found = {}
        measures = self.program().get("measures")
        for name, measure in measures.items() if isinstance(measures, dict) else ():
            periods = measure.get("printed", []) if isinstance(measure, dict) else []
            found[name] = frozenset(period for period in periods if isinstance(period, str))
        return found

    def published(self) -> dict[Wanted, frozenset[tuple[str, ...]]]:
        """Return the issues of the register, each as of its stated date, with the keys of their figures."""
        folder = self.root / "data" / "published"
        days = {}
        for row in _rows(folder / INDEX):
            try:
                days[row.get("issue")] = parse_date(row.get("as_of") or "").isoformat()
            except VipError:
                continue
        found: dict[Wanted, frozenset[tuple[str, ...]]] = {}
        for path in sorted(folder.glob("*.csv")):
            try:
                name = IssueName.parse(path.stem)
            except VipError:
                continue
            wanted = Wanted(name.period, days.get(str(name), ""))
            keys = frozenset(tuple(row.get(part) or "" for part in KEY) for row in _rows(path))
            found[wanted] = found.get(wanted, frozenset()) | keys
        return found

    def months(self) -> Iterator[ReportMonth]:
        """Yield every month that may have records: from the start of the records to the newest delivery."""
        days = []
        for folder in (self.root / "data" / "raw").glob("*"):
            try:
                days.append(parse_date(folder.name[:10]))
            except VipError:
                continue
        if not days:
            return
        try:
            month = ReportMonth.of(parse_date(str(self.identity().get("records_from"))))
        except VipError:
            month = ReportMonth.of(min(days)).plus(-1)
        while month < ReportMonth.of(max(days)):
            yield month
            month = month.plus(1)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return
    yield from csv.DictReader(io.StringIO(text, newline=""))


def tree_of(project: Project, top: Path | None, side: Revision, folder: Path) -> Tree | Problem:
    """Return the files of one side: a commit is checked out into ``folder``, the working tree is read in place.

    Parameters
    ----------
    top
        The top folder of the repository, if the project is in one.
    """
    home = top or project.root
    files = home
    if side.commit is not None:
        files = folder.joinpath(*["of"] * _DEPTH)
        files.mkdir(parents=True)
        if not check_out(home, side.commit, files):
            return Problem(side.label, "cannot be checked out of the repository;", "run git fsck to find out why.")
    root = files / project.root.relative_to(home)
    if not (root / "program.toml").is_file():
        # A folder above may have another project, with the figures of another city.
        return Problem(side.label, "has no program.toml at that place, so there is nothing to compute.")
    tree = Tree(side.label, root, _source_of(root, files))
    if side.commit is not None:
        _make_shared_folder(tree, folder)
    return tree


def _source_of(root: Path, files: Path) -> Path | None:
    """Return the folder of the code nearest to a project, at or above it."""
    above = [files, *(files / part for part in _upwards(root.relative_to(files)))]
    return next((at / "src" for at in reversed(above) if (at / "src" / "viputils" / "__init__.py").is_file()), None)


def _upwards(path: Path) -> Iterator[Path]:
    return (Path(*path.parts[: length + 1]) for length in range(len(path.parts)))


def _make_shared_folder(tree: Tree, folder: Path) -> None:
    """Make the folder that the project shares: no figure depends on its files, but the code requires the folder."""
    shares = tree.identity().get("shares")
    if isinstance(shares, str) and not Path(shares).is_absolute():
        shared = Path(os.path.normpath(tree.root / shares))
        if shared.is_relative_to(folder):
            shared.mkdir(parents=True, exist_ok=True)


def wanted_figures(
    sides: Sequence[Tree],
    registers: Sequence[Mapping[Wanted, object]],
    months: Sequence[ReportMonth],
    every: bool,
) -> list[Wanted]:
    """Return the figures to compute: of some months, or of those in a register, or of every month with records.

    Raises
    ------
    ParameterError
        If no month is asked for and neither register has an issue.
    """
    registered = {one for register in registers for one in register}
    asked: set[IssuePeriod] = set(months) or {one.period for one in registered}
    if every:
        asked |= {month for tree in sides for month in tree.months()}
    if not asked:
        problem = Problem(
            "data/published", "has no issue on either side;", "name the months: --month 2023-11, or --all-months."
        )
        raise ParameterError("There is nothing to compare.", [problem])
    wanted = {one for one in registered if one.period in asked}
    wanted |= {Wanted(month) for month in asked - {one.period for one in wanted}}
    return sorted(wanted, key=lambda one: (str(one.period), one.as_of))
