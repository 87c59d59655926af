"""Where a project's deliveries come from: its own data/raw, another folder, an object store or a database."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from viputils import database, objectstore
from viputils.addresses import is_address, is_database, place_of, shown_address
from viputils.errors import IntakeError, Problem
from viputils.mirror import mirrored, unreadable
from viputils.program import DELIVERIES_VARIABLE, RAW
from viputils.schemas import Schema


def from_environment() -> str | None:
    """Give what the environment says about where deliveries come from, where it says anything."""
    return os.environ.get(DELIVERIES_VARIABLE) or None


@dataclass(frozen=True)
class Source:
    """Where deliveries come from.

    Attributes
    ----------
    root
        The folder of the project.
    given
        A folder, relative to the project's; an address of fsspec; or an address of SQLAlchemy.
    schemas
        The tables of the program.
    """

    root: Path
    given: str
    schemas: Mapping[str, Schema]

    @property
    def is_elsewhere(self) -> bool:
        """Whether they lie anywhere but in the project's own data/raw."""
        return self.is_address or self.root / self.given != self.root / RAW

    @property
    def is_address(self) -> bool:
        """Whether they are brought here from an address; otherwise they are read where they lie."""
        return is_address(self.given)

    @property
    def anywhere(self) -> str:
        """The same place, said so that a project in any other folder finds it."""
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

    @cached_property
    def folder(self) -> Path:
        """The folder to read them from. What lies at an address is brought here first, once for each opened project.

        Raises
        ------
        DeliveryError
            Where the place is not there or cannot be reached, or holds other files than were brought before.
        """
        if not self.is_address:
            there = self.root / self.given
            if self.is_elsewhere and not there.is_dir():
                raise unreadable(self.shown, "is no folder here;", "name the one that holds the deliveries.")
            return there
        name = hashlib.sha256(self._place().encode()).hexdigest()[:16]
        place = self.root / "data" / ".deliveries" / name
        if is_database(self.given):
            offered = database.offered_files(self.given, self.shown, self.root, self.schemas)
        else:
            offered = objectstore.offered_files(self.given, self.shown)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Nobody shall keep in a repository what lies in a protected place.
        (place.parent / ".gitignore").write_text("*\n", encoding="utf-8", newline="")
        mirrored(place, self.shown, offered)
        return place

    def _place(self) -> str:
        """Say which place it is, however it is written."""
        where = place_of(self.given)
        if self.given.startswith("sqlite"):
            return f"sqlite:///{(self.root / where.partition(':///')[2]).resolve()}"
        if is_database(self.given):
            # Whatever drives it, it is the same one.
            return f"{where.partition(':')[0].partition('+')[0]}:{where.partition(':')[2]}"
        return where

    def require_writable(self) -> None:
        """Refuse to take in files where deliveries are read from an address.

        Raises
        ------
        IntakeError
            With the place where a delivery would belong.
        """
        if self.is_address:
            problem = Problem(self.shown, "is where the deliveries come from;", "a new one belongs there.")
            raise IntakeError("Files can only be taken in where deliveries lie in a folder.", [problem])
