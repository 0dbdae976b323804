"""Each budget that stands between a hostile far side and fedisec, how to take it out, and the behaviours that then do
what it kept them from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from unittest import mock

from checks.target import Limits
from tests.hostile.child import Outcome

_NONE = 10**9
Removal = Callable[[Limits, ExitStack], Limits]


@dataclass(frozen=True)
class Budget:
    """`cap`: what it says, for the table."""

    cap: str
    remove: Removal
    behaviours: tuple[str, ...]


def _limit(**values: Any) -> Removal:
    return lambda limits, _: replace(limits, **values)


def _count(kind: str) -> Removal:
    return lambda limits, _: replace(limits, budget={**limits.budget, kind: _NONE})


def _constant(*places: str, value: Any = _NONE) -> Removal:
    """Names of module constants, with their modules."""

    def remove(limits: Limits, patched: ExitStack) -> Limits:
        for place in places:
            module, _, name = place.rpartition(".")
            patched.enter_context(mock.patch.object(import_module(module), name, value))
        return limits

    return remove


def _unbounded_bodies(limits: Limits, patched: ExitStack) -> Limits:
    """A caller's own cap is a default of a parameter, so the reader itself is told to take all."""
    client = import_module("checks.probes.http_client")
    read = client._read_body
    patched.enter_context(
        mock.patch.object(client, "_read_body", lambda response, encoding, _: read(response, encoding, _NONE))
    )
    return limits


_PROBES = "checks.probes"
BUDGETS: dict[str, Budget] = {
    "address rule": Budget(
        "only public addresses",
        _constant(f"{_PROBES}.net.may_dial", value=lambda *_: True),
        ("dns-a-loopback", "dns-mx-internal", "http-redirects-to-the-metadata-service"),
    ),
    "records of an answer, by its header": Budget(
        "250", _constant(f"{_PROBES}.dns_wire.MAX_COUNTED"), ("dns-server-many-names", "dns-all-many-names")
    ),
    "records of a set": Budget("100", _constant(f"{_PROBES}.dns_wire.MAX_RECORDS"), ("dns-txt-150-records",)),
    "aliases": Budget("16", _constant(f"{_PROBES}.dns_wire.MAX_ALIASES"), ("dns-all-alias-chain-100",)),
    "time-outs of the resolver": Budget(
        "3 in a row", _constant(f"{_PROBES}.dns._TIMEOUTS_IN_A_ROW"), ("dns-all-silence",)
    ),
    "time of a scan": Budget("60 s", _limit(wall_s=120.0), ("tls-stalls-after-600", "http-drips-a-body", "tls-drip")),
    "time of a request": Budget(
        "15 s", _limit(request_s=120.0), ("http-drips-a-body", "http-drips-a-header", "http-102-without-end")
    ),
    "bytes of an answer on the wire": Budget(
        "1 MB", _limit(wire_bytes=_NONE), ("http-102-without-end", "http-headers-without-end", "json-30-megabytes")
    ),
    "bytes of a body, unpacked": Budget(
        "256 KiB, pages of an API 1 MiB, never over 2 MB",
        _unbounded_bodies,
        ("http-a-gzip-bomb", "json-30-megabytes-packed"),
    ),
    "headers of an answer": Budget(
        "200 lines",
        _constant(f"{_PROBES}.http_client.HEADER_LINES"),
        ("http-5-000-cookies", "http-10-000-headers", "http-150-cookies-of-600-bytes"),
    ),
    "requests of a scan": Budget("20", _count("http"), ("http-redirects-on-and-on", "http-redirects-to-itself")),
    "TLS connections to an address": Budget("25", _count("tls"), ("tls-reset-in-hello", "tls-alerts-of-every-kind")),
    "records of a TLS flight": Budget(
        "200", _constant(f"{_PROBES}.tls_flight._RECORDS_MAX"), ("tls-250-empty-records-before-hello", "tls-250-warnings-before-hello")
    ),
    "bytes of a TLS flight": Budget(
        "160 KiB",
        _constant(f"{_PROBES}.tls_flight.BYTES_MAX", f"{_PROBES}.tls_prober.BYTES_MAX"),
        ("tls-names-12000", "tls-record-bomb-behind-hello"),
    ),
    "bytes of SMTP replies": Budget(
        "16 KiB each", _constant(f"{_PROBES}.mail_smtp._REPLY_BYTES", f"{_PROBES}.mail_smtp._REPLIES_BYTES"),
        ("smtp-banner-of-one-line", "smtp-banner-without-end"),
    ),
    "depth of JSON": Budget("64", _constant("checks.parse.json_caps._MAX_DEPTH"), ("json-honest-documents-200-deep", "json-lists-100000-deep")),
    "time of a login": Budget(
        "60 s", _constant(f"{_PROBES}.ssh_session.WALL_S", f"{_PROBES}.inside.WALL_S", value=120.0),
        ("collector-drips", "ssh-mute-at-the-command", "ssh-ignores-without-end"),
    ),
    "bytes before an SSH login": Budget(
        "256 KiB", _constant(f"{_PROBES}.ssh_client.BYTES_MAX_BEFORE", f"{_PROBES}.ssh_session.BYTES_MAX_BEFORE"), ("ssh-lines-without-end", "ssh-banner-without-end")
    ),
    "bytes of a report": Budget(
        "1 MiB", _constant(f"{_PROBES}.ssh_session.BYTES_MAX", f"{_PROBES}.ssh_session._WIRE_MAX"), ("collector-endless", "collector-endless-section")
    ),
}  # fmt: skip


@contextmanager
def without(budget: str, limits: Limits) -> Iterator[Limits]:
    """The limits with one budget taken out ("" for none), and the code patched to match."""
    with ExitStack() as patched:
        yield BUDGETS[budget].remove(limits, patched) if budget else limits


def differences(held: Outcome, free: Outcome, broken: Sequence[str]) -> list[str]:
    """What a behaviour does without the budget that it does not do with it.  `broken`: promises of the suite that
    only the run without it breaks."""
    found = list(broken)
    if free.seconds > max(1.5 * held.seconds, held.seconds + 1.5):
        found.append(f"takes {free.seconds:.1f} s in place of {held.seconds:.1f} s")
    if free.growth > held.growth + (8 << 20):
        found.append(f"grows by {free.growth >> 20} MiB in place of {held.growth >> 20} MiB")
    before, after = _connections(held), _connections(free)
    if after > before + 3:
        found.append(f"{after} connections in place of {before}")
    if free.delay_s > held.delay_s + 1.5:
        found.append(f"another scan is {free.delay_s:.1f} s later in place of {held.delay_s:.1f} s")
    told = {item for item, state in free.states.items() if state not in ("unknown", held.states.get(item))}
    told |= set(held.states) - set(free.states)  # what is as on the honest server is not listed
    if told:
        found.append(f"is believed about {len(told)} items more")
    return found


def _connections(outcome: Outcome) -> int:
    return sum(value for value in outcome.met.values() if isinstance(value, int))
