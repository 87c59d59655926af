"""Pages for tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from viputils.navigation import file_of
from viputils.pages import Page
from viputils.project import Project
from viputils.render import Engine
from viputils.site import write_page, write_settings


def page_made(project: Project, page: Page | None, engine: Engine) -> Path:
    """Make one page as the site does, without links to others."""
    assert page is not None
    root = project.root / "made"
    shutil.rmtree(root, ignore_errors=True)
    file = file_of(page.place)
    write_page(root, file, page)
    write_settings(project, root)
    return engine.render_site(root) / file
