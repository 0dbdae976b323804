"""Does a CDN or DDoS shield answer for the name?  By published address ranges, aliases and headers, see
data/cdn_networks.toml; a shield that shows nothing of this is not seen."""

from checks.data.network import cdn_of_address, cdn_of_alias, cdn_of_headers
from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned

VERIFY = """
    dig +short example.social A
    dig +short example.social AAAA
    curl -sI https://example.social/ | grep -iE '^(server|cf-ray|via|x-served-by|x-cache):'"""

REAL_IP = """
    set_real_ip_from 173.245.48.0/20;
    set_real_ip_from 2400:cb00::/32;
    real_ip_header CF-Connecting-IP;"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("002"), Source("001", "Setting up")),
    references=(
        Reference("Cloudflare: IP Ranges", "https://www.cloudflare.com/ips/"),
        Reference(
            "nginx: ngx_http_realip_module", "https://nginx.org/en/docs/http/ngx_http_realip_module.html"
        ),
    ),
    title=Text(
        "A CDN or DDoS shield answers for the name",
        "CDN または DDoS 対策サービスを経由している",
    ),
    why=Text(
        "A single server cannot withstand a flood of traffic; a large network in front of it can. The price is that this network reads everything, private messages included, and that admins of other servers may mind.",
        "大量のアクセスを浴びせる攻撃に単独のサーバでは耐えられませんが、大規模なネットワークを手前に置けば耐えられます。その代わり、ダイレクトメッセージも含めて通信の中身を事業者に預けることになります。",
    ),
    expected=Text(
        "Every address of the name belongs to the CDN. Without a CDN this optional item is not met, which is a sound choice for a small server.",
        "ホスト名のすべてのアドレスが CDN のものである状態。任意の項目であり、小規模なサーバで CDN を使わないのも妥当な判断です。",
    ),
    fix=Fix(
        Text(
            "Choose a provider whose terms you can explain to your users, move the DNS record to it, and check federation, uploads and streaming afterwards. Exempt the ActivityPub paths (inbox, users, .well-known) from challenges and bot checks, or federation breaks. Then restore the visitors' addresses in the proxy and hide the origin.",
            "利用者に説明できる事業者を選び、DNS を切り替えたうえで、連合・アップロード・ストリーミングを確認します。ActivityPub のパス（inbox・users・.well-known など）をチャレンジやボット対策の対象から外さないと、連合が止まります。その後、プロキシで訪問者のアドレスを復元し、オリジンを隠してください。",
        ),
        variants=(
            (
                "Cloudflare",
                Text(
                    "Set the record to proxied and encryption to Full (strict). In nginx, one line per published range:\n"
                    + REAL_IP,
                    "レコードを「プロキシ済み」にし、暗号化モードを Full (strict) にします。nginx には、公開されているアドレス範囲をすべて書きます。\n"
                    + REAL_IP,
                ),
            ),
            (
                "Fastly, Bunny, CloudFront",
                Text(
                    "Do not cache anything that carries a cookie or an Authorization header, pass POST through, and let the Accept header take part in the cache key: the same address answers HTML and ActivityPub.",
                    "Cookie や Authorization ヘッダの付いたリクエストはキャッシュせず、POST はそのまま通します。同じ URL が HTML と ActivityPub の両方を返すため、Accept ヘッダをキャッシュキーに含めてください。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The addresses are the CDN's, and its headers are there:\n" + VERIFY,
        "アドレスが CDN のもので、CDN のヘッダが付いていることを確認します。\n" + VERIFY,
    ),
    codes={
        "ranges": Text(
            "All addresses belong to {cdn}.",
            "すべてのアドレスが {cdn} のものです。",
        ),
        "signs": Text(
            "{cdn} answers for the name.",
            "{cdn} が応答しています。",
        ),
        "partly": Text(
            "Some addresses belong to {cdn}, but {address} leads past it.",
            "一部のアドレスは {cdn} のものですが、{address} は {cdn} を経由しません。",
        ),
        "none": Text(
            "No CDN known to fedisec answers for the name.",
            "fedisec の知る CDN は経由していません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    addresses = facts.get(Addresses)
    every = addresses.v4 + addresses.v6
    shown = "\n".join(every)
    inside = {address: cdn for address in every if (cdn := cdn_of_address(address)) is not None}
    if inside:
        name = next(iter(inside.values())).name
        outside = [address for address in every if address not in inside]
        verdict = warned("partly", cdn=name, address=outside[0]) if outside else passed("ranges", cdn=name)
        return verdict.seen(f"A, AAAA {addresses.host}", shown)
    alias = cdn_of_alias(addresses.aliases)
    if alias is not None:
        return passed("signs", cdn=alias.name).seen(f"CNAME {addresses.host}", "\n".join(addresses.aliases))
    page = facts.get(FrontPage).page
    marked = cdn_of_headers(page.headers)
    if marked is not None:
        names = ", ".join(f"{k}: {v}" for k, v in page.headers if any(k == m for m, _ in marked.headers))
        return passed("signs", cdn=marked.name).seen(f"GET {page.url}", names)
    server = page.header("server") or "no Server header"
    return failed("none").seen(f"A, AAAA {addresses.host}", shown).seen(f"GET {page.url}", server)
