"""How much of the address do other sites learn when a link is followed?

The catalogue asks for same-origin or stricter; absent is the browsers' strict-origin-when-cross-origin, so a warning."""

from checks.facts import Facts, seen
from checks.facts.http import FrontPage
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, html_document
from checks.parse.headers import parse_referrer_policy

_NAME = "referrer-policy"
_GOOD = frozenset({"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"})

NGINX = """
    add_header Referrer-Policy "same-origin" always;"""

APACHE = """
    Header always set Referrer-Policy "same-origin\""""

CADDY = """
    header Referrer-Policy "same-origin\""""

AKKOMA = """
    config :pleroma, :http_security,
      referrer_policy: "same-origin\""""

SEE = """
    curl -sI https://example.social/ | grep -i referrer-policy"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "referrer_policy"),),
    references=(
        Reference("W3C: Referrer Policy", "https://www.w3.org/TR/referrer-policy/"),
        Reference(
            "MDN: Referrer-Policy",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Referrer-Policy",
        ),
    ),
    title=Text(
        "Links to other sites do not tell which page was read", "外部リンク先に閲覧中のページを知らせない"
    ),
    why=Text(
        "With a loose policy the site behind a link learns where its reader came from, in the worst case the whole address of a profile or a search. A strict policy keeps that on the server.",
        "ポリシーが緩いと、リンク先のサイトに利用者がどこから来たか、最悪の場合はプロフィールや検索の URL 全体が伝わります。厳しいポリシーなら外に漏れません。",
    ),
    expected=Text(
        "Referrer-Policy same-origin or no-referrer; strict-origin and strict-origin-when-cross-origin are good as well.",
        "Referrer-Policy が same-origin か no-referrer の状態。strict-origin、strict-origin-when-cross-origin でも構いません。",
    ),
    fix=Fix(
        Text(
            "Set same-origin, in the software where it has the setting, else in the proxy.",
            "ソフトウェアに設定があればそこで、なければプロキシで same-origin を指定します。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
        ),
    ),
    verify=Text("Look at the header:\n" + SEE, "ヘッダを確認します。\n" + SEE),
    codes={
        "strict": Text("The policy is {value}.", "ポリシーは {value} です。"),
        "absent": Text(
            "No policy is sent; browsers then fall back to their own, which today gives away the name of the site.",
            "ポリシーがありません。ブラウザの既定に任せる状態で、現在の既定ではサイト名がリンク先に伝わります。",
        ),
        "unreadable": Text(
            "Browsers know none of the values sent, so their own default applies.",
            "ブラウザの知らない値だけが送られており、既定の動作になります。",
        ),
        "loose": Text(
            "The policy {value} tells other sites more than needed.",
            "{value} は必要以上の情報を他サイトに伝えます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(html_document(facts.get(FrontPage)))
    where, lines = f"GET {page.url}", header_lines(page, _NAME)
    value = parse_referrer_policy(page.header_values(_NAME))
    if value is None:
        return warned("absent").seen(where, lines)
    if value == "":
        return warned("unreadable").seen(where, lines)
    if value in _GOOD:
        return passed("strict", value=value).seen(where, lines)
    return failed("loose", value=value).seen(where, lines)
