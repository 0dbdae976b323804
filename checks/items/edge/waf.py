"""Does a web application firewall inspect requests?  What shows in headers and address ranges is judged, and the
configuration inside; no attack is sent to find out."""

from contextlib import suppress

from checks.data.network import carries, cdn_in_front, cdn_of_headers, firewalls
from checks.errors import Reason
from checks.facts import Facts, MissingFact
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage
from checks.model import (
    INSIDE,
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    asked,
    passed,
    unknown,
    warned,
)
from checks.parse.host.sections import lines_if_any, why_unread
from checks.parse.host.waf import Firewall, parse_waf

DEBIAN = """
    sudo apt install libnginx-mod-http-modsecurity modsecurity-crs
    sudo cp /etc/modsecurity/modsecurity.conf-recommended /etc/modsecurity/modsecurity.conf"""

NGINX = """
    modsecurity on;
    modsecurity_rules_file /etc/nginx/modsecurity_includes.conf;"""

ENGINE = """
    SecRuleEngine DetectionOnly"""

EXEMPT = """
    SecRule REQUEST_URI "@rx ^/(inbox|users/[^/]+/inbox|api/)" "id:10001,phase:1,pass,nolog,ctl:ruleRemoveByTag=attack-protocol\""""

CADDY = """
    xcaddy build --with github.com/corazawaf/coraza-caddy/v2"""

VERIFY = """
    curl -s -o /dev/null -w '%{http_code}\\n' https://example.social/
    curl -s -o /dev/null -w '%{http_code}\\n' 'https://example.social/?q=<script>alert(1)</script>'"""

LOADED = """
    sudo nginx -T 2>/dev/null | grep -i modsecurity"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE, INSIDE, MANUAL),
    sources=(Source("003", "構築/ファイアウォール"), Source("000", "Advanced"), Source("002")),
    references=(
        Reference("OWASP CRS: Documentation", "https://coreruleset.org/docs/"),
        Reference("Cloudflare: WAF", "https://developers.cloudflare.com/waf/"),
    ),
    title=Text(
        "A web application firewall inspects requests",
        "WAF がリクエストを検査している",
    ),
    why=Text(
        "A WAF stops the common attacks on web software before they reach it, and buys time when a flaw becomes known before you can update. It does not replace the update.",
        "WAF は、ウェブアプリへのありふれた攻撃を手前で止めます。脆弱性が公表されてから更新するまでの時間を稼げますが、更新の代わりにはなりません。",
    ),
    expected=Text(
        "A WAF with a maintained rule set (Cloudflare, ModSecurity or Coraza with the OWASP rules, SiteGuard, AWS WAF) blocks attacks, does not merely log them, and leaves federation alone.",
        "保守されているルールを使う WAF（Cloudflare、OWASP CRS を入れた ModSecurity や Coraza、SiteGuard、AWS WAF など）が、記録するだけでなく攻撃を遮断し、連合の通信は妨げない状態。",
    ),
    fix=Fix(
        Text(
            "Begin with logging alone for a week, look at what would have been blocked, exempt inbox and API where the rules are wrong, then switch to blocking. Posts may hold code and SQL: rules for forms of a shop do not fit a social network.",
            "まず1週間ほど記録だけで動かし、何が遮断されるはずだったかを調べます。誤検知のある inbox や API を除外してから、遮断に切り替えてください。投稿にはコードや SQL も書かれるため、一般的なサイト向けのルールをそのまま使うと問題が起きます。",
        ),
        variants=(
            (
                "Cloudflare",
                Text(
                    "Security, WAF: the managed rules are on in every plan. Add a skip rule for requests to inbox paths, so that other servers are never challenged.",
                    "「セキュリティ」の WAF にあるマネージドルールは、どのプランでも使えます。ほかのサーバからの配送を妨げないよう、inbox へのリクエストをスキップするルールを加えてください。",
                ),
            ),
            (
                "ModSecurity",
                Text(
                    "On Debian/Ubuntu with nginx:\n"
                    + DEBIAN
                    + "\n\nIn the server block:\n"
                    + NGINX
                    + "\n\nIn modsecurity.conf, later On in place of DetectionOnly, and an exemption as an example:\n"
                    + ENGINE
                    + "\n"
                    + EXEMPT,
                    "Debian/Ubuntu の nginx の場合：\n"
                    + DEBIAN
                    + "\n\n設定の server ブロックに書きます。\n"
                    + NGINX
                    + "\n\nmodsecurity.conf の設定です。確認が済んだら DetectionOnly を On に変えます。2行目は除外の例です。\n"
                    + ENGINE
                    + "\n"
                    + EXEMPT,
                ),
            ),
            (
                "Caddy",
                Text(
                    "Coraza as a module, with the OWASP rules:\n" + CADDY,
                    "Coraza をモジュールとして組み込み、OWASP CRS を読み込みます。\n" + CADDY,
                ),
            ),
            (
                "SiteGuard",
                Text(
                    "Some Japanese providers, Sakura among them, offer SiteGuard: see whether your plan includes it, install the server edition by their guide, and exempt the traffic of federation.",
                    "さくらインターネットなど、SiteGuard を提供している事業者があります。プランに含まれるか確認し、案内に従ってサーバ版を導入して、連合の通信を除外に設定してください。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The first must answer 200, the second should be blocked (403 or 406). Try this on your own server only:\n"
        + VERIFY
        + "\n\nA package that is installed is not a module that is switched on:\n"
        + LOADED,
        "1行目が 200、2行目が遮断（403 や 406）になることを確認します。自分のサーバだけで試してください。\n"
        + VERIFY
        + "\n\nパッケージを入れただけでは有効になりません。設定に現れるかどうかも確認します。\n"
        + LOADED,
    ),
    codes={
        "firewall": Text("{name} shows in the answers.", "応答に {name} の印があります。"),
        "cdn": Text(
            "{cdn} stands in front, which inspects requests on every plan.",
            "手前に {cdn} があり、どのプランでもリクエストを検査します。",
        ),
        "cdn_plan": Text(
            "{cdn} stands in front; whether its web application firewall is part of your plan cannot be seen from outside.",
            "手前に {cdn} がありますが、契約に WAF が含まれているかは外部からわかりません。",
        ),
        "nothing_seen": Text(
            "No sign of a WAF from outside, which is normal for one on the server itself. Please answer.",
            "外部から WAF の印は見えません。サーバ内で動く WAF では普通のことなので、回答してください。",
        ),
        "server": Text(
            "{server} on the server inspects requests with the OWASP rules and blocks attacks.",
            "サーバ上の {server} が OWASP CRS でリクエストを検査し、攻撃を遮断しています。",
        ),
        "detection_only": Text(
            "The WAF in {server} only writes down what it would block (DetectionOnly).",
            "{server} の WAF は記録するだけで、遮断していません（DetectionOnly）。",
        ),
        "no_rules": Text(
            "The WAF in {server} is on, but no maintained rule set was found on the server.",
            "{server} の WAF は有効ですが、保守されているルールがサーバに見つかりません。",
        ),
        "switched_off": Text(
            "{server} has the module of a WAF, but it is not switched on.",
            "{server} に WAF のモジュールがありますが、有効になっていません。",
        ),
        "not_reloaded": Text(
            "The files switch the WAF on, but {server} refused its last reload and may run without it.",
            "設定では WAF が有効ですが、{server} の再読み込みが失敗しているため、WAF なしで動いている可能性があります。",
        ),
        "engine_unseen": Text(
            "A WAF is switched on in {server}, but whether it blocks was not seen.",
            "{server} で WAF が有効ですが、遮断するかどうかは確認できませんでした。",
        ),
    },
    outdated=Text(
        "The source of 2018 pays for Cloudflare's Pro plan to get its WAF. A free set of managed rules is on in every plan today; the full sets still cost money.",
        "2018年の出典は WAF のために Cloudflare の Pro プランを契約していますが、現在は無料のマネージドルールがどのプランでも有効です（すべてのルールを使うには有料プランが必要です）。",
    ),
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    lines = lines_if_any(facts, "waf")
    firewall = parse_waf(lines) if lines is not None else None
    if firewall is None or not firewall.server:
        outside, gap = _from_outside(facts), why_unread(facts, "waf")
        if gap is not None and outside.status is Status.WARN:
            raise MissingFact(gap)
        return outside
    with suppress(MissingFact):
        if (outside := _from_outside(facts)).status is Status.PASS:
            return outside
    line = f"{'on' if firewall.switched_on else 'off'}, SecRuleEngine {firewall.engine or 'not seen'}"
    return _on_the_server(firewall).seen(f"inside: {firewall.server}", line)


def _on_the_server(firewall: Firewall) -> Verdict:
    """What the files say counts only where the web server has taken them over."""
    server = firewall.server
    if not firewall.switched_on and not firewall.denied:
        return warned("switched_off", server=server)
    if firewall.engine == "off":
        return warned("switched_off", server=server)
    if not firewall.switched_on:
        return unknown("engine_unseen", Reason.DENIED, server=server)
    if firewall.reload_failed or firewall.active not in {"active", ""}:
        return warned("not_reloaded", server=server)
    if firewall.engine == "detectiononly":
        return warned("detection_only", server=server)
    if firewall.engine != "on":
        return unknown("engine_unseen", Reason.DENIED, server=server)
    if not firewall.core_rules:
        return warned("no_rules", server=server)
    return passed("server", server=server)


def _from_outside(facts: Facts) -> Verdict:
    addresses, front = facts.get(Addresses), facts.maybe(FrontPage)
    headers = front.page.headers if front else ()
    for name, markers in firewalls().items():
        mark = carries(headers, markers)
        if mark and front:
            return passed("firewall", name=name).seen(f"GET {front.page.url}", mark)
    cdn = cdn_in_front(addresses) or cdn_of_headers(headers)
    if cdn is None:
        page = facts.get(FrontPage).page  # without an answer there was nothing to see a sign in
        return asked("nothing_seen").seen(f"GET {page.url}", f"HTTP {page.status}")
    verdict = passed("cdn", cdn=cdn.name) if cdn.has_waf else warned("cdn_plan", cdn=cdn.name)
    return verdict.seen(f"A, AAAA {addresses.host}", "\n".join(addresses.v4 + addresses.v6))
