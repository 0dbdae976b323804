"""Does any answer let a foreign page read it with the visitor's cookies?

A star without credentials is how public APIs must answer, and no finding.  Judged as browsers do (Fetch, "CORS check"):
the values of both headers, joined where they come twice, must be exactly the origin and exactly "true"."""

from checks.facts import Facts, Missing, seen
from checks.facts.http import FOREIGN_ORIGIN, ApiPage, NoSuchPage, Page, SignInPage
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed
from checks.parse.answers import header_lines, readable

_ORIGIN = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"

SEARCH = """
    grep -rn "Access-Control" /etc/nginx /etc/caddy /etc/apache2"""

SEE = """
    curl -sI -H "Origin: https://origin.invalid" https://example.social/api/v1/instance | grep -i access-control"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("Fetch Standard: CORS protocol", "https://fetch.spec.whatwg.org/#http-cors-protocol"),
        Reference(
            "MDN: Cross-Origin Resource Sharing (CORS)",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS",
        ),
    ),
    title=Text(
        "Foreign pages cannot read answers with a user's cookies",
        "他サイトから Cookie 付きで応答を読み取れない",
    ),
    why=Text(
        "A server that repeats any Origin and allows credentials lets every page on the web read what the signed-in visitor may read. It mostly comes from a line copied into the proxy to make an app work.",
        "どの Origin でもそのまま返し、認証情報も許すサーバでは、ログイン中の利用者が見られる内容を、どのサイトからでも読み取れます。アプリを動かすためにプロキシへ書き写した設定が原因になりがちです。",
    ),
    expected=Text(
        "API answers carry Access-Control-Allow-Origin: * at most, never a repeated origin together with Access-Control-Allow-Credentials: true.",
        "API の応答は Access-Control-Allow-Origin: * まで。相手の Origin をそのまま返し、さらに Access-Control-Allow-Credentials: true を付けることがない状態。",
    ),
    fix=Fix(
        Text(
            "Look for such lines in the proxy and remove them; the software sends what its API needs by itself:\n"
            + SEARCH,
            "プロキシの設定から該当する行を探して削除します。API に必要なヘッダはソフトウェアが自分で送ります。\n"
            + SEARCH,
        )
    ),
    verify=Text(
        "The made-up origin must not come back together with credentials:\n" + SEE,
        "存在しない Origin が、認証情報の許可と一緒に返らないことを確認します。\n" + SEE,
    ),
    codes={
        "closed": Text(
            "A foreign origin gets nothing with cookies.",
            "他サイトの Origin に Cookie 付きの読み取りは許されません。",
        ),
        "echoed": Text(
            "A foreign origin is repeated, with credentials allowed.",
            "他サイトの Origin がそのまま返り、認証情報も許可されています。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    given = (facts.maybe(ApiPage), facts.maybe(SignInPage), facts.maybe(NoSuchPage))
    pages = [fact.page for fact in given if fact is not None]
    for page in pages:
        if _value(page, _ORIGIN) == FOREIGN_ORIGIN and _value(page, _CREDENTIALS) == "true":
            lines = header_lines(page, _ORIGIN, _CREDENTIALS)
            return failed("echoed").seen(f"GET {page.url}", lines)
    judged = [page for page in pages if not isinstance(readable(page), Missing)]
    first: Page = judged[0] if judged else seen(readable(facts.get(ApiPage).page))
    return passed("closed").seen(f"GET {first.url}", header_lines(first, _ORIGIN, _CREDENTIALS))


def _value(page: Page, name: str) -> str:
    return ", ".join(page.header_values(name)).strip()
