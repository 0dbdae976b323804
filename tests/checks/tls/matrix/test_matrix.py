"""fedisec's TLS prober beside the truth: every fact of every server of the matrix.

`make test ARGS="tests/checks/tls/matrix -rP"` prints the table.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.checks.tls.matrix.fedisec_sees import look
from tests.checks.tls.matrix.lab import Matrix, nodes_are_here
from tests.checks.tls.matrix.targets import TARGETS, Mood, Target
from tests.checks.tls.matrix.truth import Facts, Mark, compare, wrong
from tests.lab import netns
from tests.lab.processes import MissingProgram


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Facts]]:
    if not netns.inside():
        # gnutls-serv and the responder listen on every address.
        pytest.skip("the matrix needs a network namespace: python -m tests.lab.netns pytest …")
    with contextlib.ExitStack() as stack:
        try:
            matrix = stack.enter_context(Matrix(tmp_path_factory.mktemp("matrix")))
        except MissingProgram as error:
            pytest.skip(str(error))
        yield asyncio.run(look(matrix.places, matrix.trust_file.read_text()))


def _facts(seen: dict[str, Facts], target: Target) -> Facts:
    if target.name not in seen:
        assert target.needs_node and not nodes_are_here()
        pytest.skip("tests/.cache has no Node.js (make suites)")
    return seen[target.name]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_fact_of_a_server_is_that_of_its_configuration(seen: dict[str, Facts], target: Target) -> None:
    found, truth = _facts(seen, target), target.truth.facts()
    if target.mood is Mood.HOSTILE:
        assert found == {}
        return
    assert wrong(truth, found) == []
    if target.mood is Mood.PLAIN:
        assert [name for name, mark in compare(truth, found).items() if mark is Mark.UNSEEN] == []


def test_the_table_of_all(seen: dict[str, Facts]) -> None:
    marks: Counter[Mark] = Counter()
    for name, found in seen.items():
        truth = TARGETS[name].truth.facts() if TARGETS[name].mood is not Mood.HOSTILE else {}
        here = Counter(compare(truth, found).values())
        words = ", ".join(f"{here[mark]:2} {mark}" for mark in Mark)
        print(f"{name:22} {words}  {'; '.join(wrong(truth, found))}")
        marks += here
    print(f"{len(seen)} servers: " + ", ".join(f"{marks[mark]} {mark}" for mark in Mark))
    assert len(seen) >= 30
    assert marks[Mark.RIGHT] > 25 * len(seen) and not marks[Mark.WRONG]


def test_a_broken_truth_is_found_out(seen: dict[str, Facts]) -> None:
    """The comparison can fail: one lie about the configuration is one wrong fact."""
    found = seen["modern"]
    for lie in (
        replace(TARGETS["modern"].truth, versions="TLSv1.1 TLSv1.2 TLSv1.3"),
        replace(TARGETS["modern"].truth, families="AEAD RC4"),
        replace(TARGETS["modern"].truth, keys="RSA 2048"),
        replace(TARGETS["modern"].truth, trusted=False),
        replace(TARGETS["modern"].truth, dh_bits=2048),
    ):
        assert len(wrong(lie.facts(), found)) == 1
    assert wrong(TARGETS["modern"].truth.facts(), found) == []


def test_a_yes_is_not_the_number_one() -> None:
    assert compare({"trusted": True}, {"trusted": 1}) == {"trusted": Mark.WRONG}
