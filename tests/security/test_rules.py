"""The rules of semgrep: each has a sample that it must find, and one that it must leave alone.

Whether it does, `make test-security` sees, where semgrep is; this notices a rule without samples.
"""

from __future__ import annotations

from tests.security.code import marks, rule_ids


def test_each_rule_has_a_failing_and_a_passing_sample() -> None:
    found = marks()
    assert len(rule_ids()) == len(set(rule_ids())) >= 15
    assert set(found) == set(rule_ids())
    assert all(lines["ruleid"] and lines["ok"] for lines in found.values())
