"""`manage.py up`: one clear line when it cannot start, children kept alive, a clean stop."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, World, children_of, command_line, is_alive, wait_for

pytestmark = pytest.mark.timeout(120)


def refused(world: World, **env: str) -> str:
    """What `up` says when it cannot start: exit code 1, no traceback, one line."""
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT, env={**world.env, **env}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1, said
    return said.strip()


def stopped(
    world: World, process: subprocess.Popen[bytes], how: signal.Signals, within_s: float = 20
) -> None:
    pids = everyone(process.pid)
    began = time.monotonic()
    process.send_signal(how)
    assert process.wait(within_s + 5) == 0
    assert time.monotonic() - began < within_s
    assert not [pid for pid in pids if is_alive(pid)]
    assert "Traceback" not in world.log(), world.log()


def everyone(pid: int) -> list[int]:
    """All descendants."""
    found = children_of(pid)
    return found + [below for child in found for below in everyone(child)]


def child(parent: int, word: str) -> int:
    return next(pid for pid in children_of(parent) if word in command_line(pid))


def test_it_starts_answers_and_stops(mode: str, make_world: MakeWorld) -> None:
    world = make_world(mode)
    process = world.up()
    names = ["web", "ticker"] + (["runner"] * 2 if mode == "embedded" else ["worker"])
    wait_for(lambda: len(children_of(process.pid)) == len(names), 10, "all children")
    wait_for(lambda: all(command_line(pid)[1:] for pid in children_of(process.pid)), 10, "their programs")
    lines = [command_line(pid) for pid in children_of(process.pid)]
    assert sorted(names) == sorted(name for line in lines for name in names[:3] if name in line)
    time.sleep(1.5)
    stopped(world, process, signal.SIGINT)


def test_the_set_up_link_is_printed_while_there_is_no_account(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    stopped(world, world.up(), signal.SIGTERM)
    link = re.search(rf"{re.escape(world.url)}/setup/\S{{40,}}/", world.log())
    assert link is not None
    world.tool("add", "0", "n1.example")
    world.log_file().unlink()
    stopped(world, world.up(), signal.SIGTERM)
    assert "/setup/" not in world.log()
    assert world.url in world.log()


def test_a_second_start_is_quick(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    stopped(world, world.up(), signal.SIGTERM)
    collected = (world.data / "static" / "staticfiles.json").stat().st_mtime_ns
    process = world.up()
    # Time of the processor, because this machine may be busy with other things.
    assert sum(map(processor_s, [process.pid, child(process.pid, "web")])) < 5
    assert (world.data / "static" / "staticfiles.json").stat().st_mtime_ns == collected


def processor_s(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_nobody_else_may_read_the_data(make_world: MakeWorld) -> None:
    world = make_world("embedded", FEDISEC_SECRET_KEY="")
    before = os.umask(0)
    try:
        world.up()
    finally:
        os.umask(before)
    files = [world.data, *(p for p in world.data.iterdir() if p.name not in {"log.txt", "looks.txt"})]
    assert {"secret.key", "fedisec.sqlite3", "up.lock"} <= {path.name for path in files}
    assert not [path.name for path in files if path.stat().st_mode & 0o077]


def test_a_second_up_says_that_there_is_one(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    process = world.up()
    assert refused(world) == f"fedisec: already running (pid {process.pid})"
    assert world.answers()


def test_a_taken_port_is_named(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    with socket.create_server(("127.0.0.1", world.port)):
        said = refused(world)
    assert said == f"fedisec: port {world.port} is in use by another program; set PORT to a free one"
    assert not (world.data / "fedisec.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("FEDISEC_DATA", "/proc/nowhere", "/proc/nowhere"),
        ("FEDISEC_DATA", "/dev/null/x", "/dev/null/x"),
        ("PORT", "http", "PORT must be"),
        ("FEDISEC_TRUST_CA", "/nowhere.pem", "/nowhere.pem"),
        ("FEDISEC_LISTEN_FD", "99", "FEDISEC_LISTEN_FD"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "REDIS_URL needs DATABASE_URL"),
    ],
)
def test_a_setting_that_does_not_work_is_one_clear_line(
    make_world: MakeWorld, name: str, value: str, word: str
) -> None:
    assert word in refused(make_world("embedded"), **{name: value})


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to be somebody else")
def test_a_folder_that_may_not_be_written_is_one_clear_line(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded", FEDISEC_SECRET_KEY="")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    # Root may write anywhere; without its capabilities it may not.
    program = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"]
    os.chown(locked, 65534, 65534)
    done = subprocess.run(
        [*program, sys.executable, "manage.py", "up"],
        cwd=ROOT, env={**world.env, "FEDISEC_DATA": str(locked / "var")}, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Permission denied" in done.stderr and str(locked) in done.stderr


@pytest.mark.parametrize("word", ["web", "ticker", "runner"])
def test_a_killed_child_is_started_again(make_world: MakeWorld, word: str) -> None:
    world = make_world("embedded", FEDISEC_RUNNERS="1")
    parent = world.up().pid
    wait_for(lambda: any(word in command_line(pid) for pid in children_of(parent)), 10, word)
    killed = child(parent, word)
    os.kill(killed, signal.SIGKILL)
    wait_for(
        lambda: any(word in command_line(pid) and pid != killed for pid in children_of(parent)),
        10,
        "a new one",
    )
    assert f"{word} " in world.log() and "ended with code -9; it starts again in 1 s" in world.log()
    wait_for(world.answers, 10, "an answer")


def test_children_do_not_outlive_a_killed_parent(mode: str, make_world: MakeWorld) -> None:
    world = make_world(mode)
    process = world.up()
    time.sleep(2)
    family = everyone(process.pid)
    assert len(family) >= 3
    process.kill()
    wait_for(lambda: not [pid for pid in family if is_alive(pid)], 15, "all to be gone")
    wait_for(lambda: world.up().poll() is None, 15, "a new start")


def test_an_inherited_socket_is_served(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        world.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        fd = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, pass_fds=(fd,), stdout=subprocess.DEVNULL,
            env={**world.env, "FEDISEC_LISTEN_FD": str(fd)}, start_new_session=True,
        )  # fmt: skip
        world.processes.append(process)
        wait_for(world.answers, 20, "an answer")


def test_half_sent_requests_keep_nobody_out(make_world: MakeWorld) -> None:
    world = make_world("embedded")
    world.up()
    held = []
    try:
        for _ in range(150):
            connection = socket.create_connection(("127.0.0.1", world.port), timeout=5)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
            held.append(connection)
        began = time.monotonic()
        assert world.answers()
        assert time.monotonic() - began < 10  # held connections are closed after 30 s
    finally:
        for connection in held:
            connection.close()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_ctrl_c_under_make_is_clean(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world("embedded")
    makefile = tmp_path / "Makefile"
    # The recipe of the real Makefile, without the environment it makes first.
    recipe = re.search(r"^run:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    makefile.write_text(f'PY := "{sys.executable}"\nrun:\n{recipe[1]}')
    with world.log_file().open("ab") as log:
        process = subprocess.Popen(
            ["make", "-f", str(makefile), "run"],
            cwd=ROOT, env=world.env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    world.processes.append(process)
    wait_for(world.answers, 30, f"an answer\n{world.log()}")
    family = everyone(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    assert process.wait(30) in {0, 2, 130, -signal.SIGINT}
    wait_for(lambda: not [pid for pid in family if is_alive(pid)], 5, "all to be gone")
    assert "Traceback" not in world.log()
