"""Do the TLSA records of the domain's own mail hosts match their certificates?  RFC 6698, RFC 7672.

Only the server's own certificate is seen here: where the records name an authority alone (2 x x), the machine
cannot tell.  Usages 0 and 1 mean nothing for mail (RFC 7672 3.1.3).
"""

from checks.errors import ParseError, Reason
from checks.facts import Facts, Missing, seen
from checks.facts.dns import Lookup, ResolverHealth
from checks.facts.mail import SmtpHost, SmtpHosts
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.tlsa import TlsaRecord, parse_tlsa

DIGEST = """
    openssl x509 -in /etc/letsencrypt/live/mx.example.social/cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"""

RECORD = """
    _25._tcp.mx.example.social.  IN TLSA 3 1 1 DIGEST"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
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
            "{count}台のメールサーバの TLSA レコードが一致しています。",
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
        "authority_only": Text(
            "The TLSA records of {host} name an authority only, which this version cannot compare.",
            "{host} の TLSA レコードは認証局だけを指定しています。このバージョンでは照合できません。",
        ),
        "not_signed": Text(
            "The mail hosts stand in a zone without DNSSEC, where TLSA means nothing.",
            "メールサーバのゾーンが DNSSEC で署名されていないため、TLSA は意味を持ちません。",
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
    own = [host for host in facts.get(SmtpHosts).hosts if not host.hosted]
    if not own:
        return not_applicable("hosted")
    if not seen(facts.get(ResolverHealth).validates):
        return unknown("not_validating", Reason.NOT_VALIDATING)
    verdicts = [_judge(host, seen(host.tlsa)) for host in own]
    rank = ("mismatch", "authority_only", "absent", "no_spare", "not_signed", "matches")
    worst = min(verdicts, key=lambda verdict: rank.index(verdict.code))
    return passed("matches", count=len(own)).seen(*_line(own[0])) if worst.code == "matches" else worst


def _judge(host: SmtpHost, tlsa: Lookup) -> Verdict:
    if not tlsa.secure:
        return not_applicable("not_signed")
    records = [record for text in tlsa.records if (record := _read(text)) is not None]
    where = _line(host)
    if not records:
        return warned("absent", host=host.name).seen(*where)
    session = seen(host.session)
    matching = [r for r in records if r.usage == 3 and r.names(session.certificate, session.public_key)]
    if matching and len(records) == 1:
        return warned("no_spare", host=host.name).seen(*where)
    if matching:
        return passed("matches", count=1)
    if not session.certificate or any(r.usage == 2 for r in records):
        return unknown("authority_only", Reason.NOT_BUILT, host=host.name)
    return failed("mismatch", host=host.name).seen(*where)


def _read(text: str) -> TlsaRecord | None:
    """A usable record; the others are as good as none."""
    try:
        record = parse_tlsa(text)
    except ParseError:
        return None
    return record if record.usage in (2, 3) else None


def _line(host: SmtpHost) -> tuple[str, str]:
    records = () if isinstance(host.tlsa, Missing) else host.tlsa.records
    return f"TLSA _25._tcp.{host.name}", "\n".join(records[:10]) or "no record"
