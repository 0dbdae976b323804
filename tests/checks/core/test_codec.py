"""Facts survive the way to JSON and back, and nothing else is let in."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.codec import CodecError, _classes, decode_facts, encode_facts
from checks.errors import Reason
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses

FACT_CLASSES = [c for c in _classes().values() if issubclass(c, Fact) and c is not Fact]

TEXT = st.text(max_size=12).filter(lambda s: s.isprintable())


def values(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values(a) for a in arguments])
    if origin is tuple:
        if arguments[1:] == (Ellipsis,):
            return st.lists(values(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*[values(a) for a in arguments])
    if hint is type(None):
        return st.none()
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.deferred(lambda: st.builds(hint, **{k: values(v) for k, v in hints.items()}))
    return {
        str: TEXT,
        int: st.integers(0, 10**9),
        float: st.floats(0, 1e6),
        bool: st.booleans(),
        bytes: st.binary(max_size=8),
        datetime: st.datetimes(timezones=st.just(UTC)),
        date: st.dates(),
    }[hint]


@pytest.mark.parametrize("kind", FACT_CLASSES, ids=lambda kind: kind.__name__)
def test_every_fact_comes_back_as_it_was(kind: type[Fact]) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(kind))
    def round_trip(fact: Fact) -> None:
        facts = Facts({kind: fact})
        document = json.loads(json.dumps(encode_facts(facts)))
        back = decode_facts(document)
        # Text that is also valid base64, a date or a word of an enum may stand where a union allows both.
        assert encode_facts(back) == encode_facts(facts)

    round_trip()


def test_a_missing_fact_keeps_its_reason() -> None:
    facts = Facts({}, {Addresses: Missing(Reason.TIMEOUT, "resolver")})
    assert decode_facts(json.loads(json.dumps(encode_facts(facts)))) == facts


GOOD = encode_facts(Facts({Addresses: Addresses("a.example", ("192.0.2.1",), ())}))


def broken() -> Iterator[Any]:
    yield from (None, [], {}, {"schema": 2, "found": [], "missing": {}}, {"schema": 1})
    yield {"schema": 1, "found": [{"$": "os.system"}], "missing": {}}
    yield {"schema": 1, "found": [{"$": "Missing", "reason": "timeout", "detail": ""}], "missing": {}}
    yield {**GOOD, "found": [{**GOOD["found"][0], "extra": 1}]}
    yield {**GOOD, "found": [{**GOOD["found"][0], "v4": "192.0.2.1"}]}
    yield {**GOOD, "found": [{**GOOD["found"][0], "ipv6_usable": 1}]}
    yield {**GOOD, "missing": {"Addresses": {"reason": "no such reason", "detail": ""}}}


@pytest.mark.parametrize("document", list(broken()), ids=str)
def test_anything_else_is_refused(document: Any) -> None:
    with pytest.raises(CodecError):
        decode_facts(document)


def test_an_older_file_without_a_new_field_still_loads() -> None:
    older = {k: v for k, v in GOOD["found"][0].items() if k != "aliases"}
    assert decode_facts({**GOOD, "found": [older]}).get(Addresses).aliases == ()
