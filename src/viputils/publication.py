"""Publication: an issue that was made here goes into the register, and stays there."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from viputils import __version__
from viputils.checksums import checksum
from viputils.edition import Edition, load_edition
from viputils.errors import ManifestError, ParameterError, Problem, PublishedError
from viputils.figures import KEY
from viputils.manifest import MANIFEST, Manifest, read_manifest, require_deliveries
from viputils.periods import ReportMonth
from viputils.project import Project
from viputils.published import IssueName, PublishedIssue, add_issue, keep_manifest, read_register
from viputils.tables import disagreements
from viputils.verdicts import contradictions, key_text


def publish(
    project: Project,
    month: ReportMonth,
    printed: dt.date,
    reissue: bool = False,
    reason: str = "",
    footnote: str = "",
) -> PublishedIssue:
    """Add the issue that was made here to the register, every figure of it, with its manifest.

    Parameters
    ----------
    printed
        The day on which it is published.
    reissue
        Publish it as a correction of the issue that is out, which stays.
    reason
        Why there is a correction.
    footnote
        What explains figures that do not add up; by default what the issue itself says.

    Raises
    ------
    ManifestError
        Where no issue was made, a file of it was edited, or what it was made from is gone.
    PublishedError
        Where the register has the issue already, or there is nothing to correct.
    ParameterError
        Where a reason or a footnote is lacking, or the issue was printed before its as-of date.
    """
    _require_words(month, reissue, reason)
    manifest, edition = _as_made(project, month)
    there = read_register(project).of(month)
    if reissue and not there:
        raise PublishedError(
            f"There is no issue of {month} to correct.",
            [Problem(f"data/published/{month}.csv", "is missing;", "publish the issue itself, without --reissue.")],
        )
    if printed < manifest.as_of:
        raise ParameterError(
            "An issue is not published before its as-of date.",
            [Problem("--printed", f"{printed} is before {manifest.as_of};", "give the day on which it is published.")],
        )
    footnote = " ".join(footnote.split()) or " ".join(disagreements(edition))
    unexplained = [] if footnote else contradictions(edition.figures, project.program, month)
    if unexplained:
        raise ParameterError(
            "The issue does not add up, and readers will ask why.",
            [Problem("--footnote", one.text, "Say what explains it.") for one in unexplained],
        )
    kind = "demonstration records" if edition.records.is_demonstration else "records"
    issue = PublishedIssue(
        IssueName(month, there[-1].name.number + 1 if reissue else 0),
        edition.figures,
        as_of=manifest.as_of,
        printed=printed,
        source=f"Made from the {kind} in this repository, with viputils {__version__} ({manifest.engine.name} engine)",
        transcribed_by="vip publish",
        reason=" ".join(reason.split()),
        footnote=footnote,
        manifest=project.issues / str(month) / MANIFEST,
    )
    add_issue(project, issue)
    return issue


def keep_reproduction(project: Project, month: ReportMonth) -> PublishedIssue:
    """Keep the manifest of the issue made here beside the one in the register, whose figures it reproduces.

    Raises
    ------
    ManifestError
        Where no issue was made, a file of it was edited, or what it was made from is gone.
    PublishedError
        Where the register does not have the issue, or with every printed figure that is another one here.
    """
    _, edition = _as_made(project, month)
    issue = read_register(project).issue(IssueName(month))
    both = issue.figures.merge(edition.figures, on=KEY, how="left", suffixes=("", "_here"))
    other = both.loc[both["value"].ne(both["value_here"].astype("Int64")).fillna(value=True)]
    if not other.empty:
        raise PublishedError(
            f"The issue made here does not reproduce the one of {month} in the register. Nothing was kept.",
            [
                Problem(key_text(row), f"{row['value']} was printed, and it is {_shown(row['value_here'])} here;", "")
                for row in other.to_dict("records")
            ],
        )
    keep_manifest(project, issue.name, project.issues / str(month) / MANIFEST)
    return issue


def _require_words(month: ReportMonth, reissue: bool, reason: str) -> None:
    if reissue and not reason.strip():
        raise ParameterError(
            "A correction needs a reason.", [Problem("--reason", "is missing;", f"say why {month} is printed again.")]
        )
    if reason and not reissue:
        raise ParameterError(
            "A reason was given for what is no correction.",
            [Problem("--reason", "stands alone;", "say --reissue as well, or take it away.")],
        )


def _as_made(project: Project, month: ReportMonth) -> tuple[Manifest, Edition]:
    """Read the manifest of the issue made here, and count it again, once it is sure that nothing was touched since."""
    folder = project.issues / str(month)
    name = f"issues/{month}/{MANIFEST}"
    manifest = read_manifest(folder / MANIFEST, name)
    problems = []
    if manifest.month != month:
        problems.append(Problem(f"{name}, parameters.month", f"is {manifest.month};", f"it is {month}."))
    for file, was in manifest.outputs.items():
        if not (folder / file).is_file():
            problems.append(Problem(f"issues/{month}/{file}", "is missing;", "make the issue again."))
        elif checksum(folder / file) != was:
            problems.append(
                Problem(
                    f"issues/{month}/{file}",
                    "was edited after it was made;",
                    "change what it is made from, and make the issue again.",
                )
            )
    if problems:
        raise ManifestError("The issue is not as it was made. Nothing was published.", problems)
    require_deliveries(project, manifest, name)
    edition = load_edition(project, month, manifest.as_of)
    written = pd.read_csv(folder / "figures.csv", keep_default_na=False)
    if not written.astype({"value": "int64"}).equals(edition.figures.astype({"value": "int64"}).reset_index(drop=True)):
        raise ManifestError(
            "Counting again gives other figures than those of the issue. Nothing was published.",
            [Problem(f"issues/{month}/figures.csv", "is not what is counted now;", "make the issue again.")],
        )
    return manifest, edition


def _shown(value: object) -> str:
    return "not counted" if pd.isna(value) else f"{value:.0f}"  # type: ignore[call-overload]
