"""Data quality in words and tables: what is missing, late, repeated, set aside or revised in the records of an edition.

Only counts, days and the names of tables and columns are shown, never the id or a value of a record.
"""

from __future__ import annotations

import math
from typing import Final

import pandas as pd
from IPython.display import Markdown

from viputils.config.language import Language, message
from viputils.config.program import column_in_words
from viputils.config.tables import VOIDS
from viputils.figures import quality, vintages
from viputils.figures.edition import Edition
from viputils.report.layout import NOT_AVAILABLE, div, part, pipe_table
from viputils.report.markdown import counted, escape, said, words

# With fewer records, a number of days would be about single ones.
_FEWEST: Final = 5

# The meaning of each quarantine reason.
REASONS: Final = {
    "missing_id": message("the record has no id"),
    "missing_value": message("a value is missing that every record must have"),
    "not_a_code": message("it is not a code of letters and digits"),
    "not_a_date": message("it is not a date"),
    "negative_count": message("a count is below 0"),
    "not_a_whole_number": message("a count is not a whole number"),
    "not_a_flag": message("it is neither yes nor no"),
    "unknown_value": message("the value is not in the list of known values"),
    "not_valid_on_date": message("the value was not in use on that day"),
    "date_after_receipt": message("the date is after the day of receipt"),
    "date_before_records": message("the date is before the records begin"),
    "not_exactly_one": message("exactly one of these columns must be filled"),
    "conflicting_rows": message("rows of one delivery contradict each other"),
    "looks_like_another": message("it looks like another one"),
    "unknown_table": message("a withdrawal names an unknown table"),
    "unknown_record": message("a withdrawal names a record that was not received"),
    "unknown_line": message("a withdrawal names a line that was not received"),
}


def quality_parts(edition: Edition, revised: pd.DataFrame) -> list[Markdown]:
    """Return the parts of the page on data quality, in order.

    Parameters
    ----------
    revised
        As from ``viputils.figures.quality.revisions`` for the records of the edition.
    """
    return [
        introduction(edition),
        missing_values(edition),
        missing_months(edition),
        timeliness(edition),
        repeated_rows(edition),
        rows_set_aside(edition),
        revisions(edition, revised),
    ]


def introduction(edition: Edition) -> Markdown:
    """Return what the page is about."""
    language = edition.language
    sentence = words(
        language,
        "This page checks the records behind the report for {month}: those received by {as_of}. It shows only counts, "
        "and nothing about a single record.",
        month=language.month(edition.month),
        as_of=language.date(edition.as_of),
    )
    return part(words(language, "What this page shows"), sentence)


def missing_values(edition: Edition) -> Markdown:
    """Return how many records lack a required value, and how often each other column is empty."""
    language, tables = edition.language, edition.program.tables
    required, optional = quality.missing_required(edition.records), quality.completeness(edition.records)
    either = {name: table.exactly_one_of for name, table in tables.items() if table.exactly_one_of}
    optional = optional.assign(empty=optional["rows"] - optional["filled"])
    optional = optional.loc[
        [
            column not in either.get(table, ())
            for table, column in zip(optional["table"], optional["column"], strict=True)
        ]
    ]
    rows = []
    for line in required.to_dict("records"):
        every = words(language, "every required column")
        rows.append([_title(edition, line["table"]), every, *_empty(language, line["lacking"], line["rows"])])
        for one in optional.loc[optional["table"].eq(line["table"])].to_dict("records"):
            column = _column(language, one["column"])
            rows.append([_title(edition, one["table"]), column, *_empty(language, one["empty"], one["rows"])])
    heads = [
        words(language, "Table"),
        words(language, "Column"),
        words(language, "Records"),
        words(language, "Empty"),
        words(language, "Share empty"),
    ]
    table = pipe_table(heads, rows, words(language, "Empty values in the records"), words=[1])
    notes = [words(language, "An empty value is not always an error. Some columns do not apply to every record.")]
    notes += [
        words(
            language,
            "{table}: each record fills exactly one of these columns, so they are not listed: {columns}.",
            table=_title(edition, name),
            columns=", ".join(_column(language, column) for column in columns),
        )
        for name, columns in either.items()
    ]
    title = words(language, "Missing values")
    return part(title, _missing_values_found(edition, required, optional), table, div("note", "\n\n".join(notes)))


def _missing_values_found(edition: Edition, required: pd.DataFrame, optional: pd.DataFrame) -> str:
    language, lacking = edition.language, int(required["lacking"].sum())
    if lacking:
        found = counted(
            language,
            lacking,
            "{number} record lacks a value that every record must have. It is not counted.",
            "{number} records lack a value that every record must have. They are not counted.",
        )
    else:
        found = words(language, "Every record has the values that it must have.")
    gaps = optional.loc[optional["empty"].gt(0)]
    if gaps.empty:
        return found
    most = gaps.iloc[int((gaps["empty"] / gaps["rows"]).argmax())]
    return f"{found} " + words(
        language,
        "Among the other columns, “{column}” in *{table}* is empty most often: in {share} of the records.",
        column=_column(language, most["column"]),
        table=_title(edition, most["table"]),
        share=_share(language, int(most["empty"]), int(most["rows"])),
    )


def missing_months(edition: Edition) -> Markdown:
    """Return how many months of each table were delivered, and how many are missing."""
    language = edition.language
    found = quality.missing_months(edition.records, edition.month)
    missing, without = int(found["missing"].sum()), int(found["without_rows"].sum())
    start = language.date(edition.program.identity.records_from)
    if missing:
        sentence = counted(
            language,
            missing,
            "Since {start}, the file of {number} month is missing.",
            "Since {start}, the files of {number} months are missing, counted over all tables.",
            start=start,
        )
    else:
        sentence = counted(
            language,
            int(found["months"].max()),
            "Every table was delivered for the {number} month since {start}.",
            "Every table was delivered for all {number} months since {start}.",
            start=start,
        )
    names = ["months", "delivered", "missing", "without_rows"]
    rows = [
        [_title(edition, line["table"]), *(language.number(line[name]) for name in names)]
        for line in found.to_dict("records")
    ]
    heads = [
        words(language, "Table"),
        words(language, "Months"),
        words(language, "Months delivered"),
        words(language, "Months missing"),
        words(language, "Without a record"),
    ]
    table = pipe_table(heads, rows, words(language, "Months delivered and months missing"))
    note = words(
        language, "A month without a record can be right. Or the records were forgotten. Only the agency can tell."
    )
    return part(words(language, "Missing months"), sentence, table, div("note", note) if without else "")


def timeliness(edition: Edition) -> Markdown:
    """Return how many days after the end of a month, and after their own date, records arrived."""
    language = edition.language
    months = quality.days_to_complete(edition.records, edition.month)["days"]
    found = quality.timeliness(edition.records)
    few = found["timed"].lt(_FEWEST)
    title, sentence = words(language, "Days until the records arrived"), _days_to_complete(language, months)
    if few.all():
        note = words(language, "Too few records have arrived since the first delivery to measure how late they come.")
        return part(title, sentence, div("note", note))
    sizes = ["median", "most", "shortest", "longest"]
    found.loc[few, sizes] = math.nan
    rows = [
        [
            _title(edition, line["table"]),
            language.number(line["timed"]),
            *(_days(language, line[name]) for name in sizes),
        ]
        for line in found.to_dict("records")
    ]
    heads = [
        words(language, "Table"),
        words(language, "Records"),
        words(language, "Median days"),
        words(language, "Nine in ten, days"),
        words(language, "Shortest"),
        words(language, "Longest"),
    ]
    table = pipe_table(heads, rows, words(language, "Days from the date of a record until it arrived"))
    notes = [
        words(
            language,
            "Records of the first delivery are left out, because they could not arrive earlier. So are records whose "
            "date was later moved.",
        )
    ]
    if few.any():
        notes.append(
            words(
                language,
                "{mark} means not available: there are fewer than {number} records.",
                mark=escape(NOT_AVAILABLE),
                number=language.number(_FEWEST),
            )
        )
    return part(title, sentence, table, div("note", " ".join(notes)))


def _days_to_complete(language: Language, days: pd.Series) -> str:
    """Return how long it took after the end of a month until its records were there."""
    if days.empty:
        return ""
    low, high = int(days.min()), int(days.max())
    if low == high:
        return counted(
            language,
            low,
            "The records of a month were complete {number} day after its end.",
            "The records of a month were complete {number} days after its end.",
        )
    return words(
        language,
        "The records of a month were complete {low} to {high} days after its end. The median is {median} days, over "
        "{months} months.",
        low=language.number(low),
        high=language.number(high),
        median=_days(language, float(days.median())),
        months=language.number(len(days)),
    )


def repeated_rows(edition: Edition) -> Markdown:
    """Return what happened to every delivered row."""
    language, found = edition.language, quality.account(edition.records)
    names = ["delivered", "kept", "superseded", "duplicate", "withdrawn", "quarantined"]
    total = found[names].sum()
    sentence = words(
        language,
        "Of {delivered} delivered rows, we kept {kept}. The others: {superseded} replaced, {duplicate} repeated, "
        "{withdrawn} withdrawn and {quarantined} set aside.",
        **{name: language.number(int(total[name])) for name in names},
    )
    # A wider table would not fit if the letters are large. Rows set aside have a part of their own.
    names.remove("quarantined")
    rows = [
        [_title(edition, line["table"]), *(language.number(line[name]) for name in names)]
        for line in found.to_dict("records")
    ]
    rows.append(
        [f"**{words(language, 'All tables')}**", *(f"**{language.number(int(total[name]))}**" for name in names)]
    )
    heads = [
        words(language, "Table"),
        words(language, "Rows read"),
        words(language, "Kept"),
        words(language, "Replaced"),
        words(language, "Repeated"),
        words(language, "Withdrawn"),
    ]
    table = pipe_table(heads, rows, words(language, "What happened to every delivered row"))
    note = words(
        language,
        "Replaced: a later row of the same record counts. Repeated: the row is the same as an earlier one. Withdrawn: "
        "the agency took the record back. The next part is about the rows set aside.",
    )
    return part(words(language, "Repeated and replaced rows"), sentence, table, div("note", note))


def rows_set_aside(edition: Edition) -> Markdown:
    """Return how many rows are in quarantine, by table, column and reason."""
    language = edition.language
    title = words(language, "Rows set aside")
    held = int(quality.account(edition.records)["quarantined"].sum())
    if not held:
        return part(title, words(language, "No row is set aside. Every row that arrived could be read."))
    sentence = counted(
        language,
        held,
        "{number} row could not be read. It is set aside and not counted until it is corrected.",
        "{number} rows could not be read. They are set aside and not counted until they are corrected.",
    )
    key = ["table", "field", "reason"]
    found = quality.quarantine(edition.records).groupby(key, sort=False)["rows"].sum().reset_index()
    rows = [
        [
            _title(edition, line["table"]),
            _column(language, line["field"]),
            words(language, REASONS[line["reason"]]),
            language.number(line["rows"]),
        ]
        for line in found.to_dict("records")
    ]
    heads = [
        words(language, "Table"),
        words(language, "Column"),
        words(language, "What is wrong"),
        words(language, "Rows"),
    ]
    table = pipe_table(heads, rows, words(language, "Rows set aside, by reason"), words=[1, 2])
    note = words(language, "A row with several errors is in several lines.")
    return part(title, sentence, table, div("note", note))


def revisions(edition: Edition, revised: pd.DataFrame) -> Markdown:
    """Return how many earlier months have another record count now than at first, and by how much."""
    language = edition.language
    title = words(language, "Counts that changed later")
    newest = vintages.newest(revised)
    newest = newest.loc[newest["month"].lt(str(edition.month))]
    if newest.empty:
        return part(title, words(language, "No earlier month can be compared with its first count yet."))
    moved = newest.loc[newest["change"].ne(0)]
    sentence = counted(
        language,
        newest["month"].nunique(),
        "We compared {number} earlier month with its first count.",
        "We compared {number} earlier months with their first count.",
    )
    if moved.empty:
        sentence += f" {words(language, 'No count changed.')}"
    else:
        sentence += " " + counted(
            language,
            moved["month"].nunique(),
            "A count changed in {number} month. The largest change is {change}.",
            "A count changed in {number} months. The largest change is {change}.",
            change=_largest(language, moved),
        )
    rows = [_changes(edition, name, newest) for name in edition.program.tables]
    heads = [
        words(language, "Table"),
        words(language, "Months"),
        words(language, "Changed"),
        words(language, "Lowest change"),
        words(language, "Highest change"),
    ]
    table = pipe_table(heads, rows, words(language, "Earlier months with another number of records than at first"))
    note = words(
        language,
        "The first count is the one after all tables of a month had arrived. A change comes from a record that arrived "
        "late, was corrected or was withdrawn.",
    )
    return part(title, sentence, table, div("note", note))


def _largest(language: Language, moved: pd.DataFrame) -> str:
    """Return the largest change of a month in records."""
    return counted(language, int(moved["change"].abs().max()), "{number} record", "{number} records")


def _changes(edition: Edition, name: str, newest: pd.DataFrame) -> list[str]:
    """Return the row of a table: its months, those that changed, and the lowest and the highest change."""
    language, change = edition.language, newest.loc[newest["measure"].eq(name), "change"]
    counts = [language.number(len(change)), language.number(int(change.ne(0).sum()))]
    sizes = [int(change.min()), int(change.max())] if len(change) else []
    shown = [language.signed(size) if size else "0" for size in sizes] or [escape(NOT_AVAILABLE)] * 2
    return [_title(edition, name), *counts, *shown]


def _title(edition: Edition, name: object) -> str:
    """Return the title of a table."""
    if name == VOIDS.name:
        return words(edition.language, "Withdrawn records")
    return escape(edition.shown.tables[str(name)].title)


def _column(language: Language, column: object) -> str:
    """Return the name of a column in words."""
    return said(language, column_in_words(str(column)))


def _empty(language: Language, empty: int, rows: int) -> list[str]:
    """Return the cells of a column: its records, the empty ones and their share."""
    share = _share(language, empty, rows) if rows else escape(NOT_AVAILABLE)
    return [language.number(rows), language.number(empty), share]


def _share(language: Language, part_of: int, whole: int) -> str:
    """Return a share in percent, which is 0% or 100% only if there is none or all."""
    if part_of and 200 * part_of < whole:
        return words(language, "under {share}", share=escape(language.percent(1, 100)))
    if part_of < whole and 200 * part_of >= 199 * whole:
        return words(language, "over {share}", share=escape(language.percent(99, 100)))
    return escape(language.percent(part_of, whole))


def _days(language: Language, value: float) -> str:
    return escape(NOT_AVAILABLE) if math.isnan(value) else escape(language.average(value))
