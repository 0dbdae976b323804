"""May the authority in use go on issuing, and nobody else?  RFC 8659 section 3 (climb), 4 (properties).

The climb ends at the first name with a CAA set; a question without an answer below it leaves all unknown,
because an authority refuses to issue then, too.
"""

from checks.data.dns import authority_of
from checks.errors import ParseError, Reason
from checks.facts import Facts, MissingFact, seen
from checks.facts.dns import CaaClimb, Lookup, Outcome
from checks.facts.tls import WebCertificate, WebCertificates
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.caa import KNOWN_TAGS, CaaRecord, parse_caa

ZONE = """
    example.social.  IN CAA 0 issue "letsencrypt.org"
    example.social.  IN CAA 0 issuewild ";"
    example.social.  IN CAA 0 iodef "mailto:admin@example.social\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "準備/ドメイン"), Source("002")),
    title=Text(
        "A CAA record names the certificate authority in use",
        "CAA レコードで、利用中の認証局だけに発行を許可している",
    ),
    why=Text(
        "Without CAA any of the many certificate authorities may issue a certificate for the name, so the weakest of them decides. A set that forbids the authority in use breaks the next renewal instead.",
        "CAA がなければどの認証局でも証明書を発行でき、最も甘い認証局が弱点になります。逆に、利用中の認証局が許可されていないと次回の更新に失敗します。",
    ),
    expected=Text(
        "The domain, or a parent of it, has a CAA set whose issue lines name the authority of the present certificate and no other that you do not use.",
        "ドメインまたはその上位に CAA レコードがあり、issue に現在の証明書の認証局（使っていない認証局は含まない）が書かれている状態。",
    ),
    fix=Fix(
        Text(
            "Add the records at your DNS service; write the issuer domain that your authority documents (Let's Encrypt, ZeroSSL through sectigo.com, Google Trust Services through pki.goog …):\n"
            + ZONE
            + "\n\nLeave the issuewild line out if you use a wildcard certificate. Behind a CDN that makes the certificates, allow its authorities as well, or renewals at the edge fail; Cloudflare adds its own by itself.",
            "DNS サービスでレコードを追加します。値には認証局が公表している発行者ドメインを書きます（ZeroSSL は sectigo.com、Google Trust Services は pki.goog など）。\n"
            + ZONE
            + "\n\nワイルドカード証明書を使う場合は issuewild の行を除いてください。CDN が証明書を発行している場合は、その認証局も許可しないと更新に失敗します。Cloudflare は自社分を自動で追加します。",
        )
    ),
    verify=Text(
        "The set that applies is shown at the name or the nearest parent that has one:\n\n    dig example.social CAA +short\n\nA dry run shows that renewal still works:\n\n    sudo certbot renew --dry-run",
        "その名前、またはレコードを持つ最も近い上位の名前で表示される内容が適用されます。\n\n    dig example.social CAA +short\n\n更新できることも確認しておきます。\n\n    sudo certbot renew --dry-run",
    ),
    codes={
        "allows": Text(
            "The CAA set at {name} allows {issuer}, which issued the certificate.",
            "{name} の CAA は、現在の証明書を発行した {issuer} を許可しています。",
        ),
        "restricted": Text(
            "The CAA set at {name} allows {allowed} only; the present certificate was not compared.",
            "{name} の CAA は {allowed} だけを許可しています（現在の証明書との照合はしていません）。",
        ),
        "none": Text(
            "No CAA record applies: any authority may issue.",
            "適用される CAA レコードがなく、どの認証局でも発行できます。",
        ),
        "no_issue": Text(
            "The CAA set at {name} has no issue line: any authority may issue.",
            "{name} の CAA に issue がなく、どの認証局でも発行できます。",
        ),
        "other_authority": Text(
            "The certificate comes from {issuer}, but the CAA set at {name} allows {allowed} only: renewal may fail.",
            "現在の証明書は {issuer} の発行ですが、{name} の CAA が許可しているのは {allowed} だけです。更新に失敗するおそれがあります。",
        ),
        "bad_iodef": Text(
            "The iodef line at {name} is neither a mail nor a web address.",
            "{name} の iodef がメールアドレスでも URL でもありません。",
        ),
        "critical": Text(
            "The CAA set at {name} has the unknown tag {tag} marked critical: no authority may issue.",
            "{name} の CAA で未知のタグ {tag} に critical が付いているため、どの認証局も発行できません。",
        ),
        "nobody": Text(
            "The CAA set at {name} allows no authority at all: renewal will fail.",
            "{name} の CAA はどの認証局にも発行を許可していないため、更新に失敗します。",
        ),
        "unreadable": Text("The CAA set at {name} cannot be read.", "{name} の CAA を解釈できません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = _relevant(facts.get(CaaClimb))
    if found is None:
        return warned("none")
    try:
        records = [parse_caa(text) for text in found.records]
    except ParseError:
        return unknown("unreadable", Reason.MALFORMED, name=found.name)
    verdict = _judge(found.name, records, facts)
    for text in found.records[:10]:
        verdict = verdict.seen(f"CAA {found.name}", text)
    return verdict


def _relevant(climb: CaaClimb) -> Lookup | None:
    for step in climb.steps:
        answer = seen(step.answer)
        if answer.outcome is Outcome.FOUND:
            return answer
    return None


def _judge(name: str, records: list[CaaRecord], facts: Facts) -> Verdict:
    for record in records:
        if record.critical and record.tag not in KNOWN_TAGS:
            return failed("critical", name=name, tag=record.tag)
    issue = [record for record in records if record.tag == "issue"]
    allowed = sorted({record.issuer for record in issue if record.issuer})
    if not issue:
        return warned("no_issue", name=name)
    if not allowed:
        return failed("nobody", name=name)
    certificate = _certificate(facts)
    organisation = certificate.issuer_organisation if certificate is not None else ""
    authority = authority_of(organisation)
    if authority is not None and certificate is not None:
        for names in (allowed, _wildcard_issuers(records, certificate)):
            if names is not None and not set(authority.domains) & set(names):
                listed = ", ".join(names) or '";"'
                return warned("other_authority", name=name, issuer=organisation, allowed=listed)
    if any(r.tag == "iodef" and not r.value.startswith(("mailto:", "http://", "https://")) for r in records):
        return warned("bad_iodef", name=name)
    if authority is not None:
        return passed("allows", name=name, issuer=organisation)
    return passed("restricted", name=name, allowed=", ".join(allowed))


def _certificate(facts: Facts) -> WebCertificate | None:
    """The web certificate where it was seen; the existence of the set can be judged without."""
    found = facts.maybe(WebCertificates)
    try:
        return found.leaf if found is not None else None
    except MissingFact:
        return None


def _wildcard_issuers(records: list[CaaRecord], certificate: WebCertificate) -> list[str] | None:
    """Who may renew the wildcard names of the certificate: issuewild, where it has any (RFC 8659 4.3)."""
    wild = [record for record in records if record.tag == "issuewild"]
    if not wild or not any(name.startswith("*.") for name in certificate.names):
        return None
    return sorted({record.issuer for record in wild if record.issuer})
