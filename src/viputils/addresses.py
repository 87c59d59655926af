"""Addresses of places outside a project, and what in them nobody may read."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_KEYS: Final = re.compile(r"(?:password|passwd|pwd|secret|token|key|signature|sig)=([^&]+)", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Say whether a text is an address, and no folder."""
    return "://" in text


def secrets_in(address: str) -> list[str]:
    """Give what in an address nobody may read: the password before the server, and what is asked for by a key."""
    try:
        parts = urlsplit(address)
        password = parts.password or ""
    except ValueError:
        return []
    found = (password, *_KEYS.findall(parts.query))
    return [secret for text in found for secret in dict.fromkeys((text, unquote(text))) if secret]


def shown_address(address: str) -> str:
    """Give an address as anybody may read it: without user and password, and without what follows a question mark."""
    scheme, sign, rest = address.partition("://")
    if not sign:
        return address
    server, stroke, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{server.rpartition('@')[2]}{stroke}{path}"


def without_secrets(words: str, address: str) -> str:
    """Take what nobody may read of an address out of what a library says."""
    words = words.replace(address, shown_address(address))
    for secret in secrets_in(address):
        words = words.replace(secret, "***")
    return words
