"""Rows that were edited by hand since they were committed, in deliveries without checksums."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from viputils.audit.trace.rows import Table
from viputils.config.tables import DELIVERY, FILE, LINE, RECEIVED, Schema
from viputils.core.git import committed, git
from viputils.core.spreadsheet import original
from viputils.records.checksums import CHECKSUMS, changed_lines
from viputils.records.clean import Records, typed_rows
from viputils.records.deliveries import RawTable

EDITED: Final = "edited"


@dataclass(frozen=True)
class Edit:
    """A line that was edited: the text that it ``was``, if any, its ``header``, and the text ``now``, if any."""

    table: str
    file: str
    line: int
    was: str | None
    now: str | None
    header: str
    delivery: int
    received: dt.date

    @property
    def since(self) -> str:
        """The words for a record that is counted."""
        return f"edited since it was committed: was '{self.was}'" if self.was else "added since it was committed"

    @property
    def what(self) -> str:
        """The words for a record that is not counted."""
        if self.was is None:
            return f"added since it was committed: '{self.now}'"
        now = "gone" if self.now is None else f"'{self.now}'"
        return f"was '{self.was}' when it was committed, and is {now}"


def find_edits(records: Records, tables: Sequence[str]) -> list[Edit]:
    """Return the edited lines of some tables, if the project is in a git repository."""
    bare = [delivery for delivery in records.received.deliveries if not (delivery.folder / CHECKSUMS).exists()]
    # Asked once for all files, because nearly always none was edited.
    touched = git(bare[0].folder.parent, "diff", "--name-only", "--relative", "-z", "HEAD") if bare else None
    changed = {bare[0].folder.parent / os.fsdecode(name) for name in (touched or b"").split(b"\0") if name}
    found = []
    for place, delivery in enumerate(records.received.deliveries):
        for name, path in delivery.files.items():
            was = committed(path) if name in tables and delivery in bare and path in changed else None
            if was is None:
                continue
            now = path.read_bytes()
            header = was.decode("utf-8", "replace").split("\n")[0].rstrip("\r")
            about = (header, place, delivery.received)
            found += [
                Edit(name, delivery.name_of(name), change.line, change.was, change.now, *about)
                for change in changed_lines(was, now)
                if change.line > 1
            ]
    return found


def as_they_were(records: Records, schema: Schema, edits: Sequence[Edit]) -> Table:
    """Return lines of a table as they were committed, in the order of the edits."""
    rows = []
    for edit in edits:
        header, values = (next(csv.reader([line]), []) for line in (edit.header, edit.was or ""))
        rows.append(dict.fromkeys(schema.columns, "") | dict(zip(header, map(original, values), strict=False)))
    raw = pd.DataFrame(rows, columns=schema.columns, dtype="str")
    raw[RECEIVED] = pd.Series([edit.received for edit in edits], dtype="datetime64[s]")
    raw[DELIVERY] = pd.Series([edit.delivery for edit in edits], dtype="int32")
    raw[FILE] = pd.Series([edit.file for edit in edits], dtype="str")
    raw[LINE] = pd.Series([edit.line for edit in edits], dtype="int32")
    typed = typed_rows(records.program, schema, RawTable(raw, ()))
    status = pd.Series(EDITED, index=raw.index, dtype="str")
    return Table(records, schema, raw, typed, typed[schema.table.id], status, raw.index[:0])
