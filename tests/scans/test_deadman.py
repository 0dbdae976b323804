"""A sign of life for somebody else's watch: at most one a minute, and no trouble of theirs is ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django import Settings

from fedisec.scans import deadman
from fedisec.scans.deadman import DeadMan


class Watch(ThreadingHTTPServer):
    """Notes who calls; answers with `status`, once `may_answer` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.calls: list[tuple[str, str]] = []
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()


class _Call(BaseHTTPRequestHandler):
    server: Watch

    def do_GET(self) -> None:
        self.server.calls.append((self.command, self.path))
        self.server.may_answer.wait(10)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def watch(settings: Settings) -> Iterator[Watch]:
    made = Watch()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    settings.ALLOW_NETWORKS = ("127.0.0.0/8",)
    settings.DEADMAN_URL = f"http://127.0.0.1:{made.server_port}/ping/abc"
    yield made
    made.may_answer.set()
    made.shutdown()
    thread.join()
    made.server_close()


def test_without_an_address_there_is_no_sign(settings: Settings) -> None:
    settings.DEADMAN_URL = ""
    dead_man = DeadMan()
    dead_man.alive()
    assert dead_man._thread is None


def test_one_sign_a_minute(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_man = DeadMan()
    for _ in range(3):
        dead_man.alive()
        dead_man.join()
    assert watch.calls == [("GET", "/ping/abc")]
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    dead_man.alive()
    dead_man.join()
    assert len(watch.calls) == 2


def test_a_watch_that_does_not_answer_delays_nobody_and_is_called_once(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadman, "EVERY_S", 0.0)
    watch.may_answer.clear()
    dead_man = DeadMan()
    for _ in range(5):
        dead_man.alive()
    assert dead_man._thread is not None and dead_man._thread.is_alive()
    watch.may_answer.set()
    dead_man.join()
    assert len(watch.calls) == 1


def test_what_goes_wrong_is_said_once_and_without_the_address(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deadman, "EVERY_S", 0.0)
    dead_man = DeadMan()
    for status in (500, 404, 200, 200):
        watch.status = status
        dead_man.alive()
        dead_man.join()
    said = [record.getMessage() for record in caplog.records if record.name == deadman.log.name]
    assert len(said) == 2
    assert "status 500" in said[0] and "again" in said[1]
    assert "abc" not in caplog.text


def test_the_address_rule_holds_for_it(
    watch: Watch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOW_NETWORKS = ()
    dead_man = DeadMan()
    dead_man.alive()
    dead_man.join()
    assert watch.calls == []
    assert "forbidden_address" in caplog.text
