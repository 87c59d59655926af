"""Main points and findings: each sentence appears if its rule holds, and never says more than the counts do."""

from __future__ import annotations

import datetime as dt
import math
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from scipy import stats

from tests.support.histories import with_tables
from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.audit.revisions import RevisedMonth, trend_revisions
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.assessment import Assessment, assess
from viputils.figures.edition import Edition
from viputils.report import charts, narrative
from viputils.report.markdown import unescape

FIRST = ReportMonth(2022, 7)
Told = Callable[..., Edition]


@pytest.fixture
def project(project: Project) -> Project:
    """A project of few tables, which is read and counted in a fraction of the time."""
    return with_tables(project, "responses", "reviews")


@pytest.fixture(scope="module")
def kept() -> dict[str, Edition]:
    """The editions that tests have asked for; many ask for the same."""
    return {}


@pytest.fixture
def told(kept: dict[str, Edition], project: Project, deliver: Deliver) -> Told:
    """The edition of the last of some months from July 2022 on, each with so many responses of each type."""

    def make(language: str = "en", **counts: Sequence[int | None]) -> Edition:
        asked = repr(counts)
        if asked not in kept:
            kept[asked] = read(counts)
        if language == "en":
            return kept[asked]
        return replace(kept[asked], language=Project.open(REPOSITORY, language).language)

    def read(counts: dict[str, Sequence[int | None]]) -> Edition:
        for earlier in project.raw.iterdir():
            shutil.rmtree(earlier)
        rows, last = [], FIRST
        for kind, of_each in counts.items():
            for place, count in enumerate(of_each):
                month = last = FIRST.plus(place)
                rows += [f"{kind}{month}-{number},{month}-01,{kind},SE" for number in range(count or 0)]
        deliver(str(last.plus(1).span.start), responses=rows)
        return load_edition(project, last)

    return make


# The records of an edition give the same assessment in every language.
ASSESSED: dict[int, tuple[Edition, Assessment | None]] = {}


def assessed(edition: Edition) -> Assessment | None:
    known = ASSESSED.get(id(edition.records))
    if known is None:
        ASSESSED[id(edition.records)] = known = edition, assess(edition)
    return known[1]


def said(edition: Edition) -> str:
    return " ".join(narrative.what_changed(edition, assessed(edition)).data.replace("\\", "").split())


def points(edition: Edition, revised: Sequence[RevisedMonth] = ()) -> list[str]:
    return [unescape(point) for point in narrative.points_of(edition, assessed(edition), revised)]


USUAL = [20] * 16


def test_an_unusually_high_month_comes_first_with_its_normal_range(told: Told) -> None:
    edition = told(DV=[*USUAL, 45])
    found = assessed(edition)
    assert found is not None
    low, high = found.whole.low, found.whole.high
    limit = found.parts["responses_by_incident_type"][1].high
    assert limit > high, "looked at beside others, a category has wider limits"
    assert points(edition)[:2] == [
        f"Responses in November 2023: 45 [p]. That is unusually high: a normal month has between {low} and {high}.",
        f"Unusually high: DV/Sexual Assault, 45 (normally {limit} or fewer); "
        f"Southeast, 45 (normally {limit} or fewer).",
    ]
    text = said(edition)
    assert "Responses in November 2023: **45** [p]." in text
    assert f"The average of the 16 months before was about 20. A normal month has between {low} and {high}." in text
    assert "This month was unusually high." in text
    assert "unusually low" not in text


def test_an_unusually_low_month_is_called_so(told: Told) -> None:
    first, categories, *_ = points(told(DV=[*USUAL, 3]))
    assert first.startswith("Responses in November 2023: 3 [p]. That is unusually low: a normal month has between ")
    assert categories.startswith("Unusually low: DV/Sexual Assault, 3 (normally ")
    assert "or more)" in categories
    assert "This month was unusually low." in said(told(DV=[*USUAL, 3]))


def test_a_normal_month_is_called_normal_in_one_point_and_its_categories_in_one(told: Told) -> None:
    edition = told(DV=[*USUAL, 27])
    first, categories, *_ = points(edition)
    assert re.fullmatch(
        r"Responses in November 2023: 27 \[p\]\. That is normal: most months have between \d+ and \d+\.", first
    )
    assert categories == "By incident type and area command, no count was unusual."
    text = said(edition)
    assert "This was a normal month." in text
    assert "unusually" not in text.lower()


def test_the_limits_in_the_sentence_are_the_month_just_inside_and_just_outside_them(told: Told) -> None:
    found = re.search(r"between ([0-9]+) and ([0-9]+)\.", points(told(DV=[*USUAL, 20]))[0])
    assert found is not None
    low, high = int(found[1]), int(found[2])
    assert "That is normal" in points(told(DV=[*USUAL, high]))[0]
    assert "unusually high" in points(told(DV=[*USUAL, high + 1]))[0]
    assert "That is normal" in points(told(DV=[*USUAL, low]))[0]
    assert "unusually low" in points(told(DV=[*USUAL, low - 1]))[0]


def test_with_too_few_months_before_nothing_is_called_normal_or_unusual(told: Told) -> None:
    assert "too few earlier months" in points(told(DV=[20]))[0]
    edition = told(DV=[20, 90])
    text = " ".join([*points(edition), said(edition)])
    assert "There are too few earlier months to say if that is normal." in text
    assert "We cannot say what is normal yet: there is 1 earlier month, and we need 12." in text
    assert "unusually" not in text.lower()
    assert "there are 11 earlier months" in said(told(DV=[20] * 11 + [90]))
    assert "unusually high" in points(told(DV=[20] * 12 + [90]))[0]


def test_if_earlier_months_vary_too_much_the_month_is_not_judged(told: Told) -> None:
    edition = told(DV=[5, 60] * 8 + [90])
    assert points(edition)[0].endswith("Earlier months varied too much to say if that is normal.")
    text = said(edition)
    assert "but they varied too much to judge a single month." in text
    assert "unusually" not in " ".join([text, *points(edition)]).lower()


def test_small_counts_are_named_as_too_small_to_show_a_drop(told: Told) -> None:
    text = said(told(DV=[*USUAL, 20], HOM=[4] * 16 + [0]))
    assert "These counts are too small to show a drop in one month: Homicide." in text
    assert "Homicide, " not in text
    few = told(HOM=[2] * 16 + [0])
    assert "The counts are too small to show a drop in one month." in said(few)
    # If no month can be unusually low, no lower limit is named.
    assert re.search(r"That is normal: most months have \d+ or fewer\.", points(few)[0])


def test_a_category_whose_months_vary_too_much_is_named_and_not_judged(told: Told) -> None:
    edition = told(DV=[*USUAL, 20], GSW=[0, 30] * 8 + [30])
    assert "We cannot judge Gun/Other Violence this month: earlier months varied too much." in said(edition)
    assert "Gun/Other Violence, 30" not in " ".join([said(edition), *points(edition)])


def test_a_lasting_change_is_named_with_its_first_month_both_levels_and_its_range(told: Told) -> None:
    edition = told(DV=[20] * 12 + [40] * 5)
    shift = "Since July 2023 there have been about {}40{} responses a month, up from 20."
    assert points(edition)[1] == shift.format("", "")
    found = assessed(edition)
    assert found is not None
    assert found.shift is not None
    low, high = (100 * (bound - 1) for bound in found.shift.ratio)
    assert low < 100 < high
    text = said(edition)
    between = f"The true increase is very likely between {math.floor(low)}% and {math.ceil(high)}%."
    assert f"{shift.format('**', '**')} {between}" in text
    fewer = told(DV=[40] * 12 + [20] * 5)
    assert points(fewer)[1] == "Since July 2023 there have been about 20 responses a month, down from 40."
    smallest, largest = re.findall(r"The true decrease is very likely between ([0-9]+)% and ([0-9]+)%", said(fewer))[0]
    assert int(smallest) < 50 < int(largest)


def test_after_a_lasting_change_a_month_is_judged_by_the_months_since_it(told: Told) -> None:
    edition = told(DV=[20] * 12 + [40] * 5)
    low, high = re.findall(
        r"That is normal since the change: most months have between (\d+) and (\d+)\.", points(edition)[0]
    )[0]
    assert 20 <= int(low) < 40 < int(high)
    text = said(edition)
    assert "The average of the 4 earlier months since the change was about 40. A normal month now has between" in text
    assert "unusually" not in text.lower()
    apart = told(DV=[20] * 12 + [40] * 4 + [90])
    assert "90 [p]. That is unusually high: a normal month has between" in points(apart)[0]
    few = told(DV=[5] * 12 + [0] * 12)
    assert re.search(r"That is normal since the change: most months have \d+ or fewer\.", points(few)[0])
    assert re.search(r"since the change was about 0\. A normal month now has \d+ or fewer\.", said(few))


def test_a_change_of_the_last_months_is_too_recent_to_say_what_is_normal(told: Told) -> None:
    edition = told(DV=[20] * 15 + [60] * 2)
    first, shift, *_ = points(edition)
    assert first == ("Responses in November 2023: 60 [p]. The level changed too recently to say if that is normal.")
    assert shift == "Since October 2023 there have been about 60 responses a month, up from 20."
    assert "The level changed too recently to say what is normal now." in said(edition)
    assert "too few earlier months" not in " ".join(points(edition))


def test_a_year_that_does_not_show_a_lasting_change_does_not_seem_to_deny_it(told: Told) -> None:
    recent = said(told(DV=[40] * 15 + [60] * 2))
    assert "Since October 2023" in recent
    assert "Over the whole year to date, the difference is still too small to be clear." in recent
    assert "too small to call" not in recent
    down = said(told(DV=[20] * 12 + [80] * 8 + [30] * 4))
    assert "down from" in down
    up = said(told(DV=[80] * 12 + [20] * 8 + [60] * 4))
    assert "up from" in up
    assert "Over the whole year to date, that is a clear decrease." in up
    assert "Over the whole year to date, that is a clear increase." in down


def test_the_title_and_the_words_of_the_chart_name_the_lasting_change(told: Told) -> None:
    for counts, title in (
        ([20] * 12 + [40] * 5, "## Responses: about 40 a month since July 2023, up from 20"),
        ([40] * 12 + [20] * 5, "## Responses: about 20 a month since July 2023, down from 40"),
    ):
        edition = told(DV=counts)
        shown = charts.usual_range(Project.open(REPOSITORY), edition, assessed(edition)).data
        assert shown.split("\n")[0] == title
        first, last = counts[0], counts[-1]
        assert f"The average is {last} since July 2023 and was {first} before." in shown
        assert "Line: average, with a step where the level changed." in shown
        assert f"Average: {first} before the change, {last} since. Normal range:" in shown


def test_a_season_is_no_lasting_change_and_a_run_of_high_months_is_no_claim(told: Told) -> None:
    season = [round(60 * (1 + 0.2 * math.sin(math.pi * at / 6))) for at in range(17)]
    text = said(told(DV=season))
    assert "Since" not in text
    assert "Since" not in said(told(DV=[20] * 9 + [24] * 8))


def test_the_year_to_date_is_compared_with_the_year_before(told: Told) -> None:
    small = "The difference is too small to call an increase or a decrease."
    assert f"Responses in the fiscal year to date: 55, 5 more than a year earlier (50). {small}" in points(
        told(DV=[10] * 12 + [11] * 5)
    )
    assert f"Responses in the fiscal year to date: 45, 5 fewer than a year earlier (50). {small}" in points(
        told(DV=[10] * 12 + [9] * 5)
    )
    assert "Responses in the fiscal year to date: 50, the same as a year earlier." in points(told(DV=[10] * 17))


def test_a_clear_change_of_the_year_is_named_with_the_range_of_the_exact_interval(told: Told) -> None:
    more = told(DV=[20] * 12 + [40] * 5)
    assert (
        "Responses in the fiscal year to date: 200, 100 more than a year earlier (100). That is a clear increase."
        in (points(more))
    )
    # The exact 99.5% interval of 200 to 100 by the F distribution, rounded so as to say less.
    low = 200 / 101 / stats.f.ppf(0.9975, 2 * 101, 2 * 200)
    high = 201 / 100 * stats.f.ppf(0.9975, 2 * 201, 2 * 100)
    text = said(more)
    assert (
        f"That is a clear increase. The true increase is very likely between {math.floor(100 * (low - 1))}% and "
        f"{math.ceil(100 * (high - 1))}%." in text
    )
    assert "Clearly more than a year earlier: DV/Sexual Assault, 200 (a year earlier 100); " in text
    fewer = said(told(DV=[40] * 12 + [20] * 5))
    assert "That is a clear decrease." in fewer
    smallest, largest = re.findall(
        r"clear decrease. The true decrease is very likely .* ([0-9]+)% and ([0-9]+)%", fewer
    )[0]
    assert int(smallest) < 50 < int(largest)


def test_a_year_whose_months_vary_too_much_is_not_called_a_change(told: Told) -> None:
    edition = told(DV=[20] * 12 + [5, 60, 5, 60, 5])
    text = " ".join([*points(edition), said(edition)])
    assert "Monthly counts varied too much to call it a change." in text
    assert "a clear" not in text


def test_a_rise_from_none_is_named_once(told: Told) -> None:
    edition = told(DV=[0] * 12 + [8] * 5)
    year = "Responses in the fiscal year to date: 40, 40 more than a year earlier (0). That is a clear increase."
    assert year in points(edition)
    assert "true increase" not in said(edition)


def test_a_small_average_keeps_its_decimal(told: Told) -> None:
    assert "months before was about 0.4." in said(told(DV=[0, 1, 0, 0, 1] * 3 + [0, 0, 0]))


def test_a_year_that_has_only_begun_is_judged_by_how_much_the_months_before_it_vary(told: Told) -> None:
    text = said(told(DV=[5, 60] * 6 + [90]))
    assert (
        "Responses in the fiscal year to date: **90**, 85 more than a year earlier (5). Monthly counts varied" in text
    )
    assert "That is a clear increase." in said(told(DV=[20] * 12 + [60]))


def test_all_were_normal_is_said_only_of_categories_that_can_be_judged(told: Told) -> None:
    uneven = [5, 60] * 8
    edition = told(DV=[20] * 17, Suicide=[*uneven, 30], Homicide=[*uneven[1:], 5, 30])
    normal = "By incident type and area command, no count that we could judge was unusual."
    assert normal in said(edition)
    assert normal in points(edition)
    apart = told(DV=[*USUAL, 60], Suicide=[*uneven, 30], Other=[20] * 17)
    assert "All other categories that we could judge were normal." in said(apart)


def test_without_the_year_before_nothing_is_compared(told: Told) -> None:
    edition = told(DV=[20] * 6)
    assert "There are no records of the same months a year earlier." in said(edition)
    assert not any("year earlier" in point for point in points(edition))


def test_the_number_of_points_and_of_their_words_has_a_limit(told: Told) -> None:
    kinds = ["GSW", "DV", "HOM", "Other Death", "SUI", "OTH"]
    edition = told(**{kind: [*USUAL, 80] for kind in kinds})
    revised = [RevisedMonth(ReportMonth(2023, one), dt.date(2023, 12, 1), 10, 20) for one in range(1, 11)]
    for language in ("en", "es"):
        shown = points(replace(edition, language=Project.open(REPOSITORY, language).language), revised)
        assert 3 <= len(shown) <= 6
        assert max(len(point.split()) for point in shown) <= 25
    shown = points(edition, revised)
    # What does not fit is counted, not left out in silence.
    assert re.search(r"Unusually high: .*; \d more\.$", shown[1])
    assert re.search(r"Revised responses: October 2023, from 10 to 20; .*; \d more\.$", shown[-1])


def test_the_points_of_november_2023_are_its_published_numbers(demonstration: Edition) -> None:
    revised = trend_revisions(demonstration)
    shown = points(demonstration, revised)
    # As published: 90 responses, 320 in the year to date, 55 and 27 of one type and one area, 2,599 and 101 people.
    assert shown[0].startswith(
        "Responses in November 2023: 90 [p]. That is unusually high: a normal month has between "
    )
    assert shown[1].startswith("Unusually high: Gun/Other Violence, 55 (normally ")
    assert "; Northeast, 27 (normally " in shown[1]
    assert shown[2].startswith("Responses in the fiscal year to date: 320, ")
    assert shown[3].startswith("Fiscal year to date, compared with a year earlier: adults assisted 2,599 (")
    assert "children assisted 101 (" in shown[3]
    rows = demonstration.records.tables["outreach"].rows
    year_before = rows["operation_date"].between("2022-07-01", "2022-11-30")
    adults = int(rows.loc[year_before, "adults_assisted"].sum())
    assert f"adults assisted 2,599 (then {adults:,})" in shown[3]
    assert re.fullmatch(
        r"Of \d+ people who received .* in November 2023, \d+ engaged .* by the end of the month\.", shown[4]
    )
    assert (
        shown[5]
        == "Revised responses: "
        + "; ".join(f"{one.month.label}, from {one.first} to {one.now}" for one in revised[::-1])
        + "."
    )
    assert len(shown) == 6


def test_a_city_without_statistics_has_the_points_that_it_can_have(project: Project, deliver: Deliver) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    (project.root / "program.toml").write_text(text.replace('trend = "responses_by_month"\n', ""), "utf-8")
    deliver(responses=["R1,2022-11-02,DV,SE", "R2,2023-11-02,DV,SE", "R3,2023-11-02,DV,SE"])
    edition = load_edition(Project.open(project.root), "2023-11")
    assert points(edition) == ["Fiscal year to date, compared with a year earlier: responses 2 (then 1)."]
    early = load_edition(Project.open(project.root), "2023-01")
    assert narrative.main_points(early, None, []).data == ""


def test_provisional_numbers_are_marked_and_explained(told: Told, demonstration: Edition) -> None:
    shown = narrative.main_points(demonstration, assessed(demonstration), []).data
    assert shown.startswith("## Main points\n\n- Responses in November 2023: **90** \\[p\\]")
    assert "\\[p\\] means provisional" in shown


@pytest.mark.parametrize("show", [charts.usual_range, charts.pace])
def test_a_chart_says_in_words_what_it_shows_and_its_numbers_stand_in_a_table(
    demonstration: Edition, show: Callable[..., object]
) -> None:
    shown = show(Project.open(REPOSITORY), demonstration, assessed(demonstration))
    text = re.sub(r"\(data:[^)]*\)", "", getattr(shown, "data", ""))
    alt = re.search(r'fig-alt="([^"]*)"', text)
    assert alt is not None
    found = assessed(demonstration)
    assert found is not None
    cells = [cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|")]
    numbers = found.chart.points["value"] if show is charts.usual_range else found.pace.year_before
    assert all(any(re.match(rf"{value}\b", cell) for cell in cells) for value in numbers)
    if show is charts.usual_range:
        assert all(f" {value}" in alt[1] for value in numbers)
        assert "Marked: November 2023 (one month outside the limits)." in alt[1]
        assert "\\(1\\) marks one month outside the limits." in text or "(1) marks one month outside" in text
    else:
        assert "320 by the end of November 2023" in alt[1]
        assert "315 by the end of November 2022" in alt[1]


def _pace(edition: Edition) -> str:
    return str(charts.pace(Project.open(REPOSITORY), edition, assessed(edition)).data)


def test_how_a_year_may_end_is_said_where_its_months_are_even(told: Told) -> None:
    shown = _pace(told(DV=[20] * 17))
    found = re.search(r"the year will end between ([0-9]+) and ([0-9]+)\. Such a range is right about 19 times", shown)
    assert found is not None
    assert 100 < int(found[1]) < 240 < int(found[2])
    # The months that are still to come were three times as many a year before.
    shaped = re.search(r"will end between ([0-9]+) and ([0-9]+)\.", _pace(told(DV=[20] * 5 + [60] * 7 + [20] * 5)))
    if shaped is not None:
        assert int(shaped[1]) > 240
    uneven = _pace(told(DV=[20] * 12 + [5, 60, 5, 60, 5]))
    assert "the year will end between" not in uneven
    assert "We give no year-end estimate because monthly counts varied too much." in uneven


def test_a_year_of_which_a_month_is_not_known_is_not_said_to_differ_from_itself(told: Told) -> None:
    edition = told(DV=[20] * 17)
    found = assessed(edition)
    assert found is not None
    gap = replace(found, pace=replace(found.pace, at_end=None))
    shown = str(charts.pace(Project.open(REPOSITORY), edition, gap).data)
    assert "the year will end between" not in shown
    assert "We give no year-end estimate, because the counts of these months do not allow one." in shown
    assert "varied" not in shown


def test_a_program_that_follows_sums_or_nothing_by_month_has_no_such_part(project: Project, deliver: Deliver) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    (project.root / "program.toml").write_text(text.replace('trend = "responses_by_month"\n', ""), "utf-8")
    opened = Project.open(project.root)
    deliver(responses=["R1,2023-11-02,DV,SE"])
    edition = load_edition(opened, "2023-11")
    assert narrative.what_changed(edition, assess(edition)).data == ""
    assert charts.usual_range(opened, edition, assess(edition)).data == ""
    assert charts.pace(opened, edition, assess(edition)).data == ""


# What each course of counts lets the report say, in both languages.
COURSES: dict[str, tuple[dict[str, list[int]], list[tuple[str, str]]]] = {
    "up": (
        {"DV": [20] * 12 + [40] * 5},
        [
            (
                "Since July 2023 there have been about **40** responses a month, up from 20.",
                "Desde julio de 2023 ha habido cerca de **40** respuestas al mes, más que antes (20).",
            ),
            (
                "The average of the 4 earlier months since the change was about 40. A normal month now has between ",
                "El promedio de los 4 meses anteriores desde el cambio fue de cerca de 40. Ahora, un mes normal tiene ",
            ),
        ],
    ),
    "down to none": (
        {"DV": [5] * 12 + [0] * 12},
        [
            (
                "Since July 2023 there have been about **0** responses a month, down from 5.",
                "Desde julio de 2023 ha habido cerca de **0** respuestas al mes, menos que antes (5).",
            ),
            ("A normal month now has ", "Ahora, un mes normal tiene "),
        ],
    ),
    "up for two months": (
        {"DV": [40] * 15 + [60] * 2},
        [
            (
                "The level changed too recently to say what is normal now.",
                "El nivel cambió hace muy poco para decir qué es normal ahora.",
            ),
            (
                "Over the whole year to date, the difference is still too small to be clear.",
                "En todo lo que va del año, la diferencia todavía es muy pequeña para ser clara.",
            ),
        ],
    ),
    "up in a low year": (
        {"DV": [80] * 12 + [20] * 8 + [60] * 4},
        [
            (
                "Over the whole year to date, that is a clear decrease.",
                "En todo lo que va del año, es una disminución clara.",
            )
        ],
    ),
    "down in a high year": (
        {"DV": [20] * 12 + [80] * 8 + [30] * 4},
        [
            (
                "Over the whole year to date, that is a clear increase.",
                "En todo lo que va del año, es un aumento claro.",
            )
        ],
    ),
    "one apart": (
        {"DV": [20] * 16 + [60], "SUI": [20] * 17},
        [
            ("All other categories were normal.", "Las demás categorías estuvieron dentro de lo normal."),
            ("This month was unusually high.", "La cifra de este mes es inusualmente alta."),
        ],
    ),
    "less than a year before": (
        {"DV": [60] * 12 + [30] * 5},
        [
            (
                "Clearly fewer than a year earlier: DV/Sexual Assault, 150 (a year earlier 300)",
                "Claramente menos que un año antes: ",
            ),
            ("That is a clear decrease.", "Es una disminución clara."),
        ],
    ),
    "nothing": (
        {"DV": [20] * 17},
        [
            ("This was a normal month.", "Fue un mes normal."),
            ("By incident type and area command, no count was unusual.", "ninguna cifra fue inusual."),
            (
                "By incident type and area command, nothing changed clearly from a year earlier.",
                "nada cambió claramente frente a un año antes.",
            ),
        ],
    ),
    "uneven": (
        {"DV": [5, 60] * 8 + [60], "SUI": [20] * 17},
        [
            ("but they varied too much to judge a single month.", "pero variaron demasiado para evaluar un solo mes."),
            ("We cannot judge DV/Sexual Assault", "No podemos evaluar "),
            (
                "nothing that we could compare changed clearly from a year earlier.",
                "nada de lo que pudimos comparar cambió claramente frente a un año antes.",
            ),
        ],
    ),
}


@pytest.mark.parametrize("course", COURSES)
def test_each_sentence_is_said_of_the_counts_that_it_is_about_in_both_languages(told: Told, course: str) -> None:
    counts, sentences = COURSES[course]
    english = said(told(**counts))
    spanish = said(told("es", **counts))
    every = [one for other in COURSES if other != course for one in COURSES[other][1]]
    for text, mine in ((english, 0), (spanish, 1)):
        for sentence in sentences:
            assert sentence[mine] in text
        if course == "nothing":
            for other in every:
                assert other[mine] not in text
