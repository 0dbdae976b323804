"""Is the contract with the mail service known, so that a forged bill is recognised as one?"""

from checks.data.dns import MailProvider, provider_of_mx, provider_of_spf
from checks.data.suffixes import same_registrable
from checks.facts import Facts, MissingFact, seen
from checks.facts.mail import MailRoutes, SpfAnswers
from checks.model import (
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    not_applicable,
    warned,
)
from checks.parse.spf_walk import walk

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, MANUAL),
    sources=(Source("003", "構築/メールサーバ"),),
    references=(Reference("フィッシング対策協議会", "https://www.antiphishing.jp/"),),
    title=Text(
        "The contract with the mail service is known in detail",
        "メール配信サービスの契約内容を把握している",
    ),
    why=Text(
        "Everybody can see in the DNS which service sends your mail, and forged bills in its name are sent to admins. Who knows the plan and the means of payment recognises them.",
        "利用中のメール配信サービスは DNS から誰にでもわかるため、そのサービスを装った「支払いに失敗しました」というフィッシングメールが管理者を狙って送られます。プランと支払い方法を把握していれば見破れます。",
    ),
    expected=Text(
        "You know which plan you have, whether a card is stored there, how bills arrive, and how to sign in without following a link.",
        "契約中のプラン、カード登録の有無、請求の届き方を把握し、メールのリンクを使わずにログインできる状態。",
    ),
    fix=Fix(
        Text(
            "Sign in to the service by typing its address. Look up the plan, the means of payment and the address that notices go to, and write them in the note. Turn on two-factor authentication there while you are at it.\n\n"
            "A free plan never has a failed payment: a mail that says so is a forgery.",
            "サービスのサイトを自分で開いてログインし、プラン、支払い方法、通知先のメールアドレスを確認してメモに残します。あわせて二段階認証も有効にしておきましょう。\n\n"
            "無料プランで「支払いに失敗した」ということはあり得ません。そのようなメールは偽物です。",
        )
    ),
    verify=Text(
        "Could you say from memory what the service costs you per month and which card pays for it?",
        "毎月いくらを、どのカードで支払っているか、何も見ずに答えられますか。",
    ),
    codes={
        "needs_answer": Text(
            "Mail goes through {provider}; please confirm that you know the plan and how it is paid.",
            "メールに {provider} を利用しています。プランと支払い方法を把握しているか回答してください。",
        ),
        "own_server": Text(
            "Mail is sent and received by the domain's own servers.",
            "メールの送受信は自前のサーバで行われています。",
        ),
        "nothing_seen": Text(
            "No known mail service shows in the DNS; please answer for the one you use.",
            "DNS から既知のメールサービスは見つかりませんでした。利用中のサービスについて回答してください。",
        ),
    },
    outdated=Text(
        "The source takes a free plan for granted. Some services have given theirs up (SendGrid in 2025), so look up which plan you have today.",
        "出典は無料契約を前提にしていますが、無料プランを廃止したサービスもあります（SendGrid は2025年）。現在のプランを確認してください。",
    ),
    attest_days=365,
)


@item.check
def check(facts: Facts) -> Verdict:
    routes, spf = facts.get(MailRoutes), facts.get(SpfAnswers)
    seen(routes.mx)
    found: dict[str, str] = {}
    hosts = [host.name for host in routes.hosts if host.name != "."]
    included = [a.name for a in spf.asked if a.rdtype == "TXT" and a.name != spf.domain]
    for name in hosts:
        _note(found, provider_of_mx(name), f"MX {name}")
    for name in included:
        _note(found, provider_of_spf(name), f"SPF {name}")
    if found:
        verdict = warned("needs_answer", provider=", ".join(found))
        for where in found.values():
            verdict = verdict.seen("seen in the DNS", where)
        return verdict
    walked = walk(spf.domain, {(a.name, a.rdtype): a.answer for a in spf.asked})
    for _, gap in walked.unseen:
        raise MissingFact(gap)
    own = bool(hosts) and all(same_registrable(host, routes.domain) for host in hosts)
    if own and walked.steps and not included:
        return not_applicable("own_server")
    for asked_for in spf.asked:
        seen(asked_for.answer)  # a part of the tree that could not be read may name the service
    verdict = asked("nothing_seen")
    for where, text in [(f"MX {routes.domain}", host) for host in hosts[:8]]:
        verdict = verdict.seen(where, text)
    return verdict


def _note(found: dict[str, str], provider: MailProvider | None, where: str) -> None:
    if provider is not None:
        found.setdefault(provider.name, where)
