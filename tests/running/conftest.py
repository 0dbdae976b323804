"""A world per test, in both columns of the table in docs/architecture.md."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.processes import MissingProgram
from tests.running.looks import FALLS, LOOKS_BEFORE
from tests.running.servers import Postgres, Redis
from tests.running.world import World

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    try:
        server = Redis(tmp_path_factory.mktemp("redis"))
    except MissingProgram as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except MissingProgram as error:
        pytest.skip(str(error))
    yield server
    server.stop()


Templates = dict[tuple[str, str], str]
# What a world may begin with, made once: its commands of `tests.running.tool` after `prepare`.
BEGINNINGS: dict[str, list[list[str]]] = {
    "prepared": [],
    # An instance fell once; the second look, which confirms it, is due.
    "fallen": [["add", "86400", FALLS], ["look", FALLS, str(LOOKS_BEFORE)]],
}


@pytest.fixture(scope="session")
def templates() -> Templates:
    """(mode, beginning) -> data folder or name of the database."""
    return {}


@pytest.fixture
def make_world(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[MakeWorld]:
    """`make_world(mode, NAME=value, …)`: an installation that is stopped at the end of the test.  `begin`: one of
    BEGINNINGS, with tables and static files from a copy; without it there is nothing yet."""
    made: list[World] = []

    def servers(mode: str, template: str = "") -> dict[str, str]:
        if mode == "embedded":
            return {}
        postgres: Postgres = request.getfixturevalue("postgres_server")
        redis: Redis = request.getfixturevalue("redis_server")
        url = postgres.new_database(f"test_{uuid.uuid4().hex}", template)
        return {"DATABASE_URL": url, "REDIS_URL": redis.new_url()}

    def template_of(mode: str, begin: str) -> str:
        if (mode, begin) not in templates:
            folder: Path = request.getfixturevalue("tmp_path_factory").mktemp(f"{mode}-{begin}")
            world = World(mode, folder, servers(mode), FEDISEC_CONFIRM_AFTER="0")
            world.manage("prepare")
            for arguments in BEGINNINGS[begin]:
                world.tool(*arguments)
            name = world.env["DATABASE_URL"].rpartition("/")[2] if mode == "grown" else str(world.data)
            templates[mode, begin], templates["static", mode] = name, str(world.data / "static")
        return templates[mode, begin]

    def make(mode: str, folder: Path | None = None, begin: str = "", **env: str) -> World:
        template = template_of(mode, begin) if begin else ""
        folder = folder or tmp_path / str(len(made))
        folder.mkdir(exist_ok=True)
        if begin:
            env.setdefault("FEDISEC_STATIC", templates["static", mode])
        world = World(mode, folder, servers(mode, template if mode == "grown" else ""), **env)
        made.append(world)
        if begin and mode == "embedded":
            for path in Path(template).iterdir():
                if path.is_file() and path.name != "log.txt":
                    shutil.copy2(path, world.data)
        elif begin == "fallen":
            (world.data / "looks.txt").write_text(f"{FALLS} 0\n" * LOOKS_BEFORE)
        return world

    yield make
    for world in made:
        world.stop()


@pytest.fixture(params=["embedded", "grown"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
