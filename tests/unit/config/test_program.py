"""program.toml: read, typed, and refused key by key where it is wrong."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import REPOSITORY
from viputils.config.program import Program
from viputils.config.program_file import program_from, read_program
from viputils.config.project import Project
from viputils.core.errors import ProgramError
from viputils.core.months import ReportMonth


@pytest.fixture
def raw() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "program.toml").read_text(encoding="utf-8"))


NOVEMBER = ReportMonth(2023, 11)


def refusal(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ProgramError) as refused:
        program_from(raw)
    return [str(problem) for problem in refused.value.problems]


def test_categories_stand_in_printed_order(program: Program) -> None:
    assert program.categories("responses_by_incident_type", NOVEMBER) == [
        "Gun/Other Violence", "DV/Sexual Assault", "Homicide", "Other Deaths", "Suicide", "Other",
    ]  # fmt: skip
    assert program.categories("responses_by_area_command", NOVEMBER) == [
        "Southeast", "Southwest", "Valley", "Foothills", "Northeast", "Northwest",
    ]  # fmt: skip


def test_the_crosswalk_is_dated_and_says_that_it_is_an_assumption(program: Program) -> None:
    (crosswalk,) = program.crosswalks
    assert (crosswalk.value, crosswalk.counted_as) == ("University", "Southeast")
    assert crosswalk.valid_from == dt.date(2023, 2, 12)
    assert crosswalk.assumption


def test_spellings_are_found_whatever_their_case(program: Program) -> None:
    spellings = program.spellings("incident_type")
    assert spellings["dv"] == spellings["dv/sexual assault"] == "DV/Sexual Assault"
    assert program.spellings("area_command")["univ"] == "University"


def test_a_missing_key_is_named(raw: dict[str, Any]) -> None:
    del raw["program"]["site"]
    assert refusal(raw) == ["program.site: is missing; add it:\n      [program]\n      site = …"]


def test_a_misspelt_key_is_named_with_the_nearest(raw: dict[str, Any]) -> None:
    raw["program"]["fiscal_year_start"] = 7
    raw["report"]["headlines"] = []
    found = refusal(raw)
    assert any("fiscal_year_start: is not a known key" in one and "'fiscal_year_starts'" in one for one in found)
    assert any("report.headlines: is not a known key" in one and "'headline'" in one for one in found)


def test_a_value_of_the_wrong_type_is_named_with_what_would_be_right(raw: dict[str, Any]) -> None:
    raw["program"]["fiscal_year_starts"] = "July"
    (found,) = refusal(raw)
    assert found.startswith("program.fiscal_year_starts: 'July' is invalid:")
    assert "integer" in found


def test_a_month_that_does_not_exist_is_refused(raw: dict[str, Any]) -> None:
    raw["program"]["fiscal_year_starts"] = 13
    (found,) = refusal(raw)
    assert "less than or equal to 12" in found


def test_an_alias_of_two_values_is_refused(raw: dict[str, Any]) -> None:
    raw["vocabularies"]["incident_type"]["Other"].append("gsw")
    (found,) = refusal(raw)
    assert "'gsw' would mean both 'Gun/Other Violence' and 'Other'" in found


def test_a_crosswalk_alias_that_is_a_value_already_is_refused(raw: dict[str, Any]) -> None:
    raw["crosswalks"][0]["aliases"].append("SE")
    (found,) = refusal(raw)
    assert "'SE' would mean both 'Southeast' and 'University'" in found


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("crosswalks", 0, "counted_as"), "South-East", "crosswalks[1].counted_as"),
        (("crosswalks", 0, "vocabulary"), "areas", "crosswalks[1].vocabulary"),
        (("crosswalks", 0, "valid_to"), dt.date(2020, 1, 1), "crosswalks[1].valid_to"),
        (("tables", "responses", "date"), "incident_type", "tables.responses.date"),
        (("tables", "responses", "date"), "day", "tables.responses.date"),
        (("measures", "responses", "table"), "response", "measures.responses.table"),
        (("measures", "adults_assisted", "count"), {"sum": "kind"}, "measures.adults_assisted.count"),
        (("measures", "adults_assisted", "count"), {"sum": "adults"}, "measures.adults_assisted.count"),
        (("measures", "responses_by_area_command", "by"), "area", "measures.responses_by_area_command.by"),
        (("measures", "people_notified", "where"), {"outcome": "Done"}, "measures.people_notified.where.outcome"),
        (("measures", "people_engaged", "followed_by"), "engagement", "measures.people_engaged.followed_by"),
        (("measures", "people_engaged", "count"), "rows", "measures.people_engaged.followed_by"),
        (("report", "headline"), ["adults"], "report.headline"),
        (("report", "trend"), "responses", "report.trend"),
        (("report", "breakdowns"), ["responses"], "report.breakdowns"),
        (("report", "funnel"), ["people_notified"], "report.funnel"),
        (("report", "funnel"), ["people_engaged", "people_notified"], "report.funnel"),
        (("tables", "reviews", "columns", "line"), {"type": "count"}, "tables.reviews.columns.line"),
        (("program", "site"), "{{< env HOME >}}", "program.site"),
        (("program", "city"), "City \u202eof Albuquerque", "program.city"),
        (("measures", "adults_assisted", "label"), "adults\u00ad assisted", "measures.adults_assisted.label"),
        (("demonstration", "mark"), "{{< env HOME >}}", "demonstration.mark"),
        (("program", "records_from"), dt.date(2019, 1, 1), "program.records_from"),
        (("tables", "referrals", "exactly_one_of"), ["service"], "tables.referrals.columns.service"),
        (("tables", "reviews", "columns", "review_date"), {"type": "category"}, "tables.reviews.columns.review_date"),
    ],
)  # fmt: skip
def test_what_contradicts_the_rest_of_the_file_is_named_by_its_key(
    raw: dict[str, Any], path: tuple[Any, ...], value: object, key: str
) -> None:
    place: Any = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = refusal(raw)
    assert any(one.startswith(f"{key}:") for one in found), found


def test_crosswalks_of_one_value_that_overlap_are_refused(raw: dict[str, Any]) -> None:
    raw["crosswalks"].append({**raw["crosswalks"][0], "valid_from": dt.date(2024, 2, 12), "counted_as": "Northeast"})
    (found,) = refusal(raw)
    assert found.startswith("crosswalks[2]: 'University' is counted from 2024-02-12 here and from 2023-02-12 in")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"tiles": {"Southwest": [1, 4]}},
            "report.tile_map.tiles.Southwest: is in row 1, column 4, like 'Foothills'; give each area a place of its",
        ),
        ({"tiles": {"Southwes": [3, 1]}}, "report.tile_map.tiles.Southwes: 'Southwes' is not known; did you mean"),
        ({"tiles": {"Valley": None}}, "report.tile_map.tiles: has no tile for 'Valley'; add \"Valley\" ="),
        ({"tiles": {"Valley": [0, 1]}}, "report.tile_map.tiles.Valley[1]: 0 is invalid: input should be"),
        ({"tiles": {"Valley": [1]}}, "report.tile_map.tiles.Valley: [1] is invalid: list should have at"),
        ({"measure": "responses_by_area"}, "report.tile_map.measure: 'responses_by_area' is not known; did you"),
        (
            {"measure": "referrals_made_by_service"},
            "report.tile_map.measure: 'referrals_made_by_service' has no table in the report; name one",
        ),
    ],
)  # fmt: skip
def test_a_tile_map_that_cannot_be_drawn_is_refused_by_its_key(
    raw: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    tile_map = raw["report"]["tile_map"]
    tile_map["tiles"] |= change.pop("tiles", {})
    tile_map["tiles"] = {area: place for area, place in tile_map["tiles"].items() if place is not None}
    tile_map |= change
    found = refusal(raw)
    assert len(found) == 1
    assert found[0].startswith(says), found


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("help", [{"number": "911", "use": "x"}, {"use": "x"}], "help[2].number: is missing; add the line number = "),
        ("contact", {"name": "VIP", "email": "vip at x"}, "contact.email: 'vip at x' is invalid: must be an e-mail"),
        ("contact", {"name": "VIP", "phone": "x"}, "contact.phone: 'x' is invalid: must be a phone number"),
        ("contact", {"name": "VIP"}, "contact: does not say how to reach anyone; add phone, email or address."),
        ("contact", {"name": "VIP", "adress": "x"}, "contact.adress: is not a known key; did you mean"),
    ],
)  # fmt: skip
def test_a_help_line_without_a_number_and_a_contact_without_a_way_are_refused(
    raw: dict[str, Any], key: str, value: object, says: str
) -> None:
    raw[key] = value
    (found,) = refusal(raw)
    assert found.startswith(says)


def test_every_contradiction_is_told_at_once(raw: dict[str, Any]) -> None:
    raw["report"]["headline"] = ["adults", "children"]
    raw["crosswalks"][0]["counted_as"] = "South-East"
    assert len(refusal(raw)) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[program\n", "is not TOML"), (b"name = \"\xff\"\n", "is not UTF-8"), (None, "is missing")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "program.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProgramError, match=says):
        read_program(path)


def edited(old: str, new: str) -> str:
    text = (REPOSITORY / "program.toml").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Other" = ["OTH", "Misc"', '"=SUM(A1)" = ["Misc"', "would run as a formula"),
        ('id = "response_id"', 'id = "response_id"\none_row_per_id = false', "only rows of a snapshot can share an id"),
        ('id = "response_id"', 'id = "response_id"\ndelivery = "sometimes"', "tables.responses.delivery"),
        ('date_order = "month first"', 'date_order = "month frst"', "intake.date_order"),
        ("[intake.headings.referrals]", "[intake.headings.referals]", "did you mean 'referrals'?"),
        ('referral_id = ["Referral No"', 'referal_id = ["Referral No"', "did you mean 'referral_id'?"),
        ('referral_id = ["Referral No"', 'referral_id = ["Date of referral"', "would mean both 'referral_id' and"),
        ('responses = ["Remarks"]', 'responses = ["Incident DATE"]', "is both left out and used for 'response_date'"),
        ('by = "incident_type"', 'by = "incident_type"\nmissing = "homicide"', "cannot be the name of a missing value"),
        ('label = "responses"', 'label = "responses"\nmissing = "None"', "needs a breakdown"),
        ("valid_from = 2023-02-12", 'valid_from = 2023-02-12\nissues_from = "2024-13"', "must be a month in quotes"),
        (
            "valid_from = 2023-02-12",
            'valid_from = 2023-02-12\nissues_from = "2024-02"\nissues_to = "2024-01"',
            "is before issues_from",
        ),
        ('by = "area_command"', 'by = "area_command"\nmissing = "university"', "cannot be the name of a missing value"),
        ('by = "area_command"', 'by = "area_command"\nmissing = "SEAC"', "cannot be the name of a missing value"),
        ('label = "responses"', 'label = "{{< x >}}"', "measures.responses.label: contains '{{<'"),
        (
            'columns.adults_assisted = { type = "count" }',
            'columns.adults_assisted = { type = "count", required = false }',
            "cannot be added up",
        ),
        ('by = "month"', 'by = "month"\nfollowed_by = "engagements"', "so its months cannot be compared"),
        (
            "# The raw tables",
            '[[crosswalks]]\nvocabulary = "area_command"\nvalue = "Southeast"\n'
            'counted_as = "Valley"\nreason = "x"\n# The raw tables',
            "'Southeast' is itself counted as 'Valley'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(old: str, new: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        program_from(tomllib.loads(edited(old, new)))
    assert message in str(caught.value)


LIFETIME = """
[[lifetimes]]
vocabulary = "area_command"
value = "{value}"
{more}
"""


@pytest.mark.parametrize(
    ("value", "more", "message"),
    [
        ("Vally", "", "did you mean 'Valley'?"),
        ("Valley", "valid_from = 2024-01-01\nvalid_to = 2023-01-01", "is before valid_from"),
        ("Valley", LIFETIME.format(value="Valley", more=""), "already has a lifetime"),
    ],
)
def test_a_lifetime_that_cannot_be_is_refused(value: str, more: str, message: str) -> None:
    lifetime = LIFETIME.format(value=value, more=more)
    with pytest.raises(ProgramError) as caught:
        program_from(tomllib.loads(edited("# The raw tables", f"{lifetime}\n# The raw tables")))
    assert message in str(caught.value)


def test_a_folder_whose_notebook_is_shared_must_be_there(project: Project) -> None:
    path = project.root / "program.toml"
    path.write_text(path.read_text("utf-8").replace("records_from", 'shares = "../nowhere"\nrecords_from', 1), "utf-8")
    with pytest.raises(ProgramError) as caught:
        Project.open(project.root)
    assert "'../nowhere' is not a folder" in str(caught.value)


# ---------------------------------------------------------------- The file itself


def refused_file(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "program.toml"
    path.write_bytes(content)
    with pytest.raises(ProgramError) as refused:
        read_program(path)
    return str(refused.value)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (REPOSITORY / "program.toml").read_bytes())
    assert read_program(path) == read_program(REPOSITORY / "program.toml")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("name = \u201cVIP\u201d", "It has the curly quote \u201c; write straight quotes"),
        ('name = "VIP', 'A quote (") is missing.'),
        ("name = Violence Program", "Write text in quotes"),
        ('also_in = ["es"', "A bracket is not closed."),
    ],
)
def test_a_line_that_is_not_toml_is_shown_with_the_usual_cause(tmp_path: Path, line: str, said: str) -> None:
    refused = refused_file(tmp_path, f"[program]\n{line}\n".encode())
    assert "program.toml, line 2" in refused or "program.toml, line 3" in refused
    assert said in refused


def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    refused = refused_file(tmp_path, '[program]\nname = "Belén"\n'.encode("cp1252"))
    for program in ("Notepad", "Word", "Excel"):
        assert program in refused


def test_a_program_without_categories_needs_no_vocabularies(raw: dict[str, Any]) -> None:
    reviews = {"reviews": raw["tables"]["reviews"]}
    measures = {"shooting_reviews": raw["measures"]["shooting_reviews"]}
    small = {"program": raw["program"], "tables": reviews, "measures": measures}
    assert program_from({**small, "report": {"headline": ["shooting_reviews"]}}).vocabularies == {}


def test_an_id_of_several_columns_names_required_columns(raw: dict[str, Any]) -> None:
    raw["tables"]["responses"]["id"] = ["response_date", "area_command", "case"]
    raw["intake"]["headings"]["responses"].pop("response_id")
    said = refusal(raw)
    assert (
        "tables.responses.id: 'area_command' cannot be part of an id; name required columns of type code, date or "
        in (said[0])
    )
    assert "tables.responses.id: 'case' is not known;" in said[1]


def test_codes_can_only_be_told_apart_in_columns_of_codes(raw: dict[str, Any]) -> None:
    raw["codes"] = {"candidat_id": "same"}
    assert refusal(raw) == ["codes: 'candidat_id' is not known; did you mean 'candidate_id'? "]


def test_a_time_zone_is_one_that_is_known(raw: dict[str, Any]) -> None:
    raw["intake"]["time_zone"] = "America/Albuquerque"
    assert 'must be "as written" or the name of a time zone' in refusal(raw)[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_program_is_read_with_the_mark_that_some_programs_begin_a_file_with(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "program.toml"
    path.write_text((REPOSITORY / "program.toml").read_text(encoding="utf-8"), encoding=encoding)
    assert read_program(path) == read_program(REPOSITORY / "program.toml")


def test_a_program_in_another_encoding_is_refused_with_its_line_and_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_bytes('[program]\nname = "Peñasco"\n'.encode("cp1252"))
    with pytest.raises(ProgramError, match=r"program\.toml, line 2: is not UTF-8 .* In Notepad"):
        read_program(path)


@pytest.mark.parametrize("code", ["fr", "xx"])
def test_a_further_language_that_is_not_available_is_refused(raw: dict[str, Any], code: str) -> None:
    raw["program"]["also_in"] = ["es", code]
    assert refusal(raw) == [
        f"program.also_in[2]: '{code}' is not an available language; write one of en, es, or add the language as in "
        "CONTRIBUTING.md."
    ]


def test_a_help_number_that_is_there_twice_is_refused(raw: dict[str, Any]) -> None:
    raw["help"] = [{"number": "505-555-0100", "use": "Call"}, {"number": "(505) 555-0100", "use": "Text"}]
    assert refusal(raw) == [
        "help[2].number: '(505) 555-0100' is also the number of help[1]; keep one of them, and say there what both are "
        "for."
    ]


RELEASE = {"issue": "2023-12", "date": dt.date(2024, 1, 8)}


def test_release_dates_are_read_with_their_times_and_embargoes(raw: dict[str, Any]) -> None:
    assert program_from(raw).releases == []
    times: list[dict[str, Any]] = [{}, {"time": "09:30", "embargo": True}, {"time": dt.time(14, 0)}]
    months = ("2023-12", "2024-01", "2024-02")
    raw["releases"] = [
        {"issue": month, "date": dt.date(2024, 3, 8), **more} for month, more in zip(months, times, strict=True)
    ]
    found = program_from(raw).releases
    assert [str(one.issue) for one in found] == list(months)
    assert [one.time for one in found] == [None, dt.time(9, 30), dt.time(14, 0)]
    assert [one.embargo for one in found] == [False, True, False]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issue": "2023-13"}, "releases[2].issue: '2023-13' is invalid: must be a month in quotes, as in '2023-11'."),
        ({"date": "2024-01-08"}, "releases[2].date: '2024-01-08' is invalid: must be a date without quotes"),
        ({"date": dt.datetime(2024, 1, 8)}, "is invalid: must be a date without quotes, as in 2024-01-08."),  # noqa: DTZ001
        ({"time": "9 a.m."}, "releases[2].time: '9 a.m.' is invalid: must be a time of day in quotes, as in '09:00'"),
        ({"time": "24:00"}, "releases[2].time: '24:00' is invalid"),
        ({"embargoed": True}, "releases[2].embargoed: is not a known key; did you mean 'embargo'?"),
        ({"embargo": "yes"}, "releases[2].embargo: 'yes' is invalid"),
        ({}, "releases[2].issue: 2023-12 is also the issue of releases[1]; keep one of them."),
        (
            {"issue": "2024-01"},
            "releases[2].date: 2024-01-08 is not after the month of the issue, 2024-01; write a date after 2024-01-31.",
        ),
    ],
)
def test_a_release_that_is_wrong_is_named(raw: dict[str, Any], change: dict[str, Any], says: str) -> None:
    raw["releases"] = [RELEASE, RELEASE | change]
    (problem,) = refusal(raw)
    assert says in problem


def test_a_release_without_a_date_is_named(raw: dict[str, Any]) -> None:
    raw["releases"] = [{"issue": "2023-12"}]
    assert refusal(raw) == ["releases[1].date: is missing; add the line date = … to [[releases]] number 1."]
