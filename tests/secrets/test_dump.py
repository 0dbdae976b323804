"""Who steals the database, a backup of it, the logs or the messages of the broker has no secret in his hands."""

from __future__ import annotations

import base64
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from celery import current_app
from kombu import Connection

from tests.lab.processes import find_program
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, WORKER, World, wait_for
from tests.secrets.planted import DOMAIN
from tests.secrets.test_worker_role import as_worker
from tests.smtp import Relay, a_relay, with_login


def forms(value: str) -> Iterator[bytes]:
    """As it is, as hexadecimal, percent-encoded, in JSON, and as base64 wherever it begins in what was encoded."""
    plain = value.encode()
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield quote(value, safe="").encode()
    yield json.dumps(value)[1:-1].encode()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        # The first and the last characters depend on what stands beside.
        inner = whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def found_in(dump: bytes, secrets: dict[str, str]) -> set[str]:
    return {name for name, value in secrets.items() if any(form in dump for form in forms(value))}


def dumps_of(world: World) -> Iterator[tuple[str, bytes]]:
    if world.mode == "embedded":
        with closing(sqlite3.connect(world.data / "fedisec.sqlite3")) as connection:
            yield "dump", "\n".join(connection.iterdump()).encode("utf-8", "surrogatepass")
        for path in world.data.glob("fedisec.sqlite3*"):
            yield path.name, path.read_bytes()
        return
    program = find_program("pg_dump", "postgresql", "usr/lib/postgresql/*/bin/pg_dump")
    argv = [program, "--inserts", world.database]
    yield "pg_dump", subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout


@pytest.mark.wide
@pytest.mark.timeout(240)
def test_a_dump_holds_no_secret(make_world: MakeWorld, mode: str) -> None:
    world = make_world(mode, begin="prepared")
    secrets: dict[str, str] = json.loads(world.module("tests.secrets.planted"))
    assert len(secrets) > 25 and all(
        len(value) >= 15 for name, value in secrets.items() if "recovery" not in name
    )
    controls = {name for name in secrets if name.startswith("control")}
    seen: set[str] = set()
    for name, dump in dumps_of(world):
        found = found_in(dump, secrets)
        assert found <= controls, f"{name}: {found - controls}"
        seen |= found
    assert seen == controls


def test_the_search_finds_every_form() -> None:
    value = "planted?value&of/it"
    for text in (
        value,
        value.encode().hex(),
        quote(value, safe=""),
        "x" + base64.b64encode(b"12" + value.encode()).decode(),
    ):
        assert found_in(f"INSERT {text};".encode(), {"it": value}), text
    assert not found_in(b"planted?value&of/another", {"it": value})


def test_every_message_holds_numbers_alone() -> None:
    """What anybody could put on the broker does no more than start a job that the database knows."""
    current_app.loader.import_default_modules()
    ours = {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
    assert set(ours) == {"fedisec.run_scan", "fedisec.send_mail", "fedisec.fetch_feed"}
    for task in ours.values():
        taken = {k: v for k, v in task.run.__annotations__.items() if k != "return"}
        assert list(taken.values()) == ["int"]
    assert current_app.conf.accept_content == ["json"] == [current_app.conf.task_serializer]


class Ears(threading.Thread):
    """Everything that Redis is told."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.heard: list[str] = []
        self._client = redis.Redis.from_url(url, socket_timeout=None)
        self._monitor = self._client.monitor()  # type: ignore[no-untyped-call]  # the library has no types here
        self._monitor.__enter__()

    def run(self) -> None:
        with suppress(redis.exceptions.RedisError, ValueError, OSError, AttributeError):
            while True:
                self.heard.append(self._monitor.next_command()["command"])

    def stop(self) -> None:
        self._monitor.connection.disconnect()
        self.join(5)
        self._client.close()


@pytest.fixture
def relay_with_password() -> Iterator[tuple[Relay, int]]:
    with a_relay(**with_login("me", "planted-relay-password"), auth_require_tls=False) as found:
        yield found


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.timeout(400)
def test_logs_messages_and_processes_hold_no_secret(
    make_world: MakeWorld, relay_with_password: tuple[Relay, int], tmp_path: Path
) -> None:
    relay, port = relay_with_password
    world = make_world("grown", begin="fallen", FEDISEC_CONFIRM_AFTER="0")
    secrets: dict[str, str] = json.loads(world.module("tests.secrets.planted"))
    world.module("tests.secrets.tool", "relay", str(port), "planted-relay-password")
    secrets["password of the relay"] = "planted-relay-password"
    url = as_worker(world.env["DATABASE_URL"])
    world.env["FEDISEC_WORKER_DATABASE_URL"] = url
    world.manage("prepare")
    ears = Ears(world.env["REDIS_URL"])
    ears.start()
    poison(world.env["REDIS_URL"], tmp_path / "unpickled")
    world.start(*WORKER, "-c", "1", DATABASE_URL=url)
    world.start("manage.py", "ticker")
    world.tool("ask", DOMAIN)
    # An alarm, the link for a new password and an invitation, each written by the worker's role.
    wait_for(lambda: len(relay.taken) >= 3, 60, f"mails\n{world.log()}")
    assert "denied" not in world.log()
    unfinished = "SELECT count(*) FROM scans_scan WHERE state != 'done'"
    wait_for(lambda: world.one(unfinished) == 0, 60, f"all scans\n{world.log()}")
    processes = b"\n".join(of_processes(world))
    ears.stop()
    words = "\n".join(ears.heard)
    hidden = {name: value for name, value in secrets.items() if not name.startswith("control")}
    for what in (world.log().encode(), words.encode(), processes):
        assert found_in(what, hidden) == set()
    assert "fedisec.run_scan" in words and "fedisec.send_mail" in words
    told = list(arguments(ears.heard))
    assert told and all(len(args) == 1 and type(args[0]) is int for args in told)
    assert not (tmp_path / "unpickled").exists()


def of_processes(world: World) -> Iterator[bytes]:
    """Command lines and environments, of the children too."""
    for process in world.processes:
        task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for pid in (process.pid, *map(int, task.read_text().split())):
            yield Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def arguments(heard: list[str]) -> Iterator[list[object]]:
    """Of each message of ours that was put on a queue."""
    for command in heard:
        verb, _, rest = command.partition(" ")
        if verb.upper() != "LPUSH" or '"task": "fedisec.' not in rest.replace("\\", ""):
            continue
        message = json.loads(
            rest[rest.index("{") :].encode().decode("unicode_escape")
            if "\\" in rest
            else rest[rest.index("{") :]
        )
        ours = message["headers"].get("task") in {
            "fedisec.run_scan",
            "fedisec.send_mail",
            "fedisec.fetch_feed",
        }
        if ours and message["headers"].get("origin") != "poison":
            yield json.loads(base64.b64decode(message["body"]))[0]


class _Bomb:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self._path}",)


def poison(url: str, path: Path) -> None:
    """What a worker may find on its queue, from somebody who has the broker's password."""
    with Connection(url) as connection:
        producer = connection.Producer()
        for number, (task, args) in enumerate(
            (
                ("fedisec.unknown", (1,)),
                ("fedisec.run_scan", (10**12,)),
                ("fedisec.send_mail", (10**12,)),
                ("fedisec.fetch_feed", (10**12,)),
                ("fedisec.run_scan", ("1; DROP TABLE scans_scan",)),
                ("fedisec.run_scan", (10**30,)),
                ("fedisec.send_mail", ({"host": "evil.example"},)),
                ("fedisec.run_scan", (1, 2, 3)),
            )
        ):
            headers = {
                "task": task,
                "id": f"poison-{number}",
                "lang": "py",
                "origin": "poison",
                "root_id": None,
            }
            producer.publish([list(args), {}, {}], routing_key="outside", headers=headers, serializer="json")
        bomb = pickle.dumps([[1], {"x": _Bomb(path)}, {}])
        headers = {
            "task": "fedisec.run_scan",
            "id": "poison-p",
            "lang": "py",
            "origin": "poison",
            "root_id": None,
        }
        producer.publish(
            bomb, routing_key="outside", headers=headers,
            content_type="application/x-python-serialize", content_encoding="binary",
        )  # fmt: skip
        producer.publish(
            "no json {", routing_key="outside", content_type="application/json", content_encoding="utf-8"
        )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"FEDISEC_SECRET_KEY": "short"}, "FEDISEC_SECRET_KEY must have 50 characters or more"),
        (
            {"FEDISEC_SECRET_KEY": "", "DATABASE_URL": "postgres://u@h/x"},
            "DATABASE_URL needs FEDISEC_SECRET_KEY",
        ),
        ({"FEDISEC_SECRET_KEY": "django-insecure-" + "x" * 60}, "FEDISEC_SECRET_KEY is a sample"),
        ({"FEDISEC_SECRET_KEY": "x" * 60}, "FEDISEC_SECRET_KEY is a sample"),
        ({"FEDISEC_HOSTS": "*"}, "FEDISEC_HOSTS must name hosts"),
        ({"FEDISEC_SECRET_KEY_FILE": "/nowhere"}, "FEDISEC_SECRET_KEY_FILE: cannot read /nowhere"),
    ],
)
def test_a_start_without_good_settings_is_refused(given: dict[str, str], words: str, tmp_path: Path) -> None:
    base = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("FEDISEC", "DATABASE", "REDIS"))
    }
    key = {"FEDISEC_SECRET_KEY": "only for tests " * 5}
    env = base | {"FEDISEC_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "fedisec.settings"} | key | given
    for argv in (("manage.py", "web"), ("-m", "celery", "-A", "fedisec", "worker")):
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert words in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
