"""May the authority in use go on issuing, and nobody else?  RFC 8659 section 3 (climb), 4 (properties), RFC 8657.

The climb ends at the first name with a CAA set; a question without an answer below it leaves all unknown,
because an authority refuses to issue then, too.  An alias is followed at each name, its own parents are not
(RFC 8659 section 3 did away with that).

"May it renew?" is asked of each kind of name in the certificate: issuewild lines, where there are any, decide
for wildcards and only for them, and a wildcard is never validated but over the DNS.  What an authority is not
known to heed (RFC 8657 with most of them) is not held against the set.
"""

from checks.data.dns import Authority, authority_of
from checks.errors import ParseError, Reason
from checks.facts import Facts, MissingFact, seen
from checks.facts.dns import Addresses, CaaClimb, Lookup, Outcome
from checks.facts.tls import WebCertificate, WebCertificates
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.caa import CORE_TAGS, KNOWN_TAGS, Binding, CaaRecord, binding_of, parse_caa

ZONE = """
    example.social.  IN CAA 0 issue "letsencrypt.org"
    example.social.  IN CAA 0 issuewild ";"
    example.social.  IN CAA 0 iodef "mailto:admin@example.social\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "準備/ドメイン"), Source("002")),
    references=(
        Reference(
            "RFC 8659: DNS Certification Authority Authorization (CAA) Resource Record",
            "https://www.rfc-editor.org/rfc/rfc8659",
        ),
        Reference(
            "RFC 8657: CAA Record Extensions for Account URI and ACME Method Binding",
            "https://www.rfc-editor.org/rfc/rfc8657",
        ),
        Reference("Let's Encrypt: Certificate Authority Authorization", "https://letsencrypt.org/docs/caa/"),
    ),
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
        "bound": Text(
            "The CAA set at {name} allows {issuer}, but only for {binding}: keep it in step with your ACME client.",
            "{name} の CAA は {issuer} を許可していますが、{binding} に限定されています。ACME クライアントの設定と食い違わないようにしてください。",
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
        "method_missing": Text(
            "The CAA set at {name} lets {issuer} validate only by {methods}, which it does not offer: renewal will fail.",
            "{name} の CAA は {issuer} の検証方法を {methods} に限定していますが、この認証局は対応していません。更新に失敗します。",
        ),
        "wildcard_method": Text(
            "The certificate holds a wildcard, which {issuer} validates over the DNS alone, but the CAA set at {name} allows only {methods}: renewal will fail.",
            "証明書にワイルドカードが含まれ、{issuer} は DNS でしか検証しませんが、{name} の CAA は検証方法を {methods} に限定しています。更新に失敗します。",
        ),
        "account_elsewhere": Text(
            "The CAA set at {name} binds {issuer} to {account}, which is no account of its production service: renewal will fail.",
            "{name} の CAA は {issuer} をアカウント {account} に限定していますが、本番環境のアカウントではありません。更新に失敗します。",
        ),
        "several_accounts": Text(
            "The CAA set at {name} binds {issuer} to {count} different accounts: see that the one your ACME client uses is among them.",
            "{name} の CAA は {issuer} を {count} 個のアカウントに限定しています。ACME クライアントが使うアカウントが含まれているか確認してください。",
        ),
        "unsatisfiable": Text(
            "The line for {issuer} in the CAA set at {name} has parameters that no request can meet (RFC 8657): renewal will fail.",
            "{name} の CAA で、{issuer} の行のパラメータを満たす申請ができません（RFC 8657）。更新に失敗します。",
        ),
        "bad_iodef": Text(
            "The iodef line at {name} is neither a mail nor a web address.",
            "{name} の iodef がメールアドレスでも URL でもありません。",
        ),
        "critical": Text(
            "The CAA set at {name} has the unknown tag {tag} marked critical: no authority may issue.",
            "{name} の CAA で未知のタグ {tag} に critical が付いているため、どの認証局も発行できません。",
        ),
        "critical_rare": Text(
            "The CAA set at {name} has the tag {tag} marked critical: authorities that do not know it refuse to issue, Let's Encrypt among them.",
            "{name} の CAA でタグ {tag} に critical が付いています。Let's Encrypt など、このタグに対応しない認証局は発行しません。",
        ),
        "nobody": Text(
            "The CAA set at {name} allows no authority at all: renewal will fail.",
            "{name} の CAA はどの認証局にも発行を許可していないため、更新に失敗します。",
        ),
        "no_name": Text("The DNS knows no name {name}.", "{name} という名前は DNS に存在しません。"),
        "unreadable": Text("The CAA set at {name} cannot be read.", "{name} の CAA を解釈できません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    climb = facts.get(CaaClimb)
    first = climb.steps[0].answer if climb.steps else None
    if isinstance(first, Lookup) and first.outcome is Outcome.NO_NAME and facts.maybe(Addresses) is None:
        return unknown("no_name", Reason.NO_SUCH_NAME, name=first.name)
    found = _relevant(climb)
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
    if not any(record.tag == "issue" for record in records):
        return warned("no_issue", name=name)
    certificate = _certificate(facts)
    organisation = certificate.issuer_organisation if certificate is not None else ""
    kinds = _asked_for(records, certificate)
    for what, lines in kinds:
        if not _issuers(lines):
            return _shut(name, what, organisation)
    authority = authority_of(organisation)
    if authority is not None:
        for what, lines in kinds:
            if trouble := _renewal(name, what, lines, authority):
                return trouble
    for record in records:
        if record.tag not in CORE_TAGS and record.flags & _READ_AS_CRITICAL:
            return warned("critical_rare", name=name, tag=record.tag)
    if any(r.tag == "iodef" and not r.value.startswith(("mailto:", "http://", "https://")) for r in records):
        return warned("bad_iodef", name=name)
    return _allowed(name, kinds, authority)


# Bit 0 is set by people who count the bits from the wrong end; Let's Encrypt takes it for the critical flag.
_READ_AS_CRITICAL = 0x81

_Kinds = list[tuple[str, list[CaaRecord]]]


def _asked_for(records: list[CaaRecord], certificate: WebCertificate | None) -> _Kinds:
    """What the certificate holds, "names" or "wildcards", each with the lines that decide (RFC 8659 4.3)."""
    issue = [record for record in records if record.tag == "issue"]
    wild = [record for record in records if record.tag == "issuewild"]
    held = certificate.names if certificate is not None else ()
    wildcards = any(name.startswith("*.") for name in held)
    kinds: _Kinds = [] if wild and wildcards and all(n.startswith("*.") for n in held) else [("names", issue)]
    if wildcards:
        kinds.append(("wildcards", wild or issue))
    return kinds


def _issuers(lines: list[CaaRecord]) -> list[str]:
    return sorted({record.issuer for record in lines if record.issuer})


def _shut(name: str, what: str, organisation: str) -> Verdict:
    """Nobody may issue: for plain names that ends renewal; for wildcards it contradicts the certificate."""
    if what == "names":
        return failed("nobody", name=name)
    return warned("other_authority", name=name, issuer=organisation, allowed='";"')


def _renewal(name: str, what: str, lines: list[CaaRecord], authority: Authority) -> Verdict | None:
    """Why this authority may not renew; None where one line lets it."""
    mine = [record for record in lines if record.issuer in authority.domains]
    if not mine:
        listed = ", ".join(_issuers(lines))
        return warned("other_authority", name=name, issuer=authority.name, allowed=listed)
    bindings = [binding_of(record) for record in mine]
    possible = [binding for binding in bindings if binding.satisfiable]
    if not possible:
        return warned("unsatisfiable", name=name, issuer=authority.name)
    by_method = [binding for binding in possible if _offers(authority, what, binding)]
    if not by_method:
        methods = ", ".join(sorted({m for b in possible for m in b.methods or ()})) or "-"
        if what == "wildcards":
            return warned("wildcard_method", name=name, issuer=authority.name, methods=methods)
        return warned("method_missing", name=name, issuer=authority.name, methods=methods)
    open_to = [binding for binding in by_method if _is_account_of(authority, binding)]
    if not open_to:
        return warned("account_elsewhere", name=name, issuer=authority.name, account=by_method[0].account)
    accounts = {binding.account for binding in open_to}
    if authority.accounts and len(accounts) > 1 and "" not in accounts:
        return warned("several_accounts", name=name, issuer=authority.name, count=len(accounts))
    return None


def _offers(authority: Authority, what: str, binding: Binding) -> bool:
    if binding.methods is None or not authority.methods:
        return True
    offered = [m for m in authority.methods if what == "names" or m.startswith("dns-")]
    return bool(set(binding.methods) & set(offered))


def _is_account_of(authority: Authority, binding: Binding) -> bool:
    return not binding.account or not authority.accounts or binding.account.startswith(authority.accounts)


def _allowed(name: str, kinds: _Kinds, authority: Authority | None) -> Verdict:
    lines = [record for _, found in kinds for record in found]
    if authority is None:
        return passed("restricted", name=name, allowed=", ".join(_issuers(lines)))
    bindings = [binding_of(record) for record in lines if record.issuer in authority.domains]
    if not authority.methods or any(b.methods is None and not b.account for b in bindings):
        return passed("allows", name=name, issuer=authority.name)
    terms = sorted({term for b in bindings for term in (b.account, *(b.methods or ())) if term})
    return passed("bound", name=name, issuer=authority.name, binding=", ".join(terms))


def _certificate(facts: Facts) -> WebCertificate | None:
    """The web certificate where it was seen; the existence of the set can be judged without."""
    found = facts.maybe(WebCertificates)
    try:
        return found.leaf if found is not None else None
    except MissingFact:
        return None
