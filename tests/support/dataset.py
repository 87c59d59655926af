"""Read the description of its data that a page has for programs, and check it against schema.org."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from tests.support.site import soup_of

# The properties of https://schema.org/Dataset that we use, with those it inherits from CreativeWork and Thing.
_DATASET = {
    "@context", "@type", "name", "description", "url", "inLanguage", "license", "isAccessibleForFree", "creator",
    "publisher", "temporalCoverage", "spatialCoverage", "variableMeasured", "isBasedOn", "dateModified",
    "datePublished", "distribution", "subjectOf",
}  # fmt: skip
_DOWNLOAD = {"@type", "name", "encodingFormat", "contentUrl", "sha256", "temporalCoverage"}
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")


def dataset_of(page: Path) -> Any:
    """Return the one description of data on a page."""
    (node,) = soup_of(page).find_all("script", type="application/ld+json")
    assert node.parent is not None
    assert node.parent.name == "head"
    return json.loads(node.get_text())


def faults_of(dataset: Any) -> list[str]:
    """Return what search engines for data would refuse or warn of.

    https://developers.google.com/search/docs/appearance/structured-data/dataset: a name, a description of 50 to 5,000
    characters; recommended are the others.
    """
    faults = [f"{name} is no property" for name in dataset.keys() - _DATASET]
    if (dataset.get("@context"), dataset.get("@type")) != ("https://schema.org/", "Dataset"):
        faults.append("is no Dataset")
    faults += [f"no {name}" for name in ("name", "license", "variableMeasured") if not dataset.get(name)]
    if not 50 <= len(dataset.get("description", "")) <= 5000:
        faults.append("description")
    faults += [f"license {one}" for one in _several(dataset.get("license")) if not one.startswith("https://")]
    for role in ("creator", "publisher"):
        if dataset.get(role, {}).get("@type") != "Organization" or not dataset[role].get("name"):
            faults.append(role)
    if dataset.get("isAccessibleForFree") is not True:
        faults.append("isAccessibleForFree")
    faults += [] if _is_span(dataset.get("temporalCoverage")) else ["temporalCoverage"]
    faults += ["no distribution"] if not dataset.get("distribution") else []
    for one in dataset.get("distribution", []):
        faults += [f"{name} is no property of a download" for name in one.keys() - _DOWNLOAD]
        if one.get("@type") != "DataDownload" or not one.get("contentUrl") or "/" not in one.get("encodingFormat", ""):
            faults.append(f"distribution {one}")
        if "temporalCoverage" in one and not _is_span(one["temporalCoverage"]):
            faults.append(f"temporalCoverage {one}")
    return faults


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _is_span(text: Any) -> bool:
    found = _SPAN.fullmatch(text or "")
    return found is not None and dt.date.fromisoformat(found[1]) <= dt.date.fromisoformat(found[2])
