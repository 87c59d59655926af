"""Read deliveries from a SQL database, of any kind that SQLAlchemy can open.

The database has a table for each table of program.toml and, if records are withdrawn, a table ``voids``. Each table has
the columns of a delivered file. Two more columns tell the day on which a row was ``received``, and the number of the
delivery on that day (``delivery_number``; 1 if there is no such column). An optional table ``deliveries`` with the
columns ``received``, ``delivery_number`` and ``table_name`` lists all deliveries, so that a delivery can have no rows.
Its optional column ``salt`` contains the salt of each delivery.

Rows are written to the same files as in other deliveries, so the same checks apply.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from viputils.config.tables import VOIDS, Schema
from viputils.core.errors import DeliveryError, ParameterError, Problem, nearest
from viputils.core.months import parse_date
from viputils.core.spreadsheet import inert
from viputils.records.checksums import CHECKSUMS, checksums_text, is_salt
from viputils.records.remote.mirror import Offered, not_installed, unreachable, unreadable

_RECEIVED: Final = "received"
_NUMBER: Final = "delivery_number"
_LISTED: Final = "deliveries"
_TABLE: Final = "table_name"
_SALT: Final = "salt"
# All queries must see the same state of the database. In SQLite, a transaction is enough.
_UNMOVED: Final = frozenset(["postgresql", "mysql", "mariadb", "mssql"])
_SECONDS_TO_CONNECT: Final = 10
_PROBLEMS_OF_A_TABLE: Final = 20

Key = tuple[str, str]  # The folder of a delivery, and the table.


def offered_files(address: str, shown: str, root: Path, schemas: Mapping[str, Schema]) -> list[Offered]:
    """Read the deliveries in a database.

    Parameters
    ----------
    address
        An address for SQLAlchemy: ``sqlite:///records.db``, ``postgresql+psycopg://user@server/records``.
    shown
        The address as messages show it.
    root
        The folder that the path of an SQLite file is relative to.
    schemas
        The tables of the program.

    Raises
    ------
    DeliveryError
        If the database cannot be reached, a table or column is missing, or a row has no valid day of receipt. Lists all
        of them.
    """
    try:
        import sqlalchemy as sa
    except ImportError:
        raise not_installed(shown, "SQLAlchemy") from None
    try:
        url = sa.make_url(address)
        options: dict[str, Any] = {}
        if url.get_backend_name() == "sqlite":
            there = root / (url.database or "")
            if not there.is_file():
                raise unreadable(
                    shown, f"there is no file {url.database!r};", "give the path of an SQLite database that exists."
                )
            url = url.set(database=str(there))
        elif url.get_backend_name() == "postgresql":
            options["connect_args"] = {"connect_timeout": _SECONDS_TO_CONNECT}
        engine = sa.create_engine(url, poolclass=sa.NullPool, **options)
        with engine.connect() as connection:
            if engine.dialect.name in _UNMOVED:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            elif engine.dialect.name == "sqlite":
                # Python's driver starts no transaction for a query.
                connection.exec_driver_sql("BEGIN")
            return _read(connection, shown, schemas)
    except (sa.exc.SQLAlchemyError, ImportError, OSError, ValueError) as error:
        cause = getattr(error, "orig", None) or error
        lacks_package = isinstance(error, (ImportError, sa.exc.NoSuchModuleError))
        raise unreachable(shown, address, cause, lacks_package) from None


def _read(connection: Any, shown: str, schemas: Mapping[str, Schema]) -> list[Offered]:
    """Read every table in one transaction."""
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    names = [*inspector.get_table_names(), *inspector.get_view_names()]
    problems: list[Problem] = []
    every = {**schemas, VOIDS.name: VOIDS}
    found: dict[str, list[str]] = {}
    for name, schema in every.items():
        if name in names:
            columns = [str(column["name"]) for column in inspector.get_columns(name)]
            wanted = [*schema.columns, _RECEIVED]
            problems += _column_problems(shown, name, wanted, columns)
            found[name] = [*wanted, *(one for one in (_NUMBER,) if one in columns)]
        elif schema is not VOIDS:
            remedy = nearest(name, names) or f"it has: {', '.join(sorted(names)) or 'none'}."
            problems.append(Problem(f"{shown}, {name}", "there is no such table;", remedy))
    listed: list[str] | None = None
    if _LISTED in names:
        columns = [str(column["name"]) for column in inspector.get_columns(_LISTED)]
        problems += _column_problems(shown, _LISTED, [_RECEIVED, _TABLE], columns)
        listed = [_RECEIVED, _TABLE, *(one for one in (_NUMBER, _SALT) if one in columns)]
    if problems:
        raise DeliveryError("The database lacks tables of this program.", problems)

    salts: dict[str, str] = {}
    came = None if listed is None else _listed(_rows(connection, _LISTED, listed), shown, every, salts, problems)
    files: dict[Key, list[list[str]]] = {key: [] for key in came or ()}
    for name, columns in found.items():
        unlisted: dict[str, int] = {}
        wrong: list[Problem] = []
        for row in _rows(connection, name, columns):
            where = f"{shown}, {name}, {columns[0]} {row[columns[0]]!r}"
            folder = _folder(row, where, wrong)
            if folder is not None and came is not None and (folder, name) not in came:
                unlisted[folder] = unlisted.get(folder, 0) + 1
            elif folder is not None:
                files.setdefault((folder, name), []).append([inert(row[column]) for column in every[name].columns])
        problems += wrong[:_PROBLEMS_OF_A_TABLE]
        if len(wrong) > _PROBLEMS_OF_A_TABLE:
            more = f"{len(wrong) - _PROBLEMS_OF_A_TABLE} more rows are like these."
            problems.append(Problem(f"{shown}, {name}", more))
        for folder, number in sorted(unlisted.items()):
            what = f"{number} {'row is' if number == 1 else 'rows are'} of the delivery {folder};"
            remedy = f"the table {_LISTED} has no row for {name} and that delivery. Add one."
            problems.append(Problem(f"{shown}, {name}", what, remedy))
    if problems:
        raise DeliveryError("The deliveries are invalid.", problems)
    contents = {key: _content(every[key[1]].columns, rows) for key, rows in sorted(files.items())}
    offered = [_offered(folder, f"{table}.csv", content) for (folder, table), content in contents.items()]
    for folder, salt in sorted(salts.items()):
        sums = {f"{key[1]}.csv": _sum(content) for key, content in contents.items() if key[0] == folder}
        offered.append(_offered(folder, CHECKSUMS, checksums_text(sums, salt=salt).encode()))
    return offered


def _column_problems(shown: str, table: str, wanted: Iterable[str], columns: list[str]) -> list[Problem]:
    return [
        Problem(
            f"{shown}, {table}",
            f"the column '{column}' is missing;",
            nearest(column, columns) or f"it has: {', '.join(columns)}.",
        )
        for column in wanted
        if column not in columns
    ]


def _rows(connection: Any, table: str, columns: list[str]) -> Iterable[Mapping[str, str]]:
    """Yield the rows of a table, with values as the text that the database makes of them. A missing value is empty."""
    import sqlalchemy as sa

    there = sa.table(table, *(sa.column(column) for column in columns))
    query = sa.select(*(sa.cast(there.c[column], sa.String).label(column) for column in columns))
    for row in connection.execution_options(stream_results=True).execute(query):
        yield {column: "" if value is None else str(value) for column, value in zip(columns, row, strict=True)}


def _folder(row: Mapping[str, str], where: str, problems: list[Problem]) -> str | None:
    """Return the name of the folder for the delivery of a row, or add a problem and return None."""
    text, number = row[_RECEIVED].strip(), row.get(_NUMBER, "1").strip()
    try:
        day = parse_date(text)
    except ParameterError:
        what = f"{_RECEIVED} is {text!r};" if text else f"{_RECEIVED} is missing;"
        problems.append(Problem(where, what, "every row needs the day on which it was received, YYYY-MM-DD."))
        return None
    if not re.fullmatch(r"[1-9][0-9]?", number):
        problems.append(
            Problem(where, f"{_NUMBER} is {number!r};", "write 1 for the first delivery of a day, 2 for the next.")
        )
        return None
    return day.isoformat() if number == "1" else f"{day}-{number}"


def _listed(
    rows: Iterable[Mapping[str, str]],
    shown: str,
    known: Mapping[str, Schema],
    salts: dict[str, str],
    problems: list[Problem],
) -> set[Key]:
    """Return the listed deliveries with their tables, and add their salts to ``salts``."""
    came = set()
    for row in rows:
        where = f"{shown}, {_LISTED}, {_TABLE} {row[_TABLE]!r}"
        if row[_TABLE] not in known:
            remedy = nearest(row[_TABLE], known) or f"known: {', '.join(known)}."
            problems.append(Problem(where, "is not a table of this program;", remedy))
        folder = _folder(row, where, problems)
        if folder is not None:
            came.add((folder, row[_TABLE]))
            _add_salt(salts, folder, row.get(_SALT, ""), where, problems)
    return came


def _add_salt(salts: dict[str, str], folder: str, salt: str, where: str, problems: list[Problem]) -> None:
    """Add the salt of a delivery. If the text is not a salt, or the delivery has another one, add a problem."""
    if not salt:
        return
    if not is_salt(salt):
        problems.append(Problem(where, f"{_SALT} is not a salt;", "a salt has 64 hexadecimal digits, in lower case."))
    elif salts.setdefault(folder, salt) != salt:
        problems.append(Problem(where, f"{folder} has another {_SALT} in another row;", "a delivery has only one."))


def _content(columns: list[str], rows: list[list[str]]) -> bytes:
    """Return the rows of a delivery as a CSV file, sorted, because a database can return them in any order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(sorted(rows))
    return text.getvalue().encode()


def _offered(folder: str, name: str, content: bytes) -> Offered:
    return Offered(folder, name, _sum(content), partial(_write, content))


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(content: bytes, target: Path) -> None:
    target.write_bytes(content)
