"""Reproduction: make an issue again from the inputs that its manifest lists, and compare every byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from viputils.audit.manifest import (
    KINDS,
    MANIFEST,
    Change,
    Manifest,
    added_deliveries,
    changed_inputs,
    changed_versions,
    input_file,
    lines_of,
    read_manifest,
    require_deliveries,
    touched_since,
)
from viputils.audit.register import IssueName, read_register, write_register
from viputils.config.project import SEALED, Project
from viputils.core.errors import ManifestError, ParameterError, Problem
from viputils.core.files import private_folder
from viputils.core.months import IssuePeriod
from viputils.figures.counts import FIGURES_CSV
from viputils.records.checksums import CHECKSUMS, checksum, salt_of, source_checksums, write_checksums
from viputils.records.remote.fetch import deliveries_folder
from viputils.report.issue import make_issue
from viputils.report.render import choose_engine
from viputils.report.seal import Sealed, root_in

IDENTICAL: Final = "identical"
DIFFERS: Final = "differs"
NOT_MADE: Final = "not made again"
NEW: Final = "was not there"

_PARTS: Final = {
    FIGURES_CSV: "Figures",
    ".csv": "Data",
    ".json": "Data",
    ".ipynb": "Notebook outputs",
    ".svg": "Charts",
    ".png": "Charts",
    ".html": "HTML",
    ".pdf": "PDF",
    ".docx": "DOCX",
    ".txt": "Summary",
}


@dataclass(frozen=True)
class Reproduction:
    """The result of making an issue again.

    Attributes
    ----------
    source
        The manifest.
    outputs
        ``part``, ``file``, ``result``: one row for each file that was made then or now.
    changes
        The inputs and versions that have changed.
    touched
        The files beside the manifest that do not match it.
    added
        Delivered files that the manifest does not list, although an issue that is made now counts them.
    """

    source: str
    manifest: Manifest
    outputs: pd.DataFrame
    changes: tuple[Change, ...]
    touched: tuple[Problem, ...]
    added: tuple[Change, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether every byte is the same, and the files beside the manifest match it."""
        return bool(self.outputs["result"].eq(IDENTICAL).all()) and not self.touched

    @property
    def conclusion(self) -> list[str]:
        """Return in words what came of it, and what changed since."""
        added = [f"  {change.name}" for change in self.added]
        if not added:
            return self._result
        said = "Not in the manifest, and so left out. An issue of that as-of date that is made now counts:"
        return [*self._result, said, *added]

    @property
    def _result(self) -> list[str]:
        changed = lines_of(self.changes)
        if self.touched:
            said = ["Not reproduced: what lies beside the manifest is not what was made then."]
            same = bool(self.outputs["result"].eq(IDENTICAL).all())
            said += [f"  {problem}" for problem in self.touched]
            return [*said, "Made again, all files are as the manifest says."] if same else said
        if self.identical:
            number = len(self.outputs)
            files = "1 file is" if number == 1 else f"all {number} files are"
            said = [f"Reproduced: {files} identical, byte for byte."]
            return [*said, "What changed since made no difference:", *changed] if changed else said
        files = ", ".join(self.outputs.loc[self.outputs["result"].ne(IDENTICAL), "file"])
        said = [f"Not reproduced: {files}."]
        if not changed:
            return [
                *said,
                "Nothing that the manifest records was changed. Either the manifest was edited, or this is a fault of "
                "viputils; please report it then.",
            ]
        said += ["Changed since, and so what can have made the difference:", *changed]
        if self.manifest.git is not None:
            state = "" if self.manifest.git.clean else " (and changes that were not committed)"
            said.append(f"The issue was made at commit {self.manifest.git.commit}{state}.")
        return said


def find_manifest(project: Project, issue: str) -> tuple[Path, str, IssuePeriod | None]:
    """Find the manifest of an issue: in the register, or else of the issue made here, or else the file of that name.

    Returns
    -------
    tuple
        Its path, its name in messages, and the period that it must have, if one was asked for.

    Raises
    ------
    ManifestError
        If there is none.
    """
    try:
        name = IssueName.parse(issue)
    except ParameterError:
        path = Path(issue)
        if path.suffix != ".json":
            raise ParameterError(
                "The issue cannot be read.",
                [
                    Problem(
                        "issue",
                        f"{issue!r} is neither an issue nor a manifest;",
                        "write 2023-11, or name a .json file.",
                    )
                ],
            ) from None
        return path, issue, None
    for known in read_register(project).issues:
        if known.name == name and known.manifest is not None:
            return known.manifest, project.relative(known.manifest), name.period
    path = project.issues / str(name.period) / MANIFEST
    if name.number or not path.is_file():
        raise ManifestError(
            f"There is no manifest of the issue of {name}.",
            [
                Problem(
                    f"data/published/{name}.manifest.json",
                    "is not in the register, and no issue of that period was made here;",
                    f"vip report {name.period} makes one with its manifest.",
                )
            ],
        )
    return path, project.relative(path), name.period


def reproduce(
    project: Project, issue: str, keep: Path | None = None, on_step: Callable[[str], None] = lambda _: None
) -> Reproduction:
    """Make an issue again in a clean temporary folder, and compare the files with its manifest.

    Parameters
    ----------
    issue
        ``2023-11``, ``2023-11-r1``, or the path of a manifest.
    keep
        A new folder in which to keep the files.

    Raises
    ------
    ManifestError
        If there is no manifest, it is invalid, or a delivery that it lists is missing or was changed.
    """
    if keep is not None and keep.exists():
        raise ParameterError(
            "The folder is there already.", [Problem("--keep", f"{keep} is there;", "name a new one.")]
        )
    path, source, period = find_manifest(project, issue)
    manifest = read_manifest(path, source)
    if period is not None and period != manifest.period:
        raise ManifestError(
            "The manifest is that of another period.",
            [Problem(f"{source}, parameters.month", f"is {manifest.period};", f"that of {issue} belongs there.")],
        )
    require_deliveries(project, manifest, source)
    engine = choose_engine(manifest.engine.name)
    changes = [
        *changed_inputs(project, manifest),
        *_changed_register(project, manifest),
        *changed_versions(manifest, (engine.name, engine.version())),
    ]
    with private_folder("reproduce") as scratch:
        root = _copy_of_inputs(project, manifest, scratch)
        (root / SEALED).touch()
        seal = Sealed.open(root, root, manifest.parameters.lang)
        leave_out = manifest.parameters.allow_quarantined
        again = make_issue(
            seal,
            manifest.period,
            manifest.as_of,
            engine,
            allow_quarantined=leave_out,
            draft=manifest.parameters.draft,
            on_step=on_step,
        )
        made = again.manifest.parent
        now = {
            file.relative_to(made).as_posix(): checksum(file)
            for file in sorted(made.rglob("*"))
            if file.is_file() and file.name != MANIFEST
        }
        if keep is not None:
            shutil.copytree(made, keep)
    touched = _touched(path, source, manifest)
    outputs, added = _outputs(manifest.outputs, now), added_deliveries(project, manifest)
    return Reproduction(source, manifest, outputs, tuple(changes), tuple(touched), tuple(added))


def _touched(path: Path, source: str, manifest: Manifest) -> list[Problem]:
    """Compare an issue with its manifest. The register has manifests without issues."""
    folder = path.parent
    if path.name != MANIFEST or not any((folder / file).exists() for file in manifest.outputs):
        return []
    return touched_since(manifest, folder, source.removesuffix(f"/{MANIFEST}") if "/" in source else ".")


def _outputs(was: dict[str, str], now: dict[str, str]) -> pd.DataFrame:
    rows = []
    for file in sorted(was.keys() | now.keys()):
        if file not in now:
            result = NOT_MADE
        elif file not in was:
            result = NEW
        else:
            result = IDENTICAL if was[file] == now[file] else DIFFERS
        rows.append(
            {"part": _PARTS.get(file) or _PARTS.get(Path(file).suffix, "Other"), "file": file, "result": result}
        )
    order = list(dict.fromkeys(_PARTS.values()))
    table = pd.DataFrame(rows, columns=["part", "file", "result"])
    place = table["part"].map({part: place for place, part in enumerate(order)}).fillna(len(order))
    return table.assign(place=place).sort_values(["place", "file"]).drop(columns="place").reset_index(drop=True)


def _changed_register(project: Project, manifest: Manifest) -> list[Change]:
    now = {str(issue.name): issue.fingerprint for issue in read_register(project).issues}
    return [
        Change("register", f"data/published/{name}.csv", was, now.get(name, ""))
        for name, was in manifest.inputs.register_.items()
        if now.get(name) != was
    ]


def _copy_of_inputs(project: Project, manifest: Manifest, scratch: Path) -> Path:
    """Copy what an issue was made from, and nothing else, into an empty folder; return the folder of the project."""
    root, inputs = root_in(scratch, project.program.identity.shares), manifest.inputs
    # An empty folder of activities means that the report has a part for them.
    folders = ["data/raw", "data/published", *(["report/activities"] if manifest.parameters.has_activities else [])]
    for name in folders:
        (root / name).mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for name in getattr(inputs, kind) if kind != "library" else ():
            source = input_file(project, kind, name)
            if source.is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, root / name)
    for folder in {(root / name).parent for name in inputs.deliveries}:
        there = deliveries_folder(project) / folder.name
        if (there / CHECKSUMS).is_file() and folder.is_dir():
            # With the same salt, the new manifest lists the same checksums.
            write_checksums(folder, source_checksums(there), salt_of(there))
    seen = [issue for issue in read_register(project).issues if str(issue.name) in inputs.register_]
    if seen:
        write_register(root / "data" / "published", [replace(issue, manifest=None) for issue in seen])
    return root
