"""Feeds that mean harm, read by fedisec's own reader over its own dialler and stored as it stores them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from datetime import timedelta

from tests.hostile.feed_known import NOW, PATH, SOUND
from tests.hostile.http_answers import EVIL_TEXT
from tests.hostile.json_answers import answer, instead
from tests.hostile.model import Allows, Behaviour, Scene, Seen, World
from tests.lab import places as at
from tests.watch import feeds

_ATOM = b"application/atom+xml"
DEADLINE_S = 12.0  # 10 of its own, and what the database takes


async def read(scene: Scene) -> Seen:
    """One reading of a feed that was believed before."""
    from tests.hostile.xml_reading import reading  # the servers' process knows no Django

    return await asyncio.to_thread(reading, scene)


def _atom(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{body}</feed>'


def _entry(
    title: str, *, when: str = "", guid: str = "new", link: str = "https://good.fedi.test/r", more: str = ""
) -> str:
    when = when or NOW.isoformat()
    return (
        f'<entry><id>{guid}</id><title>{title}</title><updated>{when}</updated><link rel="alternate" href="{link}"/>'
        f"{more}</entry>"
    )


def _with(*entries: str) -> bytes:
    return _atom("".join(entries)).encode("utf-8", "surrogatepass")


def _laughs(levels: int) -> str:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(levels))
    return f"<!DOCTYPE feed [{lines}]>" + _atom(_entry(f"&l{levels - 1};"))[38:]


def _doctype(text: str, entity: str = "&a;") -> bytes:
    return (f'<?xml version="1.0"?><!DOCTYPE feed {text}>' + _atom(_entry(entity))[38:]).encode()


_GOOD = feeds.github("mastodon/mastodon", *SOUND, newest=NOW)
_BAD, _LARGE = "malformed", "too_large"
# name -> (body, what the reader may come to)
_BODIES: dict[str, tuple[bytes, str]] = {
    "billion-laughs": (_laughs(10).encode(), _BAD),
    "quadratic-blowup": (_doctype(f'[<!ENTITY a "{"x" * 50_000}">]', "&a;" * 20_000), _BAD),
    "entity-of-itself": (_doctype('[<!ENTITY a "&a;">]'), _BAD),
    "entity-of-a-file": (_doctype('[<!ENTITY a SYSTEM "file:///etc/passwd">]'), _BAD),
    "entity-of-the-loopback": (_doctype('[<!ENTITY a SYSTEM "http://127.0.0.1:6379/">]'), _BAD),
    "foreign-document-type": (_doctype('SYSTEM "http://169.254.169.254/feed.dtd"', "x"), _BAD),
    "parameter-entities": (_doctype('[<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]', "x"), _BAD),
    "200000-levels": (("<a>" * 200_000 + "</a>" * 200_000).encode(), f"{_BAD} {_LARGE}"),
    "100000-levels-unclosed": (("<a>" * 100_000).encode(), _BAD),
    "100000-attributes": (_atom("<entry " + " ".join(f'a{n}=""' for n in range(90_000)) + "/>").encode(), "held-empty"),
    "one-attribute-of-a-megabyte": (_atom(f'<entry a="{"x" * 1_000_000}"/>').encode(), "held-empty"),
    "50000-names-of-spaces": (_atom("<entry " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(40_000)) + "/>").encode(),
                              "held-empty"),
    "comments-without-end": (_atom("<!--" + "-x" * 500_000).encode(), _BAD),
    "instructions": (b"<?xml-stylesheet href='javascript:alert(1)'?>" * 5000 + _GOOD.encode()[38:], f"believed {_BAD}"),
    "inclusions": (_with('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
                   "held-empty"),
    "100000-entries": (_with(*(f"<entry><id>{n}</id></entry>" for n in range(20_000))), f"held-empty {_BAD}"),
    "5000-entries": (_with(*(_entry(f"v4.7.3-rc{n}", guid=str(n)) for n in range(5_000))), f"believed {_BAD} {_LARGE}"),
    "30-megabytes": (_with("x" * 30_000_000), _LARGE),
    "a-gigabyte-packed": (b"", f"{_LARGE} {_BAD}"),  # made below
    "nothing": (b"", _BAD),
    "html": (b"<!DOCTYPE html><html><body>sign in</body></html>", _BAD),
    "a-feed-of-nothing": (_with(), "held-empty"),
    "utf-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-feed/+AD4-', _BAD),
    "utf-16-without-a-mark": (_GOOD.replace("UTF-8", "UTF-16").encode("utf-16-be"), f"believed {_BAD}"),
    "utf-32": (_GOOD.replace("UTF-8", "UTF-32").encode("utf-32"), _BAD),
    "ebcdic": (_GOOD.replace("UTF-8", "cp037").encode("cp037"), _BAD),
    "an-encoding-nobody-has": (_GOOD.replace("UTF-8", "../../etc/passwd").encode(), _BAD),
    "a-codec-of-python": (_GOOD.replace("UTF-8", "unicode_escape").encode(), f"believed {_BAD}"),
    "utf-8-that-is-none": (_GOOD.encode().replace(b"Release", b"\xff\xfe\xed\xa0\x80"), _BAD),
    "japanese-that-is-none": (_GOOD.replace("UTF-8", "ISO-2022-JP").encode() + b"\x1b$B\xff\xff" * 1000, f"believed {_BAD}"),
    "references-to-controls": (_with(_entry("4.7.4 &#27;[2J&#0;")), _BAD),
    "references-to-surrogates": (_with(_entry("4.7.4 &#xD800;")), _BAD),
    "titles-of-markup": (_with(_entry("v4.7.3 &lt;script&gt;alert(1)&lt;/script&gt;"), _entry(
        '<![CDATA["><img src=x onerror=1>v4.7.3]]>', guid="b")), "believed"),
    "titles-packed-twice": (_with(_entry("v4.7.3 &amp;lt;script&amp;gt;alert(1)")), "believed"),
    "titles-of-bidi": (_with(_entry("v4.7.3 \u202eevil\u2066\u2028\x85")), "believed"),
    "titles-of-a-megabyte": (_with(_entry("v4.7.3" + "x" * 900_000)), "believed"),
    "titles-against-patterns": (_with(_entry("v4." + "1" * 100_000 + ".-" * 100_000)), "believed held-no_releases held-leap"),
    "tags-against-patterns": (_with(_entry("v4.7.3", more=f"<summary>{'&lt;' * 150_000}</summary>")), "believed"),
    "links-that-are-scripts": (_with(_entry("v4.7.3", link="javascript:alert(1)"), _entry(
        "v4.7.3", guid="b", link="data:text/html,x"), _entry("v4.7.3", guid="c", link="https://a@127.0.0.1/")), "believed"),
    "identifiers-of-a-megabyte": (_with(_entry("v4.7.3", guid="x" * 900_000)), "believed"),
    "no-identifiers": (_with(_entry("v4.7.3", guid="", link="")), "believed held-empty"),
    "the-year-99999": (_with(_entry("v4.7.4", when="99999-12-31T00:00:00Z")), "believed"),
    "the-year-9999": (_with(_entry("v4.7.4", when="9999-12-31T23:59:59-23:59")), "believed held-future"),
    "a-year-to-come": (_with(_entry("v4.7.4", when=(NOW + timedelta(days=400)).isoformat())), "held-future"),
    "the-year-minus-1": (_with(_entry("v4.7.4", when="-0001-01-01T00:00:00Z")), "believed"),
    "releases-that-go-back": (_with(_entry("v4.5.1", when="2024-01-01T00:00:00Z")), "held-backward"),
    "releases-that-leap": (_with(_entry("v99.0.0")), "held-leap"),
    "releases-beyond-bounds": (_with(_entry("v" + "9" * 5000 + ".0.0")), "held-leap held-no_releases"),
    "titles-without-a-release": (_with(_entry(EVIL_TEXT.replace("<", "&lt;").replace("\x1b", "").replace("\x07", ""))),
                                 "held-no_releases"),
    "a-deep-json-feed": (b'{"version": "https://jsonfeed.org/version/1.1", "items": ' + b"[" * 100_000, _BAD),
    "a-json-feed-of-odd-types": (b'{"version": "https://jsonfeed.org/version/1.1", "items": [1, null, [], {"id": {}, '
                                 b'"title": "v4.7.3", "url": [], "date_published": 1e999}]}', "held-empty believed"),
}  # fmt: skip
_TELLS = {"the-year-99999", "the-year-9999", "the-year-minus-1"}  # a release is one, whatever its date


def _behaviour(name: str, answers: Mapping[str, bytes], feed: str) -> Behaviour:
    world = World(ports={(at.GOOD_IP, 443): instead(answers)}, inside_tls=True)
    told = "nobody somebody" if name in _TELLS else "nobody"
    true = {"feed": feed, "before": "kept", "told": told, "more": "few", "clean": "yes"}
    return Behaviour(
        f"xml-{name}",
        "xml",
        world,
        Allows((), true),
        look=read,
        deadline_s=DEADLINE_S,
        quick=name == "billion-laughs",
    )


def _redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


_PACKED = answer(gzip.compress(bytes(1 << 27)), _ATOM, b"Content-Encoding: gzip\r\n")
_ANSWERS: dict[str, tuple[bytes, str]] = {
    "sound": (answer(_GOOD.encode(), _ATOM), "believed"),
    "a-gigabyte-packed": (_PACKED, f"{_LARGE} {_BAD}"),
    "redirects-to-the-metadata-service": (_redirect("http://169.254.169.254/latest/"), "forbidden_address"),
    "redirects-to-the-loopback": (_redirect("https://127.0.0.1/feed"), "forbidden_address"),
    "redirects-to-itself": (_redirect(PATH), _BAD),
    "redirects-to-a-file": (_redirect("file:///etc/passwd"), f"forbidden_address {_BAD}"),
    "304-nobody-asked-for": (b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", "http_304"),
    "marks-of-escapes": (answer(_GOOD.encode(), _ATOM, b"ETag: \"\xe2\x80\xae\xff\"\r\nLast-Modified: " + b"x" * 9000
                                + b"\r\n"), "believed"),
    "wait-for-a-century": (b"HTTP/1.1 503 No\r\nRetry-After: 999999999999\r\nContent-Length: 0\r\n\r\n", "http_503"),
}  # fmt: skip
del _BODIES["a-gigabyte-packed"]

BEHAVIOURS: tuple[Behaviour, ...] = (
    *(_behaviour(name, {PATH: raw}, feed) for name, (raw, feed) in _ANSWERS.items()),
    *(_behaviour(name, {PATH: answer(raw, _ATOM)}, feed) for name, (raw, feed) in _BODIES.items()),
)
