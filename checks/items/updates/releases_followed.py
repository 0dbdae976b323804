"""Does fedisec read the release feed of the instance's software, and did it get a good answer lately?"""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.fedisec import Feed, FeedsWatch
from checks.facts.software import Software
from checks.model import (
    SELF,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.freshness import freshness, reason_of, shown

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
        "fedisec reads the release feed of your software for this instance, and the last good answer is younger than 3 days. Whoever hears of the instance is told of a newer release than the one that runs.",
        "fedisec がこのインスタンスのために使用ソフトウェアのリリースフィードを取得しており、最後に正常に取得してから3日以内である状態。動いている版より新しいリリースが出ると、通知先に知らせます。",
    ),
    fix=Fix(
        Text(
            "Switch the release news on at this item in the dashboard. Where the feed gives no good answer, the page of sources says why; who runs fedisec can switch a feed on there, or add the one of another software.",
            "ダッシュボードのこの項目で、リリースの確認を有効にします。フィードを取得できない場合は、情報源のページに理由が表示されます。フィードの有効化や、ほかのソフトウェアのフィードの追加は、fedisec の運用者がそこで行います。",
        )
    ),
    verify=Text(
        "The page of sources shows when the feed was last read, and the newest release in it; compare that with a look of your own:\n"
        + FEEDS,
        "情報源のページに、最後に取得した日時と最新のリリースが表示されます。自分でも見比べてください。\n"
        + FEEDS,
    ),
    codes={
        "read": Text(
            "fedisec reads the releases of {feed}; the last good answer is younger than 3 days.",
            "fedisec が {feed} のリリースを確認しています。最後に正常に取得してから3日以内です。",
        ),
        "off": Text(
            "Release news are switched off for this instance.",
            "このインスタンスでは、リリースの確認が無効になっています。",
        ),
        "feed_off": Text(
            "Who runs fedisec has switched the release feed of {feed} off.",
            "{feed} のリリースフィードは、fedisec の運用者が無効にしています。",
        ),
        "stale": Text(
            "The release feed of {feed} has given no good answer for more than 3 days.",
            "{feed} のリリースフィードを、3日以上正常に取得できていません。",
        ),
        "silent": Text(
            "fedisec has not been able to read the release feed of {feed} yet.",
            "{feed} のリリースフィードを、まだ一度も取得できていません。",
        ),
        "not_yet": Text(
            "fedisec has not read the release feed of {feed} yet; it will within the hour.",
            "{feed} のリリースフィードは、まだ取得していません（1時間以内に取得します）。",
        ),
        "no_software": Text(
            "fedisec does not know which software runs here, so it cannot tell which releases to read.",
            "動いているソフトウェアが分からないため、どのリリースを確認すべきか判断できません。",
        ),
        "no_feed": Text(
            "fedisec knows no release feed of {software}; who runs fedisec can add one.",
            "{software} のリリースフィードが登録されていません。fedisec の運用者が追加できます。",
        ),
        "offline": Text(
            "This fedisec reads no feeds at all (FEDISEC_FEEDS).",
            "この fedisec はフィードを一切取得しない設定です（FEDISEC_FEEDS）。",
        ),
    },
    outdated=Text(
        "The repository tootsuite/mastodon that the source follows has moved to mastodon/mastodon; the address of its feed still leads there.",
        "出典にある tootsuite/mastodon は mastodon/mastodon へ移りました。古いフィードの URL も転送されます。",
    ),
)


@item.check
def check(facts: Facts) -> Verdict:
    watch = facts.maybe(FeedsWatch) or seen(Missing(Reason.DASHBOARD_ONLY))
    if not watch.following_releases:
        return failed("off").seen("fedisec", "releases: off")
    if not watch.reading:
        return unknown("offline", Reason.NOT_ASKED)
    name, feeds = _feeds_of(facts.maybe(Software), watch)
    if not name:
        return unknown("no_software", Reason.NOT_ASKED)
    if not feeds:
        return unknown("no_feed", Reason.NOT_ASKED, software=name)
    on = [feed for feed in feeds if feed.enabled]
    if not on:
        return failed("feed_off", feed=feeds[0].title).seen("fedisec", shown(feeds))
    return _judged(on, watch).seen("fedisec", shown(on))


def _feeds_of(software: Software | None, watch: FeedsWatch) -> tuple[str, list[Feed]]:
    """The software, and the feeds about it: by its own name, else by that of the family whose name and
    numbers it goes by."""
    name, family = (software.name, software.family) if software else (watch.software, watch.family)
    return name, [feed for feed in watch.release_feeds if feed.about == (name or family)]


def _judged(on: list[Feed], watch: FeedsWatch) -> Verdict:
    """Several feeds of one software are as good as the freshest."""
    sorted_out, title = freshness(on, watch.seen_at), on[0].title
    if sorted_out.fresh:
        return passed("read", feed=title)
    if sorted_out.stale:
        return warned("stale", feed=title)
    if sorted_out.silent:
        return unknown("silent", reason_of(sorted_out.silent), feed=title)
    return unknown("not_yet", Reason.NOT_ASKED, feed=title)
