"""The instance's own mail hosts on port 25: greeting, EHLO, STARTTLS, certificate.  No mail is ever begun."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks.clean import clean
from checks.data.dns import provider_of_mx
from checks.data.suffixes import same_registrable
from checks.errors import Malformed, ProbeError, Reason, TimedOut, TooLarge, Withheld
from checks.facts import Fact, Missing, MissingFact, seen
from checks.facts.mail import MailRoutes, SmtpHost, SmtpHosts, SmtpSession
from checks.probes.look import Look, Probe
from checks.probes.net import Stream
from checks.probes.tls_chain import UNREADABLE, find_path, load_all
from checks.probes.tls_flight import BYTES_MAX, Flight, Refusal, exchange
from checks.probes.tls_hello import X25519
from checks.probes.tls_prober import VERSIONS, any_version_hello

_PORT = 25
_VISITED = 2
_REPLY_BYTES = 16 * 1024
_REPLIES_BYTES = 3 * _REPLY_BYTES
_REPLY_S = 10.0  # greet pauses (postscreen) are six seconds by default
_EHLO_NAME = "fedisec.invalid"  # RFC 2606: belongs to nobody, so it blames nobody
_NAMES_MAX = 50
_NOT_KNOWN = frozenset(
    {500, 502, 504}
)  # EHLO itself is not known (RFC 5321 4.2.4), so nothing it would offer
_BEHIND_MAX, _BEHIND_BYTES = 5, 8192
_LINE = re.compile(rb"(\d{3})([ -])?([^\r\n]*)\r?\n")


async def gather_smtp(look: Look) -> Iterable[Fact]:
    routes = await look.need(MailRoutes)
    if isinstance(routes.mx, Missing):
        raise MissingFact(routes.mx)
    names = [host.name for host in routes.hosts if host.name != "."]
    own = [name for name in names if _is_own(look, name)][:_VISITED]
    visited = await asyncio.gather(*(_visit(look, name) for name in own))
    left_out = Missing(Reason.NOT_ASKED, "run by a mail service")
    hosted = [SmtpHost(name, True, left_out, left_out) for name in names if not _is_own(look, name)]
    return (SmtpHosts(routes.domain, (*visited, *hosted), datetime.now(UTC)),)


def _is_own(look: Look, host: str) -> bool:
    mine = (look.target.domain, look.target.mail_domain)
    return provider_of_mx(host) is None and any(same_registrable(host, name) for name in mine)


async def _visit(look: Look, name: str) -> SmtpHost:
    session, tlsa = await asyncio.gather(_session(look, name), look.dns.ask(f"_{_PORT}._tcp.{name}", "TLSA"))
    return SmtpHost(name, False, session, tlsa)


async def _session(look: Look, name: str) -> SmtpSession | Missing:
    try:
        address = (await look.dns.addresses_of(name))[0]
        async with look.net.politely(address):
            stream = await look.net.connect(address, _PORT, "smtp", max_bytes=_REPLIES_BYTES + BYTES_MAX)
    except TimedOut as error:
        return Missing(Reason.PORT_BLOCKED, error.detail)  # far more often our network than their host
    except ProbeError as error:
        return Missing.of(error)
    try:
        return await _talk(stream, name, look.vantage.trust_pem)
    except ProbeError as error:
        return Missing.of(error)
    except MissingFact as error:
        return error.missing
    finally:
        stream.close()


async def _talk(stream: Stream, name: str, trust_pem: str) -> SmtpSession:
    code, _ = await _reply(stream)
    if code != 220:
        raise Withheld(f"greeting {code}")
    await stream.write(f"EHLO {_EHLO_NAME}\r\n".encode("ascii"))
    code, lines = await _reply(stream)
    if code in _NOT_KNOWN:
        return SmtpSession(False)
    if code != 250:
        raise Withheld(f"EHLO {code}")
    if not any(line.split()[:1] == ["STARTTLS"] for line in lines[1:]):
        return SmtpSession(False)
    await stream.write(b"STARTTLS\r\n")
    code, _ = await _reply(stream)
    if code >= 500:
        return SmtpSession(True, tls_error=f"STARTTLS {code}")
    if code != 220:
        raise Withheld(f"STARTTLS {code}")
    answer = await exchange(stream, any_version_hello(name), group=X25519, within_s=_REPLY_S)
    if isinstance(answer, Refusal):
        return SmtpSession(True, tls_error=clean(answer.why, 80, newlines=False))
    return _certificate(answer, trust_pem)


async def _reply(stream: Stream) -> tuple[int, list[str]]:
    """The code and the lines of one reply (RFC 5321 4.2.1); Malformed for anything else."""
    buffer, lines = b"", []
    while True:
        found = _LINE.match(buffer)
        if found is None:
            if len(buffer) > _REPLY_BYTES:
                raise TooLarge(stream.where)
            if b"\n" in buffer:
                raise Malformed(f"{stream.where}: no SMTP reply")
            more = await stream.read(4096, timeout_s=_REPLY_S)
            if not more:
                raise Malformed(f"{stream.where}: closed without a whole reply")
            buffer += more
            continue
        buffer = buffer[found.end() :]
        lines.append(clean(found[3], 512, newlines=False).upper())
        if found[2] != b"-":
            return int(found[1]), lines
        if len(lines) > 100:
            raise TooLarge(stream.where)


def _certificate(answer: Flight, trust_pem: str) -> SmtpSession:
    """Raises MissingFact where the certificate, or the proof of its key, did not arrive."""
    version = VERSIONS[answer.hello.version].value
    if answer.chain is None:
        return SmtpSession(True, version, "no certificate")
    der, *sent = seen(answer.chain).certificates
    try:
        leaf = x509.load_der_x509_certificate(der)
        key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = _names(leaf)
    except UNREADABLE as error:
        return SmtpSession(True, version, f"certificate: {type(error).__name__}", certificate=der)
    ends, alone = leaf.not_valid_after_utc, leaf.issuer == leaf.subject
    behind = tuple(one for one in sent[:_BEHIND_MAX] if len(one) <= _BEHIND_BYTES)
    trust = find_path(leaf, load_all(behind), datetime.now(UTC), trust_pem).problem.value
    return SmtpSession(True, version, "", names, ends, alone, der, key, behind, trust)


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return ()
    names = found.value.get_values_for_type(x509.DNSName)
    return tuple(clean(name, 255, newlines=False).lower() for name in names[:_NAMES_MAX])


PROBES: tuple[Probe, ...] = (Probe("smtp", "mail", (SmtpHosts,), gather_smtp),)
