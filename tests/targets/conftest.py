"""The people and the instance of the dashboard's tests."""

from tests.dashboard.conftest import alice, as_alice, as_bob, bob, charlie, instance, scanned

__all__ = ["alice", "as_alice", "as_bob", "bob", "charlie", "instance", "scanned"]
