"""Does somebody follow the news of vulnerabilities?  Asked of a person, until the dashboard reads the feeds and
matches them against the inventory itself."""

from checks.model import SELF, Fix, Item, Level, Reference, Source, Text

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
        "Somebody follows the warnings of JPCERT/CC, JVN and the distribution, and compares them with what runs on this server.",
        "JPCERT/CC・JVN・ディストリビューションの情報に継続的に目を通し、このサーバで使っているものと照合している状態。",
    ),
    fix=Fix(
        Text(
            "Subscribe to the security announcements of your distribution and of JVN, by mail or in a reader, and read at least the weekly report of JPCERT/CC; fedisec does not match such feeds with your server yet, so it asks you.\n"
            + WEEKLY,
            "ディストリビューションと JVN のセキュリティ情報をメールやフィードリーダーで購読し、少なくとも JPCERT/CC Weekly Report に目を通します。fedisec はまだこれらをサーバの構成と照合しないため、管理者に尋ねています。\n"
            + WEEKLY,
        )
    ),
    verify=Text(
        "Could you name the last warning that concerned this server, and what you did about it?",
        "このサーバに関わる直近の注意喚起と、それにどう対応したかを答えられますか。",
    ),
)
