"""Does somebody hear of new releases of the instance's software?  Asked of a person, until the dashboard follows
the feeds itself."""

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
        "Somebody hears of a new release of your software within a day: by its feed, by mail, or from its makers.",
        "使用ソフトウェアの新しい版の公開を、フィード・メール・開発元の告知などで1日以内に知ることができる状態。",
    ),
    fix=Fix(
        Text(
            "Follow the release feed of your software in a reader or a chat that somebody looks at every day; fedisec does not read these feeds yet, so it asks you.\n"
            + FEEDS,
            "使用ソフトウェアのリリースフィードを、毎日目を通すフィードリーダーやチャットに登録します。fedisec はまだフィードを取得しないため、管理者に尋ねています。\n"
            + FEEDS,
        )
    ),
    verify=Text(
        "Could you name the newest release, and the day on which you heard of it?",
        "最新の版と、その公開を知った日を答えられますか。",
    ),
    outdated=Text(
        "The repository tootsuite/mastodon that the source follows has moved to mastodon/mastodon; the address of its feed still leads there.",
        "出典にある tootsuite/mastodon は mastodon/mastodon へ移りました。古いフィードの URL も転送されます。",
    ),
)
