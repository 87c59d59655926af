"""Data quality for notebooks: records that are missing, late, repeated, rejected or revised.

Only counts, reasons and file names are shown, never the id or a value of a record. In English only.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd
from IPython.display import Markdown

from viputils.config.program import column_in_words
from viputils.config.tables import VOIDS
from viputils.core.months import ReportMonth, date_in_words
from viputils.core.text import capital, plural
from viputils.figures import quality, vintages
from viputils.records.deliveries import Delivery
from viputils.report.drawing import WIDE, image_markdown, month_names, panels_chart
from viputils.report.layout import NOT_AVAILABLE, div, number, pipe_table, readable, signed
from viputils.report.markdown import escape
from viputils.report.quality_sections import REASONS
from viputils.workbench import Tables

# The most panels, deliveries, names and ages that people can compare.
_PANELS: Final = 12
_DELIVERIES: Final = 12
_NAMED: Final = 6
_AGES: Final = 12
# The fewest months for a percentage in a chart.
_MONTHS: Final = 5


def overview(tables: Tables) -> Markdown:
    """Return a summary of the rows that were delivered, kept and quarantined."""
    found = quality.account(tables.records)
    records = found.loc[found["table"].ne(VOIDS.name)]
    came = len(tables.records.received.deliveries)
    rows, kept = int(records["delivered"].sum()), int(records["kept"].sum())
    said = (
        f"By {date_in_words(tables.as_of)}, {plural(came, 'delivery', 'deliveries')} had brought "
        f"{plural(rows, 'row')} in {plural(len(records), 'table')}. {number(kept)} of them are kept and counted."
    )
    withdrawals = int(found["delivered"].sum()) - rows
    if withdrawals:
        said += f" There were also {plural(withdrawals, 'void')}, each withdrawing a record."
    held, voids = int(records["quarantined"].sum()), int(found["quarantined"].sum() - records["quarantined"].sum())
    if held:
        said += f" **{plural(held, 'row is', 'rows are')} in quarantine and not counted.**"
    if voids:
        said += f" **{plural(voids, 'void is', 'voids are')} in quarantine and not applied.**"
    said += " `vip check` shows each." if held or voids else " No row is in quarantine."
    return Markdown(said)


def completeness(tables: Tables) -> Markdown:
    """Show how many rows have a value in each optional column."""
    found = quality.completeness(tables.records)
    if found.empty:
        return Markdown("No table has an optional column.")
    rows = [
        [
            _title(tables, line["table"]),
            escape(column_in_words(line["column"])),
            number(line["rows"]),
            number(line["filled"]),
            number(line["rows"] - line["filled"]),
            _share(line["share"]),
        ]
        for line in found.to_dict("records")
    ]
    heads = ["Table", "Column", "Rows", "Filled", "Empty", "Share filled"]
    table = pipe_table(heads, rows, "Optional columns, and how often they are filled", words=[1])
    note = "Shares are rounded down, so that only a column without gaps has 100.0%."
    for name in dict.fromkeys(found["table"]):
        if columns := tables.project.program.tables[name].exactly_one_of:
            note += (
                f" {_title(tables, name)}: {_columns(columns)}, but only one of them, so their shares add up to 100%."
            )
    return readable(Markdown("\n\n".join(filter(None, [table, div("note", note), _none_note(rows)]))))


def completeness_by_delivery(tables: Tables) -> Markdown:
    """Show how many kept rows of each delivery have a value in each optional column."""
    found = quality.completeness(tables.records, by="delivery")
    program = tables.project.program
    keys = list(dict.fromkeys(zip(found["table"], found["column"], strict=True)))
    if not keys:
        return Markdown("No table has an optional column.")
    lines = {(line["table"], line["column"], line["delivery"]): line for line in found.to_dict("records")}
    deliveries = _in_order(tables, found)
    empty = {
        key: [
            # Round up, so that a column with gaps never shows as complete.
            math.ceil(100 * (1 - line["share"])) if line is not None and line["rows"] else None
            for line in (lines.get((*key, delivery.name)) for delivery in deliveries[-_DELIVERIES:])
        ]
        for key in keys
        if key[1] not in program.tables[key[0]].exactly_one_of
    }
    panels = [
        (f"{capital(_words(table))}: {column_in_words(column)}", values)
        for (table, column), values in empty.items()
        if sum(value is not None for value in values) > 1
    ][:_PANELS]
    parts = []
    if panels:
        names = month_names([ReportMonth.of(delivery.received) for delivery in deliveries[-_DELIVERIES:]])
        alt = f"Small column charts on the same scale: percent of rows empty, by delivery, the newest {len(names)}."
        alt += "".join(f" {name}: {', '.join(map(_known, values))}." for name, values in panels)
        newest = plural(len(names), "delivery", "deliveries")
        caption = f"Percent of rows in which the column is empty, the newest {newest}"
        draw = partial(panels_chart, tables.project.fonts, names, panels, width=WIDE)
        parts.append(image_markdown(draw, "empty", caption, alt))

    def cell(key: tuple[str, str], delivery: str) -> str:
        line = lines.get((*key, delivery))
        return escape(NOT_AVAILABLE) if line is None else _counted(line["share"], line["filled"], line["rows"])

    rows = [[_delivery(delivery.name), *(cell(key, delivery.name) for key in keys)] for delivery in deliveries]
    heads = ["Delivery", *(escape(f"{capital(_words(table))}: {column_in_words(column)}") for table, column in keys)]
    parts += [pipe_table(heads, rows, "Share of rows in which the column is filled, by delivery"), _none_note(rows)]
    return readable(Markdown("\n\n".join(filter(None, parts))))


def months_without_rows(tables: Tables) -> Markdown:
    """Show the covered months in which a table has no rows."""
    found = quality.coverage(tables.records)
    rows = []
    for name in tables:
        months = found.loc[found["table"].eq(name)]
        without = [ReportMonth.parse(month).label for month in months.loc[months["rows"].eq(0), "month"]]
        named = ", ".join(without[-_NAMED:])
        more = f"{number(len(without) - _NAMED)} earlier, " if len(without) > _NAMED else ""
        rows.append([_title(tables, name), number(len(months)), number(len(without)), f"{more}{named}"])
    heads = ["Table", "Months covered", "Without a row", "Which"]
    return readable(Markdown(pipe_table(heads, rows, "Months in which a table has no rows", words=[3])))


def timeliness(tables: Tables) -> Markdown:
    """Show how many days after their date records first arrived, by table."""
    found = quality.timeliness(tables.records)
    rows = [
        [
            _title(tables, line["table"]),
            number(line["timed"]),
            *(_days(line[name]) for name in ("median", "most")),
            *(_counted(line[name], line[name] * line["timed"], line["timed"]) for name in ("within_7", "within_31")),
        ]
        for line in found.to_dict("records")
    ]
    heads = ["Table", "Records", "Median days", "Nine in ten, days", "Within 7 days", "Within 31 days"]
    table = pipe_table(heads, rows, "Days from a record's own date to its first receipt")
    return readable(Markdown("\n\n".join(filter(None, [_delays_chart(tables), table, _none_note(rows)]))))


def counted_apart(tables: Tables) -> Markdown:
    """Show the records without a meaningful delay, and the rows dated after their receipt."""
    found = quality.timeliness(tables.records)
    counts = ["records", "with_first", "date_moved", "timed", "refused"]
    rows = [
        [_title(tables, line["table"]), *(number(line[name]) for name in counts)] for line in found.to_dict("records")
    ]
    heads = ["Table", "Records", "First delivery", "Date moved later", "Timed above", "Refused"]
    return readable(Markdown(pipe_table(heads, rows, "Records that are counted separately, and rejected rows")))


def timeliness_by_delivery(tables: Tables) -> Markdown:
    """Show the median delay of the new records in each delivery, by table."""
    found = quality.timeliness(tables.records, by="delivery")
    lines = {(line["table"], line["delivery"]): line for line in found.to_dict("records")}
    rows = [
        [
            _delivery(delivery.name),
            *(
                _days(lines[name, delivery.name]["median"]) if (name, delivery.name) in lines else escape(NOT_AVAILABLE)
                for name in tables
            ),
        ]
        for delivery in _in_order(tables, found)
    ]
    heads = ["Delivery", *(escape(capital(_words(name))) for name in tables)]
    table = pipe_table(heads, rows, "Median days to the first receipt, by the delivery that brought the record")
    return readable(Markdown("\n\n".join(filter(None, [table, _none_note(rows)]))))


def account(tables: Tables) -> Markdown:
    """Show the outcome of every delivered row, by table."""
    found = quality.account(tables.records)
    rows = [[_title(tables, line["table"]), *_outcomes(line)] for line in found.to_dict("records")]
    return readable(Markdown(pipe_table(["Table", *_OUTCOMES], rows, "The outcome of every delivered row")))


def account_by_delivery(tables: Tables) -> Markdown:
    """Show the files with rows that were not kept."""
    found = quality.account(tables.records, by="delivery")
    some = found.loc[found["kept"].lt(found["delivered"])]
    left_out = len(found) - len(some)
    said = f"Not listed: {plural(left_out, 'file')} of {number(len(found))}, in which every row was kept."
    if some.empty:
        return Markdown("Every row of every file was kept.")
    rows = [
        [escape(capital(_words(line["table"]))), _delivery(line["delivery"]), *_outcomes(line)]
        for line in some.to_dict("records")
    ]
    table = pipe_table(["Table", "Delivery", *_OUTCOMES], rows, "Files with rows that were not kept", words=[1])
    return readable(Markdown(f"{table}\n\n{div('note', said)}" if left_out else table))


def quarantine(tables: Tables) -> Markdown:
    """Show how many rows are in quarantine, by file and reason, without their values."""
    found = quality.quarantine(tables.records)
    if found.empty:
        return Markdown("No row is in quarantine.")
    rows = [
        [
            escape(line["file"]),
            number(line["rows"]),
            escape(line["field"]),
            f"`{line['reason']}`",
            REASONS.get(line["reason"], ""),
        ]
        for line in found.to_dict("records")
    ]
    heads = ["File", "Rows", "Column", "Reason", "What is wrong"]
    table = pipe_table(heads, rows, "Rows in quarantine, by file and reason", words=[2, 3, 4])
    held = int(quality.account(tables.records)["quarantined"].sum())
    note = f"These are {plural(held, 'row')}. A row with several errors is listed several times."
    return readable(Markdown(f"{table}\n\n{div('note', note)}"))


def revisions(tables: Tables) -> Markdown:
    """Show how many months have a different record count now than at first, by table and age."""
    found = quality.revisions(tables.records)
    if found.empty:
        return Markdown("No month has a first count yet.")
    newest, ages = vintages.newest(found), vintages.by_age(found)
    rows = []
    for name in tables:
        change = newest.loc[newest["measure"].eq(name), "change"]
        moved = (int(counts.sum()) for counts in (change.ne(0), change.gt(0), change.lt(0)))
        sizes = (
            (signed(int(size)) for size in (change.min(), change.max())) if len(change) else [escape(NOT_AVAILABLE)] * 2
        )
        rows.append([_title(tables, name), number(len(change)), *map(number, moved), *sizes])
    heads = ["Table", "Months", "Moved", "Up", "Down", "Lowest change", "Highest change"]
    summary = pipe_table(heads, rows, "Months whose record count has changed since the first count")
    note = "Age 0 is the next calendar month, age 1 the one after it. The last lines include few months."
    chart = _ages_chart(tables, ages)
    if chart:
        note += f" The chart leaves out ages with fewer than {_MONTHS} known months."
    parts = [summary, _none_note(rows), chart, _ages_table(tables, ages), div("note", note)]
    return readable(Markdown("\n\n".join(filter(None, parts))))


_OUTCOMES: Final = ("Delivered", "Kept", "Superseded", "Duplicate", "Withdrawn", "Quarantine")


def _outcomes(line: Mapping[Hashable, Any]) -> list[str]:
    return [number(line[name]) for name in ("delivered", *quality.OUTCOMES)]


def _delays_chart(tables: Tables) -> str:
    """Return a chart of the percentage of records by delay, with a panel for each table that has records."""
    found = quality.delays(tables.records)
    found = found.loc[found["share"].notna()]
    spans = [(int(low), high) for low, high in found[["low", "high"]].drop_duplicates().itertuples(index=False)]
    labels = [f"{low}+" if pd.isna(high) else f"{low}-{high}" for low, high in spans]
    panels = [
        (capital(_words(str(name))), [round(100 * share) for share in rows["share"]])
        for name, rows in found.groupby("table", sort=False)
    ][:_PANELS]
    if not panels:
        return ""
    alt = "Small column charts on the same scale: percent of records by days until their first receipt."
    for name, values in panels:
        told = (f"{label} days {value}" for label, value in zip(labels, values, strict=True))
        alt += f" {name}: {', '.join(told)}."
    caption = "Percent of records by days until they were first received, all on the same scale"
    shown = [(name, list[int | None](values)) for name, values in panels]
    return image_markdown(lambda: panels_chart(tables.project.fonts, labels, shown, width=WIDE), "delays", caption, alt)


def _ages_chart(tables: Tables, ages: pd.DataFrame) -> str:
    """Return a chart of the percentage of months that changed, by age, with a panel for each table with changes."""
    enough = ages.loc[ages["age"].le(_AGES) & ages["months"].ge(_MONTHS)]
    found = enough.assign(percent=100 * (enough["up"] + enough["down"]) / enough["months"])
    wide = found.pivot_table(index="age", columns="measure", values="percent", sort=True)
    # Whole percentages, or None if no month is known at that age.
    values = {
        name: [None if pd.isna(value) else round(value) for value in wide[name]]
        for name in tables
        if name in wide and wide[name].gt(0).any()
    }
    panels = [(capital(_words(name)), column) for name, column in values.items()][:_PANELS]
    if not panels:
        return ""
    labels = [str(age) for age in wide.index]
    alt = "Small column charts on the same scale: percent of months that changed since their first count, by age."
    for name, column in panels:
        told = (f"age {age} {_known(value)}" for age, value in zip(labels, column, strict=True))
        alt += f" {name}: {', '.join(told)}."
    caption = "Percent of months that differ from their first count, by age in months, all on the same scale"
    return image_markdown(lambda: panels_chart(tables.project.fonts, labels, panels, width=WIDE), "ages", caption, alt)


def _ages_table(tables: Tables, ages: pd.DataFrame) -> str:
    """Return a table of how many months differ from their first count, by age, with a column for each table."""
    known = ages.assign(moved=ages["up"] + ages["down"])
    cells = {
        (line["age"], line["measure"]): f"{number(line['moved'])} of {number(line['months'])}"
        for line in known.to_dict("records")
    }
    rows = [
        [number(age), *(cells.get((age, name), escape(NOT_AVAILABLE)) for name in tables)]
        for age in sorted(set(ages["age"]))
        if age <= _AGES
    ]
    heads = ["Age, months", *(escape(capital(_words(name))) for name in tables)]
    return pipe_table(heads, rows, "Months that differ from their first count, of those known at that age")


def _in_order(tables: Tables, found: pd.DataFrame) -> list[Delivery]:
    """Return the deliveries in a table of numbers, in order of receipt."""
    names = set(found["delivery"])
    return [one for one in tables.records.received.deliveries if one.name in names]


def _delivery(name: str) -> str:
    """Return the folder name of a delivery, which is its day."""
    return escape(name.rsplit("/", maxsplit=1)[-1])


def _title(tables: Tables, name: str) -> str:
    return "Voids" if name == VOIDS.name else escape(tables.project.program.tables[name].title)


def _known(value: int | None) -> str:
    return NOT_AVAILABLE if value is None else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _columns(names: Sequence[str]) -> str:
    return " or ".join(escape(column_in_words(name)) for name in names)


def _days(value: float) -> str:
    return escape(NOT_AVAILABLE) if math.isnan(value) else f"{value:,.1f}".removesuffix(".0")


def _share(value: float) -> str:
    """Return a share in percent with one decimal, rounded down, so that only a complete one is 100.0%."""
    # The small addition only corrects floating-point errors.
    return escape(NOT_AVAILABLE) if math.isnan(value) else f"{math.floor(1000 * value + 1e-9) / 10:.1f}%"


def _counted(share: float, part: float, whole: int) -> str:
    """Return a share with its counts."""
    if not whole or math.isnan(share):
        return escape(NOT_AVAILABLE)
    return f"{_share(share)} ({number(round(part))} of {number(whole)})"


def _none_note(rows: Sequence[Sequence[str]]) -> str:
    """Return an explanation of the not-available mark, if a table has it."""
    mark = escape(NOT_AVAILABLE)
    if not any(mark in row for row in rows):
        return ""
    return div("note", f"{mark} means not available: there are no records.")
