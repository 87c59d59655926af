"""The practice model: the same steps and counts as a picture, in words and in a table."""

from __future__ import annotations

import base64
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import is_math_text
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tests.support.projects import REPOSITORY, Deliver
from viputils.audit.as_of import load_edition
from viputils.config.program import Program
from viputils.config.program_file import program_from
from viputils.config.project import Project
from viputils.core.errors import ProgramError
from viputils.figures.edition import Edition
from viputils.report import practice_model
from viputils.report.drawing import BAR

NOVEMBER = {
    "reviews": ["V1,2023-11-07,3,41", "V2,2023-11-14,2,5", "V3,2023-12-01,9,9"],
    "candidates": ["C1,2023-11-08,Hospital", "C2,2023-11-09,Crime data", "C3,2023-11-10,HVIP", "C4,2023-10-30,Other"],
    "notifications": [
        "N1,2023-11-12,C1,Delivered,yes",
        "N2,2023-11-13,C2,Delivered,no",
        "N3,2023-11-14,C3,Declined,no",
    ],
    "engagements": ["E1,2023-11-20,C2,Housing"],
}


@pytest.fixture(scope="module")
def edition(edition_with: Callable[..., Edition]) -> Edition:
    """Two reviews with 46 persons, three candidates, two people notified, one of them engaged; one candidate before."""
    return edition_with(**NOVEMBER)


@pytest.fixture(scope="module")
def repository() -> Project:
    return Project.open(REPOSITORY)


def shown(project: Project, edition: Edition) -> str:
    return str(practice_model.practice_model(project, edition).data)


def svg_of(markdown: str) -> bytes:
    found = re.search(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", markdown)
    assert found
    return base64.b64decode(found[1])


def alt_of(markdown: str) -> str:
    found = re.search(r'fig-alt="((?:[^"\\]|\\.)*)"', markdown)
    assert found
    return found[1]


def figure_of(project: Project, edition: Edition) -> Figure:
    model = edition.program.report.practice_model
    assert model is not None
    return practice_model.steps_diagram(project.fonts, practice_model.steps_of(edition, model))


# ---------------------------------------------------------------- counts


def test_picture_alternative_text_and_words_have_the_same_counts(repository: Project, edition: Edition) -> None:
    markdown = shown(repository, edition)
    assert alt_of(markdown) == (
        "Flow diagram of the practice model with the counts of November 2023. "
        "Weekly shooting review (shooting reviews 2, incidents reviewed 5, persons identified 46), "
        "then Candidates (candidates received 3: Crime data 1, Shooting review 0, Hospital 2, Other 0), "
        "then Custom Notification (people notified 2). "
        "From there one arrow leads to Engages with services (people engaged 1), "
        "and another one to Further violence (no counts), then Enforcement (no counts)."
    )
    assert "shooting reviews **2**, incidents reviewed **5**, persons identified **46**." in markdown
    assert (
        "candidates received **3** (Crime data **1**, Shooting review **0**, Hospital **2**, Other **0**)" in markdown
    )
    assert "people notified **2**" in markdown
    assert "people engaged **1**" in markdown
    assert "no counts" in markdown.split("**What follows.**")[1]
    drawn = [text.get_text() for text in figure_of(repository, edition).axes[0].texts]
    assert [text for text in drawn if text.isdigit()] == ["2", "5", "46", "3", "1", "0", "2", "0", "2", "1"]


def test_the_table_gives_the_year_to_date_as_well(repository: Project, edition: Edition) -> None:
    rows = dict(re.findall(r"^\| (.+?) \| (\d+ \| \d+) \|$", shown(repository, edition), flags=re.MULTILINE))
    assert rows["Candidates received"] == "3 | 4"
    assert rows[r"Candidates received, source\: Other"] == "0 | 1"
    assert rows["Persons identified"] == "46 | 46"
    assert len(rows) == 10


def test_every_count_of_the_diagram_is_a_row_of_the_figures_table(edition: Edition) -> None:
    model = edition.program.report.practice_model
    assert model is not None
    assert model.sources is not None
    assert {*model.counts, model.sources} <= set(edition.figures["measure"])


def test_the_measures_of_the_diagram_are_not_among_those_that_an_issue_prints(program: Program) -> None:
    model = program.report.practice_model
    assert model is not None
    assert not any(program.measures[name].printed for name in model.counts)


# ---------------------------------------------------------------- the picture


def test_the_picture_is_the_same_every_time_and_needs_no_font(repository: Project, edition: Edition) -> None:
    first, second = (svg_of(shown(repository, edition)) for _ in range(2))
    assert first == second
    tags = {element.tag.rsplit("}", maxsplit=1)[-1] for element in ET.fromstring(first).iter()}  # noqa: S314 - our own
    assert "path" in tags
    assert "text" not in tags
    assert b"font-family" not in first


def test_what_has_no_counts_has_a_dashed_border_and_says_so(repository: Project, edition: Edition) -> None:
    axes = figure_of(repository, edition).axes[0]
    dashed = [patch for patch in axes.patches if patch.get_linestyle() not in ("-", "solid")]
    assert len(axes.patches) - len(dashed) == 4
    assert len(dashed) == 2
    words = " ".join(" ".join(text.get_text() for text in axes.texts).split())
    assert words.count(practice_model.NO_COUNTS) == 2


def luminance(color: Any) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: Any, other: Any) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_and_borders_stand_out_from_what_they_stand_on(repository: Project, edition: Edition) -> None:
    axes = figure_of(repository, edition).axes[0]
    fills = {patch.get_facecolor() for patch in axes.patches}
    assert min(contrast(text.get_color(), fill) for text in axes.texts if text.get_text() for fill in fills) >= 4.5
    assert min(contrast(patch.get_edgecolor(), fill) for patch in axes.patches for fill in (*fills, "white")) >= 3
    assert contrast(BAR, "white") >= 3


def test_no_text_reaches_beyond_its_box(repository: Project, edition: Edition) -> None:
    # A label that is far too long for one line, of a measure with a number of seven digits.
    measures = dict(edition.program.measures)
    label = "persons whom at least one of the agencies at the table had named in the course of the review"
    measures["persons_identified"] = measures["persons_identified"].model_copy(update={"label": label})
    measures["people_engaged"] = measures["people_engaged"].model_copy(update={"label": "people who went on to engage"})
    program = edition.program.model_copy(update={"measures": measures})
    figures = edition.figures.assign(value=edition.figures["value"].mask(edition.figures["value"].eq(46), 1_234_567))
    other = replace(edition, records=replace(edition.records, program=program), figures=figures)
    figure = figure_of(repository, other)
    axes = figure.axes[0]
    drawn = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    boxes = [patch.get_window_extent(drawn) for patch in axes.patches]
    for text in axes.texts:
        if not text.get_text():
            continue
        at = text.get_window_extent(drawn)
        assert any(box.x0 < at.x0 and at.x1 < box.x1 and box.y0 < at.y0 and at.y1 < box.y1 for box in boxes), (
            text.get_text()
        )


def test_dollar_signs_in_a_label_are_no_formula(repository: Project, edition: Edition) -> None:
    step = practice_model.Step("$x^2$ and $y$", r"\frac $a$", (("$b$ in all", 3),))
    steps = practice_model.Steps(step, step, step, step, practice_model.Step("A", "b"), practice_model.Step("C", "d"))
    figure = practice_model.steps_diagram(repository.fonts, steps)
    texts = [text for text in figure.axes[0].texts if "$" in text.get_text()]
    assert texts
    assert not any(is_math_text(text.get_text()) for text in texts)


# ---------------------------------------------------------------- program.toml


def raw_program() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "program.toml").read_text(encoding="utf-8"))


def test_a_city_without_a_practice_model_has_no_diagram(whole_project: Project, deliver: Deliver) -> None:
    path = whole_project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"\[report\.practice_model\].*", "", text, flags=re.DOTALL), encoding="utf-8")
    deliver("2023-12-04")
    project = Project.open(whole_project.root)
    assert practice_model.practice_model(project, load_edition(project, "2023-11")).data == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"review": ["shooting_review"]}, "report.practice_model.review: 'shooting_review' is not known"),
        ({"review": []}, "report.practice_model.review"),
        (
            {"candidates": "candidates_by_source"},
            "report.practice_model.candidates: 'candidates_by_source' does not fit",
        ),
        ({"sources": "candidates"}, "name a measure by a category column"),
        ({"sources": "responses_by_incident_type"}, "counts other records than 'candidates'"),
        ({"notification": "people_engaged"}, "is not in the order of the steps"),
        ({"engagement": "people_notified"}, "is not in the order of the steps"),
        ({"enforcement": "candidates"}, "is not a known key"),
    ],
)
def test_a_practice_model_that_cannot_be_drawn_is_refused_by_its_key(change: dict[str, Any], says: str) -> None:
    raw = raw_program()
    raw["report"]["practice_model"] |= change
    with pytest.raises(ProgramError) as error:
        program_from(raw)
    assert says in "\n".join(map(str, [error.value, *error.value.problems]))
