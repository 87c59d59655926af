"""Update the catalogs of translations: the messages that Babel extracts from the library, and those of the city.

Translations are kept. New messages are added without a translation, and unused ones are removed.

    python scripts/update_catalogues.py          update the catalogs
    python scripts/update_catalogues.py --check  exit 0 if they are up to date and complete, or 1 if not
"""

from __future__ import annotations

import ast
import difflib
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from viputils.audit.register import read_register
from viputils.config.language import ENGLISH, LOCALES, TEMPLATE
from viputils.config.program import column_in_words
from viputils.config.project import Project
from viputils.core.encoding import decoded
from viputils.report.elsewhere import NAME, read_elsewhere

ROOT: Final = Path(__file__).parent.parent
# The functions and methods with messages, and the positions of those arguments. A pair is a singular and a plural.
KEYWORDS: Final[dict[str, tuple[int, ...]]] = {
    "text": (1,),
    "message": (1,),
    "words": (2,),
    "count": (2, 3),
    "counted": (3, 4),
}
# The start of a comment with the former message or its translation.
_WAS: Final = "was: "
_HEADER: Final = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def extract_messages(
    file: IO[bytes],
    keywords: Any,
    comment_tags: Any,  # noqa: ARG001 - Babel gives it
    options: Any,  # noqa: ARG001 - Babel gives it
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """Extract messages from Python for Babel, including those in f-strings and in arguments of other messages."""
    calls = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name not in keywords:
            continue
        values = [
            one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None for one in call.args
        ]
        if all(place <= len(values) and values[place - 1] is not None for place in KEYWORDS[name]):
            yield call.lineno, name, tuple(values), []


def template() -> Catalog:
    """Return a catalog of the messages of the library."""
    catalogue = Catalog(charset="utf-8")
    package = LOCALES.parent
    methods: Any = [("**.py", extract_messages)]
    for file, _, message, _, _ in extract_from_dir(package, method_map=methods, keywords=KEYWORDS):
        name = f"src/viputils/{Path(file).as_posix()}"
        locations = [] if catalogue.get(message if isinstance(message, str) else message[0]) else [(name, 0)]
        catalogue.add(message, locations=locations)
    return catalogue


def city_template(project: Project) -> Catalog:
    """Return a catalog of the messages of a city, from program.toml, its texts, its register and data/elsewhere.csv."""
    catalogue = Catalog(charset="utf-8")
    messages = list(project.messages())
    for issue in read_register(project).issues:
        written = (issue.source, issue.transcribed_by, issue.reason, issue.footnote)
        messages += [("data/published/index.csv", text) for text in written if text]
    messages += [(NAME, text) for one in read_elsewhere(project) for _, text in one.texts()]
    for name, table in project.program.tables.items():
        messages += [(f"program.toml, tables.{name}", column_in_words(one)) for one in (table.id, *table.columns)]
    for where, text in messages:
        if text not in catalogue:
            catalogue.add(text, auto_comments=[where])
    return catalogue


def written(catalogue: Catalog, comment: str) -> str:
    """Return the text of a catalog without times and line numbers, so that it changes only with its messages."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, omit_header=True, ignore_obsolete=True, include_lineno=False)
    header = _HEADER.format(language=catalogue.locale or "", plural=catalogue.plural_forms)
    return f"# {comment}\n{header}{file.getvalue().decode('utf-8').rstrip()}\n"


def updated(path: Path, wanted: Catalog, comment: str) -> str:
    """Return the text of a catalog with the wanted messages and its existing translations."""
    text = decoded(path.read_bytes()) if path.is_file() else ""
    catalogue = read_po(io.StringIO(text), locale=path.stem)
    # Do not guess translations from similar messages.
    catalogue.update(wanted, no_fuzzy_matching=True)
    gone = {str(one.id): str(one.string) for one in catalogue.obsolete.values() if one.string}
    for message in catalogue:
        is_waiting = bool(message.id) and not any(message.string or ())
        known = message.user_comments
        old = next((place for place, comment in enumerate(known) if comment.startswith(_WAS)), len(known))
        alike = difflib.get_close_matches(str(message.id), gone, n=1, cutoff=0.7) if is_waiting else []
        if alike:
            # Show the translator the former message and translation.
            known = [*known[:old], f"{_WAS}{alike[0]}", f"{_WAS}{gone[alike[0]]}"]
        elif not is_waiting:
            known = known[:old]  # A long comment has several lines, and is last.
        message.user_comments = known
    return written(catalogue, comment)


def catalogues(project: Project, languages: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Yield every catalog file with its updated text."""
    extracted, own = template(), city_template(project)
    yield (
        LOCALES / TEMPLATE,
        written(extracted, "The words of the report and the site. scripts/update_catalogues.py writes it."),
    )
    for code in languages:
        path = LOCALES / f"{code}.po"
        yield path, updated(path, extracted, "The words of the report and the site. make catalogue adds what is new.")
        path = project.catalogue(code)
        yield path, updated(path, own, "The names and texts of this city. make catalogue adds what is new.")


def main(*arguments: str) -> int:
    """Write or check all catalogs, and print how many messages need a translation."""
    is_check = "--check" in arguments
    project = replace(Project.open(ROOT), language=ENGLISH)
    codes = sorted({*project.program.identity.languages, *(path.stem for path in LOCALES.glob("*.po"))} - {"en"})
    is_wrong = False
    for path, text in catalogues(project, codes):
        name = path.relative_to(project.root).as_posix()
        if is_check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                print(f"{name} is not up to date. Run `make catalogue`.")
                is_wrong = True
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        if path.suffix == ".po":
            messages = read_po(io.BytesIO(text.encode("utf-8")), locale=path.stem)
            waiting = sum(1 for one in messages if one.id and (one.fuzzy or not all(one.string or ("",))))
            is_wrong |= waiting > 0
            print(f"{name}: {waiting} to translate")
    return int(is_check and is_wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
