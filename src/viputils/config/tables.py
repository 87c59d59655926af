"""The columns of each raw table, and their types after cleaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from viputils.config.program import Column, Program, Table
from viputils.core.errors import Problem, nearest

# The origin of each row. Rows keep it from the raw file to the clean table.
RECEIVED: Final = "received"
DELIVERY: Final = "delivery"
FILE: Final = "file"
LINE: Final = "line"
# Separates the parts of an id made from several columns.
JOINED_BY: Final = "--"
ORIGIN: Final = (RECEIVED, DELIVERY, FILE, LINE)


@dataclass(frozen=True)
class Schema:
    """A raw table. ``columns`` starts with the id, followed by the columns in the order of program.toml.

    A file has either all of the ``optional`` columns or none of them.
    """

    name: str
    table: Table
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns of a file of this table, starting with the id."""
        return [self.table.id, *self.table.columns]

    @property
    def without_optional(self) -> Schema:
        """The schema of files without the optional columns."""
        columns = {name: rule for name, rule in self.table.columns.items() if name not in self.optional}
        return Schema(self.name, self.table.model_copy(update={"columns": columns}))

    @property
    def headed(self) -> list[str]:
        """The columns that have headings in agency files."""
        return list(self.table.columns) if self.table.id_is_made else self.columns

    @property
    def codes(self) -> list[str]:
        """The columns with ids and codes of records and people."""
        if self is VOIDS:  # Voids must use the exact spelling of ids, which is checked elsewhere.
            return []
        own = [] if self.table.id_is_made else [self.table.id]
        return [*own, *(name for name, rule in self.table.columns.items() if rule.type == "code")]

    def header_problems(self, header: list[str], where: str) -> list[Problem]:
        """Return the problems of a file header: missing, repeated or unknown columns. Any order is allowed."""
        lacks_all = not any(column in header for column in self.optional)
        problems = [
            Problem(where, f"the column '{column}' is missing;", f"a {self.name} file has: {', '.join(self.columns)}.")
            for column in self.columns
            if column not in header and not (lacks_all and column in self.optional)
        ]
        seen: set[str] = set()
        for column in header:
            if column in seen:
                problems.append(Problem(where, f"the column '{column}' is repeated;", "keep one of them."))
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


# The table of voids, which withdraw records of other tables by id, or by file and line. Every project has it, so it is
# not in program.toml.
VOIDS: Final = Schema(
    "voids",
    Table(
        title="Withdrawn records",
        id="void_id",
        date="voided_date",
        # Every void counts, even if a newer void reuses its id.
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
    """Return the schema of every table of a program, in the order of program.toml."""
    return {name: Schema(name, table) for name, table in program.tables.items()}
