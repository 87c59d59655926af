"""A look at the site before it goes online: served on this machine alone, and made again when something changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from viputils.errors import ParameterError, Problem
from viputils.project import Project

HOST: Final = "127.0.0.1"
# A page asks at this address whether it is still the newest, and is loaded again where it is not.
_STATE: Final = "/.state"
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
        How often the site was made; a page that was loaded at another state loads itself again.
    """

    daemon_threads = True
    state = 0

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__((HOST, port), partial(_Handler, directory=str(folder)))
        self.folder = folder

    @property
    def address(self) -> str:
        """Where the home page is."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        server = cast("Server", self.server)
        if not _is_own(self.headers.get("Host", "")):
            # Another site's name that leads here would let that site read the pages.
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif path == _STATE:
            self._send(HTTPStatus.OK, "text/plain", str(server.state).encode())
        else:
            self._page_or_file(server, path)

    def _page_or_file(self, server: Server, path: str) -> None:
        file = Path(self.translate_path(self.path))
        if file.is_dir() and path.endswith("/"):
            file /= "index.html"
        if file.is_dir():
            super().do_GET()  # It sends people to the address with a stroke at its end.
        elif file.suffix == ".html" and file.is_file():
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", _reloading(file.read_bytes()))
        elif file.is_file():
            super().do_GET()
        else:
            missing = server.folder / "404.html"
            page = _reloading(missing.read_bytes()) if missing.is_file() else b"Not found"
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
        """Say nothing of every request; the terminal is for what was made, and what is wrong."""


def _is_own(host: str) -> bool:
    return host.rpartition(":")[0] in (HOST, "localhost") or host in (HOST, "localhost")


def _reloading(page: bytes) -> bytes:
    return page.replace(b"</body>", _RELOAD, 1)


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Server]:
    """Serve a folder while the block runs; port 0 is any that is free.

    Raises
    ------
    ParameterError
        Where the port is taken.
    """
    try:
        server = Server(folder, port)
    except OSError as error:
        problem = Problem(
            "--port", f"{port}: {error.strerror or error};", "say another one, or 0 for any that is free."
        )
        raise ParameterError("The site cannot be served there.", [problem]) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def watched(project: Project) -> list[Path]:
    """Give what the site is made from, as far as people change it."""
    places = [project.root / "program.toml", project.root / "data", project.report, project.notebook.parent]
    places += [project.pages / "_quarto.yml", project.pages / "report"]
    return [path for path in dict.fromkeys(places) if path.exists()]


def follow(project: Project, on_change: Callable[[], None], stop: threading.Event | None = None) -> None:
    """Call ``on_change`` after every change of what the site is made from, until ``stop`` or Ctrl-C."""
    from watchfiles import DefaultFilter, watch

    paths = watched(project)
    ignore = DefaultFilter(ignore_entity_patterns=[*DefaultFilter.ignore_entity_patterns, r"^\..*", r".*\.lock$"])
    for _ in watch(*paths, watch_filter=ignore, stop_event=stop, raise_interrupt=True):
        on_change()
