"""Make the sample data in data/raw: invented deliveries of July 2022 to November 2023.

The City's records are not public. These stand in for them: no record stands for a real person or event. They look
like exports from several offices (aliases, mixed case, stray blanks, rows sent twice, corrections, late rows), and
once clean they give the figures that the City printed for November 2023. No other month is calibrated to anything.

The same bytes come out on every run: every draw is from a seeded stream of its own, and nothing is taken from the
clock, the locale or the order of a set.

    python scripts/make_demonstration_records.py [--output DIR]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from viputils.records.checksums import CHECKSUMS, write_checksums

SEED: Final = "VIP demonstration records 1"
ID_PREFIX: Final = "DEMO-"

# The printed November 2023 figures. They are the target that the records are made to meet, not a result: before
# anything is written, `check_figures` counts the finished files back and refuses them if one figure is off.
REPORT_MONTH: Final = "2023-11"
PRINTED_INCIDENT_TYPES: Final = {  # November, fiscal year to date
    "Gun/Other Violence": (55, 178),
    "DV/Sexual Assault": (7, 39),
    "Homicide": (5, 20),
    "Other Deaths": (11, 43),
    "Suicide": (7, 15),
    "Other": (5, 25),
}
PRINTED_AREA_COMMANDS: Final = {  # November, fiscal year to date; one response to date has no area command
    "Southeast": (33, 133),
    "Southwest": (5, 45),
    "Valley": (7, 47),
    "Foothills": (11, 28),
    "Northeast": (27, 44),
    "Northwest": (7, 22),
}
PRINTED_OUTREACH_OPERATIONS: Final = 2_446  # fiscal year to date, as are the next three
PRINTED_ADULTS_ASSISTED: Final = 2_599
PRINTED_CHILDREN_ASSISTED: Final = 101
PRINTED_REFERRALS_MADE: Final = 4_666

# Every month with the day on which its records are received, a weekday early in the month after.
RECEIVED: Final = {
    "2022-07": "2022-08-03",
    "2022-08": "2022-09-06",
    "2022-09": "2022-10-04",
    "2022-10": "2022-11-03",
    "2022-11": "2022-12-05",
    "2022-12": "2023-01-04",
    "2023-01": "2023-02-03",
    "2023-02": "2023-03-03",
    "2023-03": "2023-04-04",
    "2023-04": "2023-05-03",
    "2023-05": "2023-06-05",
    "2023-06": "2023-07-06",
    "2023-07": "2023-08-03",
    "2023-08": "2023-09-05",
    "2023-09": "2023-10-04",
    "2023-10": "2023-11-03",
    "2023-11": "2023-12-04",
}
MONTHS: Final = tuple(RECEIVED)
TO_DATE: Final = tuple(month for month in MONTHS if "2023-07" <= month <= REPORT_MONTH)
LAST_DAY: Final = dt.date(2023, 11, 30)
UNIVERSITY_FROM: Final = "2023-02-12"  # when the University area command was split off Southeast

# Table: the letter in its ids, then its columns, the id first and the date second.
LETTERS: Final = {
    "responses": "R",
    "outreach": "O",
    "referrals": "F",
    "reviews": "W",
    "candidates": "C",
    "notifications": "N",
    "engagements": "E",
    "voids": "V",
}
COLUMNS: Final = {
    "responses": ("response_id", "response_date", "incident_type", "area_command"),
    "outreach": (
        "operation_id",
        "operation_date",
        "area_command",
        "kind",
        "response_id",
        "adults_assisted",
        "children_assisted",
    ),
    "referrals": ("referral_id", "referral_date", "service", "operation_id", "candidate_id"),
    "reviews": ("review_id", "review_date", "incidents_reviewed", "persons_identified"),
    "candidates": ("candidate_id", "received_date", "source"),
    "notifications": (
        "notification_id",
        "notified_date",
        "candidate_id",
        "outcome",
        "community_leader_present",
    ),
    "engagements": ("engagement_id", "engaged_date", "candidate_id", "service"),
    "voids": ("void_id", "voided_date", "voided_table", "voided_id"),
}

# What the offices that send the records call each value, by column, beside its printed name.
SPELLINGS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "incident_type": {
        "Gun/Other Violence": ("GSW", "Gun Violence", "Gun / Other Violence", "Shooting"),
        "DV/Sexual Assault": ("DV", "Domestic Violence", "DV / Sexual Assault", "SA"),
        "Homicide": ("HOM", "Murder"),
        "Other Deaths": ("Other Death", "Unattended Death", "Death - Other"),
        "Suicide": ("SUI", "Death by Suicide"),
        "Other": ("OTH", "Misc", "Other Incident"),
    },
    "area_command": {
        "Southeast": ("SE", "SEAC", "South East"),
        "Southwest": ("SW", "SWAC", "South West"),
        "Valley": ("VA", "VAAC"),
        "Foothills": ("FH", "FHAC"),
        "Northeast": ("NE", "NEAC", "North East"),
        "Northwest": ("NW", "NWAC", "North West"),
        "University": ("UNI", "UNIV", "UAC"),
    },
    "kind": {
        "Response follow-up": ("Follow-up", "Follow up"),
        "Door-to-door": ("Door to door", "D2D"),
        "Home visit": ("HV",),
        "Community event": ("Event",),
        "Phone or message": ("Phone", "Call"),
    },
    "service": {
        "Housing": ("Housing assistance", "Rental assistance"),
        "Food": ("Food box",),
        "Behavioral health": ("BH", "Mental health"),
        "Victim services": ("Victim advocacy",),
        "Employment": ("Job placement",),
        "Legal help": ("Legal",),
        "Transportation": ("Transport",),
        "Peer support": ("Peer",),
    },
    "source": {
        "Crime data": ("Crime analysis",),
        "Shooting review": ("Review",),
        "Hospital": ("HVIP", "UNMH"),
        "Other": ("OTH",),
    },
    "outcome": {
        "Delivered": ("Notified", "Completed"),
        "Declined": ("Refused",),
        "Not located": ("Unable to locate", "UTL"),
    },
    "community_leader_present": {"Yes": ("Y", "TRUE"), "No": ("N", "false")},
}
ALIAS_PERCENT: Final = 25
CASE_PERCENT: Final = 10
BLANKS_PERCENT: Final = 6

# Shares, as weights. Those of responses hold for the months before the fiscal year that is calibrated.
INCIDENT_TYPE_SHARES: Final = {
    "Gun/Other Violence": 52,
    "DV/Sexual Assault": 13,
    "Homicide": 7,
    "Other Deaths": 13,
    "Suicide": 5,
    "Other": 10,
}
RESPONSE_AREA_SHARES: Final = {
    "Southeast": 40,
    "Southwest": 15,
    "Valley": 15,
    "Foothills": 9,
    "Northeast": 13,
    "Northwest": 7,
    "": 1,
}
OUTREACH_AREA_SHARES: Final = {
    "Southeast": 37,
    "Southwest": 14,
    "Valley": 15,
    "Foothills": 9,
    "Northeast": 15,
    "Northwest": 10,
}
KIND_SHARES: Final = {"Door-to-door": 38, "Home visit": 22, "Community event": 8, "Phone or message": 32}
ADULTS_SHARES: Final = {  # by kind, how often an operation assists no adult, one, two, …
    "Response follow-up": (25, 45, 20, 8, 2),
    "Door-to-door": (45, 25, 17, 9, 4),
    "Home visit": (22, 50, 22, 6),
    "Community event": (10, 20, 25, 20, 12, 8, 5),
    "Phone or message": (40, 52, 8),
}
CHILDREN_SHARES: Final = {"1": 60, "2": 28, "3": 12}  # where any child is assisted
SERVICE_SHARES: Final = {
    "Housing": 22,
    "Food": 20,
    "Behavioral health": 16,
    "Victim services": 14,
    "Employment": 9,
    "Legal help": 6,
    "Transportation": 6,
    "Peer support": 7,
}
ENGAGEMENT_SHARES: Final = {
    "Housing": 16,
    "Food": 9,
    "Behavioral health": 17,
    "Victim services": 7,
    "Employment": 17,
    "Legal help": 7,
    "Transportation": 5,
    "Peer support": 22,
}
SOURCE_SHARES: Final = {"Crime data": 52, "Shooting review": 24, "Hospital": 15, "Other": 9}
OUTCOME_SHARES: Final = {"Delivered": 74, "Declined": 12, "Not located": 14}
SERVICES_TAKEN_SHARES: Final = {"1": 62, "2": 28, "3": 10}
DELAY_SHARES: Final = {(0, 7): 38, (8, 30): 40, (31, 90): 22}  # days from notification to engagement
EVERY_DAY: Final = (9, 9, 9, 9, 10, 12, 12)  # Monday to Sunday
FIELD_DAYS: Final = (10, 10, 10, 10, 10, 3, 1)
OFFICE_DAYS: Final = (1, 1, 1, 1, 1, 0, 0)

UNIVERSITY_PERCENT: Final = 22  # of Southeast
NO_AREA_PERCENT: Final = 8  # of outreach by phone or message
FOLLOW_UP_PERCENT: Final = 20  # of outreach
FOLLOW_UP_DAYS: Final = 14  # from the response
CANDIDATE_REFERRAL_PERCENT: Final = 30  # of referrals; the others are from an operation
CANDIDATE_REFERRAL_DAYS: Final = 120  # from when the candidate was received
OPERATION_REFERRAL_DAYS: Final = 6
SECOND_NOTIFICATION_PERCENT: Final = 6
ENGAGED_PERCENT: Final = 50  # some of them only after the last day, and so not delivered

Row = dict[str, str]
Records = dict[str, list[Row]]  # by table
Deliveries = dict[str, Records]  # by day of receipt
Files = dict[str, str]  # text by path within the folder of deliveries
T = TypeVar("T")


@dataclass(frozen=True)
class Correction:
    """A record sent with one value, and corrected in a later delivery."""

    table: str
    month: str
    column: str
    first: str
    final: str | None  # None: any value but the first
    deliveries_later: int = 1


@dataclass(frozen=True)
class Duplicate:
    """A record sent twice, in one file or in two deliveries, with the same or another spelling."""

    table: str
    month: str
    sent_again: bool
    respelt: bool


CORRECTIONS: Final = (
    Correction("responses", "2022-09", "incident_type", "Other Deaths", "Homicide"),
    Correction("responses", "2023-01", "incident_type", "Other Deaths", "Homicide"),
    Correction("responses", "2023-06", "incident_type", "Gun/Other Violence", "Homicide"),
    Correction("responses", "2023-08", "incident_type", "Other Deaths", "Homicide", deliveries_later=2),
    Correction("responses", "2023-10", "incident_type", "Other Deaths", "Homicide"),
    Correction("responses", "2022-11", "area_command", "", None),
    Correction("responses", "2023-04", "area_command", "", None),
    Correction("responses", "2023-09", "area_command", "", None),
    Correction("outreach", "2022-08", "adults_assisted", "11", "1"),
    Correction("outreach", "2023-03", "adults_assisted", "0", "2"),
    Correction("outreach", "2023-07", "adults_assisted", "3", "1"),
    Correction("outreach", "2023-10", "adults_assisted", "0", "1"),
    Correction("referrals", "2022-12", "service", "Food", "Housing"),
    Correction("notifications", "2023-05", "outcome", "Not located", "Delivered"),
)
LATE: Final = (  # records that occurred in the month and came one delivery late
    ("responses", "2022-10"),
    ("responses", "2023-03"),
    ("responses", "2023-10"),
    ("outreach", "2022-12"),
    ("outreach", "2023-06"),
    ("outreach", "2023-09"),
    ("referrals", "2023-02"),
    ("referrals", "2023-08"),
    ("notifications", "2023-04"),
)
DUPLICATES: Final = (
    Duplicate("responses", "2022-08", sent_again=False, respelt=False),
    Duplicate("responses", "2022-12", sent_again=True, respelt=False),
    Duplicate("responses", "2023-05", sent_again=False, respelt=True),
    Duplicate("responses", "2023-09", sent_again=True, respelt=True),
    Duplicate("responses", "2023-11", sent_again=False, respelt=True),
    Duplicate("outreach", "2022-10", sent_again=True, respelt=True),
    Duplicate("outreach", "2023-02", sent_again=False, respelt=False),
    Duplicate("outreach", "2023-10", sent_again=True, respelt=False),
    Duplicate("referrals", "2022-07", sent_again=False, respelt=False),
    Duplicate("referrals", "2023-03", sent_again=True, respelt=True),
    Duplicate("referrals", "2023-10", sent_again=True, respelt=False),
    Duplicate("candidates", "2023-06", sent_again=False, respelt=True),
    Duplicate("notifications", "2023-07", sent_again=True, respelt=True),
)
VOIDED_MONTH: Final = "2023-01"  # a response of this month is withdrawn in the next delivery
VOIDED_DATE: Final = "2023-02-21"

README_TITLE: Final = "# Raw deliveries (sample data)"
README: Final = f"""{README_TITLE}

**This is sample data.** It does not describe real people or events. Every id begins with `{ID_PREFIX}`.

A delivery is a folder. Its name is the day on which it was received. It contains one CSV file for each table (UTF-8,
the id first), with what happened since the delivery before it, and `SHA256SUMS`. With that file, `vip check` finds
changed files. Spellings are as sent, because the library cleans them.

Never edit a delivery. A correction is a row with the same id in a later delivery; for each id, the latest row wins. A
row in `voids.csv` withdraws a record that was sent by mistake. Records may come late, or be sent twice.

`python scripts/make_demonstration_records.py` made these files, and makes the same bytes again on any machine
(`--output DIR` writes them to another folder). To change the files, change the script.

The records received by December 4, 2023 give the numbers that the City published for November 2023: responses by
incident type and by area command, for the month and the fiscal year to date, and the year's outreach operations, adults
and children assisted, and referrals made. Everything else is made up: other months, other tables and the details of
every record. It says nothing about Albuquerque.
"""


class RecordsError(Exception):
    """The records are invalid, or cannot be written."""


def stream(*names: str) -> random.Random:
    """Return the seeded random stream for one purpose, so that a change of one does not affect the others."""
    return random.Random("/".join((SEED, *names)))  # noqa: S311 (the seed is the point)


def weighted(shares: Mapping[T, int], draw: random.Random) -> T:
    """Draw one key by weight."""
    point = draw.randrange(sum(shares.values()))
    for value, weight in shares.items():
        point -= weight
        if point < 0:
            return value
    raise AssertionError("the weights have a sum above every point drawn")


def percent(share: int, draw: random.Random) -> bool:
    """Return true in the given percentage of draws."""
    return draw.randrange(100) < share


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a total into whole numbers by weight, with the method of largest remainders."""
    shares = [total * weight // sum(weights) for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % sum(weights)))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares


def days_of(month: str) -> list[dt.date]:
    """Return every day of a month."""
    first = dt.date.fromisoformat(f"{month}-01")
    days = [first + dt.timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == first.month]


def days_drawn(month: str, number: int, week: Sequence[int], draw: random.Random) -> list[str]:
    """Draw days of a month by weekday weights, in order."""
    days = {day.isoformat(): week[day.weekday()] for day in days_of(month)}
    return sorted(weighted(days, draw) for _ in range(number))


def days_later(day: str, number: int) -> str:
    """Return the day that is a number of days later, or earlier if negative."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=number)).isoformat()


def by_day(table: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return records by day."""
    days: dict[str, list[Row]] = {}
    for row in rows:
        days.setdefault(row[COLUMNS[table][1]], []).append(row)
    return days


def lately(days: Mapping[str, list[Row]], day: str, number: int) -> list[Row]:
    """Return the records of a day and of the days before it, oldest first."""
    before = [days_later(day, -back) for back in range(number, -1, -1)]
    return [row for each in before for row in days.get(each, ())]


def numbered(table: str, rows: Iterable[Row]) -> list[Row]:
    """Return rows with ids in order of date, and columns in the order of the table."""
    identity, date, *_ = COLUMNS[table]
    made = []
    for number, row in enumerate(sorted(rows, key=lambda row: row[date]), start=1):
        code = f"{ID_PREFIX}{LETTERS[table]}-{number:06d}"
        made.append({column: {identity: code, **row}[column] for column in COLUMNS[table]})
    return made


def month_of(table: str, row: Row) -> str:
    """Return the month of a record."""
    return row[COLUMNS[table][1]][:7]


def monthly_totals(name: str, to_date: int, before: range) -> dict[str, int]:
    """Draw a total for each month. The calibrated fiscal year adds up to the printed figure."""
    draw = stream(name, "totals")
    earlier = {month: draw.randrange(before.start, before.stop) for month in MONTHS if month not in TO_DATE}
    return earlier | dict(zip(TO_DATE, share_out(to_date, [draw.randrange(93, 108) for _ in TO_DATE]), strict=True))


# --- The records as they stand when everything has been received -------------------------------------------------


def make_records() -> Records:
    """Make every record, with its values as printed, in the order of the tables' ids."""
    records: Records = {"responses": make_responses()}
    records["outreach"] = make_outreach(records["responses"])
    records["candidates"] = make_candidates()
    records["referrals"] = make_referrals(records["outreach"], records["candidates"])
    records["reviews"] = make_reviews()
    records["notifications"] = make_notifications(records["candidates"])
    records["engagements"] = make_engagements(records["notifications"])
    return {table: records[table] for table in COLUMNS if table in records}


def make_responses() -> list[Row]:
    """Make the responses: freely drawn before the calibrated fiscal year, and from the printed figures in it."""
    rows = []
    for month, values in response_values().items():
        draw = stream("responses", month)
        days = days_drawn(month, len(values), EVERY_DAY, draw)
        rows += [
            {
                "response_date": day,
                "incident_type": incident_type,
                "area_command": area_on(day, area, draw),
            }
            for day, (incident_type, area) in zip(days, values, strict=True)
        ]
    return numbered("responses", rows)


def response_values() -> dict[str, list[tuple[str, str]]]:
    """Return the incident type and area command of every response, by month."""
    values = {}
    for month in MONTHS:
        draw = stream("response values", month)
        if month not in TO_DATE:
            values[month] = [
                (weighted(INCIDENT_TYPE_SHARES, draw), weighted(RESPONSE_AREA_SHARES, draw))
                for _ in range(draw.randrange(48, 73))
            ]
    draw = stream("response values", "calibrated")
    earlier = tuple(month for month in TO_DATE if month != REPORT_MONTH)
    pool = shuffled_pairs(
        {name: to_date - month for name, (month, to_date) in PRINTED_INCIDENT_TYPES.items()},
        {name: to_date - month for name, (month, to_date) in PRINTED_AREA_COMMANDS.items()},
        draw,
    )
    for month, size in zip(earlier, share_out(len(pool), [draw.randrange(93, 108) for _ in earlier]), strict=True):
        values[month], pool = pool[:size], pool[size:]
    values[REPORT_MONTH] = shuffled_pairs(
        {name: month for name, (month, _) in PRINTED_INCIDENT_TYPES.items()},
        {name: month for name, (month, _) in PRINTED_AREA_COMMANDS.items()},
        draw,
    )
    return values


def shuffled_pairs(
    incident_types: Mapping[str, int], area_commands: Mapping[str, int], draw: random.Random
) -> list[tuple[str, str]]:
    """Pair incident types with area commands at random. Responses without a remaining area have none."""
    types = list(Counter(incident_types).elements())
    areas = list(Counter(area_commands).elements())
    areas += [""] * (len(types) - len(areas))
    draw.shuffle(types)
    draw.shuffle(areas)
    return list(zip(types, areas, strict=True))


def area_on(day: str, area: str, draw: random.Random) -> str:
    """Change some Southeast records to University, from its first day."""
    university = area == "Southeast" and percent(UNIVERSITY_PERCENT, draw) and day >= UNIVERSITY_FROM
    return "University" if university else area


def make_outreach(responses: Sequence[Row]) -> list[Row]:
    """Make the outreach operations. Some follow up a recent response."""
    operations = monthly_totals("outreach", PRINTED_OUTREACH_OPERATIONS, range(452, 519))
    adults = monthly_totals("adults", PRINTED_ADULTS_ASSISTED, range(475, 551))
    children = monthly_totals("children", PRINTED_CHILDREN_ASSISTED, range(14, 27))
    responses_by_day = by_day("responses", responses)
    rows = []
    for month in MONTHS:
        draw = stream("outreach", month)
        made = [
            make_operation(day, lately(responses_by_day, day, FOLLOW_UP_DAYS), draw)
            for day in days_drawn(month, operations[month], FIELD_DAYS, draw)
        ]
        assist_adults(made, adults[month], draw)
        assist_children(made, children[month], draw)
        rows += made
    return numbered("outreach", rows)


def make_operation(day: str, recent: Sequence[Row], draw: random.Random) -> Row:
    """Make one operation, which may follow up a recent response, without people assisted yet."""
    row = {"operation_date": day, "response_id": "", "adults_assisted": "0", "children_assisted": "0"}
    if recent and percent(FOLLOW_UP_PERCENT, draw):
        response = draw.choice(recent)
        followed = {"kind": "Response follow-up", "response_id": response["response_id"]}
        return row | followed | {"area_command": response["area_command"]}
    kind = weighted(KIND_SHARES, draw)
    area = area_on(day, weighted(OUTREACH_AREA_SHARES, draw), draw)
    if kind == "Phone or message" and percent(NO_AREA_PERCENT, draw):
        area = ""
    return row | {"kind": kind, "area_command": area}


def assist_adults(operations: Sequence[Row], total: int, draw: random.Random) -> None:
    """Draw the adults assisted by each operation, then adjust single ones to the total of the month."""
    counts = [weighted(dict(enumerate(ADULTS_SHARES[row["kind"]])), draw) for row in operations]
    while sum(counts) != total:
        place = draw.randrange(len(counts))
        if sum(counts) < total and counts[place] < len(ADULTS_SHARES[operations[place]["kind"]]) - 1:
            counts[place] += 1
        elif sum(counts) > total and counts[place] > 0:
            counts[place] -= 1
    for row, count in zip(operations, counts, strict=True):
        row["adults_assisted"] = str(count)


def assist_children(operations: Sequence[Row], total: int, draw: random.Random) -> None:
    """Distribute the month's children among a few operations that assisted adults."""
    households = [row for row in operations if row["adults_assisted"] != "0"]
    draw.shuffle(households)
    for row in households:
        count = min(int(weighted(CHILDREN_SHARES, draw)), total)
        row["children_assisted"] = str(count)
        total -= count
        if total == 0:
            break


def make_candidates() -> list[Row]:
    """Make the people referred into the program."""
    rows = []
    for month in MONTHS:
        draw = stream("candidates", month)
        days = days_drawn(month, draw.randrange(19, 30), OFFICE_DAYS, draw)
        rows += [{"received_date": day, "source": weighted(SOURCE_SHARES, draw)} for day in days]
    return numbered("candidates", rows)


def make_referrals(outreach: Sequence[Row], candidates: Sequence[Row]) -> list[Row]:
    """Make the referrals to services, from a recent operation or for a recent candidate."""
    totals = monthly_totals("referrals", PRINTED_REFERRALS_MADE, range(865, 986))
    assisted = by_day("outreach", (row for row in outreach if row["adults_assisted"] != "0"))
    received = by_day("candidates", candidates)
    rows = []
    for month in MONTHS:
        draw = stream("referrals", month)
        for day in days_drawn(month, totals[month], FIELD_DAYS, draw):
            known = lately(received, day, CANDIDATE_REFERRAL_DAYS)
            row = {
                "referral_date": day,
                "service": weighted(SERVICE_SHARES, draw),
                "operation_id": "",
                "candidate_id": "",
            }
            if percent(min(CANDIDATE_REFERRAL_PERCENT, len(known)), draw):
                row["candidate_id"] = draw.choice(known)["candidate_id"]
            else:
                row["operation_id"] = draw.choice(lately(assisted, day, OPERATION_REFERRAL_DAYS))["operation_id"]
            rows.append(row)
    return numbered("referrals", rows)


def make_reviews() -> list[Row]:
    """Make the weekly shooting reviews, one each Wednesday."""
    rows = []
    for month in MONTHS:
        draw = stream("reviews", month)
        rows += [
            {
                "review_date": day.isoformat(),
                "incidents_reviewed": str(3 + draw.randrange(5) + draw.randrange(6)),
                "persons_identified": str(2 + draw.randrange(4) + draw.randrange(5)),
            }
            for day in days_of(month)
            if day.weekday() == 2
        ]
    return numbered("reviews", rows)


def make_notifications(candidates: Sequence[Row]) -> list[Row]:
    """Make the Custom Notifications of candidates of the last three months, some of them repeated."""
    rows: list[Row] = []
    for month in MONTHS:
        draw = stream("notifications", month)
        due = 0
        for day in days_drawn(month, draw.randrange(13, 22), FIELD_DAYS, draw):
            due += 1  # still due on the next day, because no one is waiting yet
            while due and (candidate := candidate_to_notify(day, candidates, rows, draw)):
                outcome = weighted(OUTCOME_SHARES, draw)
                leader = percent(8 if outcome == "Not located" else 34, draw)
                rows.append(
                    {
                        "notified_date": day,
                        "candidate_id": candidate,
                        "outcome": outcome,
                        "community_leader_present": "Yes" if leader else "No",
                    }
                )
                due -= 1
    return numbered("notifications", rows)


def candidate_to_notify(
    day: str, candidates: Sequence[Row], notifications: Sequence[Row], draw: random.Random
) -> str | None:
    """Return a candidate received earlier and notified at most once, or None if there is none."""
    times = Counter(row["candidate_id"] for row in notifications)
    again = [
        row["candidate_id"]
        for row in notifications
        if times[row["candidate_id"]] == 1 and row["notified_date"] <= days_later(day, -14)
    ]
    if again and percent(SECOND_NOTIFICATION_PERCENT, draw):
        return draw.choice(again)
    waiting = [
        row["candidate_id"]
        for row in candidates
        if days_later(day, -90) <= row["received_date"] < day and row["candidate_id"] not in times
    ]
    return draw.choice(waiting) if waiting else None


def make_engagements(notifications: Sequence[Row]) -> list[Row]:
    """Make the services that notified people take up, until the last delivered day."""
    rows = []
    engaged: set[str] = set()
    for month in MONTHS:
        draw = stream("engagements", month)
        for notification in notifications:
            delivered = notification["outcome"] == "Delivered"
            if delivered and month_of("notifications", notification) == month and percent(ENGAGED_PERCENT, draw):
                if notification["candidate_id"] not in engaged:
                    rows += services_taken_up(notification, draw)
                engaged.add(notification["candidate_id"])
    return numbered("engagements", [row for row in rows if row["engaged_date"] <= LAST_DAY.isoformat()])


def services_taken_up(notification: Row, draw: random.Random) -> list[Row]:
    """Draw the services that one person takes up, without repetition."""
    remaining = dict(ENGAGEMENT_SHARES)
    rows = []
    for _ in range(int(weighted(SERVICES_TAKEN_SHARES, draw))):
        service = weighted(remaining, draw)
        del remaining[service]
        shortest, longest = weighted(DELAY_SHARES, draw)
        rows.append(
            {
                "engaged_date": days_later(notification["notified_date"], draw.randrange(shortest, longest + 1)),
                "candidate_id": notification["candidate_id"],
                "service": service,
            }
        )
    return rows


# --- The records as they were sent -------------------------------------------------------------------------------


class Picker:
    """A picker of records for errors and corrections. Each record is picked at most once."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.draw = stream("picked")
        self.picked: set[str] = set()
        self.referred_to = {
            value
            for table, rows in records.items()
            for row in rows
            for column, value in row.items()
            if column in ("response_id", "operation_id", "candidate_id") and column != COLUMNS[table][0]
        }
        self.engaged = {row["candidate_id"] for row in records["engagements"]}

    def pick(self, table: str, month: str, fits: Callable[[Row], bool]) -> Row:
        """Pick a matching record of a month that was not picked before."""
        rows = [
            row
            for row in self.records[table]
            if month_of(table, row) == month and identity_of(table, row) not in self.picked and fits(row)
        ]
        if not rows:
            raise RecordsError(f"No record of {table} in {month} matches. Change the seed.")
        row = self.draw.choice(rows)
        self.picked.add(identity_of(table, row))
        return row

    def pick_alone(self, table: str, month: str) -> Row:
        """Pick a record that no other record refers to, so that it can arrive late."""
        return self.pick(
            table,
            month,
            lambda row: (
                identity_of(table, row) not in self.referred_to
                and not (table == "notifications" and row["candidate_id"] in self.engaged)
            ),
        )

    def pick_corrected(self, correction: Correction) -> Row:
        """Pick a record with the corrected value."""

        def fits(row: Row) -> bool:
            value = row[correction.column]
            right = value == correction.final if correction.final is not None else value not in ("", correction.first)
            return right and not (correction.table == "notifications" and row["candidate_id"] in self.engaged)

        return self.pick(correction.table, correction.month, fits)


def identity_of(table: str, row: Row) -> str:
    """Return the id of a record."""
    return row[COLUMNS[table][0]]


def received_after(month: str, deliveries_later: int = 0) -> str:
    """Return the day of receipt of a month's records, or of a later delivery."""
    return RECEIVED[MONTHS[MONTHS.index(month) + deliveries_later]]


def spelled(row: Row, draw: random.Random) -> Row:
    """Return a record as an office sends it, with some aliases, other case and stray spaces."""
    return {column: spelled_value(column, value, draw) for column, value in row.items()}


def spelled_value(column: str, value: str, draw: random.Random) -> str:
    """Return a value as it is sent. Dates, ids, counts and empty values do not change."""
    if column not in SPELLINGS or not value:
        return value
    if percent(ALIAS_PERCENT, draw):
        value = draw.choice(SPELLINGS[column][value])
    if percent(CASE_PERCENT, draw):
        value = draw.choice((value.lower(), value.upper()))
    if percent(BLANKS_PERCENT, draw):
        value = draw.choice((f" {value}", f"{value} ", value.replace(" ", "  ")))
    return value


def make_deliveries(records: Records) -> Deliveries:
    """Put every record into its delivery, with some duplicates, corrections and late rows."""
    deliveries: Deliveries = {day: {table: [] for table in COLUMNS} for day in RECEIVED.values()}
    picker = Picker(records)
    late = {identity_of(table, picker.pick_alone(table, month)) for table, month in LATE}
    corrected = [(correction, picker.pick_corrected(correction)) for correction in CORRECTIONS]
    first_versions = {
        identity_of(correction.table, row): row | {correction.column: correction.first} for correction, row in corrected
    }
    for table, rows in records.items():
        for month in MONTHS:
            draw = stream("spelling", table, month)
            for row in rows:
                if month_of(table, row) == month:
                    identity = identity_of(table, row)
                    due = received_after(month, 1 if identity in late else 0)
                    deliveries[due][table].append(spelled(first_versions.get(identity, row), draw))
    draw = stream("spelling", "corrections")
    for correction, row in corrected:
        due = received_after(correction.month, correction.deliveries_later)
        deliveries[due][correction.table].append(spelled(row, draw))
    send_duplicates(deliveries, picker)
    withdraw_response(deliveries, picker)
    return deliveries


def send_duplicates(deliveries: Deliveries, picker: Picker) -> None:
    """Send some records a second time."""
    draw = stream("spelling", "duplicates")
    for duplicate in DUPLICATES:
        row = picker.pick(duplicate.table, duplicate.month, lambda _: True)
        identity = identity_of(duplicate.table, row)
        due = deliveries[received_after(duplicate.month)][duplicate.table]
        sent = next(other for other in due if identity_of(duplicate.table, other) == identity)
        copy = dict(sent)
        while duplicate.respelt and copy == sent:
            copy = spelled(row, draw)
        again = received_after(duplicate.month, 1 if duplicate.sent_again else 0)
        deliveries[again][duplicate.table].append(copy)


def withdraw_response(deliveries: Deliveries, picker: Picker) -> None:
    """Withdraw one response that was entered by mistake."""
    row = picker.pick_alone("responses", VOIDED_MONTH)
    void = {"voided_date": VOIDED_DATE, "voided_table": "responses", "voided_id": identity_of("responses", row)}
    deliveries[received_after(VOIDED_MONTH, 1)]["voids"] = numbered("voids", [void])


def files_of(deliveries: Deliveries) -> Files:
    """Return the text of every file, with rows ordered by date and id."""
    files = {"README.md": README}
    for received, tables in deliveries.items():
        for table, rows in tables.items():
            if rows or table != "voids":
                in_order = sorted(rows, key=lambda row: (row[COLUMNS[table][1]], row[COLUMNS[table][0]]))
                files[f"{received}/{table}.csv"] = csv_of(COLUMNS[table], in_order)
    return files


def csv_of(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Return rows as CSV with a header and LF line ends."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# --- Checking: count the text of the files independently -----------------------------------------------------------


def check_figures(files: Files) -> None:
    """Count the files before they are written, and require the printed figures.

    Raises
    ------
    RecordsError
        With every figure that is off.
    """
    standing = rows_standing(files)
    responses = list(standing["responses"].values())
    outreach = [row for row in standing["outreach"].values() if row["operation_date"] >= TO_DATE[0]]
    referrals = [row for row in standing["referrals"].values() if row["referral_date"] >= TO_DATE[0]]
    figures: dict[str, tuple[int, int]] = {
        "outreach operations": (len(outreach), PRINTED_OUTREACH_OPERATIONS),
        "adults assisted": (sum(int(row["adults_assisted"]) for row in outreach), PRINTED_ADULTS_ASSISTED),
        "children assisted": (sum(int(row["children_assisted"]) for row in outreach), PRINTED_CHILDREN_ASSISTED),
        "referrals made": (len(referrals), PRINTED_REFERRALS_MADE),
    }
    for column, printed in (("incident_type", PRINTED_INCIDENT_TYPES), ("area_command", PRINTED_AREA_COMMANDS)):
        for place, since in ((0, REPORT_MONTH), (1, TO_DATE[0])):
            counts = Counter(counted_as(column, row) for row in responses if row["response_date"] >= since)
            figures |= {f"{name} since {since}": (counts[name], printed[name][place]) for name in printed}
    off = [f"{name}: {made}, printed {printed}" for name, (made, printed) in figures.items() if made != printed]
    if off:
        raise RecordsError("The records do not match the printed figures:\n  " + "\n  ".join(off))


def rows_standing(files: Files) -> dict[str, dict[str, Row]]:
    """Return the rows of the files. For each id, the latest row wins, unless it is withdrawn."""
    standing: dict[str, dict[str, Row]] = {table: {} for table in COLUMNS}
    for path in sorted(path for path in files if path.endswith(".csv")):
        received, name = path.split("/")
        table = name.removesuffix(".csv")
        here: dict[str, Row] = {}
        for row in csv.DictReader(io.StringIO(files[path])):
            clean = {column: meaning(column, value) for column, value in row.items()}
            identity = identity_of(table, clean)
            if here.setdefault(identity, clean) != clean:
                raise RecordsError(f"{path} has two different rows of {identity}.")
            if clean[COLUMNS[table][1]] >= received:
                raise RecordsError(f"{path} has {identity}, which is dated after the day of receipt.")
        standing[table] |= here
    for void in standing["voids"].values():
        del standing[void["voided_table"]][void["voided_id"]]
    return standing


def meaning(column: str, value: str) -> str:
    """Return the value of a spelling."""
    if column not in SPELLINGS or not value:
        return value
    words = " ".join(value.split()).casefold()
    for name, aliases in SPELLINGS[column].items():
        if words in [spelling.casefold() for spelling in (name, *aliases)]:
            return name
    raise RecordsError(f"{value!r} is not a value of {column}.")


def counted_as(column: str, response: Row) -> str:
    """Return the printed category of a response. University is printed under Southeast from its first day."""
    if response[column] == "University" and response["response_date"] >= UNIVERSITY_FROM:
        return "Southeast"
    return response[column]


# --- Writing -----------------------------------------------------------------------------------------------------


def write(files: Files, output: Path) -> None:
    """Write every file, if they replace only sample data.

    Raises
    ------
    RecordsError
        Where the folder holds anything that this script would not write.
    """
    foreign = [entry for entry in entries_of(output) if not is_ours(entry, output, files)]
    if foreign:
        listed = "\n  ".join(str(entry) for entry in foreign)
        raise RecordsError(
            f"This script did not write these files, so nothing was written. Move them, or use --output:\n  {listed}"
        )
    for path, text in files.items():
        target = output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))
    for folder in {(output / path).parent for path in files} - {output}:
        write_checksums(folder, [])


def entries_of(output: Path) -> list[Path]:
    """Return the contents of the folder and of its deliveries, without the delivery folders themselves."""
    entries = sorted(output.iterdir()) if output.is_dir() else []
    return [
        inner
        for entry in entries
        for inner in (sorted(entry.iterdir()) or [entry] if entry.is_dir() else [entry])
        if not entry.name.startswith(".")
    ]


def is_ours(entry: Path, output: Path, files: Files) -> bool:
    """Return whether a file is one of this script, with sample data only."""
    path = entry.relative_to(output).as_posix()
    if entry.is_dir():
        return path in RECEIVED.values()
    if entry.name == CHECKSUMS:
        return entry.parent.name in RECEIVED.values()
    if path not in files:
        return False
    lines = entry.read_bytes().decode("utf-8", errors="replace").splitlines()
    if path == "README.md":
        return lines[:1] == [README_TITLE]
    return all(line.startswith(ID_PREFIX) for line in lines[1:])


def rows_by_table(files: Files) -> str:
    """Return the number of rows of each table as text."""
    counts: Counter[str] = Counter()
    for path, text in files.items():
        if path.endswith(".csv"):
            counts[path.split("/")[1].removesuffix(".csv")] += text.count("\n") - 1
    return ", ".join(f"{table} {counts[table]:,}" for table in COLUMNS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, check and write the records."""
    parser = argparse.ArgumentParser(description="Make the sample data again, byte for byte.")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).resolve().parent.parent / "data" / "raw",
        metavar="DIR",
        help="the folder to write the deliveries to (default: the repository's data/raw)",
    )
    output: Path = parser.parse_args(arguments).output
    try:
        files = files_of(make_deliveries(make_records()))
        check_figures(files)
        write(files, output)
    except RecordsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(files)} files in {output}. Rows: {rows_by_table(files)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
