"""Publication: add an issue that was made here to the register. Issues in the register never change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from viputils import __version__
from viputils.audit.as_of import load_edition
from viputils.audit.contradictions import contradictions
from viputils.audit.manifest import MANIFEST, Manifest, input_file, read_manifest, require_deliveries, touched_since
from viputils.audit.register import (
    SIGNATURE_SUFFIX,
    IssueName,
    PublishedIssue,
    add_issue,
    keep_manifest,
    read_register,
)
from viputils.audit.signatures import sign_issue, signer_with, write_signature
from viputils.config.project import Project
from viputils.core.errors import ManifestError, ParameterError, Problem, PublishedError
from viputils.core.files import held
from viputils.core.months import IssuePeriod, ReportMonth
from viputils.core.text import plural
from viputils.figures.counts import KEY, key_of_row
from viputils.figures.edition import Edition
from viputils.records.checksums import checksum
from viputils.records.deliveries import find_deliveries
from viputils.report.markdown import missing_characters
from viputils.report.privacy.screening import require_screened, screen_activities, screen_texts
from viputils.report.sections import disagreements


def publish(
    project: Project,
    period: IssuePeriod,
    printed: dt.date,
    approved_by: str,
    reissue: bool = False,
    reason: str = "",
    footnote: str = "",
    key: Path | None = None,
) -> PublishedIssue:
    """Add the issue that was made here to the register, with all its figures and its manifest.

    Parameters
    ----------
    printed
        The day on which it is published.
    approved_by
        The person who approved it.
    reissue
        Publish it as a correction. The corrected issue stays in the register.
    reason
        Why there is a correction.
    footnote
        The explanation of figures that do not add up; by default that of the issue itself.
    key
        The SSH key that signs it.

    Raises
    ------
    ManifestError
        If no issue was made, one of its files was edited, or an input is gone.
    PublishedError
        If the register has the issue already, or there is nothing to correct.
    ParameterError
        If a name, a reason or a footnote is missing, the issue was printed before its as-of date, or the key cannot
        sign it.
    TextError
        If a text, a name, a reason or a footnote has a private detail that was not allowed by name.
    """
    _require_words(period, approved_by, reissue, reason)
    sign = signer_with(key) if key else None
    # No other command may make the issue again while it is checked here.
    with held(project.issues, str(period)):
        manifest, edition = _as_made(project, period)
        _require_screened(project, period, manifest)
        there = read_register(project).of(period)
        _require_in_order(period, there[-1] if there else None, manifest, printed, reissue)
        approved_by, reason = " ".join(approved_by.split()), " ".join(reason.split())
        footnote = _footnote(edition, footnote)
        given = (("--approved-by", approved_by), ("--reason", reason), ("--footnote", footnote))
        _require_printable(project, given)
        require_screened(screen_texts(project, given))
        if reissue:
            _require_correction(project, period, there[-1], manifest)
        kind = "sample data" if edition.records.is_demonstration else "records"
        made = f"Made from the {kind} in this repository"
        issue = PublishedIssue(
            IssueName(period, there[-1].name.number + 1 if reissue else 0),
            edition.figures,
            as_of=manifest.as_of,
            printed=printed,
            source=f"{made}, with viputils {__version__} ({manifest.engine.name} engine)",
            transcribed_by="vip publish",
            approved_by=approved_by,
            reason=reason,
            footnote=footnote,
            manifest=project.issues / str(period) / MANIFEST,
        )
        add_issue(project, issue, lambda folder: write_signature(folder, issue, sign))
        return issue


def sign_published(project: Project, period: IssuePeriod, key: Path) -> PublishedIssue:
    """Sign the newest issue of a period in the register.

    Raises
    ------
    PublishedError
        If the register does not have the issue.
    ParameterError
        If the key cannot sign it.
    """
    there = read_register(project).of(period)
    if not there:
        remedy = 'publish it, and name who approved it, as in --approved-by "A. Person, Director".'
        problem = Problem(f"data/published/{period}.csv", "is missing;", remedy)
        raise PublishedError(f"There is no issue of {period} to sign. Nothing was written.", [problem])
    sign_issue(project, there[-1], key)
    return there[-1]


def keep_reproduction(project: Project, period: IssuePeriod, key: Path | None = None) -> PublishedIssue:
    """Keep the manifest of the issue made here with the issue of the register that it reproduces.

    Parameters
    ----------
    key
        The SSH key that signs the issue with its new manifest.

    Raises
    ------
    ManifestError
        If no issue was made, one of its files was edited, or an input is gone.
    PublishedError
        If the register does not have the issue, or printed figures differ from those made here. Lists all of them.
    """
    sign = signer_with(key) if key else None
    with held(project.issues, str(period)):
        manifest, edition = _as_made(project, period)
        issue = read_register(project).issue(IssueName(period))
        if sign is None and (project.published / f"{issue.name}{SIGNATURE_SUFFIX}").exists():
            remedy = "sign it again: add --sign KEY."
            problem = Problem(f"data/published/{issue.name}{SIGNATURE_SUFFIX}", "would not fit the manifest;", remedy)
            raise PublishedError(f"The issue of {issue.name} is signed. Nothing was kept.", [problem])
        _require_print_from_elsewhere(project, issue, manifest)
        both = issue.figures.merge(edition.figures, on=KEY, how="left", suffixes=("", "_here"))
        other = both.loc[both["value"].ne(both["value_here"].astype("Int64")).fillna(value=True)]
        if not other.empty:
            raise PublishedError(
                f"The issue made here does not reproduce the one of {period} in the register. Nothing was kept.",
                [
                    Problem(
                        key_of_row(row), f"{row['value']} was printed, and it is {_shown(row['value_here'])} here;", ""
                    )
                    for row in other.to_dict("records")
                ],
            )
        kept = project.issues / str(period) / MANIFEST
        keep_manifest(project, issue.name, kept, lambda folder: write_signature(folder, issue, sign))
        return issue


def _require_in_order(
    period: IssuePeriod,
    before: PublishedIssue | None,
    manifest: Manifest,
    printed: dt.date,
    reissue: bool,
) -> None:
    """Refuse a correction without an issue or with fewer deliveries, and a day of publication that is too early."""
    if reissue and before is None:
        raise PublishedError(
            f"There is no issue of {period} to correct.",
            [Problem(f"data/published/{period}.csv", "is missing;", "publish the issue itself, without --reissue.")],
        )
    if reissue and before is not None and before.as_of is not None and manifest.as_of < before.as_of:
        raise ParameterError(
            "A correction cannot use fewer deliveries than the issue that it corrects.",
            [
                Problem(
                    "as-of date",
                    f"{manifest.as_of} is before {before.as_of}, that of {before.name};",
                    f"make the issue again with --as-of {before.as_of} or later.",
                )
            ],
        )
    if reissue and before is not None and before.printed is not None and printed < before.printed:
        raise ParameterError(
            "A correction cannot be published before the issue that it corrects.",
            [
                Problem(
                    "--printed", f"{printed} is before {before.printed}, the day of {before.name};", "give a later day."
                )
            ],
        )
    if printed < manifest.as_of:
        raise ParameterError(
            "An issue cannot be published before its as-of date.",
            [Problem("--printed", f"{printed} is before {manifest.as_of};", "give the day on which it is published.")],
        )


def _require_correction(project: Project, period: IssuePeriod, before: PublishedIssue, manifest: Manifest) -> None:
    """Refuse a re-issue that has the same files as the issue that it corrects."""
    if before.manifest is None:
        return
    kept = read_manifest(before.manifest, f"data/published/{before.manifest.name}")
    if kept.outputs == manifest.outputs:
        newest = find_deliveries(project)[-1].received
        later = f"more records came in by {newest}. Make it with --as-of {newest}."
        remedy = later if newest > manifest.as_of else "correct the records or texts, and make the issue again."
        raise ParameterError(
            "The correction changes nothing. Nothing was published.",
            [Problem(f"issues/{period}", f"has the same pages and figures as {before.name};", remedy)],
        )


def _footnote(edition: Edition, given: str) -> str:
    """Return the footnote: the given one, or else that of the issue. It explains contradictions and missing rows."""
    text = " ".join(given.split()) or " ".join(disagreements(edition))
    unexplained = [] if text else contradictions(edition.figures, edition.program, edition.period)
    if unexplained:
        raise ParameterError(
            "The issue does not add up. Readers will ask why.",
            [Problem("--footnote", one.text, "explain it in a footnote.") for one in unexplained],
        )
    if rows := int(edition.records.account["quarantined"].sum()):
        text += f" {plural(rows, 'row')} could not be read and {'was' if rows == 1 else 'were'} not counted."
    return text.strip()


def _require_print_from_elsewhere(project: Project, issue: PublishedIssue, manifest: Manifest) -> None:
    """Refuse to replace the manifest of an issue that was published from here, and a manifest of another as-of date."""
    name = f"data/published/{issue.name}"
    if issue.manifest is not None:
        kept = read_manifest(issue.manifest, f"{name}.manifest.json")
        if kept.outputs.get("figures.csv") == checksum(project.published / f"{issue.name}.csv"):
            raise PublishedError(
                f"The issue of {issue.name} was published from here, with its manifest. Nothing was kept.",
                [
                    Problem(
                        f"{name}.manifest.json",
                        "is the record of what was published;",
                        "published records are never replaced.",
                    )
                ],
            )
    if issue.as_of is not None and issue.as_of != manifest.as_of:
        raise PublishedError(
            f"The issue of {issue.name} has another as-of date. Nothing was kept.",
            [
                Problem(
                    f"{name}.csv",
                    f"is as of {issue.as_of}, and the one made here as of {manifest.as_of};",
                    f"make it with --as-of {issue.as_of}.",
                )
            ],
        )


def _require_words(period: IssuePeriod, approved_by: str, reissue: bool, reason: str) -> None:
    if not approved_by.strip():
        raise ParameterError(
            "An issue needs a person who approved it. Nothing was published.",
            [Problem("--approved-by", "is missing;", 'add the name, as in --approved-by "A. Person, Director".')],
        )
    if reissue and not reason.strip():
        raise ParameterError(
            "A correction needs a reason.", [Problem("--reason", "is missing;", f"say why {period} is printed again.")]
        )
    if reason and not reissue:
        raise ParameterError(
            "A reason needs a correction.",
            [Problem("--reason", "was given without --reissue;", "add --reissue, or leave out --reason.")],
        )


def _require_screened(project: Project, period: IssuePeriod, manifest: Manifest) -> None:
    """Refuse activities with private details, and activities that changed since the issue was made."""
    if not isinstance(period, ReportMonth):
        return
    name = project.relative(project.activities(period))
    texts = {one for one in manifest.inputs.texts if one.startswith("report/activities/")} | {name}
    was = {one: manifest.inputs.texts.get(one, "") for one in sorted(texts)}
    now = {one: checksum(project.root / one) if (project.root / one).is_file() else "" for one in was}
    if was != now:
        raise ManifestError(
            "The activities have changed since the issue was made. Nothing was published.",
            [Problem(one, "was changed;", "make the issue again.") for one in was if was[one] != now[one]],
        )
    require_screened(screen_activities(project, period))


def _require_printable(project: Project, given: Sequence[tuple[str, str]]) -> None:
    problems = []
    for option, text in given:
        if not text.isprintable():
            problems.append(Problem(option, f"{text!r} contains an invisible character;", "write plain text."))
        problems += missing_characters(text, option, project.fonts)
    if problems:
        raise ParameterError("The register takes plain text.", problems)


def _as_made(project: Project, period: IssuePeriod) -> tuple[Manifest, Edition]:
    """Return the manifest of the issue made here, and its figures counted again. Refuse it if a file was edited."""
    folder = project.issues / str(period)
    name = f"issues/{period}/{MANIFEST}"
    manifest = read_manifest(folder / MANIFEST, name)
    problems = touched_since(manifest, folder, f"issues/{period}")
    if manifest.parameters.draft:
        problems.append(Problem(f"issues/{period}", "is a draft;", f"run vip report {period} without --draft."))
    if manifest.period != period:
        problems.append(Problem(f"{name}, parameters.month", f"is {manifest.period};", f"it is {period}."))
    if problems:
        raise ManifestError("The issue was changed since it was made. Nothing was published.", problems)
    require_deliveries(project, manifest, name)
    edition = load_edition(project, period, manifest.as_of)
    if not edition.records.is_demonstration:
        require_no_plain_checksum(project, manifest)
    written = pd.read_csv(folder / "figures.csv", keep_default_na=False)
    if not written.astype({"value": "int64"}).equals(edition.figures.astype({"value": "int64"}).reset_index(drop=True)):
        raise ManifestError(
            "The figures differ from those of the issue when counted again. Nothing was published.",
            [
                Problem(
                    f"issues/{period}/figures.csv", "has other numbers than are counted now;", "make the issue again."
                )
            ],
        )
    return manifest, edition


def require_no_plain_checksum(project: Project, manifest: Manifest) -> None:
    """Refuse a manifest with the plain SHA-256 of a delivered file, because it could confirm a guess at a record."""
    files = {name: input_file(project, "deliveries", name) for name in manifest.inputs.deliveries}
    plain = [
        name.rpartition("/")[0]
        for name, was in manifest.inputs.deliveries.items()
        if files[name].is_file() and checksum(files[name]) == was
    ]
    what, remedy = "has checksums without a salt in the manifest;", "run vip seal, and make the issue again."
    problems = [Problem(name, what, remedy) for name in dict.fromkeys(plain)]
    if problems:
        raise ManifestError("The manifest would let anyone check a guess at a record. Nothing was published.", problems)


def _shown(value: object) -> str:
    return "not counted" if pd.isna(value) else f"{value:.0f}"  # type: ignore[call-overload]
