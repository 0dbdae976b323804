"""Does plain http lead straight to https on the same host?

A closed port 80 passes.  A port that stays silent says nothing: it may be closed for fedisec alone, so that is unknown
and no pass.  So is a refusal there: 401, 403, 405, 429 or a fault of the server."""

from urllib.parse import SplitResult, urlsplit

from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.http import FrontPage, Page, PlainHttp
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, withheld

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

NGINX = """
    server {
        listen 80;
        listen [::]:80;
        server_name example.social;
        location /.well-known/acme-challenge/ { root /var/www/letsencrypt; }
        location / { return 301 https://$host$request_uri; }
    }"""

RELOAD = """
    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = """
    <VirtualHost *:80>
        ServerName example.social
        Redirect permanent / https://example.social/
    </VirtualHost>"""

SEE = """
    curl -sI http://example.social/about"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(
        Source("003", "構築/HTTPS"),
        Source("+"),
    ),
    references=(
        Reference(
            "RFC 9110 section 15.4: HTTP Semantics", "https://www.rfc-editor.org/rfc/rfc9110#section-15.4"
        ),
        Reference(
            "MDN: Redirections in HTTP",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Redirections",
        ),
    ),
    title=Text(
        "Plain http leads straight to https on the same host",
        "http へのアクセスを同じホストの https へ転送している",
    ),
    why=Text(
        "A visitor who types the name without https starts on an unprotected connection, where anybody on the way can answer instead of your server. A redirect ends that after one exchange, and HSTS then keeps the browser on https.",
        "利用者が https を付けずに入力すると、最初の通信は暗号化されず、経路上の誰でもサーバになりすませます。転送を設定しておけばその状態は一度のやり取りで終わり、以後は HSTS がブラウザを https に留めます。",
    ),
    expected=Text(
        "Port 80 answers every path with one permanent redirect (301 or 308) to the same host and path on https, or does not answer at all.",
        "80番ポートが、どのパスに対しても同じホスト・同じパスの https へ 301 または 308 で1回だけ転送する状態。80番を開けていなくても構いません。",
    ),
    fix=Fix(
        Text(
            "Let the web server answer port 80 with a redirect and nothing else. The path of ACME challenges may stay on plain http. Behind a CDN switch on its own redirect too (Cloudflare calls it Always Use HTTPS).",
            "ウェブサーバの80番では転送だけを行うようにします。ACME のチャレンジ用パスは http のままで構いません。CDN を使っている場合は、CDN 側の転送（Cloudflare では「Always Use HTTPS」）も有効にしてください。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "Set these lines:\n" + NGINX + "\n\nCheck the file and load it:\n" + RELOAD,
                    "設定例：\n" + NGINX + "\n\n設定を確認して読み込みます。\n" + RELOAD,
                ),
            ),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            (
                "Caddy",
                Text(
                    "Caddy redirects by itself as soon as a site is named without http://. Remove a site block that begins with http:// or the option auto_https off.",
                    "Caddy は、サイト名に http:// を付けなければ自動で転送します。http:// で始まるサイト定義や auto_https off があれば削除してください。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The first answer must be 301 or 308 with a Location on https and the same host:\n" + SEE,
        "最初の応答が 301 または 308 で、Location が同じホストの https になっていることを確認します。\n"
        + SEE,
    ),
    codes={
        "closed": Text(
            "Port 80 is closed, so nothing is served over plain http.",
            "80番ポートは閉じており、http では何も提供していません。",
        ),
        "redirects": Text(
            "Plain http is redirected to https on the same host.",
            "http へのアクセスは同じホストの https へ転送されています。",
        ),
        "temporary": Text(
            "The redirect is temporary ({status}); a permanent one (301 or 308) is what browsers and search engines remember.",
            "転送が一時的なもの（{status}）です。ブラウザや検索エンジンが記憶するのは 301 または 308 です。",
        ),
        "other_host": Text(
            "The first answer leads to another host, {host}; the own name on https comes first, or HSTS never takes hold for it.",
            "最初の転送先が別のホスト（{host}）です。先に自分のホストの https へ転送しないと、HSTS が効きません。",
        ),
        "detour": Text(
            "It takes {hops} redirects over plain http before https is reached.",
            "https に着くまでに、http のままの転送を {hops} 回経ています。",
        ),
        "deep_not": Text(
            "The front page is redirected, but {path} is answered over plain http.",
            "トップページは転送されますが、{path} には http のまま応答しています。",
        ),
        "served": Text(
            "Pages are served over plain http (status {status}).",
            "http のままページを提供しています（ステータス {status}）。",
        ),
        "back": Text("https leads back to plain http.", "https から http へ逆戻りする転送になっています。"),
        "not_https": Text(
            "Port 80 redirects, but never to https.", "80番は転送しますが、行き先が https になりません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    plain = facts.get(PlainHttp)
    if plain.closed:
        facts.get(FrontPage)  # a server that refuses us everywhere says nothing about port 80
        return passed("closed").seen("port 80", "connection refused")
    hops = seen(plain.hops)
    first, last = hops[0], hops[-1]
    for page in hops:
        reason = withheld(page)
        if reason is not None:
            raise MissingFact(reason)
        if page.status == 405:
            raise MissingFact(Missing(Reason.WITHHELD, "HTTP 405"))
    to = _target(last)
    if last.status not in _REDIRECTS:
        status = {"status": last.status}
        return failed("served", **status).seen(f"GET {last.url}", f"HTTP {last.status}")
    if to.scheme != "https":
        return failed("not_https").seen(f"GET {last.url}", _line(last))
    front = facts.maybe(FrontPage)
    if front is not None and front.page.status in _REDIRECTS and _target(front.page).scheme == "http":
        return failed("back").seen(f"GET {front.page.url}", _line(front.page))
    if isinstance(plain.deep, Page) and plain.deep.status == 200:
        path = urlsplit(plain.deep.url).path
        return failed("deep_not", path=path).seen(f"GET {plain.deep.url}", "HTTP 200")
    if to.hostname != urlsplit(first.url).hostname:
        return warned("other_host", host=to.hostname or "?").seen(f"GET {last.url}", _line(last))
    if len(hops) > 1:
        return warned("detour", hops=len(hops) - 1).seen(f"GET {first.url}", _line(first))
    if first.status not in {301, 308}:
        return warned("temporary", status=first.status).seen(f"GET {first.url}", _line(first))
    return passed("redirects").seen(f"GET {first.url}", _line(first))


def _target(page: Page) -> SplitResult:
    """Where a redirect leads; nowhere, if that cannot be read."""
    try:
        return urlsplit((page.header("location") or "").strip())
    except ValueError:
        return urlsplit("")


def _line(page: Page) -> str:
    return f"HTTP {page.status}, {header_lines(page, 'location')}"
