"""The types of single values in program.toml, with their checks."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from viputils.core.encoding import hidden_marks
from viputils.core.errors import ParameterError, nearest
from viputils.core.months import ReportMonth
from viputils.core.urls import secrets_in

# Sets the source of deliveries instead of program.toml, so that no file needs a password.
DELIVERIES_VARIABLE = "VIP_DELIVERIES"

# Use a time with a zone as written, and ignore the zone.
AS_WRITTEN = "as written"

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _is_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be lowercase letters, digits and underscores, as in 'area_command'")
    return text


def _is_line(text: str) -> str:
    if not text.strip() or "\n" in text:
        raise ValueError("must be one line of text, not empty")
    if hidden := hidden_marks(text):
        raise ValueError(f"contains invisible characters ({hidden}); delete them")
    return text.strip()


def _is_phone(text: str) -> str:
    if not re.fullmatch(r"[\d+().\-/ x]*\d[\d+().\-/ x]*", _is_line(text)):
        raise ValueError("must be a phone number, as in '505-555-0100'")
    return text.strip()


def _is_email(text: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", _is_line(text)):
        raise ValueError("must be an e-mail address, as in 'office@example.org'")
    return text.strip()


def _is_language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError("must be a language code, as in 'en'")
    return text


def _is_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", text) or not text.isprintable():
        raise ValueError("must be a web address, as in 'https://example.org/data'")
    return text


def is_folder_address(text: str) -> str:
    """Return the web address of a folder unchanged. Raise ValueError if it is not one."""
    parts = urlsplit(_is_address(text)) if "?" not in text and "#" not in text else None
    if parts is not None and parts.hostname and not text.endswith("/"):
        raise ValueError(f"must end with a slash: '{text}/'")
    # The feed would publish a name and a password. Two slashes in a row start the name of another server.
    if parts is None or not parts.hostname or "@" in parts.netloc or "//" in parts.path or not text.endswith("/"):
        raise ValueError("must be the web address of a folder, as in 'https://example.org/vip/'")
    return text


def _is_source(text: str) -> str:
    if secrets_in(_is_line(text)):
        raise ValueError(
            f"contains a password or a key; set it with {DELIVERIES_VARIABLE} instead, so that it is not in a file"
        )
    return _is_line(text)


def _is_license_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError("must be the short name of a license without spaces, as in 'CC0-1.0' (spdx.org/licenses)")
    return text


def _is_time_zone(text: str) -> str:
    if text != AS_WRITTEN and text not in zoneinfo.available_timezones():
        near = nearest(text, zoneinfo.available_timezones())
        raise ValueError(
            f"must be \"{AS_WRITTEN}\" or the name of a time zone, as in 'America/Denver'; {near}".strip("; ")
        )
    return text


def _is_month(value: object) -> ReportMonth:
    try:
        return ReportMonth.parse(value if isinstance(value, str) else "")
    except ParameterError:
        raise ValueError("must be a month in quotes, as in '2023-11'") from None


def _is_day(value: object) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("must be a date without quotes, as in 2024-01-08")
    return value


def _is_time(value: object) -> dt.time:
    if isinstance(value, dt.time):
        return value.replace(second=0, microsecond=0)
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError("must be a time of day in quotes, as in '09:00' or '14:30'")
    return dt.time.fromisoformat(value)


def _text(pattern: str, **more: object) -> WithJsonSchema:
    """Return what an editor can check of a text: its pattern in the dialect of JSON Schema."""
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


# A column, a list of columns, or "row".
ID_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": f"^{_NAME.pattern}$"},
        {"type": "array", "items": {"type": "string", "pattern": f"^{_NAME.pattern}$"}, "minItems": 1},
    ]
}

Name = Annotated[str, AfterValidator(_is_name), _text(f"^{_NAME.pattern}$")]
Line = Annotated[str, AfterValidator(_is_line), _text(r"\S")]
Month = Annotated[ReportMonth, BeforeValidator(_is_month), _text("^[0-9]{4}-(0[1-9]|1[0-2])$")]
Day = Annotated[dt.date, BeforeValidator(_is_day), WithJsonSchema({"type": "string", "format": "date"})]
# By the clock of the city.
Time = Annotated[dt.time, BeforeValidator(_is_time), _text("^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
LanguageCode = Annotated[str, AfterValidator(_is_language), _text("^[a-z]{2,3}$")]
Address = Annotated[str, AfterValidator(_is_address), _text("^https?://")]
Phone = Annotated[str, AfterValidator(_is_phone)]
Email = Annotated[str, AfterValidator(_is_email)]
# A row or a column of the tile map.
TilePlace = Annotated[int, Field(ge=1, le=12)]
FolderAddress = Annotated[str, AfterValidator(is_folder_address), _text("^https?://[^?#]+/$")]
DeliveriesPlace = Annotated[str, AfterValidator(_is_source)]
LicenseName = Annotated[str, AfterValidator(_is_license_name), _text("^[A-Za-z0-9._-]+$")]
TimeZone = Annotated[str, AfterValidator(_is_time_zone)]
