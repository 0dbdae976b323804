"""Alice owns a team with a server, Bob may look, Charlie is a stranger."""

from __future__ import annotations

from tests.dashboard.conftest import alice, as_alice, as_bob, as_charlie, bob, charlie, instance

__all__ = ["alice", "as_alice", "as_bob", "as_charlie", "bob", "charlie", "instance"]
