"""Where a project says that its deliveries are: its own data/raw, another folder, an object store or a database."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from viputils.config.program import DELIVERIES_VARIABLE, RAW
from viputils.core.errors import IntakeError, Problem
from viputils.core.urls import is_address, is_database, place_of, shown_address


def from_environment() -> str | None:
    """Return what the environment says about where deliveries come from, if it says anything."""
    return os.environ.get(DELIVERIES_VARIABLE) or None


@dataclass
class Source:
    """Where deliveries come from. Nothing is read or brought from there; ``records.deliveries_folder`` does that.

    Attributes
    ----------
    root
        The folder of the project.
    given
        A folder, relative to the project's; an address of fsspec; or an address of SQLAlchemy.
    is_fetched
        Whether what is at the address was brought here since the project was opened.
    """

    root: Path
    given: str
    is_fetched: bool = field(default=False, compare=False)

    @property
    def is_elsewhere(self) -> bool:
        """Whether they are anywhere but in the project's own data/raw."""
        return self.is_address or self.root / self.given != self.root / RAW

    @property
    def is_address(self) -> bool:
        """Whether they are brought here from an address; otherwise they are read where they are."""
        return is_address(self.given)

    @property
    def anywhere(self) -> str:
        """The same place, written so that a project in any other folder finds it."""
        if not self.is_address:
            return str((self.root / self.given).resolve())
        if self.given.startswith("sqlite"):
            scheme, _, rest = self.given.partition(":///")
            path, mark, options = rest.partition("?")
            return f"{scheme}:///{(self.root / path).resolve()}{mark}{options}"
        return self.given

    @property
    def shown(self) -> str:
        """What messages call it: never with a password, nor with what is asked after a question mark."""
        return shown_address(self.given)

    @property
    def folder(self) -> Path:
        """The folder that they are in, or that they are brought to from an address."""
        if not self.is_address:
            return self.root / self.given
        return self.root / "data" / ".deliveries" / hashlib.sha256(self._place().encode()).hexdigest()[:16]

    def _place(self) -> str:
        """Return which place it is, however it is written."""
        where = place_of(self.given)
        if self.given.startswith("sqlite"):
            return f"sqlite:///{(self.root / where.partition(':///')[2]).resolve()}"
        if is_database(self.given):
            # Whatever drives it, it is the same one.
            return f"{where.partition(':')[0].partition('+')[0]}:{where.partition(':')[2]}"
        return where

    def require_writable(self) -> None:
        """Raise ``IntakeError`` if deliveries are read from an address: a new one belongs there."""
        if self.is_address:
            problem = Problem(self.shown, "is where the deliveries come from;", "a new one belongs there.")
            raise IntakeError("Files can only be taken in where deliveries lie in a folder.", [problem])
