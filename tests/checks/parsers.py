"""Every parser of foreign text or bytes, called with one argument; and shapes of 8 KiB that parsers trip over."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import checks.parse
from checks.data import tables
from checks.data.tables import families
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.advisories import Advisory, Affected, Published
from checks.facts.dns import Lookup, Outcome
from checks.parse import (
    answers,
    collector,
    dmarc,
    instance_api,
    json_caps,
    known_hosts,
    nodeinfo,
    rdap,
    release_lines,
    source_offer,
    spf,
    spf_macro,
    spf_walk,
    tags,
    tls,
    versions,
)

SIZE = 8192
Reader = Callable[[Any], object]

# Their first argument is a word of our own, or text that another parser has read already.
NOT_FOREIGN = {
    "dkim.key_name", "dmarc.report_name", "dmarc.walk_names", "tls_ssl2.client_hello", "tls_text.certificate_label",
    "csp.weaknesses", "csp.frame_ancestors", "csp.is_wide", "csp.is_inert",
}  # fmt: skip


def _txt(name: str, text: str) -> Lookup:
    return Lookup(name, "TXT", Outcome.FOUND, (text,))


def _walk(text: str) -> object:
    return spf_walk.walk("a.test", {("a.test", "TXT"): _txt("a.test", text)})


def _discover(text: str) -> object:
    return dmarc.discover("a.test", {"a.test": _txt("_dmarc.a.test", text), "test": Missing(Reason.TIMEOUT)})


def _instance(text: str) -> object:
    """The document in every place where an API may show it."""
    document = json_caps.load_object(text)

    apart = {"nodeinfo", "terms_text"}
    everywhere = {part.name: document for part in fields(instance_api.Docs) if part.name not in apart}
    docs = instance_api.Docs(nodeinfo=Missing(Reason.TIMEOUT), terms_text=text, **everywhere)
    return [instance_api.read_instance(name, docs) for name in families()]


def _json_paths(text: str) -> object:
    document = json_caps.load_object(text)
    read = (json_caps.text_at, json_caps.bool_at, json_caps.int_at, json_caps.list_at, json_caps.at)
    return [one(document, "a", "b") for one in read]


def _flaw(text: str) -> Advisory:
    return Advisory("mastodon", text, text, (Affected(text, text), Affected("0", "1.0")), seen=True)


# What needs more than its text, under the name of the function.
WRAPPED: dict[str, Reader] = {
    "answers.first_asset": partial(answers.first_asset, host="a.test"),
    "collector.parse_report": lambda data: collector.parse_report(data, datetime(2026, 11, 21, tzinfo=UTC)),
    "dmarc.discover": _discover,
    "instance_api.read_instance": _instance,
    "json_caps.text_at": _json_paths,
    "known_hosts.host_key_for": partial(known_hosts.host_key_for, host="a.test", port=22),
    "nodeinfo.best_link": partial(nodeinfo.best_link, hosts=frozenset({"a.test"})),
    "rdap.parse_domain_answer": partial(rdap.parse_domain_answer, name="a.test"),
    "source_offer.is_upstream": lambda text: [
        source_offer.is_upstream(text, family) for family in families().values()
    ],
    "spf.expand": lambda text: spf.expand(text, "a.test", "b.test"),
    "spf_macro.check_macros": lambda text: spf_macro.check_macros(text, "a:"),
    "spf_macro.fill": lambda text: spf_macro.fill(text, dict.fromkeys("slodiphcrtv", "x.y-z")),
    "spf_macro.fill_explanation": lambda text: spf_macro.fill_explanation(
        text, dict.fromkeys("slodiphcrtv", "x.y-z")
    ),
    "spf_walk.walk": _walk,
    "tags.parse_tags": lambda text: [tags.parse_tags(text, strict=True), tags.parse_tags(text, strict=False)],
    "tls.parse_chain": lambda data: [tls.parse_chain(data, tls13=False), tls.parse_chain(data, tls13=True)],
    "tls.parse_key_exchange": lambda data: [
        tls.parse_key_exchange(data, kind) for kind in ("ECDHE_RSA", "DHE_RSA", "RSA")
    ],
    "tls.parse_signed": lambda data: [
        tls.parse_signed(data, kind, version)
        for kind in ("ECDHE_RSA", "DHE_RSA")
        for version in (0x0303, 0x0301)
    ],
    "versions.parse_version": lambda text: [versions.parse_version(name, text) for name in families()],
    "versions.is_within": lambda text: versions.is_within(text, Affected("0", "1.0")),
    "release_lines.days_behind": lambda text: release_lines.days_behind(
        text, (Published(text), Published("1.0")), date(2026, 11, 21)
    ),
    "release_lines.way_out": lambda text: release_lines.way_out(
        text, (_flaw(text),), (_flaw(text),), tables.releases()["mastodon"], date(2026, 11, 21)
    ),
}


def readers() -> Iterator[tuple[str, bool, Reader]]:
    """(name, takes bytes, call) of every public function of `checks.parse` that takes foreign text first."""
    for module in pkgutil.walk_packages(checks.parse.__path__, "checks.parse."):
        found = importlib.import_module(module.name)
        for name, function in vars(found).items():
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            if function.__module__ != found.__name__:
                continue
            full = f"{module.name.removeprefix('checks.parse.')}.{name}"
            first = next(iter(inspect.signature(function).parameters.values()), None)
            kind = str(first.annotation) if first is not None else ""
            if full in WRAPPED:
                yield full, kind == "bytes", WRAPPED[full]
            elif full not in NOT_FOREIGN and kind in {"str", "bytes"}:
                yield full, kind == "bytes", function
            elif full not in NOT_FOREIGN and kind == "tuple[str, ...]":
                yield full, False, _as_lines(function)


def _as_lines(function: Reader) -> Reader:
    return lambda text: [function((text,)), function(tuple(text.split("\n")))]


_UNITS = (
    "a", "=", ";", ",", " ", "\t", "\n", "\r\n", '"', "'", "\\", "%", "%{", "%{i}", ".", ":", "/", "[", "{", "(", "<",
    "&#", "0", "-", "a=", "a;", "a,", "a.", 'a="', "a b ", "max-age=", "v=spf1 ", "include:a.test ", "v=DMARC1;",
    "script-src 'nonce-a' ", "[[", '{"a":', "<a href=", "<!--", "\x00", "\xff", "\u202e", "é", "１", "💥", "AB\n",
    "KEY=1\n", "Contact: mailto:a@a.test\n", "DKIM-Signature: v=1; d=a; s=b;\r\n ", "1.2.", "1.2.3-rc", "SSH-", "+",
)  # fmt: skip
_BYTES = (b"\x00", b"\xff", b"\x16\x03\x03", b"\x00\x00\x01", b"\x01\x00", b"SSH-2.0-a\r\n", b"\x80\x2e\x04", b"-ERR ",
          b"HTTP/1.1 200 OK\r\n", b"\x30\x82\x01\x00", b"\x0b\x00\x10", b"\x00\x20")  # fmt: skip


def hostile_texts() -> Iterator[str]:
    """Shapes on which a careless pattern takes quadratic time, 8 KiB each."""
    for unit in _UNITS:
        yield (unit * (SIZE // len(unit) + 1))[:SIZE]
        yield ("v=spf1 " + unit * SIZE)[: SIZE - 1] + "!"
        yield ("a=" + unit * SIZE)[: SIZE - 1] + "\x00"
    half = SIZE // 2
    yield "[" * half + "]" * half
    yield '{"a":' * (SIZE // 6) + "1" + "}" * (SIZE // 6)
    yield '{"a":[' + "1," * (half - 8) + "1]}"
    yield '{"objectClassName":"domain","ldhName":"a.test","entities":[' + "{}," * 2000 + "{}]}"


def hostile_bytes() -> Iterator[bytes]:
    for unit in _BYTES:
        yield (unit * (SIZE // len(unit) + 1))[:SIZE]
    for text in hostile_texts():
        yield text.encode("utf-8", "replace")[:SIZE]
