"""A project: a folder with a program.toml, and the paths of its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from viputils.config.language import ENGLISH, Language, read_language
from viputils.config.paragraphs import blocks_of
from viputils.config.program import RAW, Program
from viputils.config.program_file import read_program
from viputils.config.source import Source, from_environment
from viputils.core.encoding import decoded_lines
from viputils.core.errors import LanguageError, Problem, ProgramError
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.periods import is_long
from viputils.core.text import folded, printable

# The notebooks of the report: of a month, and of a quarter or a year.
NOTEBOOK: Final = "notebooks/monthly_report.ipynb"
LONG_NOTEBOOK: Final = "notebooks/period_report.ipynb"
# Marks a sealed copy of a project. It never changes, and its deliveries are in its own data/raw.
SEALED: Final = ".sealed"


@dataclass(frozen=True)
class Project:
    """A project folder, as the README describes it, with its checked program.toml."""

    root: Path
    program: Program
    source: Source
    language: Language = ENGLISH
    # The original folder of a sealed copy. Issues and the site are written there.
    home: Path | None = None

    @classmethod
    def open(
        cls, root: Path, language: str | None = None, deliveries: str | None = None, home: Path | None = None
    ) -> Project:
        """Open the project with its program.toml in ``root``.

        Parameters
        ----------
        language
            The language of the pages; by default the project's own.
        deliveries
            The source of deliveries: a folder, an fsspec address or an SQLAlchemy address. By default the one in
            program.toml, or else data/raw. Nothing is read from it yet.
        home
            The original folder, if ``root`` is a sealed copy.

        Raises
        ------
        ProgramError
            If there is no program.toml, or it is invalid.
        LanguageError
            If a catalog of the language is missing or incomplete.
        """
        root = root.resolve()
        program = read_program(root / "program.toml")
        given = RAW if (root / SEALED).is_file() else deliveries or program.identity.deliveries or RAW
        source = Source(root, given)
        project = cls(root, program, source, home=home)
        if not project.shared.is_dir():
            raise ProgramError(
                "program.toml names a folder that does not exist.",
                [
                    Problem(
                        "program.shares",
                        f"'{project.program.identity.shares}' is not a folder;",
                        "name the folder with the notebook and theme of this project, relative to program.toml.",
                    )
                ],
            )
        return project.in_language(language or project.program.identity.language)

    @classmethod
    def find(cls, start: Path | None = None, language: str | None = None) -> Project:
        """Open the project of a folder (by default the current one): the nearest folder upward with a program.toml.

        If the environment variable ``VIP_DELIVERIES`` is set, it overrides the source of deliveries.
        """
        here = (start or Path.cwd()).resolve()
        folder = cls.folder_of(here)
        if folder is not None:
            return cls.open(folder, language, from_environment())
        raise ProgramError(
            "This is not a project.",
            [Problem(str(here), "neither this folder nor a folder above it has a program.toml;", "use --project DIR.")],
        )

    @staticmethod
    def folder_of(place: Path) -> Path | None:
        """Return the nearest folder upward with a program.toml, if there is one."""
        return next((one for one in (place, *place.parents) if (one / "program.toml").is_file()), None)

    def in_every_language(self) -> list[Project]:
        """Return the project in each of its languages, starting with its own.

        Raises
        ------
        LanguageError
            If a catalog is missing or incomplete.
        """
        return [self.in_language(code) for code in self.program.identity.languages]

    def in_language(self, code: str) -> Project:
        """Return the project in a language.

        Raises
        ------
        LanguageError
            If a catalog of the language is missing or incomplete.
        """
        if code == self.language.code:
            return self
        wanted = [text for _, text in self.messages()]
        name = f"report/locale/{code}.po"
        language = read_language(code, self.catalogue(code), name, wanted)
        _require_apart(self.program, language, name)
        return replace(self, language=language)

    @cached_property
    def shown(self) -> Program:
        """The program with its names in the project's language."""
        return self.program.in_language(self.language)

    def catalogue(self, code: str) -> Path:
        """Return the path of the project's own catalog of a language."""
        return self.report / "locale" / f"{code}.po"

    def messages(self) -> Iterator[tuple[str, str]]:
        """Yield the place and text of each message of the project that is translated, in order."""
        yield from ((f"program.toml, {key}", text) for key, text in self.program.names())
        names = ["introduction.md", "definitions.md"]
        names += [f"pages/{path.name}" for path in sorted((self.report / "pages").glob("*.md"))]
        for name in names:
            path = self.report / name
            yield from ((f"report/{name}", block.text) for block in blocks_of(_lines(path)))

    @property
    def is_translation(self) -> bool:
        """Whether the language is not the project's own."""
        return self.language.code != self.program.identity.language

    def issue_place(self, name: str) -> str:
        """Return the path of an issue in ``issues``: its name, after the language code if it is a translation."""
        return f"{self.language.code}/{name}" if self.is_translation else name

    @property
    def raw(self) -> Path:
        """The folder of the raw deliveries, or the download folder of ``records.deliveries_folder``."""
        return self.source.folder

    def raw_name(self, *names: str) -> str:
        """Return the standard name of a delivery or a file in it: ``data/raw/2023-12-04/responses.csv``."""
        return "/".join([RAW, *(printable(name) for name in names)])

    @property
    def shared(self) -> Path:
        """The folder of the notebook and theme that the project shares, if it has none of its own."""
        return (self.root / (self.program.identity.shares or ".")).resolve()

    @cached_property
    def is_sealed(self) -> bool:
        """Whether this is a sealed copy of a project."""
        return (self.root / SEALED).is_file()

    @property
    def notebook(self) -> Path:
        """The notebook of the monthly report."""
        return self.own_or_shared(NOTEBOOK)

    def notebook_of(self, period: IssuePeriod) -> Path:
        """Return the notebook of the report of a period."""
        return self.own_or_shared(notebook_name(period))

    @property
    def pages(self) -> Path:
        """The folder of _quarto.yml. Paths in _quarto.yml are relative to it."""
        return self.own_or_shared("_quarto.yml").parent

    @property
    def fonts(self) -> Path:
        """The fonts of the charts and of the PDF."""
        return self.pages / "report" / "fonts"

    @property
    def report(self) -> Path:
        """The folder with the theme and the texts of the report."""
        return self.root / "report"

    @property
    def issues(self) -> Path:
        """The folder of issues, with one folder for each month."""
        return (self.home or self.root) / "issues"

    @property
    def published(self) -> Path:
        """The folder of the register of published figures."""
        return self.root / "data" / "published"

    @property
    def site(self) -> Path:
        """The folder of the website."""
        return (self.home or self.root) / "_site"

    def has_activities(self, period: IssuePeriod) -> bool:
        """Return whether the report of a period has a part for activities. They are written month by month."""
        return isinstance(period, ReportMonth) and self.activities(period).parent.is_dir()

    def activities(self, month: ReportMonth) -> Path:
        """Return the Markdown file with the significant response activities of a month."""
        return self.report / "activities" / f"{month}.md"

    def translated_activities(self, month: ReportMonth) -> Path | None:
        """Return the file with the translated activities, or None if the language is the project's own."""
        code = self.language.code
        return None if code == self.program.identity.language else self.report / "activities" / f"{month}.{code}.md"

    def own_or_shared(self, path: str) -> Path:
        """Return a file or folder of the project, or the shared one if it has none of its own."""
        return self.root / path if (self.root / path).exists() else self.shared / path

    def relative(self, path: Path) -> str:
        """Return the path of a file relative to the project, with forward slashes."""
        return printable(path.relative_to(self.root).as_posix())


def notebook_name(period: IssuePeriod) -> str:
    """Return the path of the notebook of a period's report in a project."""
    return LONG_NOTEBOOK if is_long(period) else NOTEBOOK


def _lines(path: Path) -> list[str]:
    """Return the lines of a text, or none if it cannot be read. The error is reported when the text is shown."""
    try:
        return decoded_lines(path.read_bytes())
    except (OSError, UnicodeDecodeError):
        return []


def _require_apart(program: Program, language: Language, name: str) -> None:
    """Require a catalog to translate the values of a vocabulary to different names.

    Raises
    ------
    LanguageError
        If two values of a vocabulary have the same translation.
    """
    problems = []
    for vocabulary in program.vocabularies:
        first: dict[str, str] = {}
        for value in program.vocabularies[vocabulary]:
            other = first.setdefault(folded(language.text(value)), value)
            if other != value:
                what = f"{value!r} is called {language.text(value)!r} like {other!r};"
                problems.append(Problem(f"{name}, {vocabulary}", what, "translate them to different names."))
    if problems:
        raise LanguageError("A catalog gives different values the same name.", problems)
