"""Addresses of places outside a project, and the secrets in them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

# A password can contain any character, and ends at the last "@". A bucket can contain "@", but has no user.
_USER: Final = re.compile(
    r"(?P<scheme>[^:/]+://)(?:(?P<user>[^:/@]*):(?P<password>.*)@|(?P<name>[^:/@]*)@)?(?P<rest>.*)"
)
# The databases that SQLAlchemy supports by itself.
DIALECTS: Final = ("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql")
_KEYS: Final = re.compile(
    r"((?:odbc_connect|password|passwd|pass|pwd|secret|token|key|signature|sig)=)([^&]+)", re.IGNORECASE
)


def is_address(text: str) -> bool:
    """Return whether a text is an address, not a folder."""
    return "://" in text


def secrets_in(address: str) -> list[str]:
    """Return the secrets in an address: the password before the server, and the values of secret keys."""
    found = [secret for text in (address, unquote(address)) for _, secret in _KEYS.findall(text)]
    for one in _links(address):
        parts = _USER.fullmatch(one)
        found += [parts["password"]] if parts and parts["password"] else []
    return list(dict.fromkeys(secret for text in found for secret in (text, unquote(text)) if secret))


def shown_address(address: str) -> str:
    """Return an address that is safe to show: without user, password and query."""
    return "::".join(_shown(one) for one in _links(address))


def place_of(address: str) -> str:
    """Return the part of an address that identifies the place, without user, password and options."""
    return shown_address(address).rstrip("/")


def without_secrets(words: str, address: str) -> str:
    """Remove the secrets of an address from the message of a library."""
    words = words.replace(address, shown_address(address))
    secrets = secrets_in(address)
    # A driver can split a password at an "@". Parts of one or two letters are too short to search for.
    parts = {part for secret in secrets for part in secret.split("@") if len(part) > 2}
    for secret in sorted({*secrets, *parts}, key=len, reverse=True):
        words = words.replace(secret, "***")
    return words


def is_database(address: str) -> bool:
    """Return whether an address is that of a database."""
    return re.split(r"[+:]", address)[0] in DIALECTS


def _links(address: str) -> list[str]:
    """Return the parts of a chained address, as in ``zip://x::s3://bucket/all.zip``. Databases are never chained."""
    return [address] if is_database(address) else address.split("::")


def _shown(address: str) -> str:
    parts = _USER.fullmatch(address)
    if parts is None:
        return address
    return f"{parts['scheme']}{parts['rest'].partition('?')[0]}"
