"""Is a DMARC policy of quarantine or reject in effect for the mail domain?  RFC 9989 4.7, 4.10.

The tree walk replaces the public suffix list; `pct`, `rf` and `ri` are gone, `t=y` lowers the policy by one
step.  Unknown tags, their order and trailing semicolons mean nothing.
"""

from checks.facts import Facts, MissingFact
from checks.facts.dns import Lookup, Outcome
from checks.facts.mail import DmarcAnswers, MailRoutes
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.dmarc import DmarcPolicy, DmarcRecord, discover, is_authorised, walk_names

START = """
    _dmarc.example.social.  IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.social\""""

GOAL = """
    _dmarc.example.social.  IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.social\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("002"),),
    references=(
        Reference(
            "RFC 9989: Domain-Based Message Authentication, Reporting, and Conformance (DMARC)",
            "https://www.rfc-editor.org/rfc/rfc9989",
        ),
        Reference("Google: Email sender guidelines", "https://support.google.com/mail/answer/81126"),
    ),
    title=Text(
        "DMARC tells receivers to refuse forged mail of the domain",
        "DMARC で、なりすましメールの拒否または隔離を指定している",
    ),
    why=Text(
        "SPF and DKIM alone do not protect the From line that people read; DMARC ties them to it. Large mail services also treat mail from domains without it with suspicion.",
        "SPF と DKIM だけでは、利用者の目に触れる From のなりすましを防げず、DMARC で両者を From に結び付ける必要があります。大手メールサービスでは、DMARC のないドメインからのメールは届きにくくなっています。",
    ),
    expected=Text(
        "One record at _dmarc of the domain (or of the domain above it) with p=quarantine or p=reject in effect, and a report address.",
        "ドメイン（またはその上位）の _dmarc にレコードが1つあり、p=quarantine または p=reject が有効で、レポートの送り先も指定されている状態。",
    ),
    fix=Fix(
        Text(
            "Begin by watching: all mail passes, and reports show who sends in your name.\n"
            + START
            + "\n\nWhen the reports of two or three weeks show that all your own mail passes by SPF or DKIM, tighten it:\n"
            + GOAL,
            "まず観測から始めます。メールの扱いは変わらず、自ドメインを名乗る送信元をレポートで確認できます。\n"
            + START
            + "\n\n2〜3週間分のレポートで、自分のメールがすべて SPF か DKIM で認証されていることを確認できたら、ポリシーを強めます。\n"
            + GOAL,
        )
    ),
    verify=Text(
        "One line, with p=quarantine or p=reject:\n\n    dig _dmarc.example.social TXT +short",
        "p=quarantine または p=reject の行が1つ表示されることを確認します。\n\n    dig _dmarc.example.social TXT +short",
    ),
    codes={
        "enforced": Text(
            "The policy {policy} is in effect (record at {name}).",
            "ポリシー {policy} が有効です（レコードの場所：{name}）。",
        ),
        "none": Text(
            "No DMARC record applies to {name}.", "{name} に適用される DMARC レコードがありません。"
        ),
        "several": Text(
            "{name} has more than one DMARC record: receivers ignore them all.",
            "{name} に DMARC レコードが複数あるため、すべて無視されます。",
        ),
        "bad_version": Text(
            "The record does not begin with v=DMARC1, so it counts as none.",
            "レコードが v=DMARC1 で始まっていないため、無効です。",
        ),
        "broken": Text(
            "The record at {name} has no usable policy and no report address: it says nothing.",
            "{name} のレコードには有効なポリシーもレポートの送り先もなく、意味を持ちません。",
        ),
        "bad_tag": Text(
            "{tag}={value} in the record at {name} is no policy, so the whole record counts as p=none.",
            "{name} のレコードの {tag}={value} は正しいポリシーではないため、レコード全体が p=none として扱われます。",
        ),
        "watching": Text(
            "The policy in effect is none: forged mail is only reported (record at {name}).",
            "有効なポリシーは none で、なりすましメールは報告されるだけです（レコードの場所：{name}）。",
        ),
        "testing": Text(
            "The record at {name} says t=y: only {policy} is in effect until the test ends.",
            "{name} のレコードに t=y があるため、テスト中は {policy} として扱われます。",
        ),
        "no_reports": Text(
            "The policy {policy} is in effect, but no reports are asked for.",
            "ポリシー {policy} は有効ですが、レポートの送り先がありません。",
        ),
        "reports_refused": Text(
            "The policy {policy} is in effect, but {domain} does not say that it takes your reports.",
            "ポリシー {policy} は有効ですが、レポートの送り先 {domain} が受け取りを許可していません。",
        ),
        "removed_tag": Text(
            "pct={value} no longer exists: newer receivers apply {policy} to all mail, older ones to a part.",
            "pct={value} は廃止されました。新しい受信側では全メールに、古い受信側では一部に {policy} が適用されます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(DmarcAnswers)
    names = walk_names(found.domain)
    answers = {n: a.answer for n, a in zip(names, found.asked, strict=False)}
    policy = discover(found.domain, answers, exists=_exists(facts.maybe(MailRoutes)))
    if policy.unseen is not None:
        raise MissingFact(policy.unseen)
    verdict = (
        _without_record(found, policy) if policy.record is None else _judge(policy, policy.record, found)
    )
    for asked in found.asked:
        for text in getattr(asked.answer, "records", ())[:3]:
            verdict = verdict.seen(f"TXT {asked.name}", text)
    return verdict


def _exists(routes: MailRoutes | None) -> bool:
    """Whether the domain itself exists; only NXDOMAIN says that it does not."""
    mx = routes.mx if routes is not None else None
    return not (isinstance(mx, Lookup) and mx.outcome is Outcome.NO_NAME)


def _without_record(found: DmarcAnswers, policy: DmarcPolicy) -> Verdict:
    if policy.several_at:
        return failed("several", name=f"_dmarc.{policy.several_at}")
    if policy.bad_version:
        return failed("bad_version")
    asked = ", ".join(question.name for question in found.asked)
    return failed("none", name=found.domain).seen("names without a DMARC record", asked)


def _judge(policy: DmarcPolicy, record: DmarcRecord, found: DmarcAnswers) -> Verdict:
    name, effect = f"_dmarc.{policy.found_at}", policy.effective
    if effect is None:
        return failed("broken", name=name)
    if record.bad_tag and record.tag(record.bad_tag):
        return warned("bad_tag", name=name, tag=record.bad_tag, value=record.tag(record.bad_tag))
    if record.testing:
        return warned("testing", name=name, policy=effect)
    if effect == "none":
        return warned("watching", name=name)
    if not record.rua:
        return warned("no_reports", policy=effect)
    for report in found.reports:
        if is_authorised(report.answer) is False:
            return warned("reports_refused", policy=effect, domain=report.name.partition("._dmarc.")[2])
    if record.tag("pct") not in ("", "100"):
        return warned("removed_tag", policy=effect, value=record.tag("pct"))
    return passed("enforced", policy=effect, name=name)
