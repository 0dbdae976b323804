"""Is the software's protection against spam on?  Mastodon's switch of 2020 is gone; what replaced it is asked for."""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    unknown,
    warned,
)
from checks.parse.host.app_config import configs_of
from checks.parse.host.common import parts

SWITCH = "DISABLE_AUTOMATIC_SWITCHING_TO_APPROVED_REGISTRATIONS"
POLICIES = ":mrf.policies"

AKKOMA = """
    config :pleroma, :mrf,
      policies: [Pleroma.Web.ActivityPub.MRF.AntiLinkSpamPolicy, Pleroma.Web.ActivityPub.MRF.HellthreadPolicy]"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("003", "運用/Mastodon"),),
    references=(
        Reference(
            "Mastodon: Spam-fighting measures",
            "https://docs.joinmastodon.org/admin/moderation/#spam-fighting-measures",
        ),
        Reference("Akkoma: Message Rewrite Facility", "https://docs.akkoma.dev/stable/configuration/mrf/"),
        Reference("Mastodon: Remove spam check (#16011)", "https://github.com/mastodon/mastodon/pull/16011"),
    ),
    title=Text(
        "The software's protection against spam is in use", "ソフトウェアのスパム対策機能を利用している"
    ),
    why=Text(
        "Spam arrives by mention, from your own accounts and from other servers. The software can report or hold it before your users see it, if somebody has switched that on.",
        "スパムは、自サーバのアカウントからも他サーバからもメンションで届きます。機能を有効にしておけば、利用者の目に触れる前に通報や保留ができます。",
    ),
    expected=Text(
        "What your software offers is on: moderation tools, filters for new or unknown accounts, limits for remote servers, and somebody looks at the reports.",
        "モデレーション機能、新規・未知のアカウントへのフィルタ、他サーバの制限など、使えるものを有効にし、通報を確認している状態。",
    ),
    fix=Fix(
        Text(
            "Switch on what your software has, and agree who reads the reports.",
            "使えるスパム対策を有効にし、通報を誰が確認するか決めておきます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Use approval, blocked e-mail domains, IP rules, the CAPTCHA, and the notification filters that users have; follow the reports queue.",
                    "承認制、メールドメインや IP のブロック、CAPTCHA、利用者側の通知フィルターを活用し、通報を確認します。",
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Control panel, Moderation: prohibited words, sensitive words, and role policies for new accounts (for example a limit on mentions).",
                    "コントロールパネルのモデレーションで禁止ワードやセンシティブワードを設定し、新規アカウントのロールでメンション数などを制限します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Where does a report about spam arrive, and who saw the last one?",
        "スパムの通報がどこに届き、最後の1件を誰が確認したか答えられますか。",
    ),
    outdated=Text(
        "Mastodon 3.4 (2021) took out the switch for automatic spam detection that the source of 2020 advises. Approval, CAPTCHA, block lists and notification filters have taken its place.",
        "2020年の出典にある「スパム対策を有効にする」は、Mastodon 3.4（2021年）で廃止されました。承認制・CAPTCHA・ブロックリスト・通知フィルターがその代わりになります。",
    ),
    codes={
        "blocks": Text(
            "{count} mail domains are blocked. Whether the other means are in use and who reads the reports, please answer.",
            "{count} 件のメールドメインが遮断されています。ほかの対策の利用状況と、通報を確認する人について回答してください。",
        ),
        "no_blocks": Text(
            "No mail domain is blocked. Whether the other means are in use and who reads the reports, please answer.",
            "遮断されているメールドメインはありません。ほかの対策の利用状況と、通報を確認する人について回答してください。",
        ),
        "switch_disabled": Text(
            "Sign-up stays open even when no moderator has been there for a week: {setting}.",
            "{setting} のため、モデレーターが1週間不在でも新規登録が開いたままになります。",
        ),
        "filters": Text(
            "Message filters are set (MRF). Whether they hold spam back and who reads the reports, please answer.",
            "メッセージフィルター（MRF）が設定されています。スパムを防げているかどうかと、通報を確認する人について回答してください。",
        ),
        "no_filters": Text(
            "No message filter is set (MRF). Whether other means are in use and who reads the reports, please answer.",
            "メッセージフィルター（MRF）は設定されていません。ほかの対策の利用状況と、通報を確認する人について回答してください。",
        ),
        "not_counted": Text(
            "The figures that would tell are in the database, which was not asked.",
            "判断の手がかりになる件数はデータベースにありますが、読み取れませんでした。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    for file in configs_of(inside, facts.maybe(Software)).read:
        if file.flag(SWITCH):
            return warned("switch_disabled", setting=f"{SWITCH}=true").seen(
                f"inside: {file.path}", f"{SWITCH}=true"
            )
    databases = parts(inside.lines("app_accounts"))
    counts = [
        line.split() for part in databases for line in part.lines if line.startswith("email_domain_blocks ")
    ]
    number = next(
        (words[1] for words in counts if len(words) == 2 and words[1].isascii() and words[1].isdigit()), ""
    )
    if not number and (filters := _filters(inside, facts.maybe(Software))):
        return filters
    if not number:
        denied = any(part.denied for part in databases)
        return unknown("not_counted", Reason.DENIED if denied else Reason.NO_TOOL)
    if number.strip("0"):
        return asked("blocks", count=number).seen("inside: database", f"email_domain_blocks: {number}")
    return asked("no_blocks").seen("inside: database", "email_domain_blocks: 0")


def _filters(inside: Inside, software: Software | None) -> Verdict | None:
    """What Akkoma's or Pleroma's file says of MRF; None where there is none, or the database stands above it."""
    for file in configs_of(inside, software).read:
        if file.family in {"akkoma", "pleroma"} and POLICIES in file.values and not file.database_rules:
            verdict = asked("filters") if file.text(POLICIES) else asked("no_filters")
            return verdict.seen(f"inside: {file.path}", f"{POLICIES}: {file.values[POLICIES]}")
    return None
