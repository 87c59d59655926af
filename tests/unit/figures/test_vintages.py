"""Vintages: each month against its own first print, as it grows older."""

from __future__ import annotations

import csv
import datetime as dt
import statistics
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.config.project import Project
from viputils.core.errors import ParameterError, VintageError
from viputils.figures.counts import value_of
from viputils.figures.vintages import (
    by_age,
    first_prints,
    moves,
    newest,
    read_vintages,
    revisions,
    still_as_first,
    vintages_of,
)
from viputils.report import charts, drawing, layout, verdict_sections

KEPT = REPOSITORY / "examples" / "philadelphia" / "data" / "vintages-by-month.csv"
HEADER = "vintage_date,event_month,victims\n"


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return read_vintages(KEPT, ["victims", "fatal_victims"])


def known(vintages: pd.DataFrame, day: str, month: str, measure: str) -> int:
    rows = vintages.loc[vintages["as_of"].eq(day) & vintages["month"].eq(month) & vintages["measure"].eq(measure)]
    return int(rows["value"].item())


def vintages_from(*rows: tuple[str, str, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["as_of", "month", "value"]).assign(measure="victims")
    return table.assign(as_of=pd.to_datetime(table["as_of"]).astype("datetime64[s]"))


# ---------------------------------------------------------------- 255 real vintages


def test_the_real_vintages_say_what_was_counted_in_them_with_other_tools(kept: pd.DataFrame) -> None:
    # Counted in the same public files when they were collected, and in the three deliveries of the example.
    assert kept["as_of"].nunique() == 255
    assert (kept["as_of"].min(), kept["as_of"].max()) == (pd.Timestamp("2020-09-09"), pd.Timestamp("2021-07-19"))
    for day, victims, fatal in (("2020-12-01", 207, 32), ("2021-01-05", 220, 32), ("2021-07-19", 220, 35)):
        assert known(kept, day, "2020-11", "victims") == victims
        assert known(kept, day, "2020-11", "fatal_victims") == fatal


def test_every_month_from_august_2020_to_may_2021_was_revised_after_its_first_print(kept: pd.DataFrame) -> None:
    months = newest(revisions(kept))
    months = months.loc[months["month"].between("2020-08", "2021-05")]
    assert len(months) == 2 * 10
    assert months["change"].gt(0).all()
    medians = months.groupby("measure")["percent"].median()
    # The medians that were published with the collection: +5.3 % of the victims, +8.9 % of those who died.
    assert (round(medians["victims"], 1), round(medians["fatal_victims"], 1)) == (5.3, 8.9)
    of_measure = newest(revisions(kept.loc[kept["measure"].eq("fatal_victims")]))
    shown = verdict_sections.first_and_newest(of_measure, "Victims who died").data
    assert "Of 10 months beyond age 0, 10 now have another number than at first. The median change is +8.9%." in shown


def test_what_had_been_printed_before_the_vintages_begin_has_no_first_print(kept: pd.DataFrame) -> None:
    # 2019 grew by 65 rows between two vintages: a change of what the data covers, and not a revision.
    assert kept["month"].min() == "2019-01"
    assert revisions(kept)["month"].min() == "2020-08"
    first = first_prints(kept)
    assert list(first.loc[first["month"].eq("2020-11"), "first_on"]) == [pd.Timestamp("2020-12-01")] * 2


@pytest.mark.exhaustive
def test_the_examples_own_deliveries_count_every_month_as_the_file_of_vintages_does(
    kept: pd.DataFrame, repository_example: Path
) -> None:
    counted = vintages_of(Project.open(repository_example), ["victims", "fatal_victims", "incidents"])
    key = ["as_of", "month", "measure"]
    both = counted.loc[counted["measure"].ne("incidents")].merge(kept, on=key, how="left", suffixes=("", "_kept"))
    assert both["as_of"].nunique() == 3
    assert both["value"].eq(both["value_kept"]).all()

    # The first delivery holds one victim of each incident, which is why 2019 grows after it and is no revision.
    wide = counted.pivot_table(index=["as_of", "month"], columns="measure", values="value")
    then, later = wide.loc["2020-12-01"], wide.loc["2021-01-05"]
    assert then["victims"].eq(then["incidents"]).all()
    in_2019 = [month for month in then.index if month < "2020"]
    assert then["victims"][in_2019].eq(later["incidents"][in_2019]).all()
    assert (then["victims"][in_2019].sum(), later["victims"][in_2019].sum()) == (1407, 1472)
    # Of the 13 of November, 5 are of incidents that were not known, and 8 of incidents that were.
    assert (then["incidents"]["2020-11"], later["incidents"]["2020-11"]) == (207, 212)


def test_days_on_which_the_data_was_put_together_otherwise_show_as_many_months_moving_at_once(
    kept: pd.DataFrame,
) -> None:
    # On December 2, 2020, 23 months were over; 22 of them, 2019 with its 65 victims among them, grew at once.
    by_month = kept.loc[kept["measure"].eq("victims") & kept["month"].lt("2020-12")].pivot_table(
        index="month", columns="as_of", values="value"
    )
    grew = by_month[pd.Timestamp("2020-12-02")] - by_month[pd.Timestamp("2020-12-01")]
    assert (len(grew), int(grew.ne(0).sum()), int(grew.sum())) == (23, 22, 149)
    assert int(grew[grew.index < "2020"].sum()) == 65
    shown = verdict_sections.moved_together(moves(kept.loc[kept["measure"].eq("victims")]), "Victims", 10).data
    assert "| December 2, 2020 | 23 | 22 | +149 |" in shown
    assert "| November 30, 2020 | 22 | 21 | -129 |" in shown
    assert "| November 3, 2020 |" not in shown
    assert "no day on which 99 months or more moved" in verdict_sections.moved_together(moves(kept), "Victims", 99).data


def test_of_several_vintages_of_a_day_the_last_one_stands(kept: pd.DataFrame) -> None:
    with KEPT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7102
    last = {(row["vintage_date"], row["event_month"]): int(row["victims"]) for row in rows}
    assert len(kept) == 2 * len(last)
    victims = kept.loc[kept["measure"].eq("victims")]
    days = victims["as_of"].dt.strftime("%Y-%m-%d")
    assert dict(zip(zip(days, victims["month"], strict=True), victims["value"], strict=True)) == last


# ---------------------------------------------------------------- ages and changes


def test_age_is_counted_in_calendar_months_after_the_month() -> None:
    found = revisions(
        vintages_from(
            ("2023-11-30", "2023-11", 4),  # the month is not over
            ("2023-12-01", "2023-11", 5),
            ("2023-12-31", "2023-11", 6),
            ("2024-02-01", "2023-11", 4),
        )
    )
    assert found[["age", "first", "value", "change"]].to_numpy().tolist() == [[0, 5, 6, 1], [2, 5, 4, -1]]
    assert found["percent"].tolist() == [20.0, -20.0]


def test_the_real_vintages_by_age_are_what_plain_counting_gives(kept: pd.DataFrame) -> None:
    with KEPT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = []
    for measure in ("fatal_victims", "victims"):
        changes: dict[int, list[tuple[int, float]]] = {}
        for month in {row["event_month"] for row in rows}:
            of_month = {row["vintage_date"]: int(row[measure]) for row in rows if row["event_month"] == month}
            later = {day: value for day, value in of_month.items() if day[:7] > month}
            ages = {day: 12 * (int(day[:4]) - int(month[:4])) + int(day[5:7]) - int(month[5:]) - 1 for day in later}
            if not later or ages[min(later)] > 0:
                continue
            first = later[min(later)]
            for age in set(ages.values()):
                change = later[max(day for day in later if ages[day] == age)] - first
                changes.setdefault(age, []).append((change, 100 * change / first))
        for age, both in sorted(changes.items()):
            counts, percents = zip(*both, strict=True)
            ways = [sum(one > 0 for one in counts), sum(one < 0 for one in counts), sum(one == 0 for one in counts)]
            sizes = [one for each in (counts, percents) for one in (min(each), statistics.median(each), max(each))]
            expected.append([measure, age, len(both), *ways, *sizes])
    found = by_age(revisions(kept)).to_numpy().tolist()
    assert [row[:6] for row in found] == [row[:6] for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert row[6:] == pytest.approx(other[6:])


def test_a_month_whose_first_vintage_came_late_has_no_first_print() -> None:
    assert revisions(vintages_from(("2024-01-01", "2023-11", 5), ("2024-02-01", "2023-11", 6))).empty


def test_a_first_print_of_none_has_a_change_and_no_percentage() -> None:
    found = revisions(vintages_from(("2023-12-01", "2023-11", 0), ("2024-01-01", "2023-11", 2)))
    assert found["change"].tolist() == [0, 2]
    assert found["percent"].isna().all()
    ages = by_age(found)
    assert ages[["age", "months", "up", "down", "same"]].to_numpy().tolist() == [[0, 1, 0, 0, 1], [1, 1, 1, 0, 0]]
    assert ages["median"].isna().all()
    assert "| 1 | 1 | 1 | 0 | 0 | +2 | \\[x\\] | \\[x\\] | \\[x\\] |" in verdict_sections.ages_table(ages, "Victims")
    # There is nothing to draw, and that is said.
    part = charts.revisions_by_age(Project.open(REPOSITORY), ages, "Victims", "x").data
    assert "![" not in part
    assert part.startswith("Victims: no month has a first number")


def test_without_a_first_print_there_is_a_sentence_and_no_chart() -> None:
    ages = by_age(revisions(vintages_from(("2024-01-01", "2023-11", 5))))
    assert charts.revisions_by_age(Project.open(REPOSITORY), ages, "Victims", "x").data == (
        "Victims: no month has a first number that we can compare with a later one in percent."
    )


def test_ages_are_summed_up_over_months() -> None:
    found = by_age(
        revisions(
            vintages_from(
                *(("2023-11-02", "2023-10", 10), ("2023-12-02", "2023-10", 12), ("2024-01-02", "2023-10", 9)),
                *(("2023-12-02", "2023-11", 20), ("2024-01-02", "2023-11", 20)),
            )
        )
    )
    assert found[["age", "months", "up", "down", "same"]].to_numpy().tolist() == [
        [0, 2, 0, 0, 2],
        [1, 2, 1, 0, 1],
        [2, 1, 0, 1, 0],
    ]
    assert found[["smallest", "median", "largest"]].to_numpy().tolist() == [[0, 0, 0], [0, 10, 20], [-10, -10, -10]]
    sizes = found[["smallest_change", "median_change", "largest_change"]]
    assert sizes.to_numpy().tolist() == [[0, 0, 0], [0, 1, 2], [-1, -1, -1]]


def test_a_month_is_still_as_first_counted_while_it_has_that_very_number() -> None:
    found = still_as_first(
        vintages_from(
            ("2023-11-30", "2023-11", 4),  # the month is not over
            ("2023-12-01", "2023-11", 5),
            ("2023-12-02", "2023-11", 7),
            ("2024-01-02", "2023-11", 5),
            ("2024-01-02", "2023-12", 8),
            ("2024-01-02", "2023-08", 1),  # its first print is not known
            ("2024-01-03", "2023-11", 4),
            ("2024-01-03", "2023-12", 8),
        )
    )
    assert found["as_of"].astype("str").tolist() == ["2023-12-01", "2023-12-02", "2024-01-02", "2024-01-03"]
    assert found[["months", "same"]].to_numpy().tolist() == [[1, 1], [1, 0], [2, 2], [2, 1]]


def test_a_month_moves_on_the_day_on_which_it_has_another_number_and_is_over() -> None:
    found = moves(
        vintages_from(
            ("2023-11-30", "2023-11", 4),
            ("2023-12-01", "2023-11", 5),  # the first after its end: nothing to compare it with
            ("2023-12-02", "2023-11", 3),
            ("2023-12-02", "2023-10", 9),
            ("2023-12-03", "2023-10", 9),
        )
    )
    assert found[["months", "moved", "change"]].to_numpy().tolist() == [[1, 1, -2], [1, 0, 0]]
    assert found["as_of"].astype("str").tolist() == ["2023-12-02", "2023-12-03"]


HISTORIES = st.lists(
    st.tuples(st.dates(dt.date(2023, 1, 1), dt.date(2024, 12, 31)), st.sampled_from(["2023-01", "2023-07", "2024-02"]),
              st.integers(0, 9)), min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=examples(40))
@given(HISTORIES)
def test_the_counts_of_an_age_add_up_and_the_changes_start_from_the_first_print(
    rows: list[tuple[dt.date, str, int]],
) -> None:
    last = {(day, month): value for day, month, value in rows}
    table = vintages_from(*((str(day), month, value) for (day, month), value in last.items()))
    found = revisions(table)
    assert (found["first"] + found["change"]).eq(found["value"]).all()
    assert not found.duplicated(["month", "age"]).any()
    ages = by_age(found)
    assert (ages["up"] + ages["down"] + ages["same"]).eq(ages["months"]).all()
    assert int(ages["months"].sum()) == len(found)
    shares = still_as_first(table)
    assert shares["same"].le(shares["months"]).all()
    # On the day of its first print every month has the number of its first print.
    for month in found["month"].unique():
        of_month = sorted((day, value) for (day, name), value in last.items() if name == month and str(day)[:7] > month)
        assert found.loc[found["month"].eq(month), "first"].eq(of_month[0][1]).all()


# ---------------------------------------------------------------- a project's own deliveries


def test_a_project_counts_its_months_as_they_were_known_on_each_day(project: Project, deliver: Deliver) -> None:
    deliver("2022-08-03", responses=["R1,2022-07-05,Homicide,SE"])
    deliver("2022-09-02", responses=["R2,2022-07-06,Homicide,SE", "R3,2022-08-06,Homicide,SE"])
    found = vintages_of(project, ["responses"])
    assert found.assign(as_of=found["as_of"].astype("str")).to_numpy().tolist() == [
        ["2022-08-03", "2022-07", "responses", 1],
        ["2022-09-02", "2022-07", "responses", 2],
        ["2022-09-02", "2022-08", "responses", 1],
    ]


@pytest.mark.parametrize(
    ("measures", "days"),
    [
        (["responses"], [("2023-09", "2023-12-04")]),
        pytest.param(
            ["people_engaged", "responses"],
            [("2023-09", "2023-10-04"), ("2023-09", "2023-12-04"), ("2022-12", "2023-06-05")],
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_the_demonstration_records_give_the_same_numbers_as_their_editions(
    measures: list[str], days: list[tuple[str, str]]
) -> None:
    project = Project.open(REPOSITORY)
    found = vintages_of(project, measures)
    for month, day in days:
        figures = load_edition(project, month, dt.date.fromisoformat(day)).figures
        for measure in measures:
            assert known(found, day, month, measure) == value_of(figures, measure, "month")
    assert set(found.loc[found["month"].eq("2023-09"), "as_of"].astype("str")) == {
        "2023-10-04", "2023-11-03", "2023-12-04",
    }  # fmt: skip


def test_a_measure_that_is_none_or_has_a_breakdown_is_refused(project: Project, deliver: Deliver) -> None:
    deliver()
    with pytest.raises(ParameterError) as refused:
        vintages_of(project, ["response", "responses_by_month", "responses"])
    message = str(refused.value)
    assert "'response' is not a measure without a breakdown; did you mean 'responses'?" in message
    assert "'responses_by_month'" in message
    assert "'responses' is" not in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: has no column vintage_date, event_month, victims"),
        (HEADER, "contains no vintage"),
        (HEADER + "2023-13-01,2023-11,1\n", "line 2, vintage_date: '2023-13-01' is not a date"),
        (HEADER + "2023-12-01,November,1\n", "line 2, event_month: 'November' is not a month"),
        (HEADER + "2023-12-01,2023-11,1.5\n", "line 2, victims: '1.5' is not a whole number"),
        (HEADER + "2023-12-01,2023-11\n", "line 2: has fewer fields than the header"),
        (HEADER + "2023-12-01,2023-11,1,1\n", "line 2: has more fields than the header"),
        (HEADER + "2023-12-01,2023-11,1\n2023-12-01,2023-11,2\n", "line 3: repeats the day and the month of line 2"),
        ("vintage_date,event_month,victims,victims\n2023-12-01,2023-11,1,2\n", "line 1: has several columns victims"),
        (HEADER + '2023-12-01,2023-11,"1\n', "cannot be read"),
    ],
)
def test_malformed_vintages_are_refused_by_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "vintages.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(VintageError) as refused:
        read_vintages(path, ["victims"])
    assert says in str(refused.value)
    with pytest.raises(VintageError, match="cannot be read"):
        read_vintages(tmp_path / "nowhere.csv", ["victims"])


def test_all_lines_at_fault_are_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vintages.csv"
    path.write_text(HEADER + "yesterday,2023-11,1\n2023-12-01,2023-11,1\n2023-12-01,2023-10,-1\n", encoding="utf-8")
    with pytest.raises(VintageError) as refused:
        read_vintages(path, ["victims"])
    assert [problem.where.split("/")[-1] for problem in refused.value.problems] == [
        "vintages.csv, line 2, vintage_date",
        "vintages.csv, line 4, victims",
    ]


def test_the_vintages_of_a_day_are_told_apart_by_their_commit_and_a_byte_order_mark_is_no_matter(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vintages.csv"
    rows = "2023-12-01,b,2023-11,4\n2023-12-01,a,2023-11,6\n2023-11-30,c,2023-11,3\n"
    path.write_text("vintage_date,commit,event_month,victims\n" + rows, encoding="utf-8-sig")
    found = read_vintages(path, ["victims"])
    assert found.assign(as_of=found["as_of"].astype("str"))[["as_of", "value"]].to_numpy().tolist() == [
        ["2023-11-30", 3],
        ["2023-12-01", 6],
    ]
    assert found.dtypes.astype("str").to_dict() == {
        "as_of": "datetime64[s]",
        "month": "str",
        "measure": "str",
        "value": "int64",
    }


# ---------------------------------------------------------------- what a person sees


def test_the_chart_of_ages_says_in_words_what_it_shows(kept: pd.DataFrame) -> None:
    ages = by_age(revisions(kept))
    project = Project.open(REPOSITORY)
    part = charts.revisions_by_age(project, ages.loc[ages["measure"].eq("victims")], "Victims", "victims-by-age")
    assert "at age 1 +5.0% (of 10 months)" in part.data
    assert "| 1 | 10 | 8 | 2 | 0 | +10.5 | +5.0% | -5.6% | +12.0% |" in part.data
    shown = layout.readable(part).data
    assert shown.startswith("![Chart of the median change of Victims")
    assert not any(mark in shown for mark in (":::", "{#", "\n: "))


def test_a_long_history_has_no_more_names_on_its_axis_than_can_be_read() -> None:
    days = pd.date_range("2020-02-01", periods=60, freq="MS")
    ages = by_age(revisions(vintages_from(*((str(day.date()), "2020-01", 10 + n) for n, day in enumerate(days)))))
    axes = drawing.ages_chart(Project.open(REPOSITORY).fonts, ages).axes[0]
    assert len(ages) == 60
    assert [text.get_text() for text in axes.get_xticklabels()] == [str(age) for age in range(0, 60, 5)]


def test_changes_are_written_with_their_sign() -> None:
    assert [layout.signed(value) for value in (13, -1.5, 0, 1234, 2.0)] == ["+13", "-1.5", "0", "+1,234", "+2"]


def test_small_percentages_have_no_sign_of_nothing() -> None:
    assert [layout.signed_percent(value) for value in (0.04, -0.04, 5.26, -12.0)] == ["0.0%", "0.0%", "+5.3%", "-12.0%"]
    assert layout.signed_percent(float("nan")) == r"\[x\]"
