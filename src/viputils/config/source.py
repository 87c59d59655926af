"""The source of a project's deliveries: its own data/raw, another folder, an object store or a database."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from viputils.config.fields import DELIVERIES_VARIABLE
from viputils.config.program import RAW
from viputils.core.errors import IntakeError, Problem
from viputils.core.urls import is_address, is_database, place_of, shown_address


def from_environment() -> str | None:
    """Return the source of deliveries that the environment sets, if any."""
    return os.environ.get(DELIVERIES_VARIABLE) or None


@dataclass
class Source:
    """The source of deliveries. ``records.deliveries_folder`` reads it; nothing is read here.

    Attributes
    ----------
    root
        The folder of the project.
    given
        A folder relative to the project, an fsspec address or an SQLAlchemy address.
    is_fetched
        Whether the data was downloaded from the address since the project was opened.
    """

    root: Path
    given: str
    is_fetched: bool = field(default=False, compare=False)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the deliveries are outside the project's own data/raw."""
        return self.is_address or self.root / self.given != self.root / RAW

    @property
    def is_address(self) -> bool:
        """Whether the source is an address to download from, not a folder."""
        return is_address(self.given)

    @property
    def anywhere(self) -> str:
        """The source in a form that works from any folder."""
        if not self.is_address:
            return str((self.root / self.given).resolve())
        if self.given.startswith("sqlite"):
            scheme, _, rest = self.given.partition(":///")
            path, mark, options = rest.partition("?")
            return f"{scheme}:///{(self.root / path).resolve()}{mark}{options}"
        return self.given

    @property
    def shown(self) -> str:
        """The source as messages show it, without password and query."""
        return shown_address(self.given)

    @property
    def folder(self) -> Path:
        """The folder of the deliveries, or the download folder of an address."""
        if not self.is_address:
            return self.root / self.given
        return self.root / "data" / ".deliveries" / hashlib.sha256(self._place().encode()).hexdigest()[:16]

    def _place(self) -> str:
        """Return the source in a form that is the same for all its spellings."""
        where = place_of(self.given)
        if self.given.startswith("sqlite"):
            return f"sqlite:///{(self.root / where.partition(':///')[2]).resolve()}"
        if is_database(self.given):
            # The database is the same with any driver.
            return f"{where.partition(':')[0].partition('+')[0]}:{where.partition(':')[2]}"
        return where

    def require_writable(self) -> None:
        """Raise IntakeError if deliveries are read from an address."""
        if self.is_address:
            problem = Problem(self.shown, "is the source of the deliveries;", "add new deliveries there.")
            raise IntakeError("Files can only be added if deliveries are in a folder.", [problem])
