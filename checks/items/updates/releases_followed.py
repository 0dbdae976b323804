"""Is the release feed of the instance's software on and fresh?  Answered by the dashboard."""

from checks.model import SELF, Fix, Item, Level, Reference, Source, Text

FEEDS = """
    https://github.com/mastodon/mastodon/releases.atom
    https://github.com/misskey-dev/misskey/releases.atom
    https://akkoma.dev/AkkomaGang/akkoma/releases.rss"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(SELF,),
    sources=(Source("003", "運用/脆弱性対応"),),
    references=(
        Reference("Mastodon: Releases", "https://github.com/mastodon/mastodon/releases"),
        Reference("Misskey: Releases", "https://github.com/misskey-dev/misskey/releases"),
        Reference("Akkoma: Releases", "https://akkoma.dev/AkkomaGang/akkoma/releases"),
    ),
    title=Text(
        "New releases of the fediverse software are noticed",
        "分散SNSソフトウェアの新しい版の公開を把握している",
    ),
    why=Text(
        "Security fixes come as releases, mostly without an advisory on the first day. Whoever hears of them first patches first.",
        "修正はまずリリースとして公開され、当日は脆弱性情報が出ていないことも多くあります。早く知るほど早く更新できます。",
    ),
    expected=Text(
        "The release feed of your software is switched on in fedisec and was read within the last day.",
        "fedisec で使用ソフトウェアのリリースフィードが有効で、1日以内に取得できている状態。",
    ),
    fix=Fix(
        Text(
            "Switch the release watch on for this instance. You can follow the same feeds in any reader:\n"
            + FEEDS,
            "このインスタンスのリリース監視を有効にします。同じフィードはフィードリーダーでも購読できます。\n"
            + FEEDS,
        )
    ),
    verify=Text(
        "The page on updates shows the newest release seen and when.",
        "脆弱性対応のページで、確認できた最新のリリースと日時を見られます。",
    ),
    outdated=Text(
        "The repository tootsuite/mastodon that the source follows has moved to mastodon/mastodon; the address of its feed still leads there.",
        "出典にある tootsuite/mastodon は mastodon/mastodon へ移りました。古いフィードの URL も転送されます。",
    ),
)
