"""Do rules or terms name what is prohibited?  Rules in any language count; a server for one person needs none."""

from checks.facts import Facts, seen
from checks.facts.instance import InstanceInfo
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
    failed,
    not_applicable,
    passed,
    warned,
)

SEE = """
    curl -s https://example.social/api/v1/instance/rules"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        MANUAL,
    ),
    sources=(
        Source("003", "運用/コンプライアンス"),
        Source("001", "Preface 4"),
    ),
    references=(
        Reference(
            "Mastodon: Filling in server information", "https://docs.joinmastodon.org/admin/setup/#info"
        ),
        Reference("Mastodon Server Covenant", "https://joinmastodon.org/covenant"),
    ),
    title=Text("Rules or terms say what is prohibited", "利用規約やルールで禁止行為を示している"),
    why=Text(
        "When you have to remove a post or an account, you can point to a rule that everybody could read before. Without one every decision is a quarrel.",
        "投稿やアカウントを削除するとき、あらかじめ示したルールを根拠にできます。なければ判断のたびにもめることになります。",
    ),
    expected=Text(
        "At least one server rule, or terms of your own, that name what is not allowed.",
        "禁止行為を示したサーバルールが1つ以上ある、または独自の利用規約がある状態。",
    ),
    fix=Fix(
        Text(
            "Write a few short rules: what is illegal where the server stands, harassment, spam, and what you do about it. Put them into the server's rules, so that they appear at sign-up and in reports.",
            "サーバ所在地の法律に反するもの、嫌がらせ、スパムなど、短いルールをいくつか書き、違反時の対応も示します。サーバルールに登録すれば、登録画面や通報画面にも表示されます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Administration, Server rules; longer terms go to Administration, Terms of service.",
                    "「管理 → サーバーのルール」に登録します。長い規約は利用規約の管理画面に書きます。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Replace the sample text: put a terms-of-service.html of your own into the static directory (instance/static/static).",
                    "見本の文面を置き換えます。静的ファイルのディレクトリに独自の terms-of-service.html を置いてください。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Moderation: server rules, and the address of your terms.",
                    "コントロールパネルのモデレーションでサーバルールを書き、利用規約の URL も設定します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Open the about page in a private window: can a stranger read what is prohibited? Where the software has Mastodon's API, the list must not be empty:\n"
        + SEE,
        "プライベートウィンドウでサーバ情報のページを開き、禁止行為が読めることを確認します。Mastodon と同じ API があれば、次の一覧が空でないことも確認できます。\n"
        + SEE,
    ),
    codes={
        "rules": Text("{count} rules are published.", "{count} 件のルールを公開しています。"),
        "terms": Text("Terms are published.", "利用規約を公開しています。"),
        "default": Text(
            "Only the sample text that ships with the software is there.",
            "ソフトウェア付属の見本の文面だけが表示されています。",
        ),
        "none": Text("Neither rules nor terms are published.", "ルールも利用規約も公開していません。"),
        "single_user": Text("A closed server with one account.", "登録を閉じた、1人だけのサーバです。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if isinstance(info.rules, tuple) and info.rules:
        return passed("rules", count=len(info.rules)).seen("instance API, rules", "\n".join(info.rules[:5]))
    single = isinstance(info.user_count, int) and info.user_count <= 1
    if single and info.registrations_open is False:
        return not_applicable("single_user")
    if info.terms_default is True:
        return warned("default").seen("terms", "the text that ships with the software")
    if isinstance(info.terms_url, str):
        return passed("terms").seen("instance API, terms", info.terms_url)
    rules = seen(info.rules)
    seen(info.terms_url)  # where the software does not show them, nobody knows
    return failed("none").seen("instance API", f"rules: {len(rules)}, terms: none")
