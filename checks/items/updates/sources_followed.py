"""Does fedisec read the feeds of vulnerabilities for the instance, and did each give a good answer lately?"""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.fedisec import FeedsWatch
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
from checks.parse.freshness import freshness, reason_of, shown, titles

WEEKLY = """
    https://www.jpcert.or.jp/wr/"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(SELF,),
    sources=(Source("003", "運用/脆弱性対応"),),
    references=(
        Reference("JPCERT/CC Weekly Report", "https://www.jpcert.or.jp/wr/"),
        Reference("JVN", "https://jvn.jp/"),
        Reference("JVN iPedia", "https://jvndb.jvn.jp/"),
        Reference("OSV", "https://osv.dev/"),
    ),
    title=Text("Vulnerability feeds are followed for this server", "脆弱性情報を継続的に入手している"),
    why=Text(
        "News of a hole is public before most servers are patched. Feeds that are matched against what you run tell you the same day.",
        "脆弱性は、多くのサーバが対応する前に公表されます。使っているソフトウェアと照合しながら情報を集めれば、その日のうちに気づけます。",
    ),
    expected=Text(
        "fedisec reads the feeds of JPCERT/CC, JVN, JVN iPedia and the distribution for this instance and compares them with what runs here; each gave a good answer within the last 3 days.",
        "fedisec がこのインスタンスのために JPCERT/CC・JVN・JVN iPedia・ディストリビューションのフィードを取得し、使っているソフトウェアと照合しており、どれも最後に正常に取得してから3日以内である状態。",
    ),
    fix=Fix(
        Text(
            "Switch the warnings on at this item in the dashboard, and connect fedisec over SSH so that it knows what to compare them with. Where a feed gives no good answer, the page of sources says why; who runs fedisec can switch feeds on and off there, and add others.",
            "ダッシュボードのこの項目で、脆弱性情報の確認を有効にします。SSH で接続しておくと、照合に使う構成が分かります。フィードを取得できない場合は、情報源のページに理由が表示されます。有効・無効の切り替えや追加は、fedisec の運用者がそこで行います。",
        )
    ),
    verify=Text(
        "The page of sources shows when each feed was last read, and the instance has a reading list of what concerns it. The weekly report of JPCERT/CC is worth a look of your own:\n"
        + WEEKLY,
        "各フィードを最後に取得した日時は情報源のページで、関係のありそうな情報はインスタンスの一覧で確認できます。JPCERT/CC Weekly Report には自分でも目を通してください。\n"
        + WEEKLY,
    ),
    codes={
        "read": Text(
            "fedisec reads {feeds} for this instance; the last good answers are younger than 3 days.",
            "fedisec が {feeds} をこのインスタンスのために確認しています。どれも最後に正常に取得してから3日以内です。",
        ),
        "off": Text(
            "Warnings of vulnerabilities are switched off for this instance.",
            "このインスタンスでは、脆弱性情報の確認が無効になっています。",
        ),
        "all_off": Text(
            "Who runs fedisec has switched all feeds of vulnerabilities off.",
            "脆弱性情報のフィードは、fedisec の運用者がすべて無効にしています。",
        ),
        "stale": Text(
            "No good answer for more than 3 days: {feeds}.",
            "3日以上正常に取得できていないフィードがあります：{feeds}",
        ),
        "silent": Text(
            "fedisec has not been able to read these feeds yet: {feeds}.",
            "まだ一度も取得できていないフィードがあります：{feeds}",
        ),
        "not_yet": Text(
            "fedisec has not read all of the feeds yet; it will within the hour.",
            "まだ取得していないフィードがあります（1時間以内に取得します）。",
        ),
        "offline": Text(
            "This fedisec reads no feeds at all (FEDISEC_FEEDS).",
            "この fedisec はフィードを一切取得しない設定です（FEDISEC_FEEDS）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    watch = facts.maybe(FeedsWatch) or seen(Missing(Reason.DASHBOARD_ONLY))
    if not watch.following_sources:
        return failed("off").seen("fedisec", "warnings of vulnerabilities: off")
    if not watch.reading:
        return unknown("offline", Reason.NOT_ASKED)
    on = [feed for feed in watch.sources if feed.enabled]
    if not on:
        return failed("all_off").seen("fedisec", shown(watch.sources) or "no feeds")
    sorted_out = freshness(on, watch.seen_at)
    if sorted_out.stale:
        return warned("stale", feeds=titles(sorted_out.stale)).seen("fedisec", shown(on))
    if sorted_out.silent:
        named = titles(sorted_out.silent)
        return unknown("silent", reason_of(sorted_out.silent), feeds=named).seen("fedisec", shown(on))
    if sorted_out.waiting:
        return unknown("not_yet", Reason.NOT_ASKED).seen("fedisec", shown(on))
    return passed("read", feeds=titles(sorted_out.fresh)).seen("fedisec", shown(on))
