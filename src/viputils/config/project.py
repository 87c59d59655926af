"""A project: a folder with a program.toml at its top, and where things lie in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from viputils.config.language import ENGLISH, Language, blocks_of, decoded_lines, read_language
from viputils.config.program import RAW, Program
from viputils.config.program_file import read_program
from viputils.config.source import Source, from_environment
from viputils.core.errors import LanguageError, Problem, ProgramError
from viputils.core.months import ReportMonth
from viputils.core.text import folded, printable

# The notebook that is the report.
NOTEBOOK: Final = "notebooks/monthly_report.ipynb"
# Marks a sealed copy of a project: nothing in it changes, and its deliveries are in its own data/raw.
SEALED: Final = ".sealed"


@dataclass(frozen=True)
class Project:
    """A folder of the shape that the README describes, with its program.toml read and checked."""

    root: Path
    program: Program
    source: Source
    language: Language = ENGLISH
    # The folder of the project that this is a sealed copy of: issues and the site go there.
    home: Path | None = None

    @classmethod
    def open(
        cls, root: Path, language: str | None = None, deliveries: str | None = None, home: Path | None = None
    ) -> Project:
        """Open the project whose program.toml stands in ``root``.

        Parameters
        ----------
        language
            The language to show it in; by default its own.
        deliveries
            Where its deliveries come from: a folder, an address of fsspec or one of SQLAlchemy. By default what
            program.toml says, which by default is data/raw. Nothing is read or brought from there yet.
        home
            The folder of the project that ``root`` is a sealed copy of.

        Raises
        ------
        ProgramError
            If there is no program.toml, or it is invalid.
        LanguageError
            If a catalogue of the language is missing or not complete.
        """
        root = root.resolve()
        program = read_program(root / "program.toml")
        given = RAW if (root / SEALED).is_file() else deliveries or program.identity.deliveries or RAW
        source = Source(root, given)
        project = cls(root, program, source, home=home)
        if not project.shared.is_dir():
            raise ProgramError(
                "program.toml names a folder that is not there.",
                [
                    Problem(
                        "program.shares",
                        f"'{project.program.identity.shares}' is no folder;",
                        "name the one whose notebook and theme this project uses, relative to its own.",
                    )
                ],
            )
        return project.in_language(language or project.program.identity.language)

    @classmethod
    def find(cls, start: Path | None = None, language: str | None = None) -> Project:
        """Open the project that ``start`` lies in: the nearest folder upwards that holds a program.toml.

        A notebook calls this without a start and gets the project it stands in, from whatever folder it runs. Where
        the environment names the deliveries (``VIP_DELIVERIES``), they are those of this project.
        """
        here = (start or Path.cwd()).resolve()
        folder = cls.folder_of(here)
        if folder is not None:
            return cls.open(folder, language, from_environment())
        raise ProgramError(
            "This is not a project.",
            [Problem(str(here), "neither this folder nor one above it holds a program.toml;", "say --project DIR.")],
        )

    @staticmethod
    def folder_of(place: Path) -> Path | None:
        """Return the folder of the project that a place lies in: the nearest upwards that holds a program.toml."""
        return next((one for one in (place, *place.parents) if (one / "program.toml").is_file()), None)

    def in_every_language(self) -> list[Project]:
        """Return the project in each of its languages, its own first.

        Raises
        ------
        LanguageError
            If a catalogue of one is missing or not complete.
        """
        return [self.in_language(code) for code in self.program.identity.languages]

    def in_language(self, code: str) -> Project:
        """Return the project as it is shown in a language.

        Raises
        ------
        LanguageError
            If a catalogue of it is missing or not complete.
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
        """The program with its names as the language shows them."""
        return self.program.in_language(self.language)

    def catalogue(self, code: str) -> Path:
        """Return the file of its own translations into a language."""
        return self.report / "locale" / f"{code}.po"

    def messages(self) -> Iterator[tuple[str, str]]:
        """Yield everything of its own that is translated, in order, each with where it stands."""
        yield from ((f"program.toml, {key}", text) for key, text in self.program.names())
        names = ["introduction.md", "definitions.md"]
        names += [f"pages/{path.name}" for path in sorted((self.report / "pages").glob("*.md"))]
        for name in names:
            path = self.report / name
            yield from ((f"report/{name}", block.text) for block in blocks_of(_lines(path)))

    @property
    def is_translation(self) -> bool:
        """Whether it is shown in another language than its own."""
        return self.language.code != self.program.identity.language

    def issue_place(self, name: str) -> str:
        """Return the folder of an issue in ``issues``: its name, below the language where it is a translation."""
        return f"{self.language.code}/{name}" if self.is_translation else name

    @property
    def raw(self) -> Path:
        """The folder of the raw deliveries, or the one that ``records.deliveries_folder`` brings them to."""
        return self.source.folder

    def raw_name(self, *names: str) -> str:
        """Name a delivery or a file in it the same way wherever it lies: ``data/raw/2023-12-04/responses.csv``."""
        return "/".join([RAW, *(printable(name) for name in names)])

    @property
    def shared(self) -> Path:
        """The folder from which it takes the notebook and the theme where it has none of its own."""
        return (self.root / (self.program.identity.shares or ".")).resolve()

    @cached_property
    def is_sealed(self) -> bool:
        """Whether this is a sealed copy of a project, which does not change."""
        return (self.root / SEALED).is_file()

    @property
    def notebook(self) -> Path:
        """The notebook that is the report."""
        return self.own_or_shared(NOTEBOOK)

    @property
    def pages(self) -> Path:
        """The folder of _quarto.yml, to which the paths of the theme in it are relative."""
        return self.own_or_shared("_quarto.yml").parent

    @property
    def fonts(self) -> Path:
        """The fonts of the charts and of the PDF, which lie beside _quarto.yml as the theme does."""
        return self.pages / "report" / "fonts"

    @property
    def report(self) -> Path:
        """What the report looks like and says."""
        return self.root / "report"

    @property
    def issues(self) -> Path:
        """The issues that have been made, one folder for each month."""
        return (self.home or self.root) / "issues"

    @property
    def published(self) -> Path:
        """The register of published issues: their figures as printed."""
        return self.root / "data" / "published"

    @property
    def site(self) -> Path:
        """The pages that go online."""
        return (self.home or self.root) / "_site"

    def activities(self, month: ReportMonth) -> Path:
        """Return the file that holds the significant response activities of a month, in Markdown."""
        return self.report / "activities" / f"{month}.md"

    def translated_activities(self, month: ReportMonth) -> Path | None:
        """Return the file that holds them in the language of the project; none where that is their own."""
        code = self.language.code
        return None if code == self.program.identity.language else self.report / "activities" / f"{month}.{code}.md"

    def own_or_shared(self, path: str) -> Path:
        """Return a file or folder of the project, or the shared one where it has none of its own."""
        return self.root / path if (self.root / path).exists() else self.shared / path

    def relative(self, path: Path) -> str:
        """Name a file of the project the same way on every machine."""
        return printable(path.relative_to(self.root).as_posix())


def _lines(path: Path) -> list[str]:
    """Return the lines of a text; none if it cannot be read, which is reported where it is shown."""
    try:
        return decoded_lines(path.read_bytes())
    except (OSError, UnicodeDecodeError):
        return []


def _require_apart(program: Program, language: Language, name: str) -> None:
    """Refuse a catalogue that gives two values of one vocabulary the same name: nobody could tell their figures apart.

    Raises
    ------
    LanguageError
        With every value that is called as one before it.
    """
    problems = []
    for vocabulary in program.vocabularies:
        first: dict[str, str] = {}
        for value in program.vocabularies[vocabulary]:
            other = first.setdefault(folded(language.text(value)), value)
            if other != value:
                what = f"{value!r} is called {language.text(value)!r} like {other!r};"
                problems.append(Problem(f"{name}, {vocabulary}", what, "give each of them a name of its own."))
    if problems:
        raise LanguageError("A catalogue gives different things one name.", problems)
