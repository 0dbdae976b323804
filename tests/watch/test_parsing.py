"""Feeds of every form become the same plain entries; what is no feed, or a bomb, becomes a ParseError."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import ParseError
from fedisec.watch.parsing import Cvss, FeedEntry, parse_date, parse_feed
from tests.watch import feeds

BASE = "https://feeds.example/x/feed.xml"


def _parse(text: str | bytes) -> tuple[FeedEntry, ...]:
    return parse_feed(text.encode() if isinstance(text, str) else text, BASE)


def test_releases_of_github() -> None:
    first, second = _parse(
        feeds.github("mastodon/mastodon", "v4.7.3", "v4.6.9", notes="A <b>security</b> fix &amp; more")
    )
    assert (first.title, first.published_at) == ("Release v4.7.3", feeds.NOW)
    assert first.url == "https://github.com/mastodon/mastodon/releases/tag/v4.7.3"
    assert first.summary == "Changes A security fix & more"
    assert second.guid == "tag:github.com,2008:Repository/1/v4.6.9"


def test_tags_of_gitlab_and_releases_of_forgejo() -> None:
    (tag,) = _parse(feeds.gitlab_tags("https://git.example/a/b", "2025.4.4"))
    assert (tag.title, tag.url) == ("2025.4.4", "https://git.example/a/b/-/tags/2025.4.4")
    (release,) = _parse(feeds.forgejo("https://forge.example/a/b", "v3.21.0"))
    assert release.url == "https://forge.example/a/b/releases/tag/v3.21.0"
    assert (release.guid, release.summary) == ("1: https://forge.example/a/b/releases/tag/v3.21.0", "notes")
    assert release.published_at == feeds.NOW


@pytest.mark.parametrize("mod_sec", ["http://jvn.jp/rss/mod_sec/", "http://jvn.jp/rss/mod_sec/3.0/"])
def test_jvn_ipedia_with_its_own_fields(mod_sec: str) -> None:
    given = {
        "id": "JVNDB-2026-001234",
        "title": "Redis における脆弱性",
        "cpe": "cpe:/a:redis:redis cpe:/o:debian:debian_linux",
        "score": "9.8",
        "cve": "CVE-2026-1111",
    }
    (entry,) = _parse(feeds.jvndb(given, mod_sec=mod_sec))
    assert entry.guid == "JVNDB-2026-001234"
    assert entry.ids == ("JVNDB-2026-001234", "CVE-2026-1111")
    assert entry.cpes == ("redis:redis", "debian:debian_linux")
    assert entry.cvss == Cvss("9.8", "Critical", "CVSS:3.0/AV:N", "3.0")
    assert entry.published_at == datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_jpcert_ubuntu_and_json() -> None:
    (notice,) = _parse(feeds.jpcert("Apache HTTP Serverの脆弱性に関する注意喚起（CVE-2026-2222）"))
    assert notice.guid == notice.url == "https://www.jpcert.or.jp/at/2026/at260000.html"
    assert notice.ids == ("CVE-2026-2222",)
    (news,) = _parse(feeds.rss2("USN-8000-1: OpenSSL vulnerabilities"))
    assert (news.guid, news.summary) == ("https://news.example/0", "Some words & more")
    (item,) = _parse(feeds.json_feed("A title"))
    assert (item.guid, item.title, item.summary, item.published_at) == ("0", "A title", "words", feeds.NOW)


@pytest.mark.parametrize("encoding", ["Shift_JIS", "EUC-JP", "iso-2022-jp", "UTF-8", "utf-16"])
def test_feeds_in_encodings_of_japanese(encoding: str) -> None:
    text = feeds.rss2("脆弱性のお知らせ")
    (entry,) = _parse(f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding))
    assert entry.title == "脆弱性のお知らせ"


HOSTILE = {
    "entities": feeds.LAUGHS,
    "a file as an entity": feeds.FOREIGN,
    "depth": feeds.DEEP,
    "width": feeds.WIDE,
    "size": feeds.rss2("x" * 1_100_000),
    "nothing": "",
    "a page": "<!doctype html><html><body>Sign in</body></html>",
    "other XML": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "broken XML": "<rss><channel><item>",
    "an unknown encoding": '<?xml version="1.0" encoding="klingon"?><rss/>',
    "other JSON": '{"items": []}',
    "a list": "[1]",
    "deep JSON": "{" + '"a":[' * 500,
    "NaN": '{"version": "https://jsonfeed.org/version/1", "items": [NaN]}',
    "bytes": "{\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_feed_or_a_bomb_is_refused(text: str) -> None:
    body = text.encode("utf-8", "surrogateescape")
    tracemalloc.start()
    try:
        with pytest.raises(ParseError):
            parse_feed(body, BASE)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_feed_without_entries_is_one() -> None:
    assert _parse(feeds.rss2()) == _parse(feeds.github("a/b")) == _parse(feeds.json_feed()) == ()


def test_entries_are_capped_and_each_comes_once() -> None:
    assert len(_parse(feeds.rss2(*(f"n{n}" for n in range(300))))) == 200
    twice = feeds.rss2("one").replace("</channel>", "").replace("</rss>", "")
    item = twice[twice.index("<item>") :]
    assert len(_parse(f"{twice}{item}</channel></rss>")) == 1


def test_texts_are_plain_cleaned_and_cut() -> None:
    title = "<b>bold</b> \u202eevil\u202c &lt;script&gt;alert(1)&lt;/script&gt; " + "y" * 500
    (entry,) = _parse(feeds.rss2(title))
    assert "<" not in entry.title and "\u202e" not in entry.title and len(entry.title) == 300
    assert entry.title.startswith("bold \ufffdevil\ufffd alert(1)")


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("/a/b", "https://feeds.example/a/b"),
        ("https://x.example/?a=1&amp;b=2", "https://x.example/?a=1&b=2"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https://user:secret@x.example/", ""),
        ("https://[::1", ""),
        ('https://x.example/"onload=1', ""),
        ("ftp://x.example/", ""),
    ],
)
def test_only_web_addresses_become_links(link: str, address: str) -> None:
    text = f"<rss><channel><item><guid>1</guid><title>t</title><link>{link}</link></item></channel></rss>"
    assert _parse(text)[0].url == address


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-11-21T12:00:00Z", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T12:00+09:00", datetime(2026, 11, 21, 3, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 12:00:00 +0900", datetime(2026, 11, 21, 3, tzinfo=UTC)),
        ("Sat, 21 Nov 2026 12:00:00 GMT", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(text: str, when: datetime | None) -> None:
    assert parse_date(text) == when


_PIECES = st.sampled_from(
    ["<rss>", "</rss>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<link>", "x", "&amp;", "&lt;b",
     "<![CDATA[", "]]>", "<guid>", "</guid>", "cpe:/a:b:c", "CVE-2026-1", "{", "}", '"items":', "[", "]", "<", ">", " "]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=400), st.lists(_PIECES, max_size=60).map(lambda p: "".join(p).encode())))
@settings(max_examples=150, deadline=None)
def test_nothing_but_parse_errors_comes_out(body: bytes) -> None:
    with suppress(ParseError):
        parse_feed(body, BASE)


@pytest.mark.parametrize("piece", ["<", "<a", "&", "&lt;", "<p ", "](", "cpe:", "CVE-", " ", "\u3042", "-->"])
def test_eight_kibibytes_of_anything_are_read_at_once(piece: str) -> None:
    text = escape(piece * (8192 // len(piece)))
    body = f"<rss><channel><item><guid>1</guid><title>{text}</title><description>{text}</description></item></channel></rss>"
    begun = time.process_time()
    parse_feed(body.encode(), BASE)
    assert time.process_time() - begun < 1.0  # 50 ms on a quiet machine; a bad pattern takes minutes
