"""Headings of agency files that program.toml does not know, with the lines to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from viputils.config.program import heading_key
from viputils.config.program_file import pasted
from viputils.config.project import Project
from viputils.core.errors import Problem, VipError
from viputils.intake.sources import match_files


def unknown_headings(project: Project, files: Sequence[Path]) -> Iterator[Problem]:
    """Yield a problem for each sheet that fits no table, and for each with columns that program.toml does not name."""
    try:
        matched, _ = match_files(project, files, ())
    except VipError as error:
        yield from error.problems
        return
    for export in (one for exports in matched.values() for one in exports):
        table = export.schema.name
        known = project.program.intake.left_out.get(table, [])
        keys = {heading_key(one) for one in known}
        if new := [one for one in export.left_out if heading_key(one) not in keys]:
            lines = pasted("intake.left_out", f"{table} = {json.dumps([*known, *new], ensure_ascii=False)}")
            yield Problem(
                export.where,
                f"has columns that are not imported: {', '.join(map(repr, new))};",
                f"if you do not need them, write:{lines}\n      If you do, describe each in [tables.{table}].",
            )
