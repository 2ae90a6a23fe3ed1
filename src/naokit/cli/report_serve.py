"""Shows the page of a run on this machine alone: for those whose browser is elsewhere, by a tunnel.

Nothing can be changed by it: it answers one address, reads the run, and writes no file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from naokit.base import InputError

LOOPBACK = "127.0.0.1"
NAMES = ("localhost", LOOPBACK, "[::1]")
"""What a browser may call this machine: another name is that of a stranger's page (rebinding)."""
FRESH = 5.0
"""For so many seconds a page is not made again."""


class Pages:
    """The page, made again where it is older than `FRESH`.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        self._make, self._lock = make, Lock()
        self._page, self._made = b"", -FRESH

    def get(self) -> bytes:
        """The page."""
        with self._lock:
            if time.monotonic() - self._made >= FRESH:
                self._page = self._make().encode()
                self._made = time.monotonic()
            return self._page


class _Handler(BaseHTTPRequestHandler):
    """Answers GET / with the page, and nothing else."""

    def __init__(self, pages: Pages, *given: object) -> None:
        self.pages = pages
        super().__init__(*given)  # type: ignore[arg-type]  # request, address and server

    def do_GET(self) -> None:
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if self.path != "/" or name not in NAMES:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            page = self.pages.get()
        except InputError as error:  # the run is being written, or is gone
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain=str(error))
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *given: object) -> None:
        """Says nothing: a page that is loaded every few seconds would fill the terminal."""


def server_of(make: Callable[[], str], port: int) -> ThreadingHTTPServer:
    """A server of a page on loopback, ready to serve.

    Args:
        make: Makes the page.
        port: The port; with 0 the system chooses a free one.

    Raises:
        OSError: The port is taken.
    """
    return ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, Pages(make)))
