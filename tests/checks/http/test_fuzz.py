"""Whatever a server sends: a value or a ParseError, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.data.tables import families
from checks.errors import ParseError
from checks.facts.advisories import Affected
from checks.parse.answers import first_asset
from checks.parse.cookies import parse_cookie, parse_cookies
from checks.parse.csp import frame_ancestors, is_inert, parse_csp, parse_meta, weaknesses
from checks.parse.headers import is_nosniff, parse_frame_options, parse_referrer_policy, single_token
from checks.parse.hsts import parse_hsts
from checks.parse.instance_api import uploads
from checks.parse.json_caps import load_object
from checks.parse.nodeinfo import best_link, parse_nodeinfo
from checks.parse.security_txt import parse_security_txt
from checks.parse.served import installer_in, listing_in, panel_in, secret_in
from checks.parse.source_offer import is_upstream, without_query
from checks.parse.versions import is_injected, is_mastodon, is_within, parse_version, really

FAMILIES = ("mastodon", "akkoma", "misskey", "pixelfed", "gotosocial", "friendica", "lemmy", "")


def _csp(text: str) -> object:
    policies = parse_csp((text,))
    return weaknesses(policies), frame_ancestors(policies), [is_inert(policy) for policy in policies]


PARSERS: dict[str, Callable[[str], object]] = {
    "hsts": parse_hsts,
    "csp": _csp,
    "meta policy": parse_meta,
    "cookie": parse_cookie,
    "cookies": lambda text: parse_cookies(tuple(text.split("\n"))),
    "asset": lambda text: first_asset(text, "a.test"),
    "frame options": lambda text: parse_frame_options((text,)),
    "nosniff": lambda text: is_nosniff((text,)),
    "referrer": lambda text: parse_referrer_policy((text,)),
    "token": lambda text: single_token((text,)),
    "security.txt": parse_security_txt,
    "json": load_object,
    "nodeinfo": parse_nodeinfo,
    "nodeinfo link": lambda text: best_link(text, frozenset({"a.test"})),
    "secret": secret_in,
    "panel": panel_in,
    "listing": listing_in,
    "really": really,
    "mastodon": lambda text: (is_mastodon(text), is_injected(text)),
    "installer": installer_in,
    "uploads": lambda text: uploads(text, "https://a.test/" + text),
    "source offer": lambda text: (is_upstream(text, families()["mastodon"]), without_query(text)),
    "version": lambda text: [parse_version(family, text) for family in FAMILIES],
    "range": lambda text: is_within(text, Affected("0", "9")),
}
EACH = pytest.mark.parametrize("parse", PARSERS.values(), ids=PARSERS)
TRICKY = [
    "", "\0", ";" * 8192, "," * 8192, "=" * 8192, '"' * 8192, "a" * 8192, " " * 8192, "\n" * 8192, "[" * 8192,
    '{"a":' * 1600, "<title>" * 1100, "<?php" * 1600, "'nonce-" * 1100, "1." * 4096, "1" * 8192, "(compatible; " * 600,
    "<meta http-equiv=content-security-policy " * 190, "<" * 8192, "<!--" * 2048, "<a " * 2700, "<meta a='" * 1000,
    ' src="/a' * 1100, ' href="https://a.test/' + "a/" * 4000, "<script>" * 1000, "a=1; expires=" + "1970 " * 1600, "script-src 'self'; " * 400, "max-age=1;" * 800, "Contact:\n" * 900,
    "# HELP a b\n" * 700, "A=1\n" * 2000, '{"n": ' + "9" * 5000 + "}", '{"n": NaN}', '{"n": 1e999}', '{"\\ud800": "\\udfff"}',
    "2025.4.1-" + "alpha." * 1000, "-1-g" + "f" * 8000, "\u202e\u2066" * 4000, "０" * 4000, "٣" * 4000,
]  # fmt: skip


def _try(parse: Callable[[str], object], text: str) -> float:
    begun = time.perf_counter()
    with suppress(ParseError):
        parse(text)
    return time.perf_counter() - begun


@EACH
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=400) | st.text(alphabet="=;,\"' -abc019.:/<>\n\\{}[]()*+", max_size=800))
def test_any_text_gives_a_value_or_a_parse_error(parse: Callable[[str], object], text: str) -> None:
    _try(parse, text)


@EACH
@pytest.mark.parametrize("text", TRICKY, ids=range(len(TRICKY)))
def test_eight_kilobytes_of_mischief_take_no_time(parse: Callable[[str], object], text: str) -> None:
    # The promise is 50 ms; the best of three leaves the machine's other work out.
    assert min(_try(parse, text) for _ in range(3)) < 0.05
