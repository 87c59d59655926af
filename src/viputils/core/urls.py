"""Addresses of places outside a project, and what in them nobody may read."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

# A password can hold any mark; it ends with the last "@". A bucket can hold an "@" too, but no user stands before it.
_USER: Final = re.compile(
    r"(?P<scheme>[^:/]+://)(?:(?P<user>[^:/@]*):(?P<password>.*)@|(?P<name>[^:/@]*)@)?(?P<rest>.*)"
)
# The databases whose addresses SQLAlchemy itself knows.
DIALECTS: Final = ("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql")
_KEYS: Final = re.compile(
    r"((?:odbc_connect|password|passwd|pass|pwd|secret|token|key|signature|sig)=)([^&]+)", re.IGNORECASE
)


def is_address(text: str) -> bool:
    """Return whether a text is an address, and no folder."""
    return "://" in text


def secrets_in(address: str) -> list[str]:
    """Return what in an address nobody may read: the password before the server, and what is asked for by a key."""
    found = [secret for text in (address, unquote(address)) for _, secret in _KEYS.findall(text)]
    for one in _links(address):
        parts = _USER.fullmatch(one)
        found += [parts["password"]] if parts and parts["password"] else []
    return list(dict.fromkeys(secret for text in found for secret in (text, unquote(text)) if secret))


def shown_address(address: str) -> str:
    """Return an address as anybody may read it: without user and password, and without what follows a question mark."""
    return "::".join(_shown(one) for one in _links(address))


def place_of(address: str) -> str:
    """Return what of an address says which place it is: another user, password or option leads to the same one."""
    return shown_address(address).rstrip("/")


def without_secrets(words: str, address: str) -> str:
    """Take what nobody may read of an address out of what a library says."""
    words = words.replace(address, shown_address(address))
    secrets = secrets_in(address)
    # A driver can take a password apart at an "@" of its own. A letter or two of it would be all over the words.
    parts = {part for secret in secrets for part in secret.split("@") if len(part) > 2}
    for secret in sorted({*secrets, *parts}, key=len, reverse=True):
        words = words.replace(secret, "***")
    return words


def is_database(address: str) -> bool:
    """Return whether an address is one of a database."""
    return re.split(r"[+:]", address)[0] in DIALECTS


def _links(address: str) -> list[str]:
    """Return the addresses that stand in a row, as in ``zip://x::s3://bucket/all.zip``; those of databases never do."""
    return [address] if is_database(address) else address.split("::")


def _shown(address: str) -> str:
    parts = _USER.fullmatch(address)
    if parts is None:
        return address
    return f"{parts['scheme']}{parts['rest'].partition('?')[0]}"
