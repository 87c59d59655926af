"""What a month says: each sentence is said when its rule holds, and never more than the counts do."""

from __future__ import annotations

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
from viputils.config.project import Project
from viputils.core.months import ReportMonth
from viputils.figures.assessment import Assessment, assess
from viputils.figures.edition import Edition
from viputils.report import charts, narrative

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


USUAL = [20] * 16


def test_a_month_beyond_chance_is_said_to_be_higher_with_what_it_is_measured_by(told: Told) -> None:
    text = said(told(DV=[*USUAL, 45]))
    assert "Responses in November 2023: **45** [p]." in text
    assert "The 16 months before it had about 20 a month on average" in text
    assert "This month is higher than chance alone explains." in text
    assert "Categories higher than chance alone explains: DV/Sexual Assault (45; by chance seldom more than" in text
    assert "lower" not in text


def test_a_month_below_chance_is_said_to_be_lower(told: Told) -> None:
    text = said(told(DV=[*USUAL, 3]))
    assert "This month is lower than chance alone explains." in text
    assert "Categories lower than chance alone explains: DV/Sexual Assault (3; by chance seldom fewer than" in text
    assert "higher" not in text.replace("higher or", "")


def test_a_month_within_chance_shows_neither_a_rise_nor_a_fall(told: Told) -> None:
    text = said(told(DV=[*USUAL, 27]))
    assert "This month lies within that: by itself it shows neither a rise nor a fall." in text
    assert "Of its categories (incident type and area command), none is outside what chance alone gives." in text
    assert not re.search(r"is (higher|lower)", text)


def test_the_limits_in_the_sentence_are_the_month_just_inside_and_just_outside_them(told: Told) -> None:
    text = said(told(DV=[*USUAL, 20]))
    found = re.search(r"below ([0-9]+) or above ([0-9]+)", text)
    assert found is not None
    low, high = int(found[1]), int(found[2])
    assert "lies within that" in said(told(DV=[*USUAL, high]))
    assert "higher than chance" in said(told(DV=[*USUAL, high + 1]))
    assert "lies within that" in said(told(DV=[*USUAL, low]))
    assert "lower than chance" in said(told(DV=[*USUAL, low - 1]))


def test_too_few_months_before_say_nothing_of_what_is_usual(told: Told) -> None:
    text = said(told(DV=[20, 90]))
    assert "What is usual cannot be said yet: the records hold 1 earlier month, and it takes 12." in text
    assert "chance alone would seldom" not in text
    assert "higher" not in text
    assert "the records hold 11 earlier months" in said(told(DV=[20] * 11 + [90]))
    assert "higher than chance" in said(told(DV=[20] * 12 + [90]))


def test_months_that_differ_by_more_than_chance_let_nothing_be_read_into_one(told: Told) -> None:
    text = said(told(DV=[5, 60] * 8 + [90]))
    assert "differ from each other more than chance alone would make them, so nothing is read into a single" in text
    assert "is higher" not in text
    assert "Categories higher" not in text


def test_small_counts_are_named_as_too_small_to_show_a_fall(told: Told) -> None:
    text = said(told(DV=[*USUAL, 20], HOM=[4] * 16 + [0]))
    assert "The counts of Homicide" in text
    assert "are too small for one month to show a fall." in text
    assert "Homicide (0" not in text
    few = said(told(HOM=[2] * 16 + [0]))
    assert "With so few a month, even a month without any would not show a fall." in few


def test_a_category_whose_months_differ_too_much_is_passed_over_by_name(told: Told) -> None:
    text = said(told(DV=[*USUAL, 20], GSW=[0, 12] * 8 + [30]))
    assert "We cannot judge Gun/Other Violence this month" in text
    assert "Gun/Other Violence (30" not in text


def test_a_run_of_months_is_said_with_the_rule_that_it_completes(told: Told) -> None:
    text = said(told(DV=[20] * 9 + [24] * 8))
    assert "Together, the last months are higher than those before: eight months in a row on the same side" in text
    falling = said(told(DV=[20] * 11 + [24, 22, 21, 19, 18, 17]))
    assert "Together, the last months fall: six months in a row" in falling


def test_the_year_to_date_is_compared_with_the_same_months_a_year_before(told: Told) -> None:
    text = said(told(DV=[10] * 12 + [11] * 5))
    assert "Responses in the fiscal year to date: **55**, 5 more than in the same months a year before (50)." in text
    found = re.search(r"Anything from a fall of ([0-9]+)% to a rise of ([0-9]+)% would fit these counts", text)
    assert found is not None
    # The exact interval of 55 to 50 by the F distribution; rounded so as to say less.
    low = 55 / 51 / stats.f.ppf(0.995, 2 * 51, 2 * 55)
    high = 56 / 50 * stats.f.ppf(0.995, 2 * 56, 2 * 50)
    assert (int(found[1]), int(found[2])) == (math.ceil(100 * (1 - low)), math.ceil(100 * (high - 1)))
    fewer = said(told(DV=[10] * 12 + [9] * 5))
    assert "**45**, 5 fewer than in the same months a year before (50)." in fewer
    same = said(told(DV=[10] * 17))
    assert "**50**, as many as in the same months a year before." in same


def test_a_year_to_date_beyond_chance_is_said_to_be_and_by_how_much_it_could_be(told: Told) -> None:
    more = said(told(DV=[20] * 12 + [40] * 5))
    assert "That is more than chance alone explains. These counts fit a rise of between" in more
    assert (
        "Categories with more than a year before, beyond what chance alone explains: DV/Sexual Assault (200, a year "
        in more
    )
    fewer = said(told(DV=[40] * 12 + [20] * 5))
    assert "That is less than chance alone explains. These counts fit a fall of between" in fewer
    low, high = re.findall(r"fall of between ([0-9]+)% and ([0-9]+)%", fewer)[0]
    assert int(low) < 50 < int(high)


def test_a_year_whose_months_differ_too_much_lets_nothing_be_read_into_the_difference(told: Told) -> None:
    text = said(told(DV=[20] * 12 + [5, 60, 5, 60, 5]))
    assert "The months within these years differ from each other more than chance alone would make them" in text
    assert "These counts fit" not in text


def test_a_rise_from_none_is_said_once_and_in_one_way(told: Told) -> None:
    text = said(told(DV=[0] * 12 + [8] * 5))
    assert "**40**, 40 more than in the same months a year before (0). That is more than chance alone explains." in text
    assert "too small to say" not in text


def test_a_small_average_keeps_its_decimal(told: Told) -> None:
    text = said(told(DV=[0, 1, 0, 0, 1] * 3 + [0, 0, 0]))
    assert "had about 0.4 a month on average" in text


def test_a_year_that_has_only_begun_is_judged_by_how_much_the_months_before_it_differ(told: Told) -> None:
    text = said(told(DV=[5, 60] * 6 + [90]))
    assert "Responses in the fiscal year to date: **90**, 85 more than in the same months a year before (5)." in text
    assert "The months within these years differ from each other more than chance alone" in text
    assert "That is more than chance" not in text
    even = said(told(DV=[20] * 12 + [60]))
    assert "That is more than chance alone explains." in even


def test_none_is_outside_is_said_only_of_categories_of_which_it_can_be_told(told: Told) -> None:
    uneven = [5, 60] * 8
    text = said(told(DV=[20] * 17, Suicide=[*uneven, 30], Homicide=[*uneven[1:], 5, 30]))
    assert "Of those of its categories (" in text
    assert ") of which it can be told, none is outside what chance alone gives." in text
    apart = said(told(DV=[*USUAL, 60], Suicide=[*uneven, 30], Other=[20] * 17))
    assert "No other category of which it can be told is outside what chance alone gives." in apart


def test_without_the_year_before_nothing_is_compared(told: Told) -> None:
    assert "The same months of the fiscal year before are not in the records." in said(told(DV=[20] * 6))


def test_a_year_before_without_any_is_too_small_to_compare(told: Told) -> None:
    text = said(told(DV=[0] * 12 + [1, 0, 0, 0, 0]))
    assert "The numbers are too small to say whether that is a change." in text


def test_the_same_is_said_in_spanish(told: Told) -> None:
    text = said(told("es", DV=[*USUAL, 45], HOM=[4] * 17))
    assert "Qué cambió este mes" in text
    assert "Respuestas en noviembre de 2023: **49** [p]." in text
    assert "Este mes es más alto de lo que explica el azar por sí solo." in text
    assert "Categorías más altas de lo que explica el azar por sí solo: Violencia doméstica o agresión sexual" in text
    assert "Los números de Homicidio" in text
    for english in ("chance", "month", "year", "higher", "lower"):
        assert english not in text


def test_the_november_2023_issue_says_what_its_records_say(demonstration: Edition) -> None:
    text = said(demonstration)
    assert "Responses in November 2023: **90** [p]." in text  # As printed.
    assert "**320**" in text
    # Of the six types and six areas as printed, 55 and 27 stand out from the months before, which are made up.
    assert "Gun/Other Violence (55;" in text
    assert "Northeast (27;" in text


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
    numbers = found.whole.chart.points["value"] if show is charts.usual_range else found.pace.year_before
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
    found = re.search(r"it ends between ([0-9]+) and ([0-9]+)\.", shown)
    assert found is not None
    assert 100 < int(found[1]) < 240 < int(found[2])
    uneven = _pace(told(DV=[20] * 12 + [5, 60, 5, 60, 5]))
    assert "it ends between" not in uneven
    assert "not reckoned: its months so far, or those of the year before, differ from each other" in uneven


def test_a_year_of_which_a_month_is_not_known_is_not_said_to_differ_from_itself(told: Told) -> None:
    edition = told(DV=[20] * 17)
    found = assessed(edition)
    assert found is not None
    gap = replace(found, pace=replace(found.pace, at_end=None))
    shown = str(charts.pace(Project.open(REPOSITORY), edition, gap).data)
    assert "it ends between" not in shown
    assert "not reckoned: too little is known of it so far." in shown
    assert "differ from each other" not in shown


def test_a_program_that_follows_sums_or_nothing_by_month_has_no_such_part(project: Project, deliver: Deliver) -> None:
    text = (project.root / "program.toml").read_text(encoding="utf-8")
    (project.root / "program.toml").write_text(text.replace('trend = "responses_by_month"\n', ""), "utf-8")
    opened = Project.open(project.root)
    deliver(responses=["R1,2023-11-02,DV,SE"])
    edition = load_edition(opened, "2023-11")
    assert narrative.what_changed(edition, assess(edition)).data == ""
    assert charts.usual_range(opened, edition, assess(edition)).data == ""
    assert charts.pace(opened, edition, assess(edition)).data == ""


# What each course of counts lets the report say, one sentence after the other, in both languages.
COURSES: dict[str, tuple[dict[str, list[int]], list[tuple[str, str]]]] = {
    "falling": (
        {"DV": [20] * 11 + [26, 25, 24, 23, 22, 21]},
        [
            (
                "Together, the last months fall: six months in a row that rise, or fall, without a break.",
                "En conjunto, los últimos meses bajan: seis meses seguidos que suben, o bajan, sin interrupción.",
            )
        ],
    ),
    "rising": (
        {"DV": [20] * 11 + [15, 16, 17, 18, 19, 21]},
        [
            (
                "Together, the last months rise: six months in a row that rise, or fall, without a break.",
                "En conjunto, los últimos meses suben: seis meses seguidos que suben, o bajan, sin interrupción.",
            )
        ],
    ),
    "long below": (
        {"DV": [30] * 9 + [24, 26, 25, 26, 24, 26, 25, 24]},
        [
            (
                "Together, the last months are lower than those before: eight months in a row on the same side of the "
                "average.",
                "En conjunto, los últimos meses son más bajos que los anteriores: ocho meses seguidos del mismo lado "
                "del promedio.",
            )
        ],
    ),
    "one apart": (
        {"DV": [20] * 16 + [60], "SUI": [20] * 17},
        [
            (
                "No other category is outside what chance alone gives.",
                "Ninguna otra categoría está fuera de lo que da el azar por sí solo.",
            ),
            (
                "This month is higher than chance alone explains.",
                "Este mes es más alto de lo que explica el azar por sí solo.",
            ),
        ],
    ),
    "less than a year before": (
        {"DV": [60] * 12 + [30] * 5},
        [
            (
                "Categories with fewer than a year before, beyond what chance alone explains: DV/Sexual Assault (150, "
                "a year before 300)",
                "Categorías con menos que un año antes, por debajo de lo que explica el azar por sí solo: ",
            ),
            ("That is less than chance alone explains.", "Eso es menos de lo que explica el azar por sí solo."),
        ],
    ),
    "nothing": (
        {"DV": [20] * 17},
        [
            (
                "This month lies within that: by itself it shows neither a rise nor a fall.",
                "Este mes está dentro de eso: por sí solo no muestra ni un aumento ni una disminución.",
            ),
            (
                "none is outside what chance alone gives.",
                "ninguna está fuera de lo que da el azar por sí solo.",
            ),
            (
                "none differs from the year before by more than chance alone explains.",
                "ninguna difiere del año anterior más de lo que explica el azar por sí solo.",
            ),
        ],
    ),
    "uneven": (
        {"DV": [5, 60] * 8 + [60], "SUI": [20] * 17},
        [
            (
                "differ from each other more than chance alone would make them, so nothing is read into a single",
                "difieren entre sí más de lo que haría el azar por sí solo, así que de un solo mes no se concluye",
            ),
            ("We cannot judge DV/Sexual Assault", "No podemos evaluar "),
            ("Of those categories (", "De las categorías ("),
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
            for other in (one for one in every if not one[0].startswith(("That", "Of those", "Nothing"))):
                assert other[mine] not in text
