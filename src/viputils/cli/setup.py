"""The commands init and doctor."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viputils.cli.data import Accepted, take_in
from viputils.cli.options import DISAGREES, JsonOption, ProjectOption, open_project, today
from viputils.cli.output import Format, emit, say, steps
from viputils.config.program_file import program_from
from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem, VipError
from viputils.core.months import parse_date
from viputils.core.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from viputils.setup.answers import Answers
    from viputils.setup.draft import Draft
    from viputils.setup.profile import Files


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="CSV or Excel files, as the agency sent them.")
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            help="A TOML file with what the files cannot tell, such as city and fiscal_year_starts.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: guess, and take in the files.", show_default=False)
    ] = False,
) -> None:
    """Make a complete project for another city, with a program.toml drafted from its files.

    Each guess has a comment. Nothing is overwritten. Columns that may describe a person are left out.
    """
    from viputils.setup.answers import Answers, read_answers
    from viputils.setup.skeleton import require_new, starting_program, write_project

    require_new(folder)
    given = read_answers(answers) if answers is not None else Answers()
    if not files:
        write_project(folder, starting_program(), {"city": "Our city", "report_title": "Report"}, "2024-01")
        say(f"Made: {folder}")
        say_next([f"cd {folder}", "edit program.toml", "vip intake FILE --received DATE"])
        return
    from viputils.setup.draft import draft_of
    from viputils.setup.profile import profiles_of
    from viputils.setup.program_text import program_text

    with steps() as step:
        step(f"Reading {plural(len(files), 'file')}")
        contents = profiles_of(files)
    if not yes:
        try:
            given = _asked(given, contents, folder)
        except typer.Abort:
            remedy = "answer the questions at a terminal, or use --yes to guess, or --answers FILE."
            raise ParameterError(
                "Nothing was made.", [Problem("init", "a question was not answered;", remedy)]
            ) from None
    draft = draft_of(contents, given, today())
    city = given.city or city_of(folder)
    text = program_text(draft, city)
    title = program_from(tomllib.loads(text)).identity.report_title
    write_project(folder, text, {"city": city, "report_title": title}, str(draft.month))
    say(f"Made: {folder}")
    for line in understood_lines(draft):
        say(f"  {line}")
    _take_in(folder, draft, yes)
    say_next([f"cd {folder}", "vip doctor", "make report"])


def doctor(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Also check which headings of these files program.toml does not know."),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check program.toml against all records, and print the lines to change. Exit 1 if rows are not counted.

    It names values that no vocabulary has, look-alike codes, measures that count nothing, categories that never occur,
    empty months, and what vip init could only guess.
    """
    from viputils.audit.advice import advice_on
    from viputils.intake.unknown_headings import unknown_headings

    opened = open_project(context, project)
    found = advice_on(opened)
    headings = list(unknown_headings(opened, files)) if files else []
    emit(
        Format.of(as_json),
        text=lambda: _show_advice([*found.problems, *headings], found.hints),
        json=lambda: {
            "problems": [vars(one) for one in (*found.problems, *headings)],
            "hints": [vars(one) for one in found.hints],
        },
    )
    if found.problems or headings:
        raise typer.Exit(DISAGREES)


def _show_advice(problems: Sequence[Problem], hints: Sequence[Problem]) -> None:
    for heading, found in (("To change, so that all rows are counted:", problems), ("To check:", hints)):
        if found:
            say(heading)
            for one in found:
                say(f"  - {one}")
    if not problems and not hints:
        say("Nothing looks wrong.")


def city_of(folder: Path) -> str:
    """Return the name of a folder as that of a city."""
    return folder.resolve().name.replace("_", " ").replace("-", " ").strip().title() or "Our city"


def understood_lines(draft: Draft) -> list[str]:
    """Return what was understood of each table, and what was left out."""
    lines = []
    for table in draft.tables:
        profile = table.profile
        some = "" if profile.read >= profile.rows else f" (the values of the first {profile.read:,} were counted)"
        lines.append(
            f"{table.name}: {plural(profile.rows, 'row')}{some}, {table.first} to {table.last}, by {table.date.heading}"
        )
        kept = [f"{one.heading} ({one.role})" for one in table.columns if one.role != "left out"]
        lines += [f"  used: {', '.join(kept)}"] if kept else []
        lines += [f"  left out: {one.heading}, because {one.seen}" for one in table.of_role("left out")]
    lines += [f"left out: sheet {one}, because it has no records with a day" for one in draft.others]
    if draft.zone is not None and draft.answers.time_zone is None:
        lines.append("Times have a zone, which is ignored. If they are not of the city, set intake.time_zone.")
    if not draft.has_whole_month:
        lines.append(f"The records cover no whole month yet. A report can be made once {draft.month.label} is over.")
    if draft.months_of_zero:
        lines.append(
            f"Months before {draft.first} count as 0, because we guess that the program began then. If it began "
            "earlier, change program.began."
        )
    return lines


def say_next(commands: Sequence[str]) -> None:
    """Print the next commands."""
    say("Next:")
    for command in commands:
        say(f"  {command}")


def _take_in(folder: Path, draft: Draft, yes: bool) -> None:
    """Show what the files would bring, and write the deliveries."""
    from viputils.setup.draft import first_deliveries

    sure = draft.answers.date_order is not None or not draft.either_order
    for one in first_deliveries(draft):
        say(f"vip intake {' '.join(path.name for path in one.files)} --received {one.received}")
        accepted = Accepted(delivery=yes, dates_as_read=sure)
        try:
            take_in(Project.open(folder), one.files, one.received, one.tables, (), accepted)
        except VipError as error:
            error.summary = f"{folder} was made, but its first delivery was not. {error.summary}"
            raise
        except typer.Exit:
            return


def _asked(given: Answers, contents: Files, folder: Path) -> Answers:
    """Ask what no file can tell and no answer gives. An empty answer takes the guess in brackets."""
    from viputils.setup.answers import Answers
    from viputils.setup.draft import draft_of

    guess = draft_of(contents, given, today())
    asked = given.model_dump(exclude_unset=True)
    for key, question, default in (
        ("city", "The name of the city", city_of(folder)),
        ("name", "The name of the program", "Violence Intervention Program"),
    ):
        if key not in asked:
            asked[key] = typer.prompt(question, default=default, value_proc=_valid(key))
    if "fiscal_year_starts" not in asked:
        months = [str(number) for number in range(1, 13)]
        question = "The month in which the fiscal year begins, from 1 to 12"
        asked["fiscal_year_starts"] = int(_choice(question, months, str(guess.fiscal_year_starts)))
    if draft_of(contents, Answers.model_validate(asked), today()).months_of_zero:
        first = guess.first.isoformat()
        question = "The records begin in the middle of a fiscal year. The day on which the program began (YYYY-MM-DD)"
        asked["began"] = typer.prompt(question, default=first, value_proc=_day)
    if guess.zone is not None and "time_zone" not in asked:
        question = 'Times have a zone: "as written", or the zone to convert them to, such as America/Denver'
        asked["time_zone"] = typer.prompt(question, default="as written", value_proc=_valid("time_zone"))
    tables = asked.setdefault("tables", {})
    for table in guess.tables:
        name = table.profile.sheet.name
        said = tables.setdefault(name, {})
        if "records" not in said:
            question = f"What one row of {name} is, in the plural"
            said["records"] = typer.prompt(question, default=table.records, value_proc=_valid("name"))
        if "delivery" not in said and "delivery" not in asked:
            question = f"Is a file of {name} the whole table (snapshot), or does it add and correct (incremental)"
            said["delivery"] = _choice(question, ["snapshot", "incremental"], table.delivery)
    return Answers.model_validate(asked)


def _valid(key: str) -> Callable[[str], str]:
    """Return what asks again until an answer fits a key of the answers."""

    def read(answer: str) -> str:
        from pydantic import ValidationError

        from viputils.setup.answers import Answers

        try:
            return str(getattr(Answers.model_validate({key: answer}), key))
        except ValidationError as error:
            raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ") + ".") from None

    return read


def _day(answer: str) -> dt.date:
    """Return an answer as a day. Anything else is asked again."""
    try:
        return parse_date(answer, "the day")
    except ParameterError:
        raise typer.BadParameter("write a day as YYYY-MM-DD, as in 2023-07-01.") from None


def _choice(question: str, options: Sequence[str], default: str) -> str:
    """Ask until the answer is one of some options."""

    def read(answer: str) -> str:
        if answer not in options:
            raise typer.BadParameter(f"write one of: {', '.join(options)}.")
        return answer

    answer: str = typer.prompt(question, default=default, value_proc=read)
    return answer
