"""Is MTA-STS in force and does it cover the mail hosts?  RFC 8461; TLS reports by RFC 8460.

Absent is a warning and no fail: the item is optional, and the absence harms nothing.
"""

from checks.errors import ParseError, Reason
from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.dns import Lookup
from checks.facts.http import Page
from checks.facts.mail import MailRoutes, MtaSts
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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.answers import withheld
from checks.parse.mta_sts import StsPolicy, is_sts, parse_sts_policy, parse_sts_record
from checks.parse.tlsrpt import is_tlsrpt, parse_tlsrpt

DAY_S = 86_400
_CERTIFICATE = "certificate"  # how the HTTP client begins the detail of a certificate that does not hold

RECORDS = """
    _mta-sts.example.social.   IN TXT "v=STSv1; id=20260101T000000"
    _smtp._tls.example.social. IN TXT "v=TLSRPTv1; rua=mailto:tlsrpt@example.social\""""

POLICY = """
    version: STSv1
    mode: enforce
    mx: mx.example.social
    max_age: 604800"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 8461: SMTP MTA Strict Transport Security (MTA-STS)", "https://www.rfc-editor.org/rfc/rfc8461"
        ),
        Reference("RFC 8460: SMTP TLS Reporting", "https://www.rfc-editor.org/rfc/rfc8460"),
    ),
    title=Text(
        "MTA-STS makes senders use verified TLS",
        "MTA-STS で、受信メールの TLS 検証を送信側に求めている",
    ),
    why=Text(
        "Between mail servers TLS is dropped silently when somebody in the middle removes the offer. A policy published over HTTPS tells senders to insist on it.",
        "メールサーバ間の TLS は、途中で妨害されると黙って平文に切り替わります。HTTPS で公開したポリシーにより、送信側に TLS を必須とさせることができます。",
    ),
    expected=Text(
        "A record at _mta-sts, a policy in mode enforce that names every MX and lasts a day or longer, and a TLS-RPT record for reports.",
        "_mta-sts のレコードと、すべての MX を含み有効期間が1日以上の enforce モードのポリシーがあり、TLS-RPT のレコードも設定されている状態。",
    ),
    fix=Fix(
        Text(
            "Publish both records:\n"
            + RECORDS
            + "\n\nServe the policy as plain text at https://mta-sts.example.social/.well-known/mta-sts.txt with a valid certificate for that name. Begin with mode: testing; when the reports are clean, change to enforce and give the record a new id.\n"
            + POLICY
            + "\n\nGive mta-sts its own virtual host: the catch-all of the fediverse software answers with a page of its own.",
            "2つのレコードを設定します。\n"
            + RECORDS
            + "\n\nポリシーは、https://mta-sts.example.social/.well-known/mta-sts.txt でプレーンテキストとして公開します（この名前の有効な証明書が必要です）。最初は mode: testing とし、レポートに問題がなければ enforce に変えて、レコードの id も更新してください。\n"
            + POLICY
            + "\n\nmta-sts 用のバーチャルホストを別に用意してください。分散SNSソフトウェアの既定の設定に任せると、別のページが返ってしまいます。",
        )
    ),
    verify=Text(
        "The second command must print the policy and nothing else:\n\n    dig _mta-sts.example.social TXT +short\n    curl -sS https://mta-sts.example.social/.well-known/mta-sts.txt",
        "2つ目のコマンドで、ポリシーだけが表示されることを確認します。\n\n    dig _mta-sts.example.social TXT +short\n    curl -sS https://mta-sts.example.social/.well-known/mta-sts.txt",
    ),
    codes={
        "enforced": Text(
            "The policy is in force, covers every MX and lasts {days} days.",
            "すべての MX を含む enforce のポリシーが有効です（有効期間 {days} 日）。",
        ),
        "no_inbound": Text("The domain takes no mail.", "このドメインはメールを受け取りません。"),
        "absent": Text("{domain} has no MTA-STS record.", "{domain} に MTA-STS のレコードがありません。"),
        "bad_record": Text(
            "The record at _mta-sts.{domain} is not valid ({detail}).",
            "_mta-sts.{domain} のレコードが正しくありません（{detail}）。",
        ),
        "no_policy": Text(
            "The record asks for a policy, but none is served ({detail}).",
            "レコードはありますが、ポリシーを取得できません（{detail}）。",
        ),
        "bad_policy": Text("The policy is not valid ({detail}).", "ポリシーが正しくありません（{detail}）。"),
        "not_covered": Text(
            "The policy in force does not name the mail host {host}: mail to it is refused.",
            "有効なポリシーにメールサーバ {host} が含まれておらず、配送が拒否されます。",
        ),
        "testing": Text(
            "The policy is in mode {mode}: senders are not told to insist.",
            "ポリシーが {mode} モードのため、TLS は必須になっていません。",
        ),
        "short_life": Text(
            "The policy lasts {seconds} seconds only; a day is the least that protects.",
            "ポリシーの有効期間が {seconds} 秒しかありません。1日以上にしてください。",
        ),
        "no_tls_reports": Text(
            "The policy is in force, but no TLS-RPT record asks for reports.",
            "ポリシーは有効ですが、TLS-RPT のレコードがなくレポートを受け取れません。",
        ),
        "bad_tls_reports": Text(
            "The policy is in force, but the TLS-RPT record is not valid ({detail}).",
            "ポリシーは有効ですが、TLS-RPT のレコードが正しくありません（{detail}）。",
        ),
        "withheld": Text(
            "The policy was not shown to fedisec ({detail}).",
            "ポリシーを fedisec から取得できませんでした（{detail}）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(MtaSts)
    records = [text for text in seen(found.txt).records if is_sts(text)]
    where = f"TXT _mta-sts.{found.domain}"
    routes = facts.maybe(MailRoutes)
    if not records:
        if routes is not None and _takes_no_mail(routes):
            return not_applicable("no_inbound")
        return warned("absent", domain=found.domain).seen(where, "no record begins with v=STSv1")
    try:
        parse_sts_record(records[0])
    except ParseError as error:
        return failed("bad_record", domain=found.domain, detail=str(error)).seen(where, records[0])
    if len(records) > 1:
        return failed("bad_record", domain=found.domain, detail=str(len(records))).seen(where, records[1])
    return _judge_page(found, facts).seen(where, records[0])


def _takes_no_mail(routes: MailRoutes) -> bool:
    null = [host.name for host in routes.hosts] == ["."]
    silent = isinstance(routes.fallback, Lookup) and not routes.fallback.records
    return null or silent


def _judge_page(found: MtaSts, facts: Facts) -> Verdict:
    page = found.policy
    if isinstance(page, Missing):
        if page.reason is Reason.NO_SUCH_NAME or page.detail.startswith(_CERTIFICATE):
            return failed("no_policy", detail=page.detail).seen("mta-sts." + found.domain, page.detail)
        raise MissingFact(page)
    if page is None:
        return unknown("withheld", Reason.NOT_ASKED, detail="")
    if (closed := withheld(page)) is not None:
        return unknown("withheld", Reason.WITHHELD, detail=closed.detail)
    if page.status != 200 or page.media_type not in ("text/plain", ""):
        told = f"{page.status} {page.media_type}"
        return failed("no_policy", detail=told).seen(page.url, told)
    return _judge_policy(found, page, facts).seen(page.url, page.body[:500])


def _judge_policy(found: MtaSts, page: Page, facts: Facts) -> Verdict:
    try:
        policy = parse_sts_policy(page.body)
    except ParseError as error:
        return failed("bad_policy", detail=str(error))
    if policy.mode == "enforce" and (host := _not_covered(policy, facts.maybe(MailRoutes))):
        return failed("not_covered", host=host)
    if policy.mode != "enforce":
        return warned("testing", mode=policy.mode)
    if policy.max_age_s < DAY_S:
        return warned("short_life", seconds=policy.max_age_s)
    seen(facts.get(MailRoutes).mx)  # hosts that were not seen are not covered by anything
    return _reports(found.tls_reports) or passed("enforced", days=policy.max_age_s // DAY_S)


def _reports(answer: Lookup | Missing) -> Verdict | None:
    """What is wrong with the record that asks for TLS reports; one that was not seen is not missed."""
    if isinstance(answer, Missing):
        return None
    records = [text for text in answer.records if is_tlsrpt(text)]
    if not records:
        return warned("no_tls_reports")
    try:
        if len(records) > 1:
            raise ParseError(f"{len(records)} records")
        parse_tlsrpt(records[0])
    except ParseError as error:
        return warned("bad_tls_reports", detail=str(error)).seen(f"TXT {answer.name}", records[0])
    return None


def _not_covered(policy: StsPolicy, routes: MailRoutes | None) -> str:
    hosts = [host.name for host in routes.hosts if host.name != "."] if routes is not None else []
    return next((host for host in hosts if not policy.covers(host)), "")
