"""A page on loopback: one address, nothing to change, made again only when it is old."""

import http.client
from collections.abc import Iterator
from threading import Thread

import pytest

from naokit.base import InputError
from naokit.cli import report_serve
from naokit.cli.report_serve import server_of

MADE: list[int] = []


def made() -> str:
    MADE.append(1)
    return f"page {len(MADE)}"


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server."""
    MADE.clear()
    with server_of(made, 0) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def answer(port: int, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, headers=headers)
    found = connection.getresponse()
    text = found.read().decode()
    connection.close()
    return found.status, text


def test_the_page_is_shown_and_not_made_again_at_once(port: int) -> None:
    assert answer(port) == (200, "page 1")
    assert answer(port, Host="localhost") == (200, "page 1")


def test_an_old_page_is_made_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_serve, "FRESH", 0.0)
    assert [answer(port)[1], answer(port)[1]] == ["page 1", "page 2"]


@pytest.mark.parametrize("path", ["/study.db", "/../settings.json", "/?x=1"])
def test_nothing_else_is_answered(port: int, path: str) -> None:
    assert answer(port, path)[0] == 404
    assert MADE == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert answer(port, method=method)[0] == 501


def test_what_is_wrong_with_the_run_is_an_answer() -> None:
    def failing() -> str:
        raise InputError("<b> is gone")

    with server_of(failing, 0) as server:
        Thread(target=server.handle_request).start()
        status, text = answer(server.server_address[1])
    assert (status, "<b>" in text) == (503, False)


def test_a_name_that_leads_here_by_a_strangers_doing_is_refused(port: int) -> None:
    assert answer(port, Host=f"evil.example:{port}")[0] == 404


def test_only_this_machine_is_answered() -> None:
    with server_of(made, 0) as server:
        assert server.server_address[0] == "127.0.0.1"
