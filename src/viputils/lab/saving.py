"""What JupyterLab saves: notebooks that git keeps without outputs stay without them, so opening one changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from viputils.core.git import committed

# How JupyterLab is told of it.
OPTION: Final = "--ContentsManager.pre_save_hook=viputils.lab.saving.without_outputs"
# What JupyterLab notes in a cell while it runs.
_OF_A_RUN: Final = ("execution", "scrolled", "collapsed", "trusted", "jupyter", "ExecuteTime")


def without_outputs(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
    """Take the outputs out of a notebook that JupyterLab is about to save, if git keeps it without outputs.

    A notebook that is saved under another name keeps its outputs.
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    kept = _committed(Path(contents_manager.root_dir) / path)
    if kept is None or any(cell.get("outputs") for cell in kept["cells"]):
        return
    before = {cell.get("id"): cell["metadata"] for cell in kept["cells"]}
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        metadata, had = cell["metadata"], before.get(cell.get("id"), {})
        for name in _OF_A_RUN:
            if name not in had:
                metadata.pop(name, None)
    # The kernel of this machine is not that of the next one.
    model["content"]["metadata"] = kept["metadata"]


def _committed(path: Path) -> Any | None:
    """Return the notebook that git keeps, or None if there is none."""
    import nbformat

    content = committed(path)
    try:
        return None if content is None else nbformat.reads(content.decode("utf-8"), as_version=4)
    except (UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError):
        return None
