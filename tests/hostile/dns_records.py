"""Zones that mean harm: well formed answers whose content is too much, leads inside, or obeys nobody."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.checks.faults import names
from tests.hostile.dns import but, no_name_with_data, on, ttl
from tests.hostile.dns_server import Answer, Answers, Asked
from tests.hostile.groups import HOST, MAIL, PORTS, ZONE
from tests.hostile.model import Allows, Behaviour, World
from tests.lab import places as at

_SOA = "ns.test. root.test. 1 3600 600 86400 60"
Table = Mapping[tuple[str, str], Sequence[str]]

MX, STS = at.MX, at.MTA_STS
FAILS, FAILS_OR_NOT = "fail", "fail unknown"
EVIL = '"\\027[2J\\027]0;owned\\007 <script>alert(1)</script> \\226\\128\\174gnirts \\000end"'
"""Escapes, a title, markup, a mark that turns the direction, NUL: in one string of a TXT record."""


def says(table: Table, value: int = 60) -> Answer:
    """Records in presentation form for names of the table ("*": every name); all else is answered honestly."""

    async def answer(asked: Asked) -> bytes | None:
        name = asked.name.to_text(omit_final_dot=True).lower()
        found = table.get((name, asked.kind), table.get(("*", asked.kind)))
        if found is None:
            return await names.pass_on(asked)
        return _reply(
            asked, [dns.rrset.from_text(asked.name, value, "IN", asked.kind, *found)] if found else []
        )

    return answer


def _reply(asked: Asked, answer: list[dns.rrset.RRset]) -> bytes:
    """Over UDP cut where it would not fit, as a server does."""
    reply = asked.reply()
    reply.answer.extend(answer)
    if not answer:
        reply.authority.append(dns.rrset.from_text(asked.name, 60, "IN", "SOA", _SOA))
    wire = reply.to_wire(max_size=65535)
    if asked.tcp or len(wire) <= 1232:
        return wire
    cut = asked.reply()
    cut.flags |= dns.flags.TC
    return cut.to_wire()


def wire_records(kind: str, *datas: bytes) -> Answer:
    """Record data as bytes, for what no presentation form says."""

    async def answer(asked: Asked) -> bytes | None:
        if asked.kind != kind:
            return await names.pass_on(asked)
        body = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", asked.query.question[0].rdtype, 1, 60, len(data)) + data
            for data in datas
        )
        question = asked.query.to_wire()[12 : 12 + len(asked.name.to_digestable()) + 4]
        whole = struct.pack("!HHHHHH", asked.query.id, 0x8180, 1, len(datas), 0, 0) + question + body
        if asked.tcp or len(whole) <= 1232:
            return whole
        return struct.pack("!HHHHHH", asked.query.id, 0x8380, 1, 0, 0, 0) + question

    return answer


def behaviour(name: str, answer: Answer, unknown: Sequence[str] = (), /, **true: str) -> Behaviour:
    """`true`: item (a double underscore is its dot) -> states."""
    # What is made up here is not signed, although the zone is: insecure, as far as the resolver says.
    exact = {"domain.dnssec": "pass warn unknown"} | {
        k.replace("__", "."): states for k, states in true.items()
    }
    return Behaviour(f"dns-{name}", "dns", World(names=Answers(answer)), Allows(tuple(unknown), exact))


def _addresses() -> list[Behaviour]:
    """An address that may never be dialled, instead of the instance's own or beside it."""
    four = {
        "private": "10.0.0.1", "loopback": "127.0.0.1", "link-local": "169.254.10.1", "metadata": "169.254.169.254",
        "cgnat": "100.64.0.1", "zero": "0.0.0.0", "broadcast": "255.255.255.255", "multicast": "224.0.0.1",
    }  # fmt: skip
    six = {
        "loopback": "::1", "link-local": "fe80::1", "unique-local": "fc00::1", "mapped": "::ffff:127.0.0.1",
        "nat64": "64:ff9b::7f00:1", "6to4": "2002:7f00:1::1", "compatible": "::7f00:1", "multicast": "ff02::1",
    }  # fmt: skip
    hidden = (*HOST, *PORTS, "edge.*", "signup.*", "firewall.cloud_ssh")
    made = [
        behaviour(f"a-{name}", says({(at.GOOD, "A"): [address]}), hidden) for name, address in four.items()
    ]
    made += [
        behaviour(f"aaaa-{name}", says({(at.GOOD, "AAAA"): [address]}), hidden)
        for name, address in six.items()
    ]
    inside = "127.0.0.1"
    return [
        *made,
        behaviour("a-mixed", mixed, hidden),
        behaviour("a-rebinding", rebinding(), (), tls__certificate_valid="pass unknown"),
        behaviour("mx-internal", says({(MX, "A"): [inside]}), ("mail.starttls", "mail.dane"), plan__contact_reachable="fail unknown warn", mail__mx_sane="pass unknown fail warn"),
        behaviour("mx-literal", says({(at.GOOD, "MX"): ["10 127.0.0.1."]}), mail__starttls="unknown not_applicable", mail__dane="unknown not_applicable", mail__mx_sane="fail unknown warn", mail__mta_sts="fail unknown warn", plan__contact_reachable="fail unknown warn", mail__provider_contract_known="manual unknown not_applicable"),
        behaviour("mx-localhost", says({(at.GOOD, "MX"): ["10 localhost."]}), mail__starttls="unknown not_applicable", mail__dane="unknown not_applicable", mail__mx_sane="fail unknown warn", mail__mta_sts="fail unknown warn", plan__contact_reachable="fail unknown warn", mail__provider_contract_known="manual unknown not_applicable"),
        behaviour("ns-internal", says({("ns1.good.fedi.test", "A"): [inside], ("ns2.good.fedi.test", "A"): ["169.254.169.254"]}), ("domain.nameservers",)),
        behaviour("mta-sts-internal", says({(STS, "A"): ["169.254.169.254"]}), ("mail.mta_sts",)),
        behaviour("media-internal", says({(at.MEDIA, "A"): ["10.0.0.1"]}), ("app.bucket_not_listable", "app.media_domain")),
        behaviour("www-internal", says({("www.good.fedi.test", "A"): ["127.0.0.1"]})),
    ]  # fmt: skip


async def mixed(asked: Asked) -> bytes | None:
    """A good address and a forbidden one: the name as a whole is refused."""
    if asked.kind != "A" or asked.name.to_text() != f"{at.GOOD}.":
        return await names.pass_on(asked)
    good = [record.to_text() for rrset in asked.honest.answer for record in rrset]
    return asked.with_records(dns.rrset.from_text(asked.name, 60, "IN", "A", *good, "127.0.0.1"))


def rebinding() -> Answer:
    """The honest address once, then one inside, with a TTL of zero."""
    count = 0

    async def answer(asked: Asked) -> bytes | None:
        nonlocal count
        if asked.kind != "A" or asked.name.to_text() != f"{at.GOOD}.":
            return await names.pass_on(asked)
        count += 1
        if count == 1:
            return await names.pass_on(asked)
        return asked.with_records(dns.rrset.from_text(asked.name, 0, "IN", "A", "127.0.0.1"))

    return answer


def _txt(count: int, size: int) -> list[str]:
    return [" ".join(f'"{"x" * min(255, size - at_)}"' for at_ in range(0, size, 255)) for _ in range(count)]


def _texts() -> list[Behaviour]:
    """Every TXT record of the zone is this.  A record that is there and is none of those that are looked for is
    positive evidence that they are absent; what cannot be read is not."""
    absent = {
        "mail__spf": FAILS, "mail__dmarc": FAILS, "mail__dkim": FAILS, "mail__mta_sts": "not_applicable unknown fail warn",
        "mail__dmarc_reports": "not_applicable unknown", "mail__provider_contract_known": "manual unknown not_applicable",
    }  # fmt: skip
    or_unseen = {item: f"{states} unknown" for item, states in absent.items()}
    unseen = ("mail.spf", "mail.dmarc", "mail.dkim", "mail.dmarc_reports", "mail.mta_sts")
    content = {
        "evil": EVIL,
        "nul": '"v=spf1\\000 -all"',
        "escape": '"v=spf1 \\027[31m-all"',
        "bidi": '"\\226\\128\\174v=spf1 -all"',
        "markup": '"<img src=x onerror=alert(1)>"',
        "surrogates": '"\\237\\160\\128\\237\\176\\128"',
        "not-utf-8": '"\\255\\254\\128\\129"',
        "formula": '"=cmd|calc!A1"',
        "empty": '""',
    }
    made = [
        behaviour(f"txt-{name}", says({("*", "TXT"): [text]}), **absent) for name, text in content.items()
    ]
    made += [
        behaviour("txt-giant", says({("*", "TXT"): _txt(1, 60_000)}), **or_unseen),
        behaviour("txt-150-records", says({("*", "TXT"): [f'"{n}"' for n in range(150)]}), unseen),
        behaviour("txt-4000-records", says({("*", "TXT"): [f'"{n}"' for n in range(4000)]}), unseen),
        behaviour("txt-64-kib", says({("*", "TXT"): _txt(64, 1000)}), **or_unseen),  # as long as a message can be
        behaviour("txt-wildcard-spf", says({("*", "TXT"): ['"v=spf1 -all"']}), **{**absent, "mail__spf": "pass warn"}),
        behaviour("txt-no-strings", wire_records("TXT", b""), unseen),
        behaviour("records-ttl-huge", ttl(2**31 - 1)),
        behaviour("records-ttl-negative", ttl(2**32 - 1)),
        behaviour("records-ttl-zero", ttl(0)),
    ]  # fmt: skip
    return made


def _policies() -> list[Behaviour]:
    """Policies that cost whoever believes them."""

    def spf(name: str, *terms: str, more: Table | None = None) -> Behaviour:
        record = {(at.GOOD, "TXT"): [_long(f"v=spf1 {' '.join(terms)} -all")], **(more or {})}
        return behaviour(f"spf-{name}", says(record), mail__spf=FAILS_OR_NOT)

    inc = [f"i{n}.{at.GOOD}" for n in range(60)]
    tree = {(name, "TXT"): [f'"v=spf1 include:{inc[2 * n + 1]} include:{inc[2 * n + 2]} -all"'] for n, name in enumerate(inc[:29])}  # fmt: skip
    chain = {
        (name, "TXT"): [f'"v=spf1 include:{after} -all"'] for name, after in zip(inc, inc[1:], strict=False)
    }
    dmarc = f"_dmarc.{at.GOOD}"
    many = ",".join(f"mailto:r@x{n}.example" for n in range(120))
    key = f"fedi._domainkey.{at.GOOD}"
    tlsa = f"_25._tcp.{MX}"
    return [
        spf("include-itself", f"include:{at.GOOD}"),
        spf("include-ring", f"include:{inc[0]}", more={(inc[0], "TXT"): [f'"v=spf1 include:{at.GOOD} -all"']}),
        spf("include-tree", f"include:{inc[0]}", more=tree),
        spf("include-chain-60", f"include:{inc[0]}", more=chain),
        spf("includes-nowhere", *(f"include:void{n}.{at.GOOD}" for n in range(8))),
        behaviour("spf-redirect-itself", says({(at.GOOD, "TXT"): [f'"v=spf1 redirect={at.GOOD}"']}), mail__spf=FAILS_OR_NOT),
        spf("mx-each", *(f"mx:{name}" for name in inc[:20])),
        spf("macro-bomb", *("exists:" + "%{l1r-}" * 20 + f".%{{i}}.{at.GOOD}" for _ in range(12))),
        spf("exists-everywhere", *(f"exists:%{{i}}.{name}" for name in inc[:30])),
        behaviour("spf-two", says({(at.GOOD, "TXT"): ['"v=spf1 -all"', '"v=spf1 +all"']}), mail__spf=FAILS),
        behaviour("spf-4000-terms", says({(at.GOOD, "TXT"): [_long("v=spf1 " + "ip4:192.0.2.1 " * 4000 + "-all")]}), mail__spf="fail warn unknown"),
        behaviour("spf-evil-terms", says({(at.GOOD, "TXT"): ['"v=spf1 include:\\027[2J<script>.test -all"']}), mail__spf=FAILS_OR_NOT),
        behaviour("dmarc-two", says({(dmarc, "TXT"): ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"']}), mail__dmarc=FAILS, mail__dmarc_reports="not_applicable unknown fail"),
        behaviour("dmarc-120-addresses", says({(dmarc, "TXT"): [_long(f"v=DMARC1; p=reject; rua={many}")]}), mail__dmarc="warn pass unknown fail", mail__dmarc_reports="warn unknown fail"),
        behaviour("dmarc-9000-tags", says({(dmarc, "TXT"): [_long("v=DMARC1; p=reject; " + "a=b; " * 9000)]}), mail__dmarc="warn pass unknown fail", mail__dmarc_reports="warn unknown fail not_applicable"),
        behaviour("dmarc-evil", says({(dmarc, "TXT"): ['"v=DMARC1; p=reject; rua=mailto:\\027[2J<script>@x.example"']}), mail__dmarc="warn pass unknown fail", mail__dmarc_reports="warn unknown fail"),
        behaviour("dkim-key-60-kib", says({(key, "TXT"): [_long("v=DKIM1; k=rsa; p=" + "A" * 60_000)]}), mail__dkim=FAILS_OR_NOT),
        behaviour("dkim-not-base64", says({(key, "TXT"): ['"v=DKIM1; k=rsa; p=\\000\\255<script>"']}), mail__dkim=FAILS_OR_NOT),
        behaviour("dkim-rsa-16384", says({(key, "TXT"): [_long("v=DKIM1; k=rsa; p=" + _rsa(16384))]}), mail__dkim="pass fail unknown warn"),
        behaviour("caa-250", says({(at.GOOD, "CAA"): [f'0 issue "ca{n}.example"' for n in range(250)]}), ("domain.caa",)),
        behaviour("caa-evil", says({(at.GOOD, "CAA"): [f"0 issue {EVIL}", '128 tbs "x"']}), domain__caa="fail warn unknown"),
        behaviour("caa-odd-tag", wire_records("CAA", b"\x00\x05\xff\x00<>\x1bx", b"\x00\x00"), domain__caa="warn fail unknown"),
        behaviour("tlsa-90", says({(tlsa, "TLSA"): [f"3 1 1 {n:064x}" for n in range(90)]}), mail__dane="fail unknown not_applicable"),
        behaviour("tlsa-odd", wire_records("TLSA", b"\xff\xff\xff", b"\x03\x01\x01" + bytes(5000)), mail__dane="fail unknown not_applicable warn"),
        behaviour("mta-sts-90-ids", says({(f"_mta-sts.{at.GOOD}", "TXT"): [f'"v=STSv1; id={n}"' for n in range(90)]}), mail__mta_sts="fail warn unknown"),
        behaviour("mta-sts-evil-id", says({(f"_mta-sts.{at.GOOD}", "TXT"): ['"v=STSv1; id=\\027[2J<script>\\000"']}), mail__mta_sts="fail warn unknown"),
        behaviour("tlsrpt-evil", says({(f"_smtp._tls.{at.GOOD}", "TXT"): [EVIL, '"v=TLSRPTv1; rua=mailto:\\027[1m"']}), mail__mta_sts="pass warn fail unknown"),
        behaviour("mx-90", says({(at.GOOD, "MX"): [f"{n} mx{n}.{at.GOOD}." for n in range(90)]}), **_ANY_MAIL),
        behaviour("mx-evil", says({(at.GOOD, "MX"): ["10 \\027[2J\\<script\\>.good.fedi.test.", "20 \\000\\255.good.fedi.test."]}), **_ANY_MAIL),
        behaviour("mx-null-beside", says({(at.GOOD, "MX"): ["0 .", f"10 {MX}."]}), **_ANY_MAIL),
        behaviour("ns-evil", says({(at.GOOD, "NS"): ["\\027[2J\\<script\\>.good.fedi.test.", "\\000\\255.good.fedi.test."]}), domain__nameservers="fail warn unknown"),
        behaviour("ns-90", says({(at.GOOD, "NS"): [f"ns{n}.{at.GOOD}." for n in range(90)]}), domain__nameservers="fail warn unknown"),
    ]  # fmt: skip


_ANY_MAIL = {
    f"mail__{name}": "pass fail warn unknown not_applicable manual"
    for name in ("mx_sane", "starttls", "dane", "mta_sts", "provider_contract_known")
} | {"plan__contact_reachable": "pass warn fail unknown"}


def _long(text: str) -> str:
    return " ".join(f'"{text[at_ : at_ + 250]}"' for at_ in range(0, len(text), 250))


def _rsa(bits: int) -> str:
    """The public key as a record has it, of a modulus that is only as long as one (nobody owns it)."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = RSAPublicNumbers(65537, (1 << bits) - 159).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


# DNSSEC: fedisec checks signatures itself where the resolver does not say that it did.


def signed(change: str) -> Answer:
    """Without the resolver's word, and with work for whoever checks by himself (CVE-2023-50387, CVE-2023-50868)."""

    async def answer(asked: Asked) -> bytes | None:
        message = asked.honest
        message.flags &= ~dns.flags.AD
        for section in (message.answer, message.authority):
            section[:] = [_CHANGES[change](rrset) for rrset in section]
        wire = message.to_wire(max_size=65535)
        if asked.tcp or len(wire) <= 1232:
            return wire
        cut = asked.reply()
        cut.flags |= dns.flags.TC
        return cut.to_wire()

    return answer


def _more_signatures(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    if rrset.rdtype != dns.rdatatype.RRSIG:
        return rrset
    first = next(iter(rrset))
    wrong = [first.replace(signature=bytes([n]) * len(first.signature)) for n in range(90)]
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [*wrong, first])


def _more_keys(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    if rrset.rdtype != dns.rdatatype.DNSKEY:
        return rrset
    first = next(iter(rrset))
    # Two bytes of the sum that the tag is, moved from one place to another: the same tag, another key.
    twins = []
    for n in range(1, 90):
        key = bytearray(first.key)
        key[0], key[2] = (key[0] + n) % 256, (key[2] - n) % 256
        twins.append(first.replace(key=bytes(key)))
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [*twins, *rrset])


def _more_of_both(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    return _more_keys(_more_signatures(rrset))


def _big_keys(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    if rrset.rdtype != dns.rdatatype.DNSKEY:
        return rrset
    giant = dns.rdata.from_wire(
        "IN", "DNSKEY", b"\x01\x00\x03\x08" + b"\x00\x20\x00" + b"\xff" * 16000, 0, 16007
    )
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [giant, *rrset])


def _many_ds(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    if rrset.rdtype != dns.rdatatype.DS:
        return rrset
    first = next(iter(rrset))
    more = [first.replace(digest=bytes([n]) * len(first.digest)) for n in range(90)]
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [*more, first])


def _iterations(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    """In place of every proof: hashed names with 65,535 rounds each."""
    if rrset.rdtype not in (dns.rdatatype.NSEC, dns.rdatatype.NSEC3):
        return rrset
    hashed = dns.name.from_text("0" * 32, None) + dns.name.from_text("test.")
    made = [f"1 1 65535 {'ab' * 200} {'v' * 32} A RRSIG" for _ in range(1)]
    return dns.rrset.from_text(hashed, 60, "IN", "NSEC3", *made)


def _dates(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    """Signatures from the far end of the clock."""
    if rrset.rdtype != dns.rdatatype.RRSIG:
        return rrset
    odd = [record.replace(expiration=0xFFFFFFFF, inception=0, original_ttl=0xFFFFFFFF) for record in rrset]
    return dns.rrset.from_rdata_list(rrset.name, rrset.ttl, odd)


def _algorithms(rrset: dns.rrset.RRset) -> dns.rrset.RRset:
    if rrset.rdtype != dns.rdatatype.RRSIG:
        return rrset
    return dns.rrset.from_rdata_list(
        rrset.name, rrset.ttl, [r.replace(algorithm=253, labels=255) for r in rrset]
    )


_CHANGES = {
    "90-signatures": _more_signatures,
    "90-twin-keys": _more_keys,
    "keys-times-signatures": _more_of_both,
    "key-of-16000-bytes": _big_keys,
    "90-ds": _many_ds,
    "nsec3-65535-rounds": _iterations,
    "odd-dates": _dates,
    "odd-algorithms": _algorithms,
}


def _refusals() -> list[Behaviour]:
    """A server that knows some types and refuses others: what it refuses is not known, and nothing else changes."""
    rests = {
        "TXT": ("mail.spf", "mail.dmarc", "mail.dkim", "mail.dmarc_reports", "mail.mta_sts"),
        "MX": ("mail.mx_sane", "mail.starttls", "mail.dane", "mail.mta_sts", "plan.contact_reachable"),
        "CAA": ("domain.caa",),
        "NS": ("domain.nameservers",),
        "TLSA": ("mail.dane",),
    }
    made = []
    for code in ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"):
        for kind, items in rests.items():
            hidden = (*items, "domain.dnssec", "mail.provider_contract_known")
            broken = on(names.rcode(code), kind)
            made.append(
                behaviour(
                    f"{code.lower()}-{kind.lower()}", broken, hidden, mail__dane="pass unknown not_applicable"
                )
            )
    return made


def _dnssec() -> list[Behaviour]:
    return [
        behaviour(f"dnssec-{name}", signed(name), domain__dnssec="pass warn unknown", mail__dane="pass unknown not_applicable")
        for name in _CHANGES
    ]  # fmt: skip


BEHAVIOURS: tuple[Behaviour, ...] = (
    *_addresses(), *_texts(), *_policies(), *_refusals(), *_dnssec(),
    behaviour("records-nxdomain-with-data", but(no_name_with_data, "A", "AAAA"), (*MAIL, *ZONE)),
)  # fmt: skip
