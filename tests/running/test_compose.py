"""docker-compose.yml: locked down as it should be, and its commands run."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
import redis
import yaml

from tests.lab.processes import MissingProgram, Server, answers, find_program
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, World, wait_for
from tests.smtp import free_port

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EMAIL, PASSWORD = "first@example.org", "a sentence nobody guesses 1"
OURS = ("web", "worker", "inside", "ticker")
ACL = "user default off\nuser fedisec on >5ecret ~* &* +@all -@admin -@dangerous +info\n"

services = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def test_every_part_is_there() -> None:
    assert set(SERVICES) == {*OURS, "redis", "postgres", "resolver"}


@services
def test_a_service_is_locked_down(service: dict[str, Any]) -> None:
    assert service["user"] not in {"", "root", "0", "0:0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert not [v for v in service.get("volumes", ()) if v.startswith(("/", ".", "~")) or "docker.sock" in v]


@services
def test_secrets_come_by_file(service: dict[str, Any]) -> None:
    for name, value in service.get("environment", {}).items():
        if re.search("SECRET|PASSWORD|DATABASE_URL|REDIS_URL", name):
            assert name.endswith("_FILE"), name
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    for secret in service.get("secrets", ()):
        assert COMPOSE["secrets"][secret]["file"].startswith("secrets/")


def test_only_the_dashboard_can_be_reached_and_only_from_this_machine() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert {name: found for name, found in ports.items() if found} == {"web": ["127.0.0.1:8000:8000"]}


def test_the_databases_see_nothing_of_the_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("redis", "postgres", "ticker"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_who_looks_at_strangers_holds_no_secret_of_others() -> None:
    held = {name: set(SERVICES[name]["secrets"]) for name in OURS}
    assert held["worker"] == {"worker_secret_key", "proof_key", "worker_database_url", "redis_url"}
    assert held["inside"] == {"secret_key", "keys", "proof_key", "worker_database_url", "redis_url"}
    assert "database_url" in held["web"] & held["ticker"]
    assert "-Q outside" in " ".join(SERVICES["worker"]["command"]) and "volumes" not in SERVICES["worker"]
    for name in ("worker", "inside"):
        assert SERVICES[name]["environment"]["DATABASE_URL_FILE"] == "/run/secrets/worker_database_url"
    assert not {"FEDISEC_KEY_FILE", "EMAIL_URL"} & set(SERVICES["worker"]["environment"])
    queues = [SERVICES[name]["command"][-5] for name in ("worker", "inside")]
    assert ",".join(queues).split(",") == ["outside", "inside", "mail"]  # each is taken by somebody


def test_redis_forgets_nothing() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_secrets_script_makes_what_compose_wants_and_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script = ["sh", str(ROOT / "tools" / "secrets.sh"), str(folder)]
    subprocess.run(script, check=True, timeout=10)
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert folder.stat().st_mode & 0o077 == 0
    assert len(made["secret_key"]) >= 50
    assert made["postgres_password"] in made["database_url"]
    assert made["postgres_password"] not in made["worker_database_url"]
    password = made["redis_url"].partition("fedisec:")[2].partition("@")[0]
    assert made["redis_conf"] == ACL.replace("5ecret", password) and len(password) == 64
    subprocess.run(script, check=True, timeout=10)
    assert made == {file.name: file.read_text() for file in folder.iterdir()}


def test_the_image_runs_as_nobody_special_and_holds_no_secret() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER fedisec" in last_stage
    assert not [line for line in lines if re.match(r"(ENV|ARG).*(SECRET|PASSWORD)", line)]
    assert any("--require-hashes" in line for line in lines)
    copied = [word for line in last_stage if line.startswith("COPY") for word in line.split()[1:-1]]
    assert all((ROOT / word).exists() for word in copied if not word.startswith(("--", "/")))
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {word for word in copied if not word.startswith(("--", "/"))} <= kept


@pytest.fixture
def redis_of_compose(tmp_path: Path) -> Iterator[str]:
    """Redis as the file starts it, with its password from a file; gives its URL."""
    config = tmp_path / "redis_conf"
    config.write_text(ACL)
    try:
        program = find_program("redis-server", "redis-server")
    except MissingProgram as error:
        pytest.skip(str(error))
    port, places = free_port(), {"/run/secrets/redis_conf": str(config), "/data": str(tmp_path)}
    argv = [program, *(places.get(word, word) for word in SERVICES["redis"]["command"][1:])]
    server = Server("Redis", [*argv, "--port", str(port), "--bind", "127.0.0.1"], tmp_path / "redis.log")
    server.wait_ready(lambda: answers("127.0.0.1", port))
    with pytest.raises(redis.exceptions.AuthenticationError), redis.Redis(port=port) as stranger:
        stranger.ping()
    with redis.Redis(port=port, username="fedisec", password="5ecret") as known:
        for command in (
            "CONFIG GET dir",
            "FLUSHALL",
            "SHUTDOWN",
            "MODULE LIST",
            "ACL LIST",
            "DEBUG SLEEP 0",
            "KEYS *",
        ):
            with pytest.raises(redis.exceptions.ResponseError, match="permission|not allowed"):
                known.execute_command(*command.split())
    yield f"redis://fedisec:5ecret@127.0.0.1:{port}/0"
    server.stop()


@pytest.mark.timeout(240)
def test_the_commands_run_as_written(make_world: MakeWorld, redis_of_compose: str, tmp_path: Path) -> None:
    world = make_world("grown")
    given = {**world.env, "REDIS_URL": redis_of_compose}
    owner = urlsplit(given["DATABASE_URL"])
    worker = owner._replace(netloc=f"fedisec_worker:5ecret@{owner.hostname}:{owner.port}").geturl()
    given |= {"worker_database_url": worker, "worker_secret_key": "of the worker " * 5, "proof_key": "p" * 64}
    for variable, secret in (
        ("FEDISEC_SECRET_KEY", "secret_key"),
        ("DATABASE_URL", "database_url"),
        ("REDIS_URL", "redis_url"),
        *((secret, secret) for secret in ("worker_database_url", "worker_secret_key", "proof_key")),
    ):
        (tmp_path / secret).write_text(given[variable])
        world.env.pop(variable, None)
    shutil.copy2(world.data / "keys", tmp_path)
    (world.data / "keys").unlink()
    world.env["FEDISEC_STATIC"] = str(tmp_path / "static")
    begin = {
        "FEDISEC_SECRET_KEY": given["FEDISEC_SECRET_KEY"],
        "DATABASE_URL_FILE": str(tmp_path / "database_url"),
    }
    world.env |= begin
    world.manage("prepare", "--static-only")
    world.env.pop("FEDISEC_SECRET_KEY")
    alive = tmp_path / "alive"
    start(world, "web", tmp_path, {"0.0.0.0:8000": f"127.0.0.1:{world.port}"})
    wait_for(world.answers, 30, f"an answer\n{world.log()}")
    browser = first_account(world)
    start(world, "worker", tmp_path, {})
    start(world, "inside", tmp_path, {})
    start(world, "ticker", tmp_path, {"/tmp/alive": str(alive)})
    world.env["FEDISEC_SECRET_KEY"] = begin["FEDISEC_SECRET_KEY"]
    world.tool("mine", EMAIL, "n0.example")
    wait_for(lambda: world.scan_states() == ["done"], 30, f"a scan\n{world.log()}")
    with browser.open(f"{world.url}/instances/n0.example/", timeout=30) as page:
        assert page.url.endswith("/instances/n0.example/") and "n0.example" in page.read().decode()
    wait_for(alive.exists, 10, "a sign of the ticker")
    web_is_healthy(world)
    for service in ("ticker", "worker", "inside"):
        assert is_healthy(world, service, tmp_path, alive) == 0
    alive.unlink()
    assert is_healthy(world, "ticker", tmp_path, alive) != 0


def first_account(world: World) -> OpenerDirector:
    """By the link in the log of the web service, as its first reader does; gives what holds the session."""
    link = re.search(rf"{re.escape(world.url)}/setup/\S{{40,}}/", world.log())
    assert link is not None
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(link[0], timeout=30) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert token is not None
    said = {"csrfmiddlewaretoken": token[1], "email": EMAIL, "password1": PASSWORD, "password2": PASSWORD}
    with browser.open(link[0], data=urlencode(said).encode(), timeout=30) as page:
        assert page.url == f"{world.url}/instances/add/"
    return browser


def held_by(service: str, folder: Path) -> dict[str, str]:
    """The secrets of a service, in a folder of this machine."""
    environment = SERVICES[service]["environment"].items()
    return {
        name: value.replace("/run/secrets", str(folder))
        for name, value in environment
        if "/run/secrets/" in value
    }


def is_healthy(world: World, service: str, folder: Path, alive: Path) -> int:
    """The exit code of its health check, run as the engine would."""
    kind, command = SERVICES[service]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    program = command.replace("$$", "$").replace("/tmp/alive", str(alive))
    found = {"HOSTNAME": socket.gethostname(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env = {**world.env, **held_by(service, folder), **found}
    done = subprocess.run(
        ["sh", "-c", program], cwd=ROOT, env=env, capture_output=True, timeout=90, check=False
    )
    return done.returncode


def start(world: World, service: str, folder: Path, places: dict[str, str]) -> None:
    """The command of a service with its own secrets, in places of this machine."""
    program, *rest = [places.get(word, word) for word in SERVICES[service]["command"]]
    assert program in {"python", "celery"}
    world.start(*(["-m", "celery"] if program == "celery" else []), *rest, **held_by(service, folder))


def web_is_healthy(world: World) -> None:
    """The health check of the web service, once with its own Host header and once with a strange one."""
    code = SERVICES["web"]["healthcheck"]["test"][-1].replace("127.0.0.1:8000", f"127.0.0.1:{world.port}")
    for url, healthy in ((world.url, True), ("https://strange.example", False)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "FEDISEC_URL": url}, capture_output=True, timeout=20, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is healthy
