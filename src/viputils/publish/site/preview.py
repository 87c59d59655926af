"""Preview of the site: served on this machine only, and made again after every change."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from viputils.config.page_settings import SETTINGS, named_files
from viputils.config.project import Project
from viputils.core.errors import ParameterError, Problem, VipError

HOST: Final = "127.0.0.1"
# A page asks this address whether it is up to date, and reloads if not.
_STATE: Final = "/.state"
# In seconds. A look takes a few milliseconds.
_LOOK_EVERY: Final = 0.4
# Shown until the site has been made for the first time.
_NOTHING_YET: Final = (
    b"<!DOCTYPE html><html lang=en><title>Not made yet</title><body><p>Not made yet.</p></body></html>"
)
_RELOAD: Final = b"""<script>
(async () => {
  const state = async () => (await fetch("/.state", { cache: "no-store" })).text();
  try {
    const first = await state();
    for (;;) {
      await new Promise((done) => setTimeout(done, 1000));
      if ((await state()) !== first) {
        location.reload();
        return;
      }
    }
  } catch {
    // The preview has ended.
  }
})();
</script>
</body>"""


class Server(ThreadingHTTPServer):
    """Serves a folder on the loopback address.

    Attributes
    ----------
    state
        How often the site was made. A page that was loaded in another state reloads.
    """

    daemon_threads = True
    state = 0

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__((HOST, port), partial(_Handler, directory=str(folder)))
        self.folder = folder

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that close the connection; print any other error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """The address of the home page."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(SimpleHTTPRequestHandler):
    # In seconds. A browser may open a connection and never use it. Its thread ends then.
    timeout = 30.0

    def do_HEAD(self) -> None:
        """Refuse HEAD requests."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        server = cast("Server", self.server)
        if not _is_own(self.headers.get("Host", "")):
            # Otherwise another site whose name resolves to this machine could read the pages.
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif path == _STATE:
            self._send(HTTPStatus.OK, "text/plain", str(server.state).encode())
        else:
            try:
                self._page_or_file(server, path)
            except OSError:  # No file has such a name.
                self._send(HTTPStatus.NOT_FOUND, "text/html; charset=utf-8", _reloading(_NOTHING_YET))

    def _page_or_file(self, server: Server, path: str) -> None:
        file = Path(self.translate_path(self.path))
        if file.is_dir() and path.endswith("/"):
            file /= "index.html"
        if file.is_dir():
            super().do_GET()  # Redirects to the address with a slash at the end.
        elif file.suffix == ".html" and file.is_file():
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", _reloading(file.read_bytes()))
        elif file.is_file():
            super().do_GET()
        else:
            missing = server.folder / "404.html"
            page = _reloading(missing.read_bytes() if missing.is_file() else _NOTHING_YET)
            self._send(HTTPStatus.NOT_FOUND, "text/html; charset=utf-8", page)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name in the base class
        """Do not log requests."""


def _is_own(host: str) -> bool:
    return host.rpartition(":")[0] in (HOST, "localhost") or host in (HOST, "localhost")


def _reloading(page: bytes) -> bytes:
    return page.replace(b"</body>", _RELOAD, 1)


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Server]:
    """Serve a folder while the block runs. Port 0 means any free port.

    Raises
    ------
    ParameterError
        If the port is taken.
    """
    try:
        server = Server(folder, port)
    except OSError as error:
        problem = Problem(
            "--port", f"{port}: {error.strerror or error};", "choose another port, or 0 for any free one."
        )
        raise ParameterError("The site cannot be served on this port.", [problem]) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def watched(project: Project) -> list[Path]:
    """Return the files and folders that the site is made from and that people edit."""
    places = [project.root / "program.toml", project.root / "data", project.report, project.notebook.parent]
    places += [project.pages / SETTINGS, project.pages / "report"]
    with suppress(VipError):  # Making the site reports what is wrong with them.
        places += [project.pages / name for name in named_files(project.pages)]
    return list(dict.fromkeys(places))


def follow(project: Project, make: Callable[[], None]) -> None:
    """Call ``make`` now, and again after every change of the site's inputs, until Ctrl-C.

    The files are looked at before each call, so a file that is saved while the site is being made counts as a change.
    """
    seen: dict[Path, tuple[int, int, int]] | None = None
    while True:
        now = _state(project)
        if now == seen:
            time.sleep(_LOOK_EVERY)
            continue
        if seen is not None:
            # An editor or git may still be writing other files.
            time.sleep(_LOOK_EVERY)
            if _state(project) != now:
                continue
        seen = now
        make()


def _state(project: Project) -> dict[Path, tuple[int, int, int]]:
    """Return the time, size and inode of every file, which tell whether it has changed."""
    found = {}
    for place in watched(project):
        for path in [place, *place.rglob("*")]:
            inside = path.relative_to(place).parts
            if any(part.startswith(".") or part.endswith((".lock", "~")) for part in inside):
                continue
            with suppress(OSError):  # It has just been deleted.
                known = path.stat()
                if not path.is_dir():
                    found[path] = (known.st_mtime_ns, known.st_size, known.st_ino)
    return found
