"""Can mail for the domain be delivered, or does a null MX say that none is wanted?  RFC 5321 5.1, RFC 7505."""

from checks.facts import Facts, seen
from checks.facts.dns import Lookup, Outcome
from checks.facts.mail import MailHost, MailRoutes
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned

LOCAL = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # nosec B104 - nothing listens here

MX = """
    example.social.     IN MX 10 mx.example.social.
    mx.example.social.  IN A  192.0.2.10"""

NULL = """
    example.social.  IN MX 0 ."""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("001", "Preface 4"), Source("+")),
    references=(
        Reference(
            "RFC 5321 section 5: Simple Mail Transfer Protocol",
            "https://www.rfc-editor.org/rfc/rfc5321#section-5",
        ),
        Reference(
            'RFC 7505: A "Null MX" No Service Resource Record for Domains That Accept No Mail',
            "https://www.rfc-editor.org/rfc/rfc7505",
        ),
    ),
    title=Text(
        "Mail to the domain can be delivered, or is plainly refused",
        "ドメイン宛てのメールを受け取れる（または受け取らないと明示している）",
    ),
    why=Text(
        "Reports of abuse, questions of other admins, bounces and notices about certificates go to addresses at the domain. With broken MX records they are lost without a word.",
        "通報、ほかの管理者からの連絡、配送エラー、証明書の通知などは、このドメインのアドレスに届きます。MX レコードに誤りがあると、誰にも気づかれないまま失われます。",
    ),
    expected=Text(
        "Every MX names a host with an address, none is an alias; or a single null MX says that the domain takes no mail.",
        "すべての MX がアドレスを持つホストを指し、別名（CNAME）を使っていない状態。または null MX 1つで、メールを受け取らないと宣言している状態。",
    ),
    fix=Fix(
        Text(
            "Point the MX at the host name that your mail service documents, or at your own server by a name with an address record:\n"
            + MX
            + "\n\nIf the domain is to receive no mail at all, say so, and publish a contact address elsewhere:\n"
            + NULL,
            "MX には、メールサービスが案内しているホスト名か、アドレスレコードを持つ自サーバの名前を指定します。\n"
            + MX
            + "\n\nメールを一切受け取らない場合はその旨を宣言し、連絡先には別ドメインのアドレスを公開してください。\n"
            + NULL,
        )
    ),
    verify=Text(
        "Each host that the first command shows has an address:\n\n    dig example.social MX +short\n    dig mx.example.social A +short",
        "最初のコマンドで表示されたホストに、それぞれアドレスがあることを確認します。\n\n    dig example.social MX +short\n    dig mx.example.social A +short",
    ),
    codes={
        "deliverable": Text(
            "Mail for {domain} can be delivered; mail hosts with an address: {count}.",
            "{domain} 宛てのメールを、アドレスを持つ {count} 台のホストが受け取ります。",
        ),
        "null": Text(
            "A null MX says that {domain} takes no mail.",
            "null MX により、{domain} はメールを受け取らないと宣言しています。",
        ),
        "no_domain": Text("{domain} does not exist in the DNS.", "{domain} は DNS に存在しません。"),
        "nowhere": Text(
            "{domain} has neither an MX nor an address: mail to it cannot be delivered.",
            "{domain} には MX もアドレスもなく、メールを配送できません。",
        ),
        "implicit": Text(
            "{domain} has no MX; senders try its web address instead.",
            "{domain} に MX がないため、送信側はウェブサーバのアドレスへ配送を試みます。",
        ),
        "null_and_others": Text(
            "{domain} has a null MX beside others, which contradict each other.",
            "{domain} に null MX と通常の MX が混在していて、矛盾しています。",
        ),
        "no_address": Text(
            "The mail host {host} has no address.", "メールサーバ {host} にアドレスがありません。"
        ),
        "alias": Text(
            "The mail host {host} is an alias, which some senders refuse.",
            "メールサーバ {host} は別名（CNAME）です。配送を拒否する送信側があります。",
        ),
        "local": Text(
            "The mail host {host} is localhost.", "メールサーバ {host} が localhost を指しています。"
        ),
        "twice": Text("The mail host {host} is listed twice.", "メールサーバ {host} が重複しています。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(MailRoutes)
    mx, domain = seen(found.mx), found.domain
    if mx.outcome is Outcome.NO_NAME:
        return failed("no_domain", domain=domain).seen(f"MX {domain}", "NXDOMAIN")
    if mx.outcome is Outcome.NO_DATA:
        return _without_mx(found)
    names = [host.name for host in found.hosts]
    if names == ["."]:
        verdict = passed("null", domain=domain)
    elif "." in names:
        verdict = failed("null_and_others", domain=domain)
    else:
        verdict = _hosts(found)
    return verdict.seen(f"MX {domain}", "\n".join(mx.records))


def _without_mx(found: MailRoutes) -> Verdict:
    fallback = seen(found.fallback) if found.fallback is not None else None
    if fallback is not None and fallback.records:
        return warned("implicit", domain=found.domain).seen(f"A {found.domain}", fallback.records[0])
    return failed("nowhere", domain=found.domain).seen(f"MX and A {found.domain}", "no record")


def _hosts(found: MailRoutes) -> Verdict:
    """A host without an address is a fail even beside good ones: mail waits for it before it goes on."""
    for host in found.hosts:
        if not _addresses(host):
            return failed("no_address", host=host.name)
    for host in found.hosts:
        if host.name == "localhost" or set(_addresses(host)) & LOCAL:
            return warned("local", host=host.name)
        if isinstance(host.v4, Lookup) and host.v4.aliases:
            return warned("alias", host=host.name).seen(f"CNAME {host.name}", host.v4.aliases[0])
    names = [host.name for host in found.hosts]
    for name in names:
        if names.count(name) > 1:
            return warned("twice", host=name)
    return passed("deliverable", domain=found.domain, count=len(names))


def _addresses(host: MailHost) -> tuple[str, ...]:
    """All that were seen; raises when none was, and a question stayed without an answer."""
    asked = [answer for answer in (host.v4, host.v6) if answer is not None]
    known = tuple(r for answer in asked if isinstance(answer, Lookup) for r in answer.records)
    if not known:
        for answer in asked:
            seen(answer)
    return known
