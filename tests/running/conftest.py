"""A world per test, in both columns of the table in docs/architecture.md."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.processes import MissingProgram
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


@pytest.fixture
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeWorld]:
    """`make_world(mode, NAME=value, …)`: an installation that is stopped at the end of the test."""
    made: list[World] = []

    def make(mode: str, folder: Path | None = None, **env: str) -> World:
        servers: dict[str, str] = {}
        if mode == "grown":
            postgres: Postgres = request.getfixturevalue("postgres_server")
            redis: Redis = request.getfixturevalue("redis_server")
            servers = {
                "DATABASE_URL": postgres.new_database(f"test_{uuid.uuid4().hex}"),
                "REDIS_URL": redis.new_url(),
            }
        folder = folder or tmp_path / str(len(made))
        folder.mkdir(exist_ok=True)
        made.append(World(mode, folder, servers, **env))
        return made[-1]

    yield make
    for world in made:
        world.stop()


@pytest.fixture(params=["embedded", "grown"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
