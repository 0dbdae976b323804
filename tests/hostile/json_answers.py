"""JSON that means harm: NodeInfo and the API of an instance whose pages are honest."""

from __future__ import annotations

import asyncio
import copy
import json
import ssl
from collections.abc import Mapping
from typing import Any

from tests.checks.faults.streams import Behaviour as Serve
from tests.checks.faults.streams import Reader, Writer
from tests.hostile.http_answers import API, EVIL_TEXT, FREE, TLS_BESIDE, gzipped
from tests.hostile.model import Allows, Behaviour, World
from tests.lab import places as at
from tests.lab.web_good import ANSWERS

_WEB = (at.GOOD_IP, 443)
_LINKS, _INFO, _V2 = "/.well-known/nodeinfo", "/nodeinfo/2.0", "/api/v2/instance"
_EVERYWHERE = "/api/"
_JSON = b"application/json; charset=utf-8"
_LIKE_THE_REST = b"Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n"


def _document(name: str) -> Any:
    return json.loads((ANSWERS / "good" / f"{name}.json").read_text())


_HONEST = {_LINKS: _document("nodeinfo"), _INFO: _document("nodeinfo-2.0"), _V2: _document("instance-v2")}


def answer(body: bytes, kind: bytes = _JSON, more: bytes = b"") -> bytes:
    """A whole answer with this body."""
    size = _LIKE_THE_REST + b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n" + more + size + b"\r\n" + body


def instead(answers: Mapping[str, bytes]) -> Serve:
    """These answers at their paths (a path that ends in / stands for all below it); the honest server's own at
    every other."""

    async def serve(reader: Reader, writer: Writer, honest: tuple[str, int]) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ", 2)[1].decode("latin-1")
        below = next(
            (raw for start, raw in answers.items() if start.endswith("/") and path.startswith(start)), None
        )
        raw = answers.get(path, below)
        if raw is None:
            await _pass_on(request, writer, honest)
        else:
            writer.write(raw)
            await writer.drain()

    return serve


async def _pass_on(request: bytes, writer: Writer, honest: tuple[str, int]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    source, sink = await asyncio.open_connection(*honest, ssl=context, server_hostname=at.GOOD)
    try:
        first, _, rest = request.partition(b"\r\n")
        sink.write(first + b"\r\nConnection: close\r\n" + rest)
        while data := await source.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        sink.transport.abort()


def everywhere(body: bytes, kind: bytes = _JSON, more: bytes = b"") -> dict[str, bytes]:
    """One body in place of every document."""
    raw = answer(body, kind, more)
    return {_LINKS: raw, _INFO: raw, _EVERYWHERE: raw}


def changed(document: str, **fields: Any) -> dict[str, bytes]:
    """An honest document in which some fields say something else; `a__b` is the field b of a."""
    made = copy.deepcopy(_HONEST[document])
    for name, value in fields.items():
        *way, last = name.split("__")
        place = made
        for step in way:
            place = place[step]
        place[last] = value
    return {document: answer(json.dumps(made).encode())}


def turned(document: str, into: Any) -> dict[str, bytes]:
    """An honest document in which every value is another's type."""

    def turn(value: Any) -> Any:
        return {key: turn(one) for key, one in value.items()} if isinstance(value, dict) else into

    return {document: answer(json.dumps(turn(_HONEST[document])).encode())}


def _raw(text: str) -> dict[str, bytes]:
    return everywhere(text.encode("utf-8", "surrogatepass"))


def _info(software: str) -> dict[str, bytes]:
    """NodeInfo with these bytes as its software."""
    return {_INFO: answer(b'{"version": "2.0", "software": %s}' % software.encode("utf-8", "surrogatepass"))}


def _version(text: str) -> dict[str, bytes]:
    """The version in all places that name it."""
    return changed(_INFO, software__version=text) | changed(_V2, version=text)


def _deep(levels: int) -> dict[str, bytes]:
    """The honest documents, each with one more member that lies so deep."""
    more = ', "more": ' + "[" * levels + "]" * levels + "}"
    return {path: answer((json.dumps(honest)[:-1] + more).encode()) for path, honest in _HONEST.items()}


def _links(*hrefs: str) -> dict[str, bytes]:
    rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
    return {_LINKS: answer(json.dumps({"links": [{"rel": rel, "href": href} for href in hrefs]}).encode())}


_DEEP = 100_000
_WHOLE = json.dumps(_HONEST[_INFO])
# Nothing of the API can be read.
_UNREADABLE: dict[str, dict[str, bytes]] = {
    "lists-100000-deep": _raw("[" * _DEEP + "]" * _DEEP),
    "objects-100000-deep": _raw('{"a":' * _DEEP + "1" + "}" * _DEEP),
    "lists-without-an-end": _raw("[" * _DEEP),
    "brackets-in-a-string": _raw(json.dumps({"software": "[{" * 50_000})),
    "30-megabytes": _raw(json.dumps({"software": "x" * 30_000_000})),
    "30-megabytes-packed": everywhere(
        gzipped(json.dumps({"software": "x" * 30_000_000}).encode()), more=b"Content-Encoding: gzip\r\n"
    ),
    "nan-and-infinity": _raw('{"version": NaN, "links": Infinity, "software": -Infinity}'),
    "null": _raw("null"),
    "a-list": _raw("[]"),
    "a-number": _raw("17"),
    "a-text": _raw('"<script>alert(1)</script>"'),
    "true": _raw("true"),
    "nothing": _raw(""),
    "white-space": _raw(" " * 200_000),
    "two-documents": _raw(_WHOLE + _WHOLE),
    "a-document-cut": _raw(_WHOLE[:-20]),
    "single-quotes": _raw(_WHOLE.replace('"', "'")),
    "a-comment": _raw("/* EVIL */" + _WHOLE),
    "utf-16": everywhere(_WHOLE.encode("utf-16")),
    "utf-32": everywhere(_WHOLE.encode("utf-32")),
    "a-challenge-page": everywhere(b"<html><script>window._cf_chl_opt={}</script></html>", b"text/html"),
    "raw-nul-and-escapes": _raw('{"version": "4.7.3\0\x1b[31m"}'),
    "100000-keys": _raw("{" + ",".join(f'"k{n}": 1' for n in range(100_000)) + "}"),
}
# The instance speaks of itself, and what it says of its software, people and rules is all there is to know.
_READABLE: dict[str, dict[str, bytes]] = {
    "bytes-that-are-no-text": everywhere(b'{"version": "' + bytes(range(128, 256)) + b'"}'),
    "honest-documents-200-deep": _deep(200),
    "a-byte-order-mark": {_INFO: answer(b"\xef\xbb\xbf" + _WHOLE.encode())},
    "numbers-of-5000-digits": {
        _INFO: answer(_WHOLE.replace("57", "9" * 5000).encode()),
        _V2: answer(json.dumps(_HONEST[_V2]).replace("38", "9" * 5000).encode()),
    },
    "floats-beyond-bounds": {_INFO: answer(_WHOLE.replace("57", "1e999").encode())},
    "negative-counts": changed(_INFO, usage__users__total=-5),
    "software-twice": _info('{"name": "mastodon", "version": "4.7.3"}, "software": {"name": "misskey", "version": "1"}'),
    "lone-surrogates": _info(r'{"name": "\ud800mastodon", "version": "\udfff4.7.3\ud83d"}'),
    "escaped-nul": _info(r'{"name": "mastodon\u0000", "version": "4.7.3\u0000\u001b[2J"}'),
    "a-name-of-markup": _info(json.dumps({"name": EVIL_TEXT, "version": EVIL_TEXT})),
    "a-name-of-100000-letters": _info(json.dumps({"name": "m" * 100_000, "version": "4" * 100_000})),
    "a-name-like-a-path": _info(json.dumps({"name": "../../etc/passwd", "version": "4.7.3"})),
    "versions-with-escapes": _version("4.7.3\x1b[31m\x07"),
    "versions-with-bidi": _version("4.7.3\u202e3.7.4\u2066"),
    "versions-of-markup": _version('4.7.3<script>alert(1)</script>"><img src=x onerror=1>'),
    "versions-with-a-formula": _version('=HYPERLINK("https://evil.example")'),
    "versions-with-line-breaks": _version("4.7.3\r\nBcc: everybody@example.org\n\n"),
    "versions-against-patterns": _version("4." + "1" * 50_000 + "+" + "a-" * 20_000 + "!"),
    "versions-beyond-bounds": _version("99999999999999999999.9.9"),
    "versions-before-bounds": _version("-1.-1.-1"),
    "versions-of-templates": _version("{{7*7}}${7*7}<%= 7*7 %>{0.__class__}%s%n"),
    "100000-links": _links(*(f"https://good.fedi.test/n/{n}" for n in range(18_000))),
    "links-to-internal-addresses": _links(
        "http://169.254.169.254/latest/meta-data/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
        "https://good.fedi.test:6379/", "https://good.fedi.test@127.0.0.1/", "//127.0.0.1/nodeinfo",
    ),
    "links-of-other-schemes": _links("file:///etc/passwd", "gopher://127.0.0.1:6379/_X", "javascript:alert(1)"),
    "links-to-another-site": _links("https://bad.fedi.test/nodeinfo/2.0"),
    "links-that-are-none": {_LINKS: answer(b'{"links": [1, null, [], {"rel": {}, "href": []}, "https://x/"]}')},
    "uploads-at-internal-addresses": changed(
        _V2, thumbnail__url="https://127.0.0.1/x.png", contact__account={
            "avatar": "https://169.254.169.254/latest/meta-data/", "uri": "https://[::1]/users/admin",
            "acct": EVIL_TEXT}, source_url="https://10.0.0.1/source",
    ),
    "contacts-with-line-breaks": changed(
        _V2, contact__email="admin@good.fedi.test\r\nBcc: everybody@example.org", contact__account=None
    ),
    "contacts-at-evil-domains": changed(_V2, contact__email="a@" + "@" * 2000 + "x." * 200 + "\u202e\x1b"),
    "100000-rules": changed(_V2, rules=[{"id": "1", "text": EVIL_TEXT}] * 9_000),
    "registrations-contradict": changed(_INFO, openRegistrations=True),
}  # fmt: skip
_TURNED: dict[str, Any] = {
    "null": None, "lists": [[]], "objects": {"a": {}}, "numbers": 17, "texts": EVIL_TEXT, "truths": True,
    "huge-numbers": 10**300,
}  # fmt: skip
for _name, _into in _TURNED.items():
    _READABLE[f"nodeinfo-of-{_name}"] = turned(_INFO, _into)
    _READABLE[f"instance-of-{_name}"] = turned(_V2, _into)

# What the words of an instance about itself settle, and no more.
_OWN_WORDS = dict.fromkeys(
    (*API, "http.cookies", "app.panels_closed", "updates.*", "app.secure_cookie"), FREE
)


def _behaviour(name: str, answers: Mapping[str, bytes], allows: Allows) -> Behaviour:
    world = World(ports={_WEB: instead(answers)}, inside_tls=True)
    return Behaviour(f"json-{name}", "json", world, allows, quick=name == "lists-100000-deep")


BEHAVIOURS: tuple[Behaviour, ...] = (
    *(_behaviour(n, a, Allows(API, TLS_BESIDE)) for n, a in _UNREADABLE.items()),
    *(_behaviour(n, a, Allows((), TLS_BESIDE | _OWN_WORDS)) for n, a in _READABLE.items()),
)
