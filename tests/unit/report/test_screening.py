"""What must not go out in the activities of a month is found on its line, and what may is allowed by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.projects import REPOSITORY
from tests.support.register import printed
from viputils.config.language import LOCALES, translations
from viputils.config.project import Project
from viputils.core.errors import TextError
from viputils.core.months import ReportMonth
from viputils.report.privacy.particulars import (
    ADDRESS,
    AGE,
    BIRTH,
    CASE,
    CHARGE,
    EMAIL,
    HANDLE,
    KINDS,
    PHONE,
    SCHOOL,
    SECURITY,
    TO_WRITE,
    UNWRITTEN,
    particulars,
)
from viputils.report.privacy.screening import (
    Finding,
    require_screened,
    screen,
    screen_activities,
    screen_text,
    screen_texts,
)

NOVEMBER = ReportMonth(2023, 11)
SENTENCES = Path(__file__).with_name("screening_sentences.csv")


def screened(tmp_path: Path, text: str) -> list[Finding]:
    path = tmp_path / "text.md"
    path.write_text(text, encoding="utf-8")
    return screen(path, "text.md", NOVEMBER)


def kinds(tmp_path: Path, text: str) -> set[str]:
    return {one.kind for one in screened(tmp_path, f"## Theme\n\n{text}\n")}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PHONE, "Call (505) 555-0123 for help."),
        (PHONE, "Call 505.555.0123 for help."),
        (PHONE, "Call +1 505 555 0123."),
        (PHONE, "Call 1-505-555-0123 ext. 12."),
        (PHONE, "Call 5055550123."),
        (PHONE, "The line is 555-0123."),
        (PHONE, "Call us at 5550123."),
        (PHONE, "Her number in Mexico is +52 55 1234 5678."),
        (PHONE, "Area code 999 is nobody's: 999-555-0123."),
        (PHONE, "[Write to us](https://wa.me/15055550123)"),
        (PHONE, "**505**-555-0123"),
        (PHONE, "Call 5 505 555 0123."),
        (PHONE, "After 9-1-1 555-0123."),
        (PHONE, "5055550123 11/4/2023"),
        (EMAIL, "Write to jane.doe+vip@mail.example.org."),
        (EMAIL, "Write to jane (at) example.org."),
        (EMAIL, "Write to jane at example dot org."),
        (BIRTH, "She was born on May 17, 1990."),
        (BIRTH, "His DOB: 5/17/90."),
        (BIRTH, "Date of birth 1990-05-17"),
        (BIRTH, "a client (5/17/1990)"),
        (BIRTH, "a client (17 May 1990)"),
        (BIRTH, "born in 1990"),
        (SECURITY, "123-45-6789"),
        (SECURITY, "SSN ending in 6789"),
        (CASE, "Case No. D-202-CR-2023-01234"),
        (CASE, "as in 23-0012345"),
        (CASE, "with license plate ABC-123"),
        (ADDRESS, "at 1234 Maple St. SE"),
        (ADDRESS, "at 500 Central Avenue NW"),
        (ADDRESS, "at 8000 Central NE"),
        (ADDRESS, "at 123 4th St NW"),
        (ADDRESS, "at 12 Calle de Luna"),
        (ADDRESS, "at 1234 maple st"),
        (ADDRESS, "at 1200 San Pedro Drive SE, Apt. 12"),
        (AGE, "John Smith, 23, was there."),
        (AGE, "JOHN SMITH, 23, was there."),
        (AGE, "John Smith (23)"),
        (AGE, "23-year-old Maria Lopez"),
        (AGE, "a twenty-three-year-old man, José de la Cruz,"),
        (AGE, "John Smith, a 23-year-old father"),
        (AGE, "J. Smith, age 23"),
        (AGE, "Mr. Smith, 23."),
        (AGE, 'John "JJ" Smith Jr., 23, of Albuquerque'),
        (AGE, "April Jones, 19, said"),
        (AGE, "J.R. Smith, 23"),
        (AGE, "Luis García, de 12 años"),
        (AGE, "*Maria* [Hill](https://example.org), 31."),
        (CHARGE, "John Smith was charged with theft."),
        (CHARGE, "Police arrested María de la Cruz."),
        (CHARGE, "José Luis Ruiz fue acusado"),
        (CHARGE, "Maria Park pleaded guilty."),
        (CHARGE, "the indictment of Robert O’Brien"),  # noqa: RUF001
        (SCHOOL, "Her son (9) attends Highland Elementary."),
        (SCHOOL, "Her sons attend Zia Elementary."),
        (SCHOOL, "He now attends Del Norte High."),
        (SCHOOL, "The mother's two daughters (7 and 9) attend Polk Middle."),
        (HANDLE, "Instagram: marialopez"),
        (UNWRITTEN, TO_WRITE),
    ],
)
def test_what_must_not_go_out_is_found(tmp_path: Path, kind: str, text: str) -> None:
    assert kind in kinds(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "Many neighbors called 9-1-1 in fear near Maple Street SE, within two blocks of the place.",
        "CORA delivered five food boxes, 12 more on 11/23/2023, and $1,234,567 in vouchers.",
        "In 2023, 2,500 people came; from 2022 to 2023 that is 100-150 more. The week of 2023-11-20.",
        "Call 311, 988 or 2-1-1. Follow @ABQPolice.",
        "in the 500 block of Central Avenue, and in 2023 Main Street SE",
        "On November 4, 2023 (11/4/2023), at 10:30 a.m.",
        "5 adults and 12 children; ages 15-24; a 19-year-old woman, referred to UNM Stable Housing.",
        "Healthy Communities, 12 clients. Bernalillo County, 3.",
        "APD arrested a man near San Pedro Drive, and another at Roosevelt Park.",
        "Officer Jane Doe said that a suspect was in custody.",
        "Food is free of charge for families of Highland High School.",
        "Jane Doe spoke. Later, a man was arrested.",
        "Families brought their children to a fair at La Mesa Elementary.",
        "The library's children's corner is open, and Zia Elementary lent the tables.",
        "Follow @cabq_vip, or look at Instagram: cabqvip.",
    ],
)
def test_what_may_go_out_is_not_found(tmp_path: Path, text: str) -> None:
    assert screened(tmp_path, f"## Theme\n\n{text}\n") == []


@pytest.mark.parametrize("folder", [REPOSITORY, REPOSITORY / "examples" / "philadelphia"])
def test_the_texts_of_the_repository_pass_and_nothing_is_allowed(folder: Path) -> None:
    project = Project.open(folder)
    screenings = [screen_texts(project), screen_activities(project, NOVEMBER)]
    assert [(one.findings, one.allowed, one.unused) for one in screenings] == [((), (), ())] * 2
    own = translations(LOCALES / "es.po", "es.po")
    assert len(own) > 100
    assert [one for _, text in own for one in screen_text(text, "es.po", NOVEMBER)] == []


def test_sentences_that_tell_who_somebody_is_are_found_and_others_are_not() -> None:
    """The table contains invented people, in the words of a month's activities, in English and Spanish."""
    table = pd.read_csv(SENTENCES, keep_default_na=False, dtype="str")
    table["found"] = [bool(particulars(sentence, NOVEMBER)) for sentence in table["sentence"]]
    tells = table["tells"].ne("")
    assert tells.sum() >= 100
    assert (~tells).sum() >= 100
    recall, false_alarms = table.loc[tells, "found"].mean(), table.loc[~tells, "found"].mean()
    precision = tells[table["found"]].mean()
    print(f"recall {recall:.1%}, precision {precision:.1%}, false alarms {false_alarms:.1%}")  # noqa: T201 - so that who changes a rule sees what it does
    print(table.loc[table["found"].ne(tells), ["tells", "sentence"]].to_string(index=False))  # noqa: T201 - so that who changes a rule sees what it does
    assert recall >= 0.95
    assert false_alarms < 0.02


def test_look_alikes_hide_nothing(tmp_path: Path) -> None:
    text = (
        "505\N{NON-BREAKING HYPHEN}555\N{EN DASH}0123, 505\N{NO-BREAK SPACE}555\N{NARROW NO-BREAK SPACE}0124, "
        + "".join(chr(ord(mark) + 0xFEE0) for mark in "505-555-0125")
        + ", 505\N{SOFT HYPHEN}-555-0126, 505-55\N{ZERO WIDTH SPACE}5-0127, "
        "٥٠٥-٥٥٥-٠١٢٨, jane＠example.org"  # noqa: RUF001
    )
    found = [one.excerpt for one in screened(tmp_path, text)]
    assert [one.replace(" ", "-") for one in found[:6]] == [f"505-555-012{last}" for last in range(3, 9)]
    assert found[6:] == ["jane@example.org"]


def test_what_is_wrapped_over_two_lines_is_found_where_it_begins(tmp_path: Path) -> None:
    text = """## Theme

One line, then call 505-
555-0123 or write to jane.doe@
example.org. At 1234
Maple Street SE lives John
Smith, 23, who was
born on May 17,
1990.

- An item with John
  Doe, 24
- 30 boxes
"""
    assert [(one.line, one.kind, one.excerpt) for one in screened(tmp_path, text)] == [
        (3, PHONE, "505- 555-0123"),
        (4, EMAIL, "jane.doe@ example.org"),
        (5, ADDRESS, "1234 Maple Street SE"),
        (6, AGE, "John Smith, 23"),
        (8, BIRTH, "born on May 17, 1990"),
        (11, AGE, "John Doe, 24"),
    ]


def test_two_paragraphs_are_never_read_as_one(tmp_path: Path) -> None:
    text = "## John Smith\n23, was the number\n\nJane Doe\n\n24\n\n505-\n\n555 0123 1\n\n- Maria Lopez\n- 24\n"
    assert {one.kind for one in screened(tmp_path, text)} <= {PHONE}


US_STYLES = (
    lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL),
    lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
    lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
    lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).split(" ", 1)[1],
    lambda number: str(number.national_number),
    lambda number: phonenumbers.format_out_of_country_calling_number(number, "CA"),
    lambda number: ".".join(
        [str(number.national_number)[:3], str(number.national_number)[3:6], str(number.national_number)[6:]]
    ),
)


@example(area=202, rest=3_110_000, style=US_STYLES[-1], before="", after="", wrapped=False)
@given(
    area=st.integers(200, 999),
    rest=st.integers(2_000_000, 9_999_999),
    style=st.sampled_from(US_STYLES),
    before=st.sampled_from(
        ["", "Call ", "On 11/4/2023, ", "In 2023 call ", "of 9-1-1 ", "(", "tel:", "1. ", "11/4/2023 ", "87102 ", "5 "]
    ),
    after=st.sampled_from(
        ["", ".", ", please", " in 2023", ") or", "; 12 boxes", " 12 boxes", " 11/4/2023", "\nfor help", " (day)"]
    ),
    wrapped=st.booleans(),
)
def test_any_number_that_is_written_as_in_the_united_states_is_found_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    area: int,
    rest: int,
    style: object,
    before: str,
    after: str,
    wrapped: bool,
) -> None:
    number = phonenumbers.PhoneNumber(country_code=1, national_number=area * 10_000_000 + rest)
    assume(phonenumbers.is_valid_number(number))
    written = style(number)  # type: ignore[operator]
    text = f"## T\n\n{before}{written.replace(' ', chr(10)) if wrapped else written}{after}\n"
    path = tmp_path_factory.getbasetemp() / "phone.md"
    path.write_text(text, encoding="utf-8")
    found = [one for one in screen(path, "phone.md", NOVEMBER) if one.kind == PHONE]
    digits = "".join(mark for mark in written if mark.isdigit())
    assert any(digits in "".join(mark for mark in one.excerpt if mark.isdigit()) for one in found)
    assert found[0].line == 3


@given(st.text(max_size=300))
def test_no_text_breaks_the_screening(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_bytes(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode())
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if "\0" in text:  # That is no text, and refused as such.
        with pytest.raises(TextError, match=r"any\.md, line"):
            screen(path, "any.md", NOVEMBER)
        return
    for one in screen(path, "any.md", NOVEMBER):
        assert 1 <= one.line <= lines
        assert one.kind in KINDS
        assert one.excerpt


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Maria Lopez, 34, was shot on Central.", "the family of a victim decides"),
        ("The family of Jose Martinez, killed on Tuesday, asked for help.", "the family of a victim decides"),
        ("A vigil for Jose Martinez, who was murdered in March.", "the family of a victim decides"),
        ("La familia de José Martínez, asesinado el martes, pidió ayuda.", "the family of a victim decides"),
        ("Jose Martinez shot a man, who was killed.", "only a court decides"),
        ("John Smith was arrested after a woman was shot.", "only a court decides"),
        ("John Smith was charged with theft.", "only a court decides"),
    ],
)
def test_the_reason_for_a_name_near_a_crime_is_about_the_victim_where_it_is_one(
    tmp_path: Path, text: str, reason: str
) -> None:
    (found,) = (one for one in screened(tmp_path, text) if one.kind == CHARGE)
    assert reason in found.remedy


# ------------------------------------------------------------------ allowed by name


def write(project: Project, text: str, allowed: str = "") -> None:
    path = project.activities(NOVEMBER)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if allowed:
        path.with_name("2023-11.allowed.toml").write_text(allowed, encoding="utf-8")


ALLOWED = '[[allowed]]\nkind = "phone number"\ntext = "505-555-0123"\nreason = "The public line."\nby = "J. Doe"\n'


def test_a_finding_is_allowed_by_its_own_words_alone(project: Project) -> None:
    write(project, "## Help\n\nCall 505-\n555-0199 or 505-555-0123.\n", ALLOWED)
    found = screen_activities(project, NOVEMBER)
    assert [one.name for one in found.findings] == ["phone number: 505- 555-0199"]
    assert [(one.line, said.by) for one, said in found.allowed] == [(4, "J. Doe")]
    assert not found.unused
    with pytest.raises(TextError, match=r"2023-11.md, line 3: phone number: '505- 555-0199'"):
        require_screened(found)


def test_an_allowance_holds_however_the_words_are_wrapped_and_hyphenated(project: Project) -> None:
    write(project, "## Help\n\n(505)\n555\N{NON-BREAKING HYPHEN}0123\n", ALLOWED.replace("505-555", "(505) 555"))
    assert screen_activities(project, NOVEMBER).clean


def test_an_allowance_that_names_nothing_is_reported_and_holds_nothing_up(project: Project) -> None:
    write(project, "## Help\n\nText.\n", ALLOWED)
    found = screen_activities(project, NOVEMBER)
    assert not found.clean
    assert [problem.where for problem in found.unused] == ["report/activities/2023-11.allowed.toml, allowed 1"]
    require_screened(found)


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ("[[allowed", "is not TOML"),
        ("x = " + "[" * 5_000, "is not TOML"),
        (ALLOWED.replace('by = "J. Doe"\n', ""), "allowed 1, by"),
        (ALLOWED.replace("The public line.", " "), "allowed 1, reason"),
        (ALLOWED.replace("phone number", "phone nummer"), "did you mean 'phone number'"),
        (ALLOWED.replace("phone number", "not written yet"), "nothing that can be allowed"),
        (ALLOWED.replace("allowed", "alowed"), "alowed: is not known here"),
        (ALLOWED + "extra = 1\n", "allowed 1, extra"),
        ('allowed = "all"\n', "is no list"),
        (
            ALLOWED.replace("The public line.", "why it may go out"),
            "allowed 1, reason: 'why it may go out' was not repl",
        ),
        (ALLOWED.replace("J. Doe", "Who allows it"), "allowed 1, by: 'Who allows it' was not replaced; write the name"),
    ],
)
def test_an_allowance_without_a_name_a_reason_and_a_person_is_none(project: Project, allowed: str, said: str) -> None:
    write(project, "## Help\n\n505-555-0123\n", allowed)
    with pytest.raises(TextError) as raised:
        screen_activities(project, NOVEMBER)
    assert said in str(raised.value)


def test_a_month_without_a_text_has_nothing_to_screen(project: Project) -> None:
    assert screen_activities(project, NOVEMBER).clean


# ------------------------------------------------------------------ every text that becomes public

TELLS = "Ask Maria Lopez, who is 19 and lives at 318 Palomas."


def test_each_text_that_becomes_public_is_screened_and_named_with_its_line(project: Project) -> None:
    report = project.report
    (report / "pages").mkdir(parents=True)
    (report / "locale").mkdir()
    for name in ("introduction.md", "definitions.md", "pages/methods.md"):
        (report / name).write_text(f"## Theme\n\nText.\n\n{TELLS}\n", encoding="utf-8")
    (report / "locale" / "es.po").write_text(
        f'msgid ""\nmsgstr ""\n\nmsgid "Words"\nmsgstr "{TELLS}"\n', encoding="utf-8"
    )
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count('label = "adults assisted"') == 1
    path.write_text(text.replace('label = "adults assisted"', f'label = "{TELLS}"'), encoding="utf-8")
    line = text[: text.index('label = "adults assisted"')].count("\n") + 1
    printed(project, 5, reason=TELLS, footnote="Five.")
    found = screen_texts(Project.open(project.root), [("--reason", TELLS)])
    ages = [(one.file, one.line) for one in found.findings if one.kind == AGE]
    assert ages == [
        ("report/introduction.md", 5),
        ("report/definitions.md", 5),
        ("report/pages/methods.md", 5),
        ("program.toml", line),
        ("report/locale/es.po", 4),
        ("data/published/index.csv, 2023-11, reason", 1),
        ("--reason", 1),
    ]
    with pytest.raises(TextError) as raised:
        require_screened(found)
    message = str(raised.value)
    assert "report/locale/es.po, line 4: street address: 'at 318 Palomas'" in message.replace("'318", "'at 318")
    assert "report/texts.allowed.toml: allows by name what may still be published" in message
    # The lines that it prints allow the finding, once their placeholders are replaced.
    lines = found.example.replace("why it may go out", "A made-up person.").replace("who allows it", "J. Doe")
    (report / "texts.allowed.toml").write_text(lines, encoding="utf-8")
    again = screen_texts(Project.open(project.root), [("--reason", TELLS)])
    assert again.findings == ()


def test_each_finding_that_may_be_allowed_has_its_lines_and_what_is_not_written_has_none(project: Project) -> None:
    write(project, f"## Help\n\n{TO_WRITE}\n\nWrite to a@b.org.\n\nCall 505-555-0123, or 505-555-0199.\n")
    example = screen_activities(project, NOVEMBER).example
    assert [line.strip() for line in example.splitlines() if "text" in line] == [
        f'text = "{text}"' for text in ("a@b.org", "505-555-0123", "505-555-0199")
    ]
    assert example.count("[[allowed]]") == 3
    write(project, f"## Help\n\n{TO_WRITE}\n")
    unwritten = screen_activities(project, NOVEMBER)
    assert (len(unwritten.findings), unwritten.example) == (1, "")
    with pytest.raises(TextError) as raised:
        require_screened(unwritten)
    assert "allow" not in str(raised.value)


def test_the_lines_that_allow_a_finding_are_refused_as_they_were_printed(project: Project) -> None:
    write(project, "## Help\n\nCall 505-555-0123.\n")
    example = screen_activities(project, NOVEMBER).example
    write(project, "## Help\n\nCall 505-555-0123.\n", example)
    with pytest.raises(TextError) as raised:
        screen_activities(project, NOVEMBER)
    assert [one.where.rpartition(", ")[2] for one in raised.value.problems] == ["reason", "by"]
