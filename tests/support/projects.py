"""Projects for tests: a copy of the repository's own, and a small town."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from viputils.config.project import Project
from viputils.records.checksums import checksum

REPOSITORY = Path(__file__).resolve().parents[2]

# One valid row of each table, received after November 2023. A test replaces the tables that it checks.
HEADERS: Mapping[str, str] = {
    "responses": "response_id,response_date,incident_type,area_command",
    "outreach": "operation_id,operation_date,area_command,kind,response_id,adults_assisted,children_assisted",
    "referrals": "referral_id,referral_date,service,operation_id,candidate_id",
    "reviews": "review_id,review_date,incidents_reviewed,persons_identified",
    "candidates": "candidate_id,received_date,source",
    "notifications": "notification_id,notified_date,candidate_id,outcome,community_leader_present",
    "engagements": "engagement_id,engaged_date,candidate_id,service",
    "voids": "void_id,voided_date,voided_table,voided_id",
}


Deliver = Callable[..., Path]

# Files that intake writes beside the tables of a delivery.
BESIDE_TABLES = ("SHA256SUMS", "coverage.csv", "origins.csv")


def copy_of_the_repository(root: Path) -> Path:
    for name in ("data", "notebooks", "report"):
        # Tests edit deliveries, which would not match their checksums.
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("SHA256SUMS", ".*"))
    for name in ("program.toml", "_quarto.yml"):
        shutil.copy(REPOSITORY / name, root)
    return root


def without_manifests(published: Path) -> None:
    """Remove the manifests from the register, as for issues that are known only in print."""
    for file in published.glob("*.manifest.json"):
        file.unlink()
    lines = (published / "index.csv").read_text(encoding="utf-8").splitlines()
    bare = [lines[0], *(f"{line.rpartition(',')[0]}," for line in lines[1:])]
    (published / "index.csv").write_text("\n".join(bare) + "\n", encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def town(root: Path) -> Path:
    """Return the repository's project in one language with one small delivery, so that issues are made quickly."""
    copy_of_the_repository(root)
    shutil.rmtree(root / "data")
    # The report has a part for activities, but no activities yet.
    shutil.rmtree(root / "report" / "activities")
    (root / "report" / "activities").mkdir()
    (root / "data" / "raw" / "2023-12-04").mkdir(parents=True)
    program = root / "program.toml"
    text = program.read_text(encoding="utf-8").replace('delivered = "monthly"', 'delivered = "irregularly"')
    # The data files count every month with records, so keep only one fiscal year.
    text = re.sub(r"(?m)^records_from = \S+", "records_from = 2023-07-01", text)
    program.write_text(re.sub(r"also_in = .*", "", text), encoding="utf-8")
    rows = {
        "responses": ["DEMO-R1,2023-11-02,DV,SE", "DEMO-R2,2023-10-07,Homicide,NE"],
        "reviews": ["DEMO-V1,2023-11-07,3,41"],
    }
    for table, header in HEADERS.items():
        if table != "voids":
            lines = "\n".join([header, *rows.get(table, [])]) + "\n"
            (root / "data" / "raw" / "2023-12-04" / f"{table}.csv").write_text(lines, encoding="utf-8", newline="")
    return root


def files_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): checksum(path) for path in folder.rglob("*") if path.is_file()}


def with_measures(project: Project, measures: str) -> Project:
    """Give a project more measures, as TOML."""
    path = project.root / "program.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("\n[report]\n") == 1
    path.write_text(text.replace("\n[report]\n", f"\n{measures}\n[report]\n"), encoding="utf-8")
    return Project.open(project.root)


def with_a_short_report(root: Path) -> Path:
    """Replace the report with a short notebook, for tests that do not check its content."""
    short = REPOSITORY / "tests" / "notebooks" / "short_report.ipynb"
    shutil.copy(short, root / "notebooks" / "monthly_report.ipynb")
    return root
