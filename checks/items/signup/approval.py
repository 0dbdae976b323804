"""Where registration is open: does a person approve each account?"""

from checks.facts import Facts, seen
from checks.facts.instance import InstanceInfo
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
)

TOOTCTL = """
    RAILS_ENV=production bin/tootctl settings registrations approved"""

AKKOMA = """
    config :pleroma, :instance,
      account_approval_required: true"""

PIXELFED = """
    INSTANCE_CUR_REG=true"""

SEE = """
    curl -s https://example.social/api/v2/instance | grep -o '"approval_required":[a-z]*'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("001", "Sign-ups"),),
    references=(
        Reference(
            "Mastodon: tootctl settings registrations approved",
            "https://docs.joinmastodon.org/admin/tootctl/#settings-registrations-approved",
        ),
        Reference("GoToSocial: New account sign-ups", "https://docs.gotosocial.org/en/latest/admin/signups/"),
    ),
    title=Text("Each new account is approved by a person", "新規アカウントを人が承認している"),
    why=Text(
        "A short question and a look at the answer stop nearly every bot. It also keeps the number of newcomers at what your moderators can look after.",
        "簡単な質問とその回答を見るだけで、ほとんどのボットを防げます。モデレーションが追い付く人数に抑える効果もあります。",
    ),
    expected=Text(
        "Where sign-up is open, each registration waits until a person approves it.",
        "新規登録を受け付けている場合、1件ずつ人が承認する状態。",
    ),
    fix=Fix(
        Text(
            "Switch sign-up to approval and ask for a reason. Decide who looks at the queue, and how often.",
            "登録を承認制に切り替え、申請理由を書いてもらいます。誰がどのくらいの頻度で確認するかも決めておきます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Administration, Server settings, Registrations: Approval required. Or:\n" + TOOTCTL,
                    "「管理 → サーバー設定 → 新規登録」で、承認が必要になる設定を選びます。コマンドでもできます。\n"
                    + TOOTCTL,
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Upstream has no approval: use invitation codes. Some forks have the switch in the control panel.",
                    "本家に承認制はないため、招待コードを使います。フォークによってはコントロールパネルで設定できます。",
                ),
            ),
            (
                "Pixelfed",
                Text("Curated registration:\n" + PIXELFED, "審査制の登録を有効にします。\n" + PIXELFED),
            ),
        ),
    ),
    verify=Text(
        "Ask for an account in a private window: it must not be usable before somebody approves it. Where the software has Mastodon's API, this says true:\n"
        + SEE,
        "プライベートウィンドウで申請し、承認されるまで使えないことを確認します。Mastodon と同じ API があれば、次のコマンドで true と表示されます。\n"
        + SEE,
    ),
    codes={
        "approved": Text("Each account is approved by a person.", "人が承認しています。"),
        "closed": Text(
            "Nobody can sign up, so there is nothing to approve.", "新規登録を受け付けていません。"
        ),
        "not_approved": Text("Accounts are made without approval.", "承認なしでアカウントが作られます。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if not seen(info.registrations_open):
        return not_applicable("closed")
    if seen(info.approval_required):
        return passed("approved").seen("instance API", "approval_required: true")
    return failed("not_approved").seen("instance API", "registrations: true, approval_required: false")
