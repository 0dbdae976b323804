"""Do the TLSA records of the domain's own mail hosts match their certificates?  RFC 6698, RFC 7672.

A record with usage 3 counts whatever name and dates the certificate bears (RFC 7672 3.1.1); below an authority
of usage 2 they must be right (3.1.2).  Usages 0 and 1, and digests of a wrong length, mean nothing for mail
(3.1.3).  A fail on one host stands even where another was not seen.
"""

from checks.errors import ParseError, Reason
from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.dns import Lookup, ResolverHealth
from checks.facts.mail import MailRoutes, SmtpHost, SmtpHosts, SmtpSession
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.tlsa import TlsaRecord, authority_fault, parse_tlsa

RECORDS_MAX = 20

DIGEST = """
    openssl x509 -in /etc/letsencrypt/live/mx.example.social/cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"""

RECORD = """
    _25._tcp.mx.example.social.  IN TLSA 3 1 1 DIGEST"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 7672: SMTP Security via Opportunistic DANE TLS", "https://www.rfc-editor.org/rfc/rfc7672"
        ),
        Reference(
            "RFC 7671: The DANE Protocol: Updates and Operational Guidance",
            "https://www.rfc-editor.org/rfc/rfc7671",
        ),
    ),
    title=Text(
        "TLSA records match the mail servers' certificates",
        "TLSA レコード（DANE）がメールサーバの証明書と一致している",
    ),
    why=Text(
        "In a signed zone a TLSA record lets senders verify your mail server without trusting any authority. A record that no longer matches stops mail from all senders that check it.",
        "署名済みのゾーンなら、TLSA レコードによって、送信側は認証局に頼らずメールサーバを検証できます。古いレコードが残っていると、検証を行う送信元からのメールが届かなくなります。",
    ),
    expected=Text(
        "In a signed zone, each MX host of your own has a TLSA record for its present key, and one more for the next key or for the authority.",
        "署名済みのゾーンで、自前の MX それぞれに、現在の鍵の TLSA レコードと、次の鍵または認証局の TLSA レコードがある状態。",
    ),
    fix=Fix(
        Text(
            "Compute the digest of the key:\n"
            + DIGEST
            + "\n\nPublish it for every MX host:\n"
            + RECORD
            + "\n\nKeep the key at renewal (certbot renew --reuse-key), or publish the record of the next key a day before it is used.",
            "鍵のダイジェストを計算します。\n"
            + DIGEST
            + "\n\n各 MX ホストに設定します。\n"
            + RECORD
            + "\n\n証明書の更新では同じ鍵を使い続けるか（certbot renew --reuse-key）、次の鍵のレコードを切り替えの1日以上前に追加しておきます。",
        )
    ),
    verify=Text(
        "The digest shown must be that of the key:\n\n    dig _25._tcp.mx.example.social TLSA +short",
        "表示された値が、鍵のダイジェストと一致することを確認します。\n\n    dig _25._tcp.mx.example.social TLSA +short",
    ),
    codes={
        "matches": Text(
            "The TLSA records match; mail hosts seen: {count}.",
            "{count} 台のメールサーバの TLSA レコードが一致しています。",
        ),
        "no_spare": Text(
            "The one TLSA record of {host} matches; without a second, the next key change stops mail.",
            "{host} の TLSA レコードは一致していますが1つだけです。次に鍵を替えるとメールが届かなくなります。",
        ),
        "mismatch": Text(
            "{host} has TLSA records, but none matches its certificate.",
            "{host} に TLSA レコードがありますが、どれも証明書と一致しません。",
        ),
        "absent": Text(
            "The zone is signed, but {host} has no TLSA record.",
            "ゾーンは署名されていますが、{host} に TLSA レコードがありません。",
        ),
        "no_tls": Text(
            "{host} has TLSA records but offers no STARTTLS: senders that check them deliver nothing.",
            "{host} に TLSA レコードがありますが STARTTLS を提供していません。検証する送信元からは配送されません。",
        ),
        "authority_broken": Text(
            "The certificate of {host} comes from the authority in its TLSA records, but does not hold below it ({detail}).",
            "{host} の証明書は TLSA レコードの認証局のものですが、検証に通りません（{detail}）。",
        ),
        "unusable": Text(
            "None of the TLSA records of {host} is of a kind that mail servers use (usage 2 or 3).",
            "{host} の TLSA レコードに、メールで使われる種類（用途 2 または 3）のものがありません。",
        ),
        "authority_only": Text(
            "The TLSA records of {host} name an authority, which could not be compared here ({detail}).",
            "{host} の TLSA レコードは認証局を指定していますが、照合できませんでした（{detail}）。",
        ),
        "not_signed": Text(
            "The domain or its mail hosts stand in a zone without DNSSEC, where TLSA means nothing.",
            "ドメインまたはメールサーバのゾーンが DNSSEC で署名されていないため、TLSA は意味を持ちません。",
        ),
        "hosted": Text(
            "The mail hosts belong to a mail service, or there are none.",
            "メールサーバは外部サービスのもの、または存在しません。",
        ),
        "not_validating": Text(
            "fedisec's own resolver does not validate DNSSEC, so it cannot judge this.",
            "fedisec が使うリゾルバが DNSSEC を検証しないため、判定できません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    """Whoever forges an unsigned MX chooses the host, so nothing is won there; but senders hold on to the TLSA
    records of the host all the same, so wrong ones do harm (RFC 7672 2.2.1)."""
    verdict = _hosts(facts)
    routes = facts.maybe(MailRoutes)
    if verdict.status in (Status.PASS, Status.WARN) and routes is not None and not seen(routes.mx).secure:
        return not_applicable("not_signed")
    return verdict


def _hosts(facts: Facts) -> Verdict:
    own = [host for host in facts.get(SmtpHosts).hosts if not host.hosted]
    if not own:
        return not_applicable("hosted")
    if not seen(facts.get(ResolverHealth).validates):
        return unknown("not_validating", Reason.NOT_VALIDATING)
    found = facts.get(SmtpHosts)
    verdicts, gaps = [], []
    for host in own:
        try:
            verdicts.append(_judge(host, seen(host.tlsa), found))
        except MissingFact as missing:
            gaps.append(missing)
    verdicts.sort(key=lambda verdict: _RANK.index(verdict.code))
    if verdicts and verdicts[0].status in (Status.FAIL, Status.WARN):
        return verdicts[0]
    for gap in gaps:
        raise gap
    return passed("matches", count=len(own)).seen(*_line(own[0])) if _all_match(verdicts) else verdicts[0]


_RANK = (
    "mismatch", "authority_broken", "no_tls", "unusable", "absent", "no_spare", "authority_only", "not_signed",
    "matches",
)  # fmt: skip


def _all_match(verdicts: list[Verdict]) -> bool:
    return all(verdict.code == "matches" for verdict in verdicts)


def _judge(host: SmtpHost, tlsa: Lookup, found: SmtpHosts) -> Verdict:
    if not tlsa.secure:
        return not_applicable("not_signed")
    records = [record for text in tlsa.records[:RECORDS_MAX] if (record := _read(text)) is not None]
    usable = [record for record in records if record.is_usable]
    where = _line(host)
    if not usable:
        code = warned("unusable", host=host.name) if tlsa.records else warned("absent", host=host.name)
        return code.seen(*where)
    session = seen(host.session)
    if not session.starttls:
        return failed("no_tls", host=host.name).seen(*where)
    if not session.certificate:
        return unknown("authority_only", Reason.MALFORMED, host=host.name, detail=session.tls_error)
    matching = [r for r in usable if r.usage == 3 and r.names(session.certificate, session.public_key)]
    authorities = [r for r in usable if r.usage == 2]
    if matching and len(matching) == len(usable):
        return warned("no_spare", host=host.name).seen(*where)
    if matching:
        return passed("matches", count=1)
    if not authorities:
        return failed("mismatch", host=host.name).seen(*where)
    return _by_authority(host, session, authorities, found).seen(*where)


def _by_authority(
    host: SmtpHost, session: SmtpSession, records: list[TlsaRecord], found: SmtpHosts
) -> Verdict:
    if session.behind is None:
        return unknown("authority_only", Reason.NOT_BUILT, host=host.name, detail="chain")
    names = (host.name, found.domain)
    faults = [
        authority_fault(record, session.certificate, session.behind, names, found.seen_at)
        for record in records
    ]
    if "" in faults:
        return passed("matches", count=1)
    detail = next((fault for fault in faults if fault), "")
    if detail:
        return failed("authority_broken", host=host.name, detail=detail)
    return failed("mismatch", host=host.name)


def _read(text: str) -> TlsaRecord | None:
    try:
        return parse_tlsa(text)
    except ParseError:
        return None


def _line(host: SmtpHost) -> tuple[str, str]:
    records = () if isinstance(host.tlsa, Missing) else host.tlsa.records
    return f"TLSA _25._tcp.{host.name}", "\n".join(records[:10]) or "no record"
