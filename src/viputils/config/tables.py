"""What each raw table must hold: its columns in a file, and their types once clean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from viputils.config.program import Column, Program, Table
from viputils.core.errors import Problem, nearest

# Where each row came from. They ride along from the raw file to the clean table.
RECEIVED: Final = "received"
DELIVERY: Final = "delivery"
FILE: Final = "file"
LINE: Final = "line"
# Between the parts of an id that several columns form.
JOINED_BY: Final = "--"
ORIGIN: Final = (RECEIVED, DELIVERY, FILE, LINE)


@dataclass(frozen=True)
class Schema:
    """One raw table. The id comes first in ``columns``, then the columns in program.toml's order.

    ``optional`` are columns that a file may lack, all of them together.
    """

    name: str
    table: Table
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that a file of this table has, the id first."""
        return [self.table.id, *self.table.columns]

    @property
    def without_optional(self) -> Schema:
        """The schema of files that lack the optional columns."""
        columns = {name: rule for name, rule in self.table.columns.items() if name not in self.optional}
        return Schema(self.name, self.table.model_copy(update={"columns": columns}))

    @property
    def headed(self) -> list[str]:
        """The columns that the files of agencies have headings for."""
        return list(self.table.columns) if self.table.id_is_made else self.columns

    @property
    def codes(self) -> list[str]:
        """The columns that have the ids and codes of records and people."""
        if self is VOIDS:  # What a void names must be written as it is, which is checked.
            return []
        own = [] if self.table.id_is_made else [self.table.id]
        return [*own, *(name for name, rule in self.table.columns.items() if rule.type == "code")]

    def header_problems(self, header: list[str], where: str) -> list[Problem]:
        """Return what is wrong with a file's header: columns missing, repeated or not known. Their order is free."""
        lacks_all = not any(column in header for column in self.optional)
        problems = [
            Problem(where, f"the column '{column}' is missing;", f"a {self.name} file has: {', '.join(self.columns)}.")
            for column in self.columns
            if column not in header and not (lacks_all and column in self.optional)
        ]
        seen: set[str] = set()
        for column in header:
            if column in seen:
                problems.append(Problem(where, f"the column '{column}' stands there twice;", "keep one of them."))
            elif column not in self.columns:
                problems.append(
                    Problem(
                        where,
                        f"the column {column!r} is not part of this table;",
                        nearest(column, self.columns) or f"a {self.name} file has: {', '.join(self.columns)}.",
                    )
                )
            seen.add(column)
        return problems


# A file that withdraws records of the other tables, by their id or by their file and line. Every project has this one,
# so it is not in program.toml.
VOIDS: Final = Schema(
    "voids",
    Table(
        title="Withdrawn records",
        id="void_id",
        date="voided_date",
        # Every void holds. One that happens to have the number of an older one must not bring a record back.
        one_row_per_id=False,
        columns={
            "voided_date": Column(type="date"),
            "voided_table": Column(type="code"),
            "voided_id": Column(type="code", required=False),
            "voided_file": Column(type="text", required=False),
            "voided_line": Column(type="count", required=False),
            "reason": Column(type="text", required=False),
        },
    ),
    optional=("voided_file", "voided_line", "reason"),
)


def schemas_of(program: Program) -> dict[str, Schema]:
    """Return the schema of every table that a program keeps, in program.toml's order."""
    return {name: Schema(name, table) for name, table in program.tables.items()}
