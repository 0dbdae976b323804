"""Whatever an instance says of itself: facts or a gap with a reason, and no item that breaks on them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.data.tables import families
from checks.errors import ProbeError
from checks.evaluate import evaluate
from checks.facts import Facts, MissingFact
from checks.facts.http import Page
from checks.items import all_items
from checks.model import Status
from tests.checks.instance import families as made
from tests.checks.instance.samples import Recorded, answer, facts_of

SERVERS: dict[str, dict[str, Page]] = {
    "mastodon": made.mastodon("4.7.3", source="https://github.com/mastodon/mastodon", enabled=True, approval=True),
    "pleroma": made.pleroma_like("pleroma", "2.10.2", "native"),
    "akkoma": made.pleroma_like("akkoma", "3.21.0", "none"),
    "misskey": made.misskey("misskey", "2026.9.1"),
    "pixelfed": made.pixelfed("pixelfed", "0.12.12"),
    "gotosocial": made.gotosocial("0.22.1"),
    "friendica": made.friendica("2026.05-1600"),
    "lemmy": made.lemmy("0.19.20", "Open"),
    "peertube": made.peertube("8.1.6"),
}  # fmt: skip
JUDGED = [
    item for item in all_items().values() if item.topic in {"app", "signup", "legal", "plan", "updates"}
]
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside, the whole document first."""
    found = [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += _places(one, (*path, key))
    return found


def _with(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """A copy in which `junk` stands at `path`."""
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(copy[path[0]], path[1:], junk)
    return copy


def test_every_family_is_fuzzed() -> None:
    assert set(SERVERS) == set(families())


@pytest.mark.parametrize("family", SERVERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_server_with_junk_anywhere_is_read_or_not_at_all(family: str, data: st.DataObject) -> None:
    table: dict[str, Page | ProbeError] = dict(SERVERS[family])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(table)))
        page = table[path]
        assert isinstance(page, Page)
        try:
            document = json.loads(page.body)
        except ValueError:
            document = page.body
        place = data.draw(st.sampled_from(_places(document)))
        status = data.draw(st.sampled_from([200, 200, 200, 401, 404, 500]))
        table[path] = answer(json.dumps(_with(document, place, data.draw(JUNK))), status=status)
    try:
        found = asyncio.run(facts_of(Recorded("site.test", table)))
    except MissingFact:
        return
    verdicts = evaluate(Facts().with_facts(*found), JUDGED)
    assert Status.ERROR not in {verdict.status for verdict in verdicts.values()}
