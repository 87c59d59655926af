"""The report in another language: catalogues that are complete, and pages on which nothing is left in English."""

from __future__ import annotations

import ast
import datetime as dt
import io
import json
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docx
import pandas as pd
import pikepdf
import pypandoc
import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup, Comment, Doctype, Tag
from hypothesis import given
from hypothesis import strategies as st

from tests.support.artifacts import Artifacts
from tests.support.command import started_vip, vip
from tests.support.pages import with_activities
from tests.support.projects import REPOSITORY, Deliver, contents, copy_of_the_repository
from viputils.audit.as_of import load_edition
from viputils.audit.register import IssueName, PublishedIssue, read_register, write_register
from viputils.audit.verdicts import verify_register
from viputils.config import language as languages
from viputils.config.language import ENGLISH, Language
from viputils.config.project import Project
from viputils.core.errors import LanguageError, TextError
from viputils.core.months import ReportMonth
from viputils.figures.edition import Edition
from viputils.publish.site.issues import home_page
from viputils.publish.site.pages import data_page, methods_page, overview_page, search_page, verdicts_of_all
from viputils.report import sections, verdict_sections
from viputils.report.about import introduction
from viputils.report.issue import notes_on_texts
from viputils.report.markdown import Section, escape, mark_of, outdated_activities, read_sections, words

MONTHS = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
]  # fmt: skip
# What a Spanish page may have in common with the English one beside its numbers: names, and words of both languages.
ALIKE = {
    "CABQ.GOV/VIP",
    "Foothills",
    "Hospital",
    "Total",
    "[p]",
    "[r]",
    "[p] (1)",
    "Nov [p]",
    "FYTD [p]",
    "Nov",
    "Nov 2022",
}
# Months that begin alike in both languages.
ALIKE |= {"Feb", "Mar", "May", "Jun", "Jul", "Sep", "Oct"}
# Addresses.
ALIKE |= {"988lifeline.org", "cabq.gov/VIP"}


@pytest.fixture(scope="module")
def spanish() -> Language:
    return Project.open(REPOSITORY, "es").language


@pytest.fixture(scope="module")
def made(artifacts: Artifacts) -> dict[str, Path]:
    """The folders of the November 2023 issue in both languages."""
    issues = artifacts.in_two_languages() / "issues"
    return {"en": issues / "2023-11", "es": issues / "es" / "2023-11"}


# Which arguments of which function are messages, as scripts/update_catalogues.py looks for them.
KEYWORDS = {"text": (1,), "message": (1,), "words": (2,), "count": (2, 3), "counted": (3, 4)}


def part_of(issue: Path, kind: str) -> Path:
    (path,) = (one for one in issue.glob(f"vip-*.{kind}") if "summary" not in one.name)
    return path


def page_of(issue: Path) -> BeautifulSoup:
    return BeautifulSoup(part_of(issue, "html").read_text(encoding="utf-8"), "html.parser")


def texts_of(page: Tag) -> Iterator[str]:
    """Every text that a person sees or hears, outside of what says that it is in English."""
    for node in page.find_all(string=True):
        if (
            not isinstance(node, Doctype | Comment)
            and not node.find_parent(["style", "script"])
            and getattr(node.find_parent(lang="en"), "name", "html") == "html"
        ):
            text = " ".join(node.split())
            if re.search(r"[^\W\d_]", text):
                yield text
    for name in ("alt", "aria-label", "title"):
        yield from (str(node[name]) for node in page.find_all(True) if node.get(name))


# ---------------------------------------------------------------- catalogues


def test_the_catalogues_hold_every_message_and_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = str(REPOSITORY / "scripts" / "update_catalogues.py")
    monkeypatch.setattr(sys, "argv", [script, "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(script, run_name="__main__")
    assert ended.value.code == 0, capsys.readouterr()


def test_every_message_is_translated() -> None:
    project = Project.open(REPOSITORY, "es")
    for issue in read_register(project).issues:
        for text in filter(None, (issue.source, issue.transcribed_by, issue.reason, issue.footnote)):
            assert project.language.has(text), text


def test_every_message_stands_in_the_code_as_it_is() -> None:
    """What is put together while the program runs is in no catalogue, so only what is known to be in one is allowed."""
    known = {
        "message", "verdict", "meaning", "VERDICTS[verdict]", "str(row['verdict'])", "NO_COUNTS", "kind", "block.text",
        "edition.program.identity.year", "program.identity.year", "edition.program.identity.year_to_date",
        "shown.identity.year_to_date",
        "column_in_words(column)", "value", "measure.missing", "str(category)", "text",
        "rule.words", "_APART[verdict]", "YEARS_APART[verdict]", "_YEARS[sign]", "reason",
        "_USUAL_TITLES[verdict]",
        "_ON_TILE[to_date]", "REASONS[line['reason']]",
    }  # fmt: skip
    unknown = set()
    for path in sorted((REPOSITORY / "src" / "viputils").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and node.module in ("viputils.report.markdown", "viputils.config.language")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                is_method = name in ("text", "count") and (
                    ast.unparse(node.func) == "text" or "language." in ast.unparse(node.func)
                )
                for place in KEYWORDS[name] if is_method or name in imported & KEYWORDS.keys() else ():
                    if place <= len(node.args) and not isinstance(node.args[place - 1], ast.Constant):
                        unknown.add(f"{path.name}: {ast.unparse(node.args[place - 1])}")
    assert {one for one in unknown if one.partition(": ")[2] not in known} == set()


@pytest.fixture
def city(whole_project: Project) -> Project:
    return whole_project


def catalogue_with(city: Project, message: str, translation: str) -> None:
    """Give the city's catalogue another translation of a message of one line."""
    path = city.catalogue("es")
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(
        rf'(msgid "{re.escape(message)}"\nmsgstr )"[^\n]*"', lambda found: f'{found[1]}"{translation}"', text
    )
    assert count == 1
    path.write_text(changed, encoding="utf-8")


def test_a_text_that_is_edited_in_english_loses_its_translation_loudly(city: Project) -> None:
    path = city.report / "definitions.md"
    path.write_text(path.read_text(encoding="utf-8").replace("counts twice", "counts three times"), encoding="utf-8")
    with pytest.raises(LanguageError) as caught:
        city.in_language("es")
    (problem,) = caught.value.problems
    assert problem.where.startswith("report/locale/es.po, 'A response is an incident")
    assert city.in_language("en") is city


def test_everything_that_is_wrong_with_the_catalogues_is_said_at_once(
    city: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue_with(city, "Homicide", "")
    path = city.catalogue("es")
    text = path.read_text(encoding="utf-8")
    text = text.replace('msgid "Suicide"', '#, fuzzy\nmsgid "Suicide"').replace(
        "https://cvg.org", "https://cvg.example", 2
    )
    text = text.replace('msgid "Other Deaths"\nmsgstr "Otras muertes"\n', "").replace(
        "](https://cvg.example", "](https://cvg.org", 1
    )
    path.write_text(text, encoding="utf-8")
    own = tmp_path / "locale"
    shutil.copytree(languages.LOCALES, own)
    text = (own / "es.po").read_text(encoding="utf-8")
    text = text.replace('"En {month}: {counts}."', '"En {month.__class__}: {counts}."').replace(
        "“{column}”, sumado", "sumado"
    )
    (own / "es.po").write_text(text.replace("**Candidatos.**", "Candidatos."), encoding="utf-8")
    monkeypatch.setattr(languages, "LOCALES", own)
    with pytest.raises(LanguageError) as caught:
        city.in_language("es")
    said = {problem.where.partition(", ")[2]: f"{problem.where}: {problem.what}" for problem in caught.value.problems}
    assert "has no translation" in said["'Homicide'"]
    assert "has no translation" in said["'Other Deaths'"]
    assert "is marked as fuzzy" in said["'Suicide'"]
    assert "viputils/locale/es.po" in said["'In {month}: {counts}.'"]
    assert "{counts}, {month}" in said["'In {month}: {counts}.'"]
    assert "the same names in braces" in said["'“{column}”, added up over the records in {table}'"]
    assert any("Cure Violence" in where and "the same links" in what for where, what in said.items())
    assert any("Candidates" in where and "bold text" in what for where, what in said.items())
    assert len(said) == 7


def test_what_a_catalogue_says_comes_out_as_text(city: Project, deliver: Deliver) -> None:
    hostile = "<script>x</script> **b** #emph[t] {{< include /etc/passwd >}} [l](javascript:x) $m$"
    catalogue_with(city, "adults assisted", hostile)
    catalogue_with(city, "Referrals", hostile)
    deliver()
    project = city.in_language("es")
    edition = load_edition(project, "2023-11")
    assert f"| {escape(hostile)} |" in sections.headline(edition).data
    text = introduction(project).data
    assert f"### {escape(hostile)}\n" in text
    said = Language("es", {"Hello, {name}.": ("<b>*Hola*</b>\x1b, {name}.",), "**A.** b": ("**A*.** <b>",)})
    assert words(said, "Hello, {name}.", name="**x**") == r"\<b\>\*Hola\*\</b\>, **x**\."
    assert words(said, "**A.** b") == r"**A\*\.** \<b\>"


def test_a_translated_text_has_markup_only_where_the_english_one_has(tmp_path: Path) -> None:
    path = tmp_path / "text.md"
    path.write_text("## One\n\nPlain\ntext.\n\n- **Bold** [a](https://a.example)\n- Two\n", encoding="utf-8")
    messages = {"One": "*Uno*", "Plain text.": "**Texto**", "Two": "- Dos"}
    messages["**Bold** [a](https://a.example)"] = "**Negrita** [b](https://a.example) <b>"
    language = Language("es", {english: (text,) for english, text in messages.items()})
    (section,) = read_sections(path, "text.md", language)
    assert section.title == r"\*Uno\*"
    assert section.body == "\\*\\*Texto\\*\\*\n\n- **Negrita** [b](https://a.example) \\<b\\>\n- \\- Dos"


def test_a_broken_catalogue_is_refused_with_its_line(city: Project) -> None:
    path = city.catalogue("es")
    text = path.read_text(encoding="utf-8").replace('msgid "Homicide"', 'msgstring "Homicide"')
    path.write_text(text, encoding="utf-8")
    line = text.splitlines().index('msgstring "Homicide"') + 1
    with pytest.raises(LanguageError) as caught:
        city.in_language("es")
    assert caught.value.problems[0].where == f"report/locale/es.po, line {line}"
    path.write_bytes(b"# \xe9")
    with pytest.raises(LanguageError, match="cannot be read"):
        city.in_language("es")


def test_a_catalogue_is_read_with_the_mark_that_some_programs_begin_a_file_with(city: Project) -> None:
    path = city.catalogue("es")
    text = path.read_text(encoding="utf-8")
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text(text, encoding=encoding)
        assert city.in_language("es").language.text("Homicide") == "Homicidio"


@pytest.mark.parametrize("letter", ["\u202e", "\u200b", "\x07", "\u2028"])
def test_a_catalogue_with_characters_that_cannot_be_seen_is_refused_with_their_line(city: Project, letter: str) -> None:
    path = city.catalogue("es")
    text = path.read_text(encoding="utf-8").replace('"Homicidio"', f'"Homi{letter}cidio"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LanguageError) as caught:
        city.in_language("es")
    line = text.split("\n").index('msgid "Homicide"') + 1
    (problem,) = caught.value.problems
    assert problem.where == f"report/locale/es.po, line {line}"
    assert f"invisible characters (U+{ord(letter):04X})" in problem.what


def test_a_city_without_a_catalogue_says_which_file_is_missing() -> None:
    example = str(REPOSITORY / "examples" / "philadelphia")
    done = vip("report", "2023-11", "--lang", "es", "--project", example)
    assert done.returncode == 2
    assert "report/locale/es.po: is missing" in done.stderr


@pytest.mark.parametrize("code", ["xx", "../es", "fr", "ES"])
def test_a_language_that_is_not_there_is_refused_with_those_that_are(code: str) -> None:
    done = vip("report", "2023-11", f"--lang={code}")
    assert done.returncode == 2
    assert "choose one of en, es" in done.stderr


# ---------------------------------------------------------------- numbers and dates


@given(st.dates(dt.date(1900, 1, 1), dt.date(2999, 12, 31)))
def test_days_and_months_are_written_as_the_language_does(day: dt.date) -> None:
    spanish = Language("es")
    assert spanish.date(day) == f"{day.day} de {MONTHS[day.month - 1]} de {day.year}"
    month = ReportMonth.of(day)
    assert spanish.month(month) == f"{MONTHS[day.month - 1]} de {day.year}"
    assert spanish.short_month(month) == MONTHS[day.month - 1][:3].capitalize()
    assert ENGLISH.date(day) == f"{day:%B} {day.day}, {day.year}"
    assert (ENGLISH.month(month), ENGLISH.short_month(month)) == (f"{day:%B} {day.year}", f"{day:%b}")


@given(st.integers(-(10**9), 10**9))
def test_numbers_are_those_of_the_united_states_in_both_languages(value: int) -> None:
    spanish = Language("es")
    assert spanish.number(value) == ENGLISH.number(value) == f"{value:,}"
    assert spanish.signed(value) == ENGLISH.signed(value) == f"{value:+,}"


@pytest.mark.parametrize("code", ["es", "vi", "pt", "nv"])
def test_numbers_are_the_same_in_every_language(code: str) -> None:
    language = Language(code)
    assert (language.number(2599), language.average(0.44), language.signed(-1234)) == ("2,599", "0.4", "-1,234")
    # "About 1.0 responses": one would ask for the singular.
    assert [language.average(value) for value in (1, 1.04, 0.96, 2, 9.98)] == ["1.0", "1.0", "1.0", "2", "10"]


@pytest.mark.parametrize(("code", "says"), [("vi", "tháng 12"), ("pt", "dezembro"), ("es", "diciembre")])
def test_a_language_without_forms_of_its_own_in_the_united_states_has_those_of_its_country(
    code: str, says: str
) -> None:
    assert says in Language(code).date(dt.date(2023, 12, 4))


def test_a_count_takes_the_form_of_its_number(spanish: Language) -> None:
    said = [spanish.count(number, "{number} report", "{number} reports") for number in (0, 1, 2, 1_000_000)]
    assert said == ["0 informes", "1 informe", "2 informes", "1,000,000 informes"]


def test_a_message_that_no_catalogue_holds_is_never_shown_in_english(spanish: Language) -> None:
    with pytest.raises(LanguageError, match="lacks a message"):
        spanish.text("Nobody translated this.")


# ---------------------------------------------------------------- the issue


def test_no_english_is_left_on_the_spanish_page(made: dict[str, Path]) -> None:
    english, spanish = set(texts_of(page_of(made["en"]))), list(texts_of(page_of(made["es"])))
    assert len(spanish) > 100
    assert len(english) > 100
    alike = {re.sub(r"^[\d,]+ ", "", text) for text in spanish if text in english}
    assert alike <= ALIKE
    assert not re.search(r"\b(the|and|of|with|records?|month)\b", " ".join(spanish))


def test_no_english_is_left_on_the_other_pages(demonstration: Edition) -> None:
    """Outside of the names of organizations, of columns and of commands, which are what they are."""
    shown: dict[str, set[str]] = {}
    # They are given in no language.
    verdicts = verify_register(Project.open(REPOSITORY))
    for code in ("en", "es"):
        project = Project.open(REPOSITORY, code)
        edition = replace(demonstration, language=project.language)
        day = edition.as_of
        pages = [
            overview_page(project, edition),
            methods_page(project, edition),
            data_page(project, edition),
            verdicts_of_all(project, verdicts),
            search_page(project, day, demonstration=True),
            home_page(project, []),
        ]
        parts = [
            output["data"]["text/markdown"] for page in pages if page for cell in page.cells for output in cell.outputs
        ]
        parts += [text for page in pages if page for text in (page.title, page.front_matter["title"])]
        html = pypandoc.convert_text("\n\n".join(parts), "html", format="markdown-raw_html-citations")
        shown[code] = set(texts_of(BeautifulSoup(html, "html.parser")))
    alike = {re.sub(r"^[\d,]+ ", "", text) for text in shown["es"] & shown["en"]}
    columns = {"source", "issue", "month", "as_of", "replaced_by", "origin", "measure", "category", "period", "value"}
    commands = {"vip verify 2023-11", "vip verify", "vip trace", "vip reproduce 2023-11", "vip reproduce"}
    known = ALIKE | columns | commands | {"all-issues.csv", "datapackage.json", ", Hospital"}
    names = "Advance Peace|Cure Violence|National|Health Alliance"
    assert {text for text in alike - known if not re.search(names, text)} == set()
    assert len(shown["es"]) > 200


def test_the_spanish_page_says_its_language_and_its_month(made: dict[str, Path]) -> None:
    page = page_of(made["es"])
    assert page.html is not None
    assert page.html["lang"] == "es"
    assert page.title is not None
    assert page.title.get_text() == "Programa de Intervención contra la Violencia: Informe mensual, noviembre de 2023"
    assert part_of(made["es"], "html").parts[-4:] == ("issues", "es", "2023-11", "vip-2023-11-es.html")


def test_the_numbers_of_both_pages_are_the_same(made: dict[str, Path]) -> None:
    def numbers(code: str) -> list[list[str]]:
        page = page_of(made[code])
        cells = [
            [cell.get_text(strip=True) for cell in row.find_all("td")]
            for row in page.select("tbody tr")
            if not re.search(r"20\d\d", row.get_text())
        ]
        return [*cells, [node.get_text() for node in page.select(".tiles .number")]]

    assert numbers("es") == numbers("en")
    assert ["483", "2,599", "544", "2,635"] in numbers("es")


def test_the_chart_says_in_spanish_what_it_shows(made: dict[str, Path]) -> None:
    alts = {code: [str(node["alt"]) for node in page_of(issue).find_all("img")] for code, issue in made.items()}
    assert alts["es"][1].startswith("Gráfica de columnas de respuestas por mes en el AF 2024: julio de 2023 ")
    assert [re.findall(r"\d+", alt) for alt in alts["es"]] == [re.findall(r"\d+", alt) for alt in alts["en"]]


def test_pdf_and_docx_say_their_language(made: dict[str, Path]) -> None:
    with pikepdf.open(part_of(made["es"], "pdf")) as pdf:
        assert str(pdf.Root.Lang) == "es"
        assert str(pdf.docinfo["/Title"]).startswith("Programa de Intervención contra la Violencia")
    document = docx.Document(str(part_of(made["es"], "docx")))
    assert document.core_properties.language == "es"
    assert "De dónde vienen las cifras" in {paragraph.text for paragraph in document.paragraphs}


def test_figures_and_categories_stay_as_they_are_in_the_data(made: dict[str, Path]) -> None:
    for name in ("figures.csv", "figures.json"):
        files = [(issue / name).read_bytes() for issue in made.values()]
        assert files[0] == files[1]


def test_the_manifest_names_the_language_and_the_catalogues(made: dict[str, Path]) -> None:
    manifest = json.loads((made["es"] / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["lang"] == "es"
    assert {"report/locale/es.po", "report/activities/2023-11.es.md"} <= set(manifest["inputs"]["texts"])
    assert {"viputils/locale/es.po", "viputils/locale/viputils.pot"} <= set(manifest["inputs"]["library"])
    english = json.loads((made["en"] / "manifest.json").read_text(encoding="utf-8"))
    assert english["parameters"]["lang"] == "en"
    assert not [name for kind in english["inputs"].values() for name in kind if name.endswith((".po", ".es.md"))]


@pytest.mark.exact_bytes
def test_the_manifest_is_enough_to_make_it_again(made: dict[str, Path], artifacts: Artifacts, tmp_path: Path) -> None:
    root = shutil.copytree(artifacts.in_two_languages(), tmp_path / "a project")
    done = vip(
        "reproduce",
        str(root / made["es"].relative_to(artifacts.in_two_languages()) / "manifest.json"),
        "--project",
        str(root),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical, byte for byte" in done.stdout


@pytest.mark.exact_bytes
@pytest.mark.parametrize("code", ["en", "es"])
def test_a_machine_that_is_set_to_a_third_language_makes_the_same_bytes(
    made: dict[str, Path], code: str, tmp_path: Path
) -> None:
    root = copy_of_the_repository(tmp_path / "a project")
    arguments = ("--lang", code, "--engine", "embedded", "--project", str(root), "--json")
    done = started_vip("report", "2023-11", *arguments, LC_ALL="de_DE.UTF-8", LANGUAGE="de")
    assert done.returncode == 0, done.stderr
    assert contents(Path(json.loads(done.stdout)["manifest"]).parent) == contents(made[code])


# ---------------------------------------------------------------- activities


NOVEMBER = ReportMonth(2023, 11)


def activities(city: Project, edition: Edition, english: str, spanish: str | None) -> str:
    folder = city.report / "activities"
    (folder / "2023-11.md").write_text(english, encoding="utf-8")
    (folder / "2023-11.es.md").unlink(missing_ok=True)
    if spanish is not None:
        (folder / "2023-11.es.md").write_text(spanish, encoding="utf-8")
    project = city.in_language("es")
    return str(sections.activities(project, replace(edition, language=project.language)).data)


NOTICE = r"El texto que sigue todavía no se ha traducido\. Se muestra en inglés\."


def test_what_is_not_translated_is_shown_in_english_and_says_so(city: Project, demonstration: Edition) -> None:
    english = "## Help\n\nOne.\n\n## Food\n\nTwo.\n\n## Rent\n\nThree.\n"
    text = activities(city, demonstration, english, None)
    assert text.count(NOTICE) == 1
    assert "::: {.untranslated lang=en}\n\n### Help\n\nOne.\n\n### Food\n\nTwo.\n\n### Rent" in text
    marks = [mark_of(Section(*parts)) for parts in (("Help", "One."), ("Food", "Two."), ("Rent", "Three."))]
    text = activities(city, demonstration, english, f"## Comida {{{marks[1]}}}\n\nDos.\n")
    assert text.count(NOTICE) == 2
    assert ":::\n\n### Comida\n\nDos.\n\n::: {.notice}" in text
    spanish = (
        f"## Ayuda {{{marks[0]}}}\n\nUno.\n\n## Renta {{{marks[2]}}}\n\nTres.\n\n## Comida {{{marks[1]}}}\n\nDos.\n"
    )
    text = activities(city, demonstration, english, spanish)
    assert "lang=en" not in text
    # In the order of the text that is translated.
    assert text.index("### Comida\n\nDos.") < text.index("### Renta\n\nTres.")


def test_a_text_that_was_changed_comes_with_its_old_translation_for_the_translator(city: Project) -> None:
    script = runpy.run_path(str(REPOSITORY / "scripts" / "update_catalogues.py"))
    updated, written = script["updated"], script["written"]
    text = city.report / "introduction.md"
    english = text.read_text(encoding="utf-8")
    assert "Hospitals and others" in english
    text.write_text(english.replace("Hospitals and others", "Clinics and others"), encoding="utf-8")
    wanted = Catalog(charset="utf-8")
    for _, message in city.messages():
        wanted.add(message)
    changed = updated(city.catalogue("es"), wanted, "a catalogue")
    found = read_po(io.StringIO(changed), locale="es")
    (waiting,) = [one for one in found if one.id and not one.string]
    assert "Clinics and others" in str(waiting.id)
    remark = " ".join(waiting.user_comments)
    assert remark.startswith("was: Most candidates")
    assert "hospitales" in remark
    # It stays until there is a translation.
    city.catalogue("es").write_text(changed, encoding="utf-8")
    assert updated(city.catalogue("es"), wanted, "a catalogue") == changed
    # Once it is translated, nothing is left of it.
    waiting.string = "Las clínicas."
    city.catalogue("es").write_text(written(found, "a catalogue"), encoding="utf-8")
    assert "# was: " not in updated(city.catalogue("es"), wanted, "a catalogue")


def test_a_figure_of_a_month_that_differs_is_named_in_spanish_on_the_page_of_verdicts(
    city: Project, deliver: Deliver
) -> None:
    deliver(responses=["R1,2023-07-02,DV,SE"])
    figures = pd.DataFrame(
        {"measure": ["responses_by_month"], "category": ["2023-07"], "period": ["fytd"], "value": [5]}
    )
    issue = PublishedIssue(IssueName(NOVEMBER), figures, dt.date(2023, 12, 4), None, "here", "vip publish")
    write_register(city.published, [issue])
    project = city.in_language("es")
    text = "\n".join(verdict_sections.verdicts_page(verify_register(project), project.language))
    assert "julio de 2023" in text
    assert "| 5 | 1 | 1 |" in text


def test_a_catalogue_that_calls_two_categories_by_one_name_is_refused(city: Project) -> None:
    catalogue_with(city, "Other Deaths", "Otros")
    with pytest.raises(LanguageError) as refused:
        city.in_language("es")
    (problem,) = refused.value.problems
    assert problem.where == "report/locale/es.po, incident_type"
    assert "'Other' is called 'Otros' like 'Other Deaths';" in problem.what


def test_a_translation_of_a_text_that_was_changed_is_not_shown_and_named(city: Project, demonstration: Edition) -> None:
    spanish = f"## Ayuda {{{mark_of(Section('Help', 'One.'))}}}\n\nUno.\n"
    assert "Uno." in activities(city, demonstration, "## Help\n\nOne.\n", spanish)
    assert outdated_activities(city, NOVEMBER) == []
    for changed in ("## Help\n\nNot one.\n", "## No help\n\nOne.\n"):
        text = activities(city, demonstration, changed, spanish)
        assert "Uno." not in text
        assert "::: {.untranslated lang=en}" in text
        (problem,) = outdated_activities(city, NOVEMBER)
        assert problem.where == "report/activities/2023-11.es.md, the heading 'Ayuda'"
        assert "is not shown, because the text that it translates was changed;" in problem.what
        # What it says is what mends it.
        mark = re.search(r"\{[0-9a-f]{8}\}", problem.remedy)
        assert mark is not None
        assert "Uno." in activities(city, demonstration, changed, f"## Ayuda {mark[0]}\n\nUno.\n")


@pytest.mark.parametrize(
    ("spanish", "said"),
    [
        ("## Ayuda\n\nUno.\n", "does not say which text it translates"),
        ("## 3. Ayuda\n\nUno.\n", "does not say which text it translates"),
        ("## Ayuda {12345678}\n\nUno.\n\n## Comida {12345678}\n\nDos.\n", "is the second one with this mark"),
        ("## Ayuda\n\n![x](https://a.example/b.png)\n\n## Comida\n\nDos.\n", "holds an image"),
    ],
)
def test_a_translation_that_fits_no_section_is_refused_by_name(
    city: Project, demonstration: Edition, spanish: str, said: str
) -> None:
    with pytest.raises(TextError) as caught:
        activities(city, demonstration, "## Help\n\nOne.\n\n## Food\n\nTwo.\n", spanish)
    assert said in caught.value.problems[0].what
    assert caught.value.problems[0].where.startswith("report/activities/2023-11.es.md, ")


def test_untranslated_activities_are_marked_as_english_in_html_and_pdf(
    artifacts: Artifacts, demonstration: Edition, tmp_path: Path
) -> None:
    root = shutil.copytree(artifacts.in_two_languages(), tmp_path / "city")
    (root / "report" / "activities" / "2023-11.es.md").unlink()
    project = Project.open(root, "es")
    (note,) = (note for note in notes_on_texts(project, NOVEMBER) if "there is no" in note)
    assert "there is no report/activities/2023-11.es.md" in note
    edition = replace(demonstration, language=project.language)
    issue = with_activities(project, sections.activities(project, edition).data)
    page = BeautifulSoup(issue["html"].read_text(encoding="utf-8"), "html.parser")
    (part,) = page.select("main [lang=en]")
    assert "During the week of Thanksgiving" in part.get_text()
    assert "todavía no se ha traducido" in page.get_text()
    with pikepdf.open(issue["pdf"]) as pdf:
        found = {str(one.get("/Lang")) for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/Lang" in one}
    assert {"es", "en"} <= found


@pytest.mark.whole_issues
def test_an_issue_whose_activities_are_not_translated_is_made_and_says_so(tmp_path: Path) -> None:
    root = copy_of_the_repository(tmp_path / "city")
    (root / "report" / "activities" / "2023-11.es.md").unlink()
    arguments = ("--lang", "es", "--engine", "embedded", "--project", str(root), "--json")
    done = vip("report", "2023-11", *arguments)
    assert done.returncode == 0, done.stderr
    assert "there is no report/activities/2023-11.es.md" in done.stderr
    issue = json.loads(done.stdout)
    page = BeautifulSoup(Path(issue["html"]).read_text(encoding="utf-8"), "html.parser")
    (part,) = page.select("main [lang=en]")
    assert "During the week of Thanksgiving" in part.get_text()
    assert "todavía no se ha traducido" in page.get_text()
    with pikepdf.open(issue["pdf"]) as pdf:
        found = {str(one.get("/Lang")) for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/Lang" in one}
    assert {"es", "en"} <= found
