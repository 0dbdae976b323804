"""What distributions say of their packages: read as it comes, within limits, and told apart."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError
from fedisec.watch import debian, ubuntu
from fedisec.watch.debian import Said, Tracker
from fedisec.watch.models import FlawState
from tests.watch import feeds

WANTED = {"redis": frozenset({"bookworm"}), "php8.2": frozenset({"bookworm", "trixie"})}


def _read(document: Any, size: int = 7) -> tuple[Said, ...]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    tracker = Tracker(WANTED)
    for start in range(0, len(body), size):
        tracker.feed(body[start : start + size])
    return tracker.close()


@pytest.mark.parametrize(
    ("flaw", "state", "said", "fixed"),
    [
        (feeds.debian_flaw("bookworm", "resolved", "5:7.0.15-1~deb12u2"), "fixed", "", "5:7.0.15-1~deb12u2"),
        (feeds.debian_flaw("bookworm", "resolved", "0"), "untouched", "", ""),
        (feeds.debian_flaw("bookworm", "open"), "open", "", ""),
        (feeds.debian_flaw("bookworm", "open", nodsa="Minor issue", nodsa_reason="postponed"), "open", "Minor issue", ""),
        (feeds.debian_flaw("bookworm", "open", nodsa="Too intrusive", nodsa_reason="ignored"), "ignored", "Too intrusive", ""),
        (feeds.debian_flaw("bookworm", "open", urgency="unimportant"), "ignored", "unimportant", ""),
        (feeds.debian_flaw("bookworm", "open", urgency="end-of-life"), "ended", "", ""),
    ],
)  # fmt: skip
def test_debian_tells_open_ignored_and_ended_apart(flaw: Any, state: str, said: str, fixed: str) -> None:
    (found,) = _read({"redis": {"CVE-2026-1": flaw}})
    urgency = flaw["releases"]["bookworm"]["urgency"]
    assert found == Said("bookworm", "redis", "CVE-2026-1", FlawState(state), said, fixed, urgency)


def test_only_wanted_packages_and_releases_are_kept_and_what_is_undetermined_is_not() -> None:
    both = feeds.debian_flaw("bookworm", "open")
    both["releases"] |= feeds.debian_flaw("trixie", "resolved", "2")["releases"]
    found = _read(
        {
            "zlib": {"CVE-2026-1": both},
            "redis": {"CVE-2026-2": both, "CVE-2026-3": feeds.debian_flaw("bookworm", "undetermined")},
            "php8.2": {"TEMP-0000000-ABCDEF": both},
        }
    )
    assert [(one.package, one.name, one.release) for one in found] == [
        ("redis", "CVE-2026-2", "bookworm"),
        ("php8.2", "TEMP-0000000-ABCDEF", "bookworm"),
        ("php8.2", "TEMP-0000000-ABCDEF", "trixie"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b'{"redis":' * 100_000,
        b'{"redis": {"CVE-2026-1": {"releases": {"bookworm": {"status": ' + b"9" * 5_000 + b"}}}}}",
        b'{"redis": {"CVE-2026-1": 1e99999999999}}',
        b'{"redis": {"CVE-2026-1": {"releases"',
        b'{"redis": {}} {"more": {}}',
        b"<html>Sign in</html>",
        b'{"redis": "\xff\xfe"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_tracker_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        _read(body, 4096)


def test_one_endless_text_is_not_collected() -> None:
    tracker = Tracker(WANTED)
    tracker.feed(b'{"redis": {"CVE-2026-1": {"description": "')
    with pytest.raises(ParseError, match="1 MiB"):
        for _ in range(40):
            tracker.feed(b"x" * 65_536)


def test_too_much_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "BYTES_MAX", 100)
    with pytest.raises(ParseError, match="of tracker"):
        _read({"redis": {f"CVE-2026-{n}": {} for n in range(20)}})
    monkeypatch.undo()
    monkeypatch.setattr(debian, "FLAWS_MAX", 3)
    with pytest.raises(ParseError, match="flaws"):
        _read({"redis": {f"CVE-2026-{n}": feeds.debian_flaw("bookworm", "open") for n in range(5)}})


@pytest.mark.parametrize(
    ("status", "about", "pocket", "state", "said", "fixed"),
    [
        ("released", "5:6.0.16-1ubuntu1.1", "security", "fixed", "", "5:6.0.16-1ubuntu1.1"),
        ("released", "5:6.0.16-1ubuntu1+esm2", "esm-apps", "open", "esm-apps", "5:6.0.16-1ubuntu1+esm2"),
        ("not-affected", "code not present", "security", "untouched", "", ""),
        ("DNE", "", "security", "untouched", "", ""),
        ("needed", "", "security", "open", "needed", ""),
        ("needs-triage", "", "security", "open", "needs-triage", ""),
        ("deferred", "2026-10-01", "security", "open", "deferred 2026-10-01", ""),
        ("ignored", "changes too intrusive", "security", "ignored", "changes too intrusive", ""),
        ("ignored", "end of standard support", "security", "ended", "end of standard support", ""),
    ],
)
def test_ubuntu_tells_open_ignored_and_ended_apart(
    status: str, about: str, pocket: str, state: str, said: str, fixed: str
) -> None:
    page = ubuntu.Page("redis", frozenset({"jammy"}))
    page.read(
        feeds.ubuntu(feeds.ubuntu_cve("CVE-2026-1", "redis", "jammy", status, about, pocket=pocket)).encode()
    )
    assert page.found == [Said("jammy", "redis", "CVE-2026-1", FlawState(state), said, fixed, "medium")]
    assert (page.cves, page.total) == (1, 1)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"cves": []}', b"[" * 50_000, b'{"a":' * 50_000, b'{"total_results": 1e9999}',
             b'{"total_results": ' + b"9" * 9_999 + b"}", b"<html></html>"],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_page_of_ubuntu_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        ubuntu.Page("redis", frozenset({"jammy"})).read(body)


def test_addresses_say_what_is_asked_for() -> None:
    assert ubuntu.url_of("https://ubuntu.com/security/cves.json", "php8.3", {"noble", "jammy"}, 20) == (
        "https://ubuntu.com/security/cves.json?package=php8.3&version=jammy&version=noble&limit=20&offset=20"
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["redis", "releases", "bookworm", "status", "cves", "packages", "statuses", "id", "name"])
        | st.text(max_size=5), inner, max_size=4,
    ),
)  # fmt: skip


@given(st.binary(max_size=300) | _json.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_a_parse_error_comes_out(body: bytes) -> None:
    for read in (_read, ubuntu.Page("redis", frozenset({"bookworm"})).read):
        with suppress(ParseError):
            read(body)
