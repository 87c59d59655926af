"""The practice model as a diagram: from the shooting review to services or enforcement, with the month's counts.

The same steps and counts stand below it in words and in a table, so no reader needs the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath

from viputils.config.language import ENGLISH, Language, message
from viputils.config.program import PracticeModel
from viputils.config.project import Project
from viputils.figures.counts import breakdown, value_of
from viputils.figures.edition import Edition
from viputils.report.drawing import BAR, INK, MUTED, WASH, image_markdown
from viputils.report.layout import category_in
from viputils.report.markdown import escape, words
from viputils.report.sections import counts_table

# In points. So wide a picture fills a phone with letters that can be read there.
_WIDTH: Final = 320.0
_EDGE: Final = 2.0
_PADDING: Final = 11.0
_GAP: Final = 24.0
_BETWEEN: Final = 12.0
_TITLE: Final = (13.0, 17.0)
_TEXT: Final = (11.5, 15.5)
_UNDER_TEXT: Final = 5.0
_INDENT: Final = 12.0

NO_COUNTS: Final = message("No counts: not in these records")


@dataclass(frozen=True)
class Step:
    """One box of the diagram.

    Attributes
    ----------
    title, text
        What happens there.
    counts
        Labels with their numbers; none where the records hold no counts of it.
    parts
        How the last of them comes about, label by label; none where it is not broken down.
    """

    title: str
    text: str
    counts: tuple[tuple[str, int], ...] = ()
    parts: tuple[tuple[str, int], ...] = ()

    def in_words(self, language: Language) -> str:
        """Return the counts as one line of plain text, the parts of the last one behind a colon."""
        whole, parts = (
            ", ".join(f"{label} {language.number(value)}" for label, value in counts)
            for counts in (self.counts, self.parts)
        )
        return f"{whole}: {parts}" if parts else whole or language.text("no counts")


@dataclass(frozen=True)
class Steps:
    """The boxes of the diagram: three in a row, and after them services, or else violence and enforcement."""

    review: Step
    candidates: Step
    notification: Step
    services: Step
    violence: Step
    enforcement: Step


def practice_model(project: Project, edition: Edition) -> Markdown:
    """Show the practice model as a diagram, in words and as a table, each with the counts of the edition's month.

    A program without ``report.practice_model`` has no such part.
    """
    model = edition.shown.report.practice_model
    if model is None:
        return Markdown("")
    steps = steps_of(edition, model)
    language = edition.language
    month = language.month(edition.month)
    image = image_markdown(
        lambda: steps_diagram(project.fonts, steps, language),
        "practice-model",
        words(language, "The practice model, with the counts of {month}", month=month),
        alternative_text(steps, month, language),
    )
    intro = words(
        language,
        "Read the diagram from top to bottom. Boxes with a solid border show counts. Boxes with a dashed border have "
        "none, because the records contain none. The same steps follow in words and in a table.",
    )
    who = words(
        language,
        "The boxes do not follow the same people. Each box counts its own step, and a person identified in two "
        "reviews is counted twice there. Only the people engaged are always some of the people notified, in the month "
        "or in the {year} to date.",
        year=words(language, edition.program.identity.year),
    )
    names = [*model.review, model.candidates, *([model.sources] if model.sources else [])]
    table = counts_table(
        edition,
        [*names, model.notification, model.engagement],
        words(language, "Counts of the practice model"),
        note=who,
    )
    heading, below = words(language, "The practice model"), words(language, "The steps in words")
    parts = [f"## {heading}", intro, image, f"### {below}", _in_words(steps, month, language), table]
    return Markdown("\n\n".join(parts))


def steps_of(edition: Edition, model: PracticeModel) -> Steps:
    """Return the boxes with the counts of the month."""

    def counts(*names: str) -> tuple[tuple[str, int], ...]:
        measures = edition.shown.measures
        return tuple((measures[name].label, value_of(edition.figures, name, "month")) for name in names)

    by_source: tuple[tuple[str, int], ...] = ()
    if model.sources is not None:
        values = breakdown(edition.figures, model.sources)["month"]
        by_source = tuple((category_in(edition.language, source), int(values[source])) for source in values.index)
    text = edition.language.text
    meeting = text("Law enforcement and justice partners meet")
    return Steps(
        Step(text("Weekly shooting review"), meeting, counts(*model.review)),
        Step(text("Candidates"), text("People who may be at highest risk"), counts(model.candidates), by_source),
        Step(text("Custom Notification"), text("A meeting in person"), counts(model.notification)),
        Step(text("Engages with services"), model.services, counts(model.engagement)),
        Step(text("Further violence"), text(NO_COUNTS)),
        Step(text("Enforcement"), text(NO_COUNTS)),
    )


def alternative_text(steps: Steps, month: str, language: Language = ENGLISH) -> str:
    """Return what the diagram shows, box by box."""

    def box(step: Step) -> str:
        return f"{step.title} ({step.in_words(language)})"

    return language.text(
        "Flow diagram of the practice model with the counts of {month}. {review}, then {candidates}, then "
        "{notification}. From there one arrow leads to {services}, and another one to {violence}, then {enforcement}.",
        month=month,
        review=box(steps.review),
        candidates=box(steps.candidates),
        notification=box(steps.notification),
        services=box(steps.services),
        violence=box(steps.violence),
        enforcement=box(steps.enforcement),
    )


def _in_words(steps: Steps, month: str, language: Language) -> str:
    """Write the steps as a numbered list with their counts."""

    def counted(step: Step) -> str:
        whole, parts = (
            ", ".join(f"{escape(label)} **{language.number(value)}**" for label, value in counts)
            for counts in (step.counts, step.parts)
        )
        both = f"{whole}{f' ({parts})' if parts else ''}"
        return words(language, "In {month}: {counts}.", month=month, counts=both)

    items = [
        words(
            language,
            "**Weekly shooting review.** Law enforcement agencies and justice partners review shootings together. They "
            "identify who is at the highest risk. {counts}",
            counts=counted(steps.review),
        ),
        words(
            language,
            "**Candidates.** These reviews and other sources refer people to the program. {counts}",
            counts=counted(steps.candidates),
        ),
        words(
            language,
            "**Custom Notification.** The team meets a candidate in person. It brings a message of non-violence and an "
            "offer of help. {counts}",
            counts=counted(steps.notification),
        ),
        words(
            language,
            "**What follows.** A person can engage with services ({services}). {counts} If there is further violence, "
            "police respond. The records of this report have no counts of that.",
            services=escape(steps.services.text),
            counts=counted(steps.services),
        ),
    ]
    return "\n".join(f"{place}. {item}" for place, item in enumerate(items, start=1))


def steps_diagram(fonts: Path, steps: Steps, language: Language = ENGLISH) -> Figure:
    """Draw the steps as boxes with arrows between them, as high as their text needs."""
    regular, bold = (FontProperties(fname=fonts / f"PublicSans-{weight}.ttf") for weight in ("Regular", "SemiBold"))
    half = (_WIDTH - 2 * _EDGE - _BETWEEN) / 2
    places: list[tuple[Step, float, float, float]] = []  # from the left, from the top, width
    heights: dict[str, float] = {}

    def height_of(step: Step, width: float) -> float:
        return sum(line.down for line in _lines(step, width, (regular, bold), language)) + 2 * _PADDING - 3

    top = _EDGE
    for step in (steps.review, steps.candidates, steps.notification):
        places.append((step, _EDGE, top, _WIDTH - 2 * _EDGE))
        heights[step.title] = height_of(step, _WIDTH - 2 * _EDGE)
        top += heights[step.title] + _GAP
    right = _EDGE + half + _BETWEEN
    places += [(steps.services, _EDGE, top, half), (steps.violence, right, top, half)]
    heights |= {step.title: height_of(step, half) for step in (steps.services, steps.violence, steps.enforcement)}
    below = top + heights[steps.violence.title] + _GAP
    places.append((steps.enforcement, right, below, half))
    end = max(top + heights[steps.services.title], below + heights[steps.enforcement.title])
    # The two ways end on one line.
    heights[steps.services.title] = end - top
    heights[steps.enforcement.title] = end - below

    figure = Figure(figsize=(_WIDTH / 72, (end + _EDGE) / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(end + _EDGE, 0)
    axes.set_axis_off()
    for step, left, upper, width in places:
        _box(axes, step, (left, upper), (width, heights[step.title]), _lines(step, width, (regular, bold), language))
    arrow = _arrows(axes)
    bottom = {step.title: upper + heights[step.title] for step, _, upper, _ in places}
    arrow(_WIDTH / 2, bottom[steps.review.title])
    arrow(_WIDTH / 2, bottom[steps.candidates.title])
    arrow(_EDGE + half / 2, bottom[steps.notification.title])
    arrow(right + half / 2, bottom[steps.notification.title])
    arrow(right + half / 2, bottom[steps.violence.title])
    return figure


@dataclass(frozen=True)
class _Line:
    """One line of a box: what is on the left, what is on the right, and how far down the next line is."""

    text: str
    font: FontProperties
    size: float
    color: str
    down: float
    indent: float = 0.0
    value: str = ""
    value_font: FontProperties | None = None


def _lines(step: Step, width: float, fonts: tuple[FontProperties, FontProperties], language: Language) -> list[_Line]:
    """Break what a box says into lines, in the regular and the bold font."""
    regular, bold = fonts
    inner = width - 2 * _PADDING
    size, down = _TITLE
    lines = [_Line(part, bold, size, INK, down) for part in _wrapped(step.title, inner, bold, size)]
    size, down = _TEXT
    lines += [_Line(part, regular, size, MUTED, down) for part in _wrapped(step.text, inner, regular, size)]
    if step.counts:
        lines[-1] = replace(lines[-1], down=down + _UNDER_TEXT)
    counts = [(_capital(label), value, 0.0, bold) for label, value in step.counts]
    counts += [(label, value, _INDENT, regular) for label, value in step.parts]
    for label, value, indent, font in counts:
        room = inner - indent - _length(language.number(value), font, size) - 8
        first, *others = _wrapped(label, room, regular, size)
        lines.append(_Line(first, regular, size, INK, down, indent, language.number(value), font))
        lines += [_Line(other, regular, size, INK, down, indent) for other in others]
    return lines


def _box(axes: Axes, step: Step, at: tuple[float, float], size: tuple[float, float], lines: list[_Line]) -> None:
    (left, top), (width, height) = at, size
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=5",
            facecolor=WASH if step.counts else "white",
            edgecolor=BAR if step.counts else MUTED,
            linewidth=1.5,
            linestyle="solid" if step.counts else (0, (4, 2.5)),
        )
    )
    y = top + _PADDING - 2
    for line in lines:
        x, y_of_text = left + _PADDING + line.indent, y + line.size
        style: dict[str, Any] = {"fontsize": line.size, "color": line.color}
        axes.text(x, y_of_text, _literal(line.text), fontproperties=line.font, **style)
        x = left + width - _PADDING
        axes.text(x, y_of_text, line.value, fontproperties=line.value_font or line.font, ha="right", **style)
        y += line.down


def _arrows(axes: Axes) -> Callable[[float, float], None]:
    def arrow(x: float, top: float) -> None:
        style = {"arrowstyle": "-|>,head_width=0.35,head_length=0.6", "color": BAR, "linewidth": 1.8}
        style |= {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 12}
        axes.annotate("", xy=(x, top + _GAP - 1.5), xytext=(x, top + 1.5), arrowprops=style)

    return arrow


def _wrapped(text: str, width: float, font: FontProperties, size: float) -> list[str]:
    """Break a text into lines of at most so many points; a word that is longer stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _length(longer, font, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def _length(text: str, font: FontProperties, size: float) -> float:
    path = TextPath((0, 0), _literal(text), size=size, prop=font)
    # Of the points that draw the letters, and not of the curves themselves: the whole takes a tenth of the time.
    return float(np.ptp(path.vertices[:, 0])) if len(path.vertices) else 0.0


def _literal(text: str) -> str:
    """Return text as Matplotlib draws these characters: two dollar signs would begin and end a formula."""
    return text.replace("$", r"\$")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
