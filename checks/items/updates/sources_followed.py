"""Are the vulnerability feeds on and fresh, and matched against the inventory?  Answered by the dashboard."""

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
        "The feeds of JPCERT/CC, JVN, JVN iPedia, the distribution and OSV are switched on in fedisec and were read within the last day.",
        "fedisec で JPCERT/CC・JVN・JVN iPedia・ディストリビューション・OSV のフィードが有効で、1日以内に取得できている状態。",
    ),
    fix=Fix(
        Text(
            "Switch the feeds on for this instance in fedisec and connect the server over SSH, so that they can be matched. Read at least the weekly report of JPCERT/CC yourself.\n"
            + WEEKLY,
            "fedisec のこのインスタンスの設定でフィードを有効にし、照合できるよう SSH も接続します。JPCERT/CC Weekly Report だけは自分でも読むとよいでしょう。\n"
            + WEEKLY,
        )
    ),
    verify=Text(
        "The page on updates shows when each feed was read last.",
        "脆弱性対応のページで、各フィードの最終取得日時を確認できます。",
    ),
)
