"""Is HSTS on for six months or more?  RFC 6797; six months is what MDN asks and Misskey ships.

The first header counts, whatever follows (section 8.1); a server may send one only (7.1), so that any further one
is a warning.  Browsers take it over a connection without certificate errors alone (8.1): not applicable before.
A www name that leads here is no sub-domain left open: its own header is not looked at."""

from collections.abc import Iterator

from checks.errors import ParseError
from checks.facts import Facts, seen
from checks.facts.http import ApiPage, AssetPage, FrontPage, MediaSample, Page, PlainHttp, SignInPage
from checks.facts.tls import WebCertificates
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    warned,
)
from checks.parse.answers import header_lines, readable, refused_by_browsers, whole, withheld
from checks.parse.hsts import Hsts, parse_hsts

_NAME = "strict-transport-security"
_DAY = 86_400
_SIX_MONTHS = 15_552_000

NGINX = """
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;"""

APACHE = """
    Header always set Strict-Transport-Security "max-age=63072000; includeSubDomains\""""

CADDY = """
    header Strict-Transport-Security "max-age=63072000; includeSubDomains\""""

AKKOMA = """
    config :pleroma, :http_security,
      enabled: true,
      sts: true"""

SEE = """
    curl -sI https://example.social/ | grep -i strict-transport"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(
        Source("003", "構築/HTTPS"),
        Source("002"),
        Source("004", "sts"),
    ),
    references=(
        Reference(
            "RFC 6797: HTTP Strict Transport Security (HSTS)", "https://www.rfc-editor.org/rfc/rfc6797"
        ),
        Reference(
            "MDN: Strict-Transport-Security",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Strict-Transport-Security",
        ),
    ),
    title=Text("HSTS is on for six months or more", "HSTS が6か月以上の期間で有効になっている"),
    why=Text(
        "With HSTS a browser that has been here once refuses plain http and invalid certificates for this name. That closes the gap in which a forged server could answer the first request.",
        "HSTS があると、一度訪れたブラウザはこのホストに http で接続せず、不正な証明書も受け付けません。偽サーバへ誘導される隙をふさげます。",
    ),
    expected=Text(
        "Every https answer carries Strict-Transport-Security once, with a max-age of at least 15552000 seconds. A media host below the instance's name is covered by includeSubDomains or has a header of its own.",
        "https のどの応答にも Strict-Transport-Security が1つだけ付き、max-age が15552000秒以上の状態。サブドメインのメディア用ホストも、includeSubDomains か自身のヘッダで守られていること。",
    ),
    fix=Fix(
        Text(
            "Make sure that https works on the name first, and on every sub-domain if you use includeSubDomains: browsers will not go back. Start with a short max-age such as 300, then raise it.",
            "先に、このホストで（includeSubDomains を付けるならすべてのサブドメインで）https が使えることを確認してください。ブラウザは期限まで http に戻れません。300 など短い max-age から始めて延ばすと安全です。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "A location that has an add_header of its own inherits none: repeat the line there, or keep all in one included file.\n"
                    + NGINX,
                    "location の中に add_header が1つでもあると、上位の add_header は引き継がれません。そこにも同じ行を書くか、共通ファイルを include してください。\n"
                    + NGINX,
                ),
            ),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
            (
                "Akkoma, Pleroma",
                Text(
                    "The software sends the header itself when sts is on; do not add it in the proxy as well.\n"
                    + AKKOMA,
                    "sts を有効にするとソフトウェア自身がヘッダを送ります。プロキシ側では重ねて付けないでください。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Misskey sends HSTS by itself. If it is missing, remove disableHsts from the configuration and look for a proxy_hide_header in the proxy.",
                    "Misskey は自分で HSTS を送ります。付いていない場合は、設定の disableHsts を削除し、プロキシの proxy_hide_header も確認してください。",
                ),
            ),
        ),
    ),
    verify=Text("Exactly one line must appear:\n" + SEE, "1行だけ表示されることを確認します。\n" + SEE),
    codes={
        "long_enough": Text("HSTS is on for {days} days.", "HSTS が {days} 日間有効です。"),
        "short": Text(
            "HSTS is on, but for {days} days only; six months (180 days) or more are asked for.",
            "HSTS は有効ですが {days} 日間だけです。6か月（180日）以上にしてください。",
        ),
        "too_short": Text(
            "HSTS ends after {seconds} seconds, less than a day.",
            "HSTS の期間が {seconds} 秒で、1日に届きません。",
        ),
        "zero": Text(
            "max-age is 0: this tells browsers to forget HSTS.",
            "max-age が 0 のため、ブラウザに HSTS を忘れさせる指定になっています。",
        ),
        "absent": Text(
            "There is no Strict-Transport-Security header.", "Strict-Transport-Security ヘッダがありません。"
        ),
        "malformed": Text(
            "Browsers ignore this header: {problem}.", "ブラウザに無視される書き方です（{problem}）。"
        ),
        "several": Text(
            "Different HSTS headers are sent; browsers obey the first and ignore the rest.",
            "内容の異なる HSTS ヘッダが複数送られています。ブラウザは最初のものだけに従います。",
        ),
        "repeated": Text(
            "The same HSTS header is sent {count} times. Browsers obey the first, but only one may be sent (RFC 6797 7.1).",
            "同じ HSTS ヘッダが {count} 回送られています。ブラウザは最初のものに従いますが、1つだけ送る決まりです（RFC 6797 7.1）。",
        ),
        "certificate": Text(
            "Browsers refuse the certificate, and take no HSTS over such a connection. The certificate comes first.",
            "ブラウザが証明書を受け付けず、その接続では HSTS も無視されます。先に証明書を直してください。",
        ),
        "not_everywhere": Text(
            "The front page has HSTS, but {url} has not.",
            "トップページには HSTS がありますが、{url} にはありません。",
        ),
        "subdomain_open": Text(
            "Without includeSubDomains, and without a header of its own, {host} stays unprotected.",
            "includeSubDomains がなく、{host} 自身のヘッダもないため、そのホストは保護されていません。",
        ),
        "on_http": Text(
            "The header is sent over plain http as well, where it has no effect and must not be (RFC 6797 7.2).",
            "http の応答にもヘッダが付いています。効果がなく、付けてはならないとされています（RFC 6797 7.2）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = whole(seen(readable(facts.get(FrontPage).page)), _NAME)
    where, lines = f"GET {page.url}", header_lines(page, _NAME)
    refused = refused_by_browsers(facts.maybe(WebCertificates))
    if refused:
        return not_applicable("certificate").seen(where, f"{refused}\n{lines}")
    values = page.header_values(_NAME)
    if not values:
        return failed("absent").seen(where, lines)
    try:
        hsts = parse_hsts(values[0])
    except ParseError as error:
        return failed("malformed", problem=str(error)).seen(where, lines)
    if hsts.max_age_s == 0:
        return failed("zero").seen(where, lines)
    if hsts.max_age_s < _DAY:
        return failed("too_short", seconds=hsts.max_age_s).seen(where, lines)
    if hsts.max_age_s < _SIX_MONTHS:
        return warned("short", days=hsts.max_age_s // _DAY).seen(where, lines)
    if len(set(values)) > 1:
        return warned("several").seen(where, lines)
    if len(values) > 1:
        return warned("repeated", count=len(values)).seen(where, lines)
    return _elsewhere(facts, hsts) or passed("long_enough", days=hsts.max_age_s // _DAY).seen(where, lines)


def _elsewhere(facts: Facts, hsts: Hsts) -> Verdict | None:
    """What is wrong at the other places that were seen; None if nothing is."""
    media, plain = facts.maybe(MediaSample), facts.maybe(PlainHttp)
    host = facts.get(FrontPage).page.url.split("/")[2]
    for page in _same_host(facts, host):
        if page.header(_NAME) is None:
            return warned("not_everywhere", url=page.url).seen(f"GET {page.url}", header_lines(page, _NAME))
    below = media and media.host.endswith("." + host) and not hsts.include_subdomains
    if media and below and withheld(media.page) is None and media.page.header(_NAME) is None:
        evidence = header_lines(media.page, _NAME)
        return warned("subdomain_open", host=media.host).seen(f"GET {media.page.url}", evidence)
    first = plain.hops[0] if plain and isinstance(plain.hops, tuple) and plain.hops else None
    if first is not None and withheld(first) is None and first.header(_NAME) is not None:
        return warned("on_http").seen(f"GET {first.url}", header_lines(first, _NAME))
    return None


def _same_host(facts: Facts, host: str) -> Iterator[Page]:
    """Other answers of the same host: where a location has headers of its own, nginx drops the inherited ones."""
    kinds = (facts.maybe(ApiPage), facts.maybe(AssetPage), facts.maybe(SignInPage), facts.maybe(MediaSample))
    for fact in kinds:
        if fact is not None and fact.page.url.split("/")[2] == host and withheld(fact.page) is None:
            yield fact.page
