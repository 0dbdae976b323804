"""Which fault, and which items may then say nothing.  A pattern picks up an item as soon as it exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import zip_longest

from tests.checks.faults import names, web
from tests.checks.faults.streams import (
    FILTERED,
    GARBAGE,
    REFUSED,
    Behaviour,
    NoListener,
    drip,
    early_eof,
    endless,
    ends_after,
    reset_after,
    reset_at_once,
    says,
    silent,
    stalls_after,
)
from tests.checks.faults.world import Faults
from tests.lab import places as at

# What needs an answer of the web server itself.
_API = (
    "signup.closed", "signup.approval", "signup.captcha", "signup.email_verified", "legal.*", "updates.software_current",
    "plan.software_fits", "plan.contact_reachable", "app.setup_finished", "app.media_domain", "app.bucket_not_listable",
    "app.signed_fetch",
)  # fmt: skip
_HEADERS = (
    "http.content_type_options", "http.cookies", "http.csp", "http.frame_options", "http.hsts", "http.hsts_preload",
    "http.permitted_cross_domain", "http.referrer_policy", "http.xss_protection_off", "http.cors",
    "app.secure_cookie", "edge.waf",
)  # fmt: skip
_PATHS = ("app.panels_closed", "app.secrets_not_served", "http.security_txt")
_SITE = (*_API, *_HEADERS, *_PATHS)
_SSH = ("ssh.password_login_off", "ssh.public_key_login", "ssh.algorithms")
_ZONE = ("domain.caa", "domain.dnssec", "domain.nameservers")
_PORTS = ("firewall.open_ports", "firewall.databases_closed", "app.local_bind")

HOST = {at.GOOD: at.GOOD_IP, at.BAD: at.BAD_IP}
MAIL_HOSTS = {at.GOOD: (at.MX_IP,), at.BAD: (at.BAD_MAIL_IP, at.MX_IP)}


@dataclass(frozen=True)
class Case:
    """One fault of one service, on one target.

    `silenced`: items whose evidence would have to come from what is broken: UNKNOWN.  `decided`: of these, the ones
    that something else has settled already, as in the sound world.  `elsewhere`: items for which the fault is
    evidence of its own.  All others: as in the sound world, or UNKNOWN."""

    service: str
    fault: str
    target: str
    faults: Faults
    silenced: tuple[str, ...]
    decided: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.service}, {self.fault}, {self.target.split('.')[0]}"


def among(item: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(item, pattern) for pattern in patterns)


_ANYWHERE: dict[str, Behaviour | NoListener] = {
    "silent": silent,
    "filtered": FILTERED,
    "refused": REFUSED,
    "reset at once": reset_at_once,
    "early end": early_eof,
    "drip": drip,
    "reset after 5 bytes": reset_after(5),
    "ends after 1 byte": ends_after(1),
    "stalls after 7 bytes": stalls_after(7),
    "garbage": says(GARBAGE),
    "garbage and end": says(GARBAGE, stays=False),
    "endless zeros": endless(b"", bytes(1024)),
}  # fmt: skip
_TLS_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
_HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
_TLS_ONLY: dict[str, Behaviour | NoListener] = {
    "an SSH banner": says(_SSH_BANNER),
    "plain HTTP": says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "an alert to everything": says(_TLS_ALERT, stays=False),
    "reset in the first flight": reset_after(40),
    "end in the first flight": ends_after(40),
    "stall in the first flight": stalls_after(40),
    "half a record for ever": endless(b"\x16\x03\x03\x40\x00", b"\x02"),
    "empty records for ever": endless(b"", b"\x16\x03\x03\x00\x00"),
}  # fmt: skip
_SSH_ONLY: dict[str, Behaviour | NoListener] = {
    "HTTP": says(_HTTP),
    "a TLS alert": says(_TLS_ALERT),
    "a banner and no more": says(_SSH_BANNER),
    "a banner and the end": says(_SSH_BANNER, stays=False),
    "a banner and garbage": says(_SSH_BANNER + GARBAGE),
    "lines without end": endless(b"", b"hello there\r\n"),
    "one line without end": endless(b"SSH-2.0-", b"x"),
    "end in the algorithms": ends_after(300),
    "stall in the algorithms": stalls_after(300),
    "reset after the algorithms": reset_after(1100),
}  # fmt: skip
_SMTP_ONLY: dict[str, Behaviour | NoListener] = {
    "HTTP": says(_HTTP),
    "an SSH banner": says(_SSH_BANNER),
    "greeting 421": says(b"421 4.7.0 too many connections\r\n", stays=False),
    "greeting 554": says(b"554 5.7.1 no access\r\n"),
    "greeting and the end": says(b"220 mx ESMTP\r\n", stays=False),
    "greeting and no more": says(b"220 mx ESMTP\r\n"),
    "greeting without end": endless(b"", b"220-mx\r\n"),
    "EHLO refused": says(b"220 mx ESMTP\r\n502 5.5.1 no\r\n"),
    "EHLO cut": says(b"220 mx ESMTP\r\n250-mx\r\n250-SIZE\r\n", stays=False),
    "STARTTLS refused": says(b"220 mx ESMTP\r\n250-mx\r\n250 STARTTLS\r\n454 4.7.0 not now\r\n"),
    "STARTTLS and silence": says(b"220 mx ESMTP\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n"),
}  # fmt: skip
_DNS: Mapping[str, names.Broken] = {
    "silent": names.silence,
    "nobody listens": names.nobody,
    "SERVFAIL": names.rcode("SERVFAIL"),
    "REFUSED": names.rcode("REFUSED"),
    "FORMERR": names.rcode("FORMERR"),
    "NOTIMP": names.rcode("NOTIMP"),
    "garbage": names.garbage,
    "cut over TCP too": names.cut_over_tcp_too,
    "cut, then TCP silent": names.cut_then_silent,
    "cut, then TCP garbage": names.cut_then_garbage,
    "alias alone": names.alias_only,
    "alias in a ring": names.alias_loop,
    "wrong id": names.wrong_id,
    "another question": names.another_question,
    "truncated": names.truncated,
    "header alone": names.header_alone,
    "referral": names.referral,
    "too slow": names.too_slow,
}


# Definite words of a server of the zone about itself: it does not serve the zone.
_LAME = frozenset({"SERVFAIL", "REFUSED", "alias alone", "alias in a ring", "referral"})


def cases() -> Iterator[Case]:
    for target in (at.GOOD, at.BAD):
        yield from _site_cases(target)
        yield from _cases_beside(target)
        yield from _cases_of_the_host(target)
        yield from _dns_cases(target)


def _site_cases(target: str) -> Iterator[Case]:
    """Port 443 of the instance: before the handshake is done, and after."""
    https = (HOST[target], 443)
    for name, how in {**_ANYWHERE, **_TLS_ONLY}.items():
        yield Case("443", name, target, Faults({https: how}), (*_SITE, "tls.*", "edge.cdn"), elsewhere=_PORTS)
    tls = ("tls.*", "domain.caa")  # another certificate and another TLS server, sound both
    # What ServerHello says stays true when the certificate never comes.
    late = Faults({https: ends_after(600)})
    yield Case("443", "end in the certificate", target, late, _SITE, elsewhere=(*tls, *_PORTS))
    withheld = {**web.BROKEN, **web.BROKEN_BODY, **web.WITHHELD, "200 challenge": web.CHALLENGE}
    for name, how in withheld.items():
        yield Case("https", name, target, Faults({https: how}, inside_tls=True), _SITE, elsewhere=tls)
    for name, how in web.NO_API.items():
        faults = Faults({https: how}, inside_tls=True)
        yield Case("https", name, target, faults, _API, elsewhere=(*tls, *_HEADERS, *_PATHS))


def _cases_beside(target: str) -> Iterator[Case]:
    """Everything but port 443 of the instance, in one world: these services know nothing of each other."""
    ssh, plain, smtp = (HOST[target], 22), (HOST[target], 80), [(host, 25) for host in MAIL_HOSTS[target]]
    others = [(at.MEDIA_IP, 443), (at.MTA_STS_IP, 443)] if target == at.GOOD else []
    beside = ("app.bucket_not_listable", "mail.mta_sts") if others else ()
    mail = ("mail.starttls", "mail.dane")
    silenced = (*_SSH, *mail, *beside)
    definite = ("ssh.port_changed", "ssh.source_restricted", *_PORTS)  # what a port itself shows
    for name, how in _ANYWHERE.items():
        # A refusal is definite: nothing is served over HTTP, no SSH on this port.
        mute = () if how is REFUSED else ("http.https_redirect", "ssh.port_changed")
        media = ("app.media_domain",) if others else ()
        faults = Faults(dict.fromkeys((ssh, *smtp, plain, *others), how))
        what = (*silenced, "ssh.source_restricted", *mute, *media)
        yield Case(
            "beside",
            name,
            target,
            faults,
            what,
            ("mail.dane",),
            tuple({*definite, "http.https_redirect"} - {*what}),
        )
    for (one, how), (two, so) in zip_longest(_SSH_ONLY.items(), _SMTP_ONLY.items(), fillvalue=("", REFUSED)):
        faults = Faults({ssh: how, **dict.fromkeys(smtp, so)})
        ssh_items = _SSH if one != "reset after the algorithms" else _SSH[:2]
        elsewhere = tuple({*definite, *_SSH} - {*ssh_items})
        what = (*ssh_items, *mail)
        yield Case("ssh and smtp", f"{one} / {two}", target, faults, what, ("mail.dane",), elsewhere)
    for name, how in {**web.BROKEN, **web.BROKEN_BODY, **web.WITHHELD}.items():
        faults = Faults(dict.fromkeys((plain, *others), how), inside_tls=True)
        # The address of an upload and the head of its answer are enough to say whose host serves it.
        media = ("app.media_domain",) if others and name not in web.BROKEN_BODY else ()
        yield Case("beside, https", name, target, faults, ("http.https_redirect", *beside, *media))
    faults = Faults({plain: web.CHALLENGE})
    yield Case("80", "200 challenge", target, faults, ("http.https_redirect",))


def _cases_of_the_host(target: str) -> Iterator[Case]:
    """The machine as a whole goes away; or its databases fall silent, whose ports still show that they are open."""
    host = HOST[target]
    everything = (*_SITE, *_SSH, *_PORTS, "tls.*", "http.https_redirect", "edge.cdn", "ssh.source_restricted")
    for name, gone in {"filtered": FILTERED, "refused": REFUSED}.items():
        faults = Faults(dict.fromkeys(((host, port) for port in (22, 80, 443, 3000, 5432, 6379)), gone))
        yield Case("host", name, target, faults, everything, elsewhere=("ssh.port_changed",))
    if target == at.BAD:
        for name, how in _ANYWHERE.items():
            faults = Faults({(host, 5432): how, (host, 6379): how})
            yield Case("databases", name, target, faults, (), elsewhere=_PORTS)


def _dns_cases(target: str) -> Iterator[Case]:
    addresses = frozenset({"A", "AAAA"})
    for name, how in _DNS.items():
        yield Case("resolver", name, target, Faults(resolver=how), ("*",), ("domain.permanent",))
        records = Faults(resolver=how, spares=addresses)
        # An instance that publishes no contact fails by that alone.
        decided = ("plan.contact_reachable",) if target == at.BAD else ()
        yield Case("records", name, target, records, ("mail.*", *_ZONE, "plan.contact_reachable"), decided)
        if target == at.GOOD and name not in _LAME:
            yield Case("name servers", name, target, Faults(authority=how), ("domain.nameservers",))
    many = Faults(resolver=names.far_too_many)
    yield Case(
        "records", "far too many", target, many, ("mail.spf", "mail.dmarc", "mail.dkim", "mail.dmarc_reports")
    )
    yield Case("resolver", "slow", target, Faults(resolver=names.slow), ())
