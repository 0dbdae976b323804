"""Is the old XSS filter of browsers off or unmentioned?"""

from checks.facts import Facts, seen
from checks.facts.http import FrontPage
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, passed, warned
from checks.parse.answers import header_lines, html_document
from checks.parse.headers import xss_filter

_NAME = "x-xss-protection"

NGINX = """
    proxy_hide_header X-XSS-Protection;
    add_header X-XSS-Protection "0" always;"""

APACHE = """
    Header always unset X-XSS-Protection
    Header set X-XSS-Protection "0\""""

CADDY = """
    header >X-XSS-Protection "0\""""

SEE = """
    curl -sI https://example.social/ | grep -i x-xss-protection"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "http_security"),),
    references=(
        Reference(
            "MDN: X-XSS-Protection",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-XSS-Protection",
        ),
        Reference(
            "OWASP: HTTP Headers Cheat Sheet",
            "https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html",
        ),
    ),
    title=Text("The old XSS filter of browsers is off", "ブラウザの古い XSS フィルタを無効にしている"),
    why=Text(
        "The filter that this header steers is gone from today's browsers, and in old ones it could be used to switch off parts of a page. A content security policy does its work better.",
        "このヘッダが操作するフィルタは現在のブラウザにはなく、古いブラウザではページの一部を無効化する攻撃に使われました。役割はコンテンツセキュリティポリシーが引き継いでいます。",
    ),
    expected=Text("X-XSS-Protection: 0, or no such header.", "X-XSS-Protection: 0、またはヘッダがない状態。"),
    fix=Fix(
        Text(
            "Remove lines that set the header to 1 from the proxy. Where the software itself sends 1 (Pleroma, Pixelfed's sample), override it there.",
            "プロキシで値を 1 にしている行を削除します。Pleroma や Pixelfed の見本設定のようにソフトウェア側が 1 を送る場合は、プロキシで上書きします。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            (
                "Caddy",
                Text(
                    "The sign > overrides what the software sends:\n" + CADDY,
                    "> を付けると、ソフトウェアの送る値を上書きします。\n" + CADDY,
                ),
            ),
        ),
    ),
    verify=Text(
        "Either nothing or 0 must appear:\n" + SEE, "何も表示されないか、0 であることを確認します。\n" + SEE
    ),
    codes={
        "off": Text("The filter is off.", "フィルタは無効です。"),
        "absent": Text(
            "The header is not sent, which is fine today.", "ヘッダはありません。現在はこれで問題ありません。"
        ),
        "on": Text("The filter is switched on ({value}).", "フィルタが有効になっています（{value}）。"),
    },
    outdated=Text(
        "Older guides advise the value 1; mode=block. Today it is 0 or no header at all.",
        "以前の解説では 1; mode=block が勧められていましたが、現在は 0 にするか、ヘッダを付けません。",
    ),
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(html_document(facts.get(FrontPage)))
    where, lines = f"GET {page.url}", header_lines(page, _NAME)
    value = xss_filter(page.header_values(_NAME))
    if value is None:
        return passed("absent").seen(where, lines)
    if value == "0":
        return passed("off").seen(where, lines)
    return warned("on", value=value[:40]).seen(where, lines)
