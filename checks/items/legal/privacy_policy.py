"""Is a privacy policy of one's own published?  Mastodon ships a text that says little about this server.

Most other software has no page for it: then an admin is asked."""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
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
    asked,
    failed,
    passed,
    warned,
)

SEE = """
    curl -s https://example.social/api/v1/instance/privacy_policy | head -c 1000"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        MANUAL,
    ),
    sources=(Source("+"),),
    references=(
        Reference("Regulation (EU) 2016/679 (GDPR)", "https://eur-lex.europa.eu/eli/reg/2016/679/oj"),
        Reference("個人情報の保護に関する法律", "https://laws.e-gov.go.jp/law/415AC0000000057"),
    ),
    title=Text("A privacy policy of your own is published", "独自のプライバシーポリシーを公開している"),
    why=Text(
        "A server holds addresses, private posts and logs of real people. They, and in many countries the law, want to know what is kept, for how long, and who may see it.",
        "サーバには実在の人のアドレス、非公開の投稿、ログが残ります。何をいつまで保存し、誰が見られるのかを示すことは、利用者のためであり、多くの国で法的にも求められます。",
    ),
    expected=Text(
        "A text that fits this server: what is kept, how long (logs, addresses, media), where, and whom to ask.",
        "保存する情報、期間（ログ・IP アドレス・メディア）、場所、問い合わせ先など、このサーバに即した文面を公開している状態。",
    ),
    fix=Fix(
        Text(
            "Start from the text that ships with the software and replace what is not true here: retention times, place, mail provider, CDN, contact.",
            "付属の文面をもとに、保存期間・所在地・メール送信サービス・CDN・連絡先など、実態と異なる部分を書き換えます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Administration, Server settings, About: Privacy policy.",
                    "「管理 → サーバー設定 → サーバー情報」のプライバシーポリシーに書きます。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "There is no page for it; write it into terms-of-service.html or a static page and link it.",
                    "専用のページがないため、terms-of-service.html か静的ページに書いてリンクします。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Moderation: the address of the privacy policy.",
                    "コントロールパネルでプライバシーポリシーの URL を設定します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Read it as a stranger: does it say how long addresses and logs are kept? Mastodon shows its text here as well, with the day of the last change:\n"
        + SEE,
        "利用者の目で読み、IP アドレスやログの保存期間が書かれているか確認します。Mastodon では、次のコマンドで文面と更新日も確認できます。\n"
        + SEE,
    ),
    codes={
        "own": Text(
            "A privacy policy of one's own is published.", "独自のプライバシーポリシーを公開しています。"
        ),
        "default": Text(
            "Only the text that ships with the software is there.", "ソフトウェア付属の文面のままです。"
        ),
        "not_shown": Text(
            "This software has no place of its own for a privacy policy. Please answer whether one is published.",
            "このソフトウェアにはプライバシーポリシー専用の欄がありません。公開しているかどうか回答してください。",
        ),
        "none": Text("No privacy policy is published.", "プライバシーポリシーを公開していません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if isinstance(info.privacy_url, Missing) and info.privacy_url.reason is Reason.NOT_ASKED:
        return asked("not_shown").seen("instance API", "no privacy policy field")
    url = seen(info.privacy_url)
    if url is None:
        return failed("none").seen("instance API", "privacy policy: none")
    if seen(info.privacy_default):
        return warned("default").seen(url, "the text that ships with the software")
    return passed("own").seen("instance API, privacy policy", url)
