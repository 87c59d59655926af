"""Fetch the deliveries of a project, if they are in an object store or a database."""

from __future__ import annotations

from pathlib import Path

from viputils.config.project import Project
from viputils.config.tables import schemas_of
from viputils.core.urls import is_database
from viputils.records.remote import database, objectstore
from viputils.records.remote.mirror import mirrored, unreadable


def deliveries_folder(project: Project) -> Path:
    """Return the folder to read the deliveries from, one folder in it for each day of receipt.

    Deliveries at an address are fetched first, once for each opened project.

    Raises
    ------
    DeliveryError
        If the place does not exist or cannot be reached, or its files changed since they were fetched.
    """
    source, folder = project.source, project.raw
    if not source.is_address:
        if source.is_elsewhere and not folder.is_dir():
            raise unreadable(source.shown, "is not a folder here;", "name the folder with the deliveries.")
        return folder
    if not source.is_fetched:
        if is_database(source.given):
            offered = database.offered_files(source.given, source.shown, source.root, schemas_of(project.program))
        else:
            offered = objectstore.offered_files(source.given, source.shown)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Records from a protected place must not get into a repository.
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8", newline="")
        mirrored(folder, source.shown, offered)
        source.is_fetched = True
    return folder
