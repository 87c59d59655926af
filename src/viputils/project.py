"""A project: a folder with a program.toml at its top, and where things lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from viputils.errors import Problem, ProgramError
from viputils.language import ENGLISH, Language
from viputils.periods import ReportMonth
from viputils.program import Program, read_program


@dataclass(frozen=True)
class Project:
    """A folder of the shape that the README describes, with its program.toml read and checked."""

    root: Path
    program: Program
    language: Language = ENGLISH

    @classmethod
    def open(cls, root: Path) -> Project:
        """Open the project whose program.toml stands in ``root``.

        Raises
        ------
        ProgramError
            Where there is no program.toml, or it is not as it must be.
        """
        root = root.resolve()
        project = cls(root, read_program(root / "program.toml"))
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
        return project

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """Open the project that ``start`` lies in: the nearest folder upwards that holds a program.toml.

        A notebook calls this without a start and gets the project it stands in, from whatever folder it runs.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "program.toml").is_file():
                return cls.open(folder)
        raise ProgramError(
            "This is not a project.",
            [Problem(str(here), "neither this folder nor one above it holds a program.toml;", "say --project DIR.")],
        )

    def in_every_language(self) -> list[Project]:
        """Give the project in each of its languages, its own first."""
        return [self]

    def issue_place(self, name: str) -> str:
        """Give the folder of an issue in ``issues``: its name, below the language where it is a translation."""
        return name if self.language.code == self.program.identity.language else f"{self.language.code}/{name}"

    @property
    def raw(self) -> Path:
        """The raw deliveries, one folder for each day of receipt."""
        return self.root / "data" / "raw"

    @property
    def shared(self) -> Path:
        """The folder from which it takes the notebook and the theme where it has none of its own."""
        return (self.root / (self.program.identity.shares or ".")).resolve()

    @property
    def notebook(self) -> Path:
        """The notebook that is the report."""
        return self.own_or_shared("notebooks/monthly_report.ipynb")

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
        return self.root / "issues"

    @property
    def published(self) -> Path:
        """The register of published issues: their figures as printed."""
        return self.root / "data" / "published"

    @property
    def site(self) -> Path:
        """The pages that go online."""
        return self.root / "_site"

    def activities(self, month: ReportMonth) -> Path:
        """Give the file that holds the significant response activities of a month, in Markdown."""
        return self.report / "activities" / f"{month}.md"

    def own_or_shared(self, path: str) -> Path:
        """Give a file or folder of the project, or the shared one where it has none of its own."""
        return self.root / path if (self.root / path).exists() else self.shared / path

    def relative(self, path: Path) -> str:
        """Name a file of the project the same way on every machine."""
        name = path.relative_to(self.root).as_posix()
        # A name with a line break in it must not look like a line of our own.
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)
