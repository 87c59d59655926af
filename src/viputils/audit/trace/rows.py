"""Every received row, whatever its status, and whether it fits the rules of a measure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from viputils.audit.record_history import origin, voids_of
from viputils.config.program import Distinct, Measure, Program, Sum
from viputils.config.tables import DELIVERY, FILE, LINE, Schema, schemas_of
from viputils.core.errors import BalanceError
from viputils.core.months import IssuePeriod, ReportMonth, Span
from viputils.figures.counts import FigureKey, compute_figures, counted, span_of
from viputils.records.account import DUPLICATE, KEPT, QUARANTINED
from viputils.records.clean import Records, typed_rows
from viputils.records.crosswalks import as_counted

PLACE: Final = ("table", "id", "date", "file", "line")

# Some of the index that all parts of a `Table` share.
Rows = pd.Index
# Older rows, each with the current row of its record, missing if there is none.
Pairs = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Table:
    """Every received row of one table.

    Attributes
    ----------
    raw, typed, id, status
        The rows as text and as read, their ids and statuses; all with one index.
    kept
        The index of the rows that were kept, in the order of the clean table's rows.
    """

    records: Records
    schema: Schema
    raw: pd.DataFrame
    typed: pd.DataFrame
    id: pd.Series
    status: pd.Series
    kept: Rows

    @property
    def date(self) -> pd.Series:
        """The day that places each row in a month."""
        return self.typed[self.schema.table.date]

    def written(self, column: str, rows: Rows | None = None) -> pd.Series:
        """Return the texts of a column, with one blank between words."""
        texts = self.raw[column] if rows is None else self.raw[column].loc[rows]
        # Millions of rows hold few different texts.
        texts = texts.astype("category")
        different = pd.Series(texts.cat.categories, dtype="str").str.split().str.join(" ")
        return different.take(texts.cat.codes.to_numpy()).set_axis(texts.index)

    def said(self, rows: Rows) -> pd.DataFrame:
        """Return rows as texts, the id first: values that were read, and in quotes those that were not."""
        shown = [self.id.loc[rows].astype("str").to_numpy()]
        for column in self.schema.table.columns:
            value, text = self.typed[column].loc[rows], self.written(column, rows)
            unread = ("'" + text + "'").where(text.ne(""), "(empty)")
            shown.append(value.astype("str").where(value.notna(), unread).to_numpy())
        texts = dict(zip(self.schema.columns, shown, strict=True))
        return pd.DataFrame(texts, index=rows, dtype="str")

    def differences(self, pairs: Pairs) -> list[list[tuple[str, str, str]]]:
        """Return, for each pair of rows, the fields that differ with their old and new value."""
        if not pairs:
            return []
        fields = self.schema.columns[1:]
        sides = [pd.Index([int(pair[side]) for pair in pairs], dtype="int64") for side in (0, 1)]
        old, new = (self.said(rows)[fields].to_numpy().tolist() for rows in sides)
        return [
            [one for one in zip(fields, was, now, strict=True) if one[1] != one[2]]
            for was, now in zip(old, new, strict=True)
        ]

    def where(self, row: float) -> str:
        """Return the file and line of a row in words."""
        return f"{self.raw[FILE].loc[row]}, line {self.raw[LINE].loc[row]}"

    def by_place(self, rows: Rows) -> Iterable[tuple[int, tuple[str, int]]]:
        """Return each row with its file and line."""
        return zip(rows, zip(self.raw[FILE].loc[rows], self.raw[LINE].loc[rows], strict=True), strict=True)

    def places(self, rows: Rows) -> pd.DataFrame:
        """Return the table, id, date, file and line of rows; an unreadable date as it was written."""
        day, written = self.date.loc[rows], self.written(self.schema.table.date, rows)
        found = {
            "id": self.id.loc[rows].astype("str"),
            "date": day.dt.strftime("%Y-%m-%d").astype("str").where(day.notna(), written),
            "file": self.raw[FILE].loc[rows].astype("str"),
            "line": self.raw[LINE].loc[rows].astype("int64"),
        }
        return pd.DataFrame(found, index=rows).assign(table=self.schema.name)[list(PLACE)]

    def standing(self, rows: Rows) -> pd.Series:
        """Return the current row of the record of each row, kept or in quarantine; missing if there is none."""
        ids = self.id.loc[rows]
        stands = self.id.loc[self.status.isin([KEPT, QUARANTINED]) & self.id.isin(set(ids)) & self.id.ne("")]
        stands = stands.drop_duplicates()
        return ids.map(pd.Series(stands.index, index=stands.to_numpy())).astype("float64")

    def void_of(self, row: float, until: float = float("inf")) -> str:
        """Return the file and line of the first void that withdrew a row before the delivery ``until``, if any."""
        voids = voids_of(self.records, self.schema.name, self.id.loc[row], self.raw, row)
        voids = voids.loc[voids[DELIVERY].lt(until)]
        return "" if voids.empty else f"{voids[FILE].iloc[0]}, line {voids[LINE].iloc[0]}"

    def now_say(self, pairs: Pairs) -> dict[int, str]:
        """Return why older rows do not count: the changes in the current row of each, if there is one."""
        stand = [pair for pair in pairs if not pd.isna(pair[1])]
        different = dict(zip((row for row, _ in stand), self.differences(stand), strict=True))
        said = {}
        for row, stands in pairs:
            if row not in different:
                said[row] = self._why_gone(row)
            elif self.status.loc[stands] == QUARANTINED:
                said[row] = f"the row that replaced it is in quarantine ({self.where(stands)})"
            else:
                now = "; ".join(f"{field} {old} → {new}" for field, old, new in different[row])
                said[row] = f"replaced: {now} ({self.where(stands)})"
        return said

    def _why_gone(self, row: int) -> str:
        if void := self.void_of(row):
            return f"withdrawn by a void ({void})"
        newest = self.records.received.tables[self.schema.name].delivered[-1]
        return f"no longer in the snapshot ({self.records.received.deliveries[newest].name_of(self.schema.name)})"

    def what_they_were(self, pairs: Pairs) -> list[str]:
        """Return how older and repeated rows relate to the current rows of their records, if they do."""
        return [
            self._what_it_was(row, stands, different)
            for (row, stands), different in zip(pairs, self.differences(pairs), strict=True)
        ]

    def _what_it_was(self, row: int, stands: float, different: list[tuple[str, str, str]]) -> str:
        if self.status.loc[row] == DUPLICATE:
            # A repeat of an older row says nothing about the current one.
            return "" if different else f"repeated on {self.where(row)}"
        if different:
            said = ", ".join(f"{field} {old}" for field, old, _ in different)
            return f"replaced {self.where(row)}, which said {said}"
        if void := self.void_of(row, self.raw[DELIVERY].loc[stands]):
            return f"sent again after {self.where(row)}, was withdrawn ({void})"
        return f"says again what {self.where(row)}, said"


def table_of(records: Records, name: str) -> Table:
    """Return every received row of a table."""
    schema, raw, ledger = schemas_of(records.program)[name], records.received.tables[name], records.tables[name].ledger
    kept = ledger.index[ledger["status"].eq(KEPT)]
    typed = typed_rows(records.program, schema, raw)
    return Table(records, schema, raw.rows, typed, ledger["id"], ledger["status"], kept)


@dataclass(frozen=True)
class FollowUp:
    """The later table of a measure that counts people who are followed up; ``who`` is the column of the person."""

    table: Table
    who: str

    def first(self, asked: Table, rows: Rows, until: dt.date) -> pd.Series:
        """Return the first kept record about the person of each row, from its day to ``until``."""
        later = self.table.typed[[self.table.schema.table.date, self.who]].loc[self.table.kept]
        return first_later(later, asked.date.loc[rows], asked.typed[self.who].loc[rows], until)


@dataclass(frozen=True)
class LookedAt:
    """Every row of a figure's table, and whether it fits the measure's rules.

    Attributes
    ----------
    days
        The days that the figure counts.
    until
        The day by which a record must be followed up, if it must be.
    rules
        By the column of a rule: whether a row fits.
    empty
        By optional column of a rule: whether a row has no value.
    once
        The value that is counted once, if the measure counts distinct values.
    would_count
        Whether a row would count if it were kept.
    """

    key: FigureKey
    issue: IssuePeriod
    measure: Measure
    table: Table
    follow_up: FollowUp | None
    days: Span
    until: dt.date
    rules: Mapping[str, pd.Series]
    empty: Mapping[str, pd.Series]
    once: pd.Series | None
    would_count: pd.Series

    @property
    def month(self) -> ReportMonth:
        """The month whose names the issue uses."""
        return self.issue.last(self.table.records.program.identity.fiscal_year_starts)

    @property
    def in_span(self) -> pd.Series:
        """Whether the day of a row is in the period."""
        return within(self.table.date, self.days)

    def fits_but(self, *columns: str) -> pd.Series:
        """Return whether rows fit all rules except those of some columns, on any day."""
        return all_of((fits for column, fits in self.rules.items() if column not in columns), self.table)

    def followed(self, rows: Rows, until: dt.date) -> pd.Series:
        """Return whether rows are followed up by a day, if they must be."""
        if self.follow_up is None:
            return pd.Series(True, index=rows)
        return self.follow_up.first(self.table, rows, until).notna()


def look_at(records: Records, key: FigureKey, issue: IssuePeriod, table: Table | None = None) -> LookedAt:
    """Check every row against the rules of a figure.

    Parameters
    ----------
    table
        The rows to check, if not those of the records.
    """
    program, measure = records.program, records.program.measures[key.measure]
    table = table_of(records, measure.table) if table is None else table
    month = issue.last(program.identity.fiscal_year_starts)
    rules: dict[str, pd.Series] = {}
    empty: dict[str, pd.Series] = {}
    once = follow_up = None

    def value_of(column: str) -> pd.Series:
        rule = table.schema.table.columns.get(column)
        if rule is not None and not rule.required:
            empty[column] = table.typed[column].isna() & table.written(column).eq("")
        return as_counted(program, measure.table, column, table.typed, month)

    def require(column: str, fits: pd.Series) -> None:
        rules[column] = rules[column] & fits if column in rules else fits

    for column, value in measure.where.items():
        require(column, value_of(column).eq(value))
    if measure.by is not None and measure.by != "month":
        fits = value_of(measure.by).eq(key.category)
        if measure.missing is not None:
            # Here the missing value has a category of its own.
            nothing = empty.pop(measure.by, fits)
            fits = nothing if key.category == measure.missing else fits
        require(measure.by, fits)
    if isinstance(measure.count, Sum):
        require(measure.count.sum, table.typed[measure.count.sum].fillna(0).ne(0).astype("bool"))
    elif isinstance(measure.count, Distinct):
        once = value_of(measure.count.distinct).astype("str")
        require(measure.count.distinct, once.notna())
        if measure.followed_by is not None:
            follow_up = FollowUp(table_of(records, measure.followed_by), measure.count.distinct)
    span = span_of(program, issue, key.period)
    days = ReportMonth.parse(key.category).span if measure.by == "month" else span
    would_count = all_of(rules.values(), table) & within(table.date, days)
    if follow_up is not None:
        asked = would_count.index[would_count]
        followed = follow_up.first(table, asked, span.end).notna()
        would_count = followed.reindex(would_count.index, fill_value=False)
    return LookedAt(key, issue, measure, table, follow_up, days, span.end, rules, empty, once, would_count)


def within(day: pd.Series, span: Span) -> pd.Series:
    """Flag the days that lie in a span."""
    return day.between(pd.Timestamp(span.start), pd.Timestamp(span.end))


def all_of(flags: Iterable[pd.Series], table: Table) -> pd.Series:
    """Return the rows of a table for which every flag is set."""
    every = pd.Series(True, index=table.raw.index)
    for one in flags:
        every &= one
    return every


def first_later(later: pd.DataFrame, day: pd.Series, who: pd.Series, until: dt.date) -> pd.Series:
    """Return, for each day and person, the index of the first later record by ``until``, if there is one.

    Parameters
    ----------
    later
        The day of each record, and its person.
    """
    later = later.set_axis(["on", "who"], axis="columns")
    # Codes that differ only in case are the same person.
    later = later.assign(who=later["who"].astype("str").str.casefold(), there=later.index).dropna()
    later = later.loc[later["on"].le(pd.Timestamp(until))].sort_values("on", kind="stable")
    asked = pd.DataFrame({"on": day, "who": who.astype("str").str.casefold(), "here": day.index}).dropna()
    found = pd.merge_asof(asked.sort_values("on", kind="stable"), later, on="on", by="who", direction="forward")
    return found.set_index("here")["there"].reindex(day.index)


def members_of(records: Records, key: FigureKey, issue: IssuePeriod) -> pd.DataFrame:
    """Return the records that a figure counts, as ``figures.counted`` does, each with the ``amount`` that it adds.

    Of records that are counted once together, the first has the whole amount.
    """
    rows = counted(records, key.measure, issue, key.period)
    rows = rows.loc[rows["category"].astype("str").eq(key.category)].sort_index()
    if "once" in rows:
        rows = rows.assign(once=rows["once"].astype("str"))
        rows = rows.loc[rows["once"].notna()]
        rows = rows.assign(amount=(~rows["once"].duplicated()).astype("int64"))
    return rows


def require_balance(looked_at: LookedAt, members: pd.DataFrame) -> None:
    """Raise ``BalanceError`` if a trace does not make up its figure: a fault of this software, never of the records."""
    key, table = looked_at.key, looked_at.table
    only = table.records.program.model_copy(update={"measures": {key.measure: looked_at.measure}})
    figures = compute_figures(replace(table.records, program=only), looked_at.issue)
    this = figures["category"].eq(key.category) & figures["period"].eq(key.period)
    value, added = int(figures.loc[this, "value"].sum()), int(members["amount"].sum())
    # Records that add nothing to a sum do not fit its rules.
    listed = table.kept[members.index[members["amount"].ne(0) | (looked_at.once is not None)]]
    fitting = table.kept[looked_at.would_count.loc[table.kept]]
    if value != added or not fitting.equals(listed):
        raise BalanceError(
            f"{key} is {value}, and its records make {added}: {len(listed)} were counted and {len(fitting)} fit. "
            "This is a fault of viputils."
        )


def tables_of(program: Program, key: FigureKey) -> list[str]:
    """Return the tables that a figure is counted from."""
    measure = program.measures[key.measure]
    return [measure.table, *([measure.followed_by] if measure.followed_by else [])]


def place_of(records: Records, name: str, row: float) -> dict[str, Any]:
    """Return the table, id, date, file and line of one row of a clean table."""
    rule, found = records.program.tables[name], records.tables[name].rows
    file, line = origin(found, row)
    day = found[rule.date].loc[int(row)]
    return dict(zip(PLACE, (name, found[rule.id].loc[int(row)], f"{day:%Y-%m-%d}", file, line), strict=True))
