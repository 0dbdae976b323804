"""Worlds of real processes for this folder, as in tests/running."""

from __future__ import annotations

from tests.running.conftest import make_world, mode, postgres_server, redis_server, templates

__all__ = ["make_world", "mode", "postgres_server", "redis_server", "templates"]
