"""What must be true of the issues before they go online."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from viputils.audit.manifest import read_manifest
from viputils.config.project import Project
from viputils.core.errors import DeliveryError, Problem, PublishedError
from viputils.figures.counts import KEY, key_of_row
from viputils.publish.site.issues import SiteIssue
from viputils.publish.site.plan import PlannedIssue
from viputils.records.checksums import salt_of
from viputils.records.deliveries import find_deliveries


def require_salts(project: Project, issues: Sequence[SiteIssue]) -> None:
    """Raise DeliveryError if the site would publish checksums of real records without a salt.

    With such a checksum anyone could confirm a guess at a record.
    """
    newest = max((one.as_of for one in issues if one.demonstration is None), default=None)
    if newest is None:
        return
    bare = [one.name for one in find_deliveries(project) if one.received <= newest and not salt_of(one.folder)]
    if bare:
        problems = [Problem(name, "has no salt;", "run vip seal, and make the site again.") for name in bare]
        raise DeliveryError("The site would let anyone check a guess at a record. No site was made.", problems)


def require_as_published(planned: Sequence[PlannedIssue], issues: Sequence[SiteIssue]) -> None:
    """Raise PublishedError if an issue that was published from here has other figures now.

    Figures may have been renamed or added since. Issues that were printed elsewhere are not checked: their figures have
    verdicts instead.
    """
    problems = []
    for one, issue in zip(planned, issues, strict=True):
        if one.published is None or not one.published.is_from_here:
            continue
        both = one.published.figures.merge(issue.figures, on=KEY, how="left", suffixes=("_published", ""))
        for row in both.loc[both["value"].ne(both["value_published"])].to_dict("records"):
            key = key_of_row(row)
            now = "gone" if pd.isna(row["value"]) else f"{int(row['value']):,}"
            what = f"was published as {row['value_published']:,} and would be {now};"
            problems.append(Problem(f"issues/{one.name}, {key}", what, "publish a correction as a re-issue."))
    if problems:
        raise PublishedError("Figures at the address of an issue never change. No site was made.", problems)


def changed_since_published(planned: Sequence[PlannedIssue], issues: Sequence[SiteIssue]) -> Iterator[Problem]:
    """Yield a note for each issue that was published from here and whose files have changed since."""
    for one, issue in zip(planned, issues, strict=True):
        if one.published is None or one.published.manifest is None or not one.published.is_from_here:
            continue
        kept = read_manifest(one.published.manifest, f"data/published/{one.published.manifest.name}")
        if kept.outputs != issue.files:
            what = "was published with other pages; its figures are the same;"
            yield Problem(f"issues/{one.name}", what, f"run vip reproduce {one.name} to see what changed.")
