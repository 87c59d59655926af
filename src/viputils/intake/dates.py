"""Dates as agencies write them, read as ``YYYY-MM-DD``."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zoneinfo
from functools import lru_cache
from typing import Final

from viputils.config.fields import AS_WRITTEN
from viputils.core.months import MONTH_NAMES
from viputils.intake.sheet import EPOCH_1900

_SPANISH_MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre"),
    *("noviembre", "diciembre"),
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPANISH_WEEKDAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_HOURS: Final = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_ZONE: Final = r"(?P<zone>Z|UTC|GMT|[ECMP][SD]T|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?)"
_CLOCK: Final = r"(?P<hour>[01]?\d|2[0-3])(?::(?P<minute>[0-5]\d))(?::(?P<second>[0-5]\d)(?:[.,]\d+)?)?"
_TIME: Final = re.compile(rf"(?:[T ]|, | at )\s*{_CLOCK}\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?\s*{_ZONE}?$")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_LETTERS: Final = r"([^\W\d_]{3,10})"
_DAY_MONTH: Final = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|º)?(?:[-/ ]| de | of ){_LETTERS}\.?,?(?:[-/ ]| del? )(\d{{4}}|\d{{2}})"
)
_MONTH_DAY: Final = re.compile(rf"{_LETTERS}\.?[- ](\d{{1,2}})(?:st|nd|rd|th)?(?:,? |-| de )(\d{{4}})")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?[0-2]\d[0-5]\d(?:[0-5]\d)?)?")
_WEEKDAY: Final = re.compile(rf"{_LETTERS}\.?,? (?:de )?(.+)")
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?")
# As a date, a serial number is one of the years 1954 to 2123.
_SERIALS: Final = range(20_000, 80_000)
# Seconds since 1970 in UTC are one of the years 2001 to 2033, as milliseconds too.
_EPOCH: Final = re.compile(r"(1\d{9})(?:\d{3})?(?:\.0*)?")

MONTH_FIRST: Final = "month first"
DAY_FIRST: Final = "day first"


@lru_cache(maxsize=65_536)
def read_day(text: str, order: str, zone: str | None = None, epoch: dt.date = EPOCH_1900) -> str | None:
    """Read a date in any form that agencies export.

    Parameters
    ----------
    order
        ``month first`` or ``day first``, for dates such as 8/9/2023. The other order is not tried.
    zone
        What a time with a zone means: ``as written``, or the zone that it is converted to.
    epoch
        The day from which serial numbers of days are counted.

    Returns
    -------
    str
        The day, or nothing if it is no date, if its day of the week is another one, or if it depends on a zone and
        ``zone`` does not say what that means. A time of day is left out. Two digits of a year are 1969 to 2068.
    """
    if (found := _SERIAL.fullmatch(text)) and int(float(text)) in _SERIALS:
        return (epoch + dt.timedelta(days=int(float(text)))).isoformat()
    if found := _EPOCH.fullmatch(text):
        moment = dt.datetime.fromtimestamp(int(found[1]), dt.UTC)
        return None if zone is None else _in_zone(moment, zone)
    text = unicodedata.normalize("NFC", text)
    time = _TIME.search(text)
    day = _day(text[: time.start()].strip() if time else text, order)
    if day is None or time is None or time["zone"] is None:
        return day.isoformat() if day else None
    if zone is None:
        return None
    if zone == AS_WRITTEN:
        return day.isoformat()
    return _in_zone(dt.datetime.combine(day, _clock(time), _offset(time["zone"])), zone)


def has_zone(text: str) -> bool:
    """Return whether the day of a date depends on a time zone."""
    return any(read_day(text, one, AS_WRITTEN) and not read_day(text, one) for one in (MONTH_FIRST, DAY_FIRST))


def _in_zone(moment: dt.datetime, zone: str) -> str | None:
    try:
        return (moment if zone == AS_WRITTEN else moment.astimezone(zoneinfo.ZoneInfo(zone))).date().isoformat()
    except OverflowError:  # Programs write the first day of all time where they have none.
        return None


def _clock(time: re.Match[str]) -> dt.time:
    hour = int(time["hour"])
    if time["half"]:
        hour = hour % 12 + (12 if time["half"][0] in "Pp" else 0)
    return dt.time(hour, int(time["minute"]), int(time["second"] or 0))


def _offset(zone: str) -> dt.timezone:
    if zone in _HOURS:
        return dt.timezone(dt.timedelta(hours=_HOURS[zone]))
    found = re.search(r"([+-])(\d{2}):?(\d{2})?$", zone)
    if found is None:
        return dt.UTC
    span = dt.timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return dt.timezone(-span if found[1] == "-" else span)


def _day(text: str, order: str) -> dt.date | None:
    """Read a date without a time of day."""
    if found := _YEAR_FIRST.fullmatch(text):
        return _date(found[1], found[3], found[4])
    if found := _YEAR_LAST.fullmatch(text):
        month, day = (found[1], found[3]) if order == MONTH_FIRST else (found[3], found[1])
        return _date(found[4], month, day)
    if found := _COMPACT.fullmatch(text):
        return _date(found[1], found[2], found[3])
    if found := _DAY_MONTH.fullmatch(text):
        return _date(found[3], _month(found[2]), found[1])
    if found := _MONTH_DAY.fullmatch(text):
        return _date(found[3], _month(found[1]), found[2])
    if (found := _WEEKDAY.fullmatch(text)) and (weekday := _place(found[1], _WEEKDAYS, _SPANISH_WEEKDAYS)):
        rest = _day(found[2], order)
        return rest if rest is not None and rest.weekday() == weekday - 1 else None
    return None


def _month(name: str) -> str:
    if name.casefold() in ("sept", "set"):
        return "9"
    return str(_place(name, MONTH_NAMES, _SPANISH_MONTHS))


def _place(name: str, *lists: tuple[str, ...]) -> int:
    """Return the place, from 1, of the name that is written, whole or abbreviated; 0 if there is none."""
    for names in lists:
        for place, whole in enumerate(names, start=1):
            if without_accents(whole).startswith(without_accents(name)):
                return place
    return 0


def without_accents(text: str) -> str:
    """Return a text without case and accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if letter.isalpha())


def _date(year: str, month: str, day: str) -> dt.date | None:
    number = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    try:
        return dt.date(number, int(month), int(day))
    except ValueError:
        return None
