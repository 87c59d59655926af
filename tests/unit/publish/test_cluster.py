"""What travels to the workers of a cluster."""

from __future__ import annotations

import io
import tarfile

from viputils.config.project import Project
from viputils.publish.cluster import packed


def test_workers_get_the_texts_of_a_project_but_not_its_lists_of_private_details_or_file_modes(
    whole_project: Project,
) -> None:
    allowed = [whole_project.report / "texts.allowed.toml", whole_project.report / "activities/2023-11.allowed.toml"]
    for path in allowed:
        path.write_text("# a private detail\n", encoding="utf-8")
    (whole_project.root / "data" / "elsewhere.csv").write_text("a,b\n", encoding="utf-8")
    text = whole_project.report / "introduction.md"
    sent = packed(whole_project)
    with tarfile.open(fileobj=io.BytesIO(sent)) as archive:
        entries = {entry.name.rpartition("/own/")[2] or entry.name: entry for entry in archive.getmembers()}
    names = {name.removeprefix("./of/its/") for name in entries}
    assert {"program.toml", "report/introduction.md", "report/activities/2023-11.md"} <= names
    assert not [name for name in names if "allowed" in name or "elsewhere" in name or name.startswith("data/raw/")]
    assert {entry.mode for entry in entries.values()} == {0o700, 0o600}
    text.chmod(0o755)
    assert packed(whole_project) == sent
