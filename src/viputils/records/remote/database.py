"""Deliveries in a SQL database: whatever SQLAlchemy opens by an address.

It has a table for each table of program.toml and, where records are withdrawn, one called ``voids``. Each has the
columns of a delivered file, and says of each row when it was ``received``, and with which delivery of that day
(``delivery_number``, 1 where there is no such column). A table ``deliveries`` with ``received``, ``delivery_number``
and ``table_name`` says what came in when, so that a delivery without a row counts too; without it there is a delivery
wherever there are rows. Its column ``salt``, if there is one, holds the salt of each delivery.

Every row is written out as a delivered file has it, so that the same checks see the same rows.
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
# One answer to all questions, whatever is written there meanwhile. SQLite gives it from a transaction's first question.
_UNMOVED: Final = frozenset(["postgresql", "mysql", "mariadb", "mssql"])
_SECONDS_TO_CONNECT: Final = 10
_PROBLEMS_OF_A_TABLE: Final = 20

Key = tuple[str, str]  # The folder of a delivery, and the table.


def offered_files(address: str, shown: str, root: Path, schemas: Mapping[str, Schema]) -> list[Offered]:
    """Read the deliveries in a database.

    Parameters
    ----------
    address
        As SQLAlchemy takes it: ``sqlite:///records.db``, ``postgresql+psycopg://user@server/records``.
    shown
        What messages call it.
    root
        The folder that the file of an SQLite database is relative to.
    schemas
        The tables of the program.

    Raises
    ------
    DeliveryError
        If it cannot be reached; with every table and column that is missing, and every row that does not say when
        it was received.
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
                raise unreadable(shown, f"there is no file {url.database!r};", "name an SQLite database that is there.")
            url = url.set(database=str(there))
        elif url.get_backend_name() == "postgresql":
            options["connect_args"] = {"connect_timeout": _SECONDS_TO_CONNECT}
        engine = sa.create_engine(url, poolclass=sa.NullPool, **options)
        with engine.connect() as connection:
            if engine.dialect.name in _UNMOVED:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            elif engine.dialect.name == "sqlite":
                # Python's driver begins none for questions.
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
            what = f"{number} {'row says it' if number == 1 else 'rows say they'} came with {folder};"
            remedy = f"the table {_LISTED} has no row that says that {name} came with that delivery."
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
    """Return the rows of a table as text, as the database writes it; what is missing is empty."""
    import sqlalchemy as sa

    there = sa.table(table, *(sa.column(column) for column in columns))
    query = sa.select(*(sa.cast(there.c[column], sa.String).label(column) for column in columns))
    for row in connection.execution_options(stream_results=True).execute(query):
        yield {column: "" if value is None else str(value) for column, value in zip(columns, row, strict=True)}


def _folder(row: Mapping[str, str], where: str, problems: list[Problem]) -> str | None:
    """Return the folder that the delivery of a row would lie in, or say what is wrong."""
    text, number = row[_RECEIVED].strip(), row.get(_NUMBER, "1").strip()
    try:
        day = parse_date(text)
    except ParameterError:
        what = f"{_RECEIVED} is {text!r};" if text else f"{_RECEIVED} is missing;"
        problems.append(Problem(where, what, "every row says on which day it came in, YYYY-MM-DD."))
        return None
    if not re.fullmatch(r"[1-9][0-9]?", number):
        problems.append(Problem(where, f"{_NUMBER} is {number!r};", "it is 1 for the first delivery of a day, then 2."))
        return None
    return day.isoformat() if number == "1" else f"{day}-{number}"


def _listed(
    rows: Iterable[Mapping[str, str]],
    shown: str,
    known: Mapping[str, Schema],
    salts: dict[str, str],
    problems: list[Problem],
) -> set[Key]:
    """Return what came in when, as the database lists it; the salts of deliveries are added to those given."""
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
    """Add the salt of a delivery, or a problem if it has another one already or the text is no salt."""
    if not salt:
        return
    if not is_salt(salt):
        problems.append(Problem(where, f"{_SALT} is no salt;", "it has 64 hexadecimal digits, in small letters."))
    elif salts.setdefault(folder, salt) != salt:
        problems.append(Problem(where, f"{folder} has another {_SALT} in another row;", "a delivery has one."))


def _content(columns: list[str], rows: list[list[str]]) -> bytes:
    """Write the rows of a delivery as a file, in an order that no database decides."""
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
