"""Do outgoing requests leave through WARP, a VPN or a proxy?"""

from checks.data.network import cdn_in_front
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.dns import Addresses
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.app_config import configs_of
from checks.parse.host.common import denied as refused
from checks.parse.host.egress import Ways, is_tunnel, parse_egress

PROXIES = ("http_proxy", ":http.proxy_url", "proxy")

WARP = """
    sudo apt update && sudo apt install cloudflare-warp
    warp-cli registration new
    warp-cli mode warp+doh
    warp-cli connect"""

SSH_FIRST = """
    warp-cli tunnel ip add 198.51.100.7"""

MASTODON = """
    http_proxy=http://127.0.0.1:8118
    http_hidden_proxy=http://127.0.0.1:8118"""

AKKOMA = """
    config :pleroma, :http, proxy_url: "http://127.0.0.1:8118\""""

MISSKEY = """
    proxy: http://127.0.0.1:8118
    proxyBypassHosts: []"""

WIREGUARD = """
    [Interface]
    Address = 10.8.0.2/32
    Table = 51820
    PostUp = ip rule add uidrange 991-991 lookup 51820 priority 100
    PostDown = ip rule del uidrange 991-991 lookup 51820 priority 100"""

VERIFY = """
    sudo -u mastodon curl -s https://www.cloudflare.com/cdn-cgi/trace/ | grep -E '^(ip|warp)='"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("001", "Securing outgoing"),),
    references=(
        Reference(
            "Cloudflare: WARP client for Linux",
            "https://developers.cloudflare.com/warp-client/get-started/linux/",
        ),
        Reference(
            "GoToSocial: Outgoing HTTP proxy",
            "https://docs.gotosocial.org/en/latest/advanced/outgoing-proxy/",
        ),
    ),
    title=Text(
        "Outgoing requests do not show the origin's address",
        "外向きの通信からオリジンのアドレスが知られない",
    ),
    why=Text(
        "Every server you federate with sees where your requests come from, and anybody can make yours fetch a link by searching for it. A hidden origin is only hidden if this traffic takes another way.",
        "連合先のサーバには、こちらからの接続元アドレスが見えます。検索欄に URL を入れるだけで、誰でもあなたのサーバに接続させられるため、オリジンを隠すなら外向きの通信も別の経路に通す必要があります。",
    ),
    expected=Text(
        "Requests of the app leave through WARP, a VPN or a forward proxy with another address. This matters only where the origin is hidden behind a CDN or tunnel; otherwise mark it as not applicable.",
        "アプリからの通信が、WARP・VPN・フォワードプロキシなど、別のアドレスから出ていく状態。CDN やトンネルでオリジンを隠している場合だけ意味があります。それ以外では「対象外」にしてください。",
    ),
    fix=Fix(
        Text(
            "A proxy or tunnel for the app alone is safer than one for the whole host, which can cut off your SSH connection. Whatever you take: nothing may leave directly when it is down.",
            "ホスト全体をトンネルに通すと SSH が切れることがあるため、アプリだけを通すほうが安全です。どの方法でも、トンネルが落ちたときに直接出ていかないことを確かめてください。",
        ),
        variants=(
            (
                "Cloudflare WARP",
                Text(
                    "First keep the address from which you and fedisec connect outside the tunnel, and have the provider's console ready:\n"
                    + SSH_FIRST
                    + "\n\nThen, after adding Cloudflare's package source:\n"
                    + WARP,
                    "自分と fedisec の接続元をトンネルの対象から外し、事業者のコンソールに入れる状態にしておきます。\n"
                    + SSH_FIRST
                    + "\n\nCloudflare のパッケージの配布元を追加してから実行します。\n"
                    + WARP,
                ),
            ),
            (
                "Mastodon",
                Text(
                    "In .env.production, with a forward proxy on this host:\n" + MASTODON,
                    ".env.production に、このホストのフォワードプロキシを設定します。\n" + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text("In prod.secret.exs:\n" + AKKOMA, "prod.secret.exs の設定：\n" + AKKOMA),
            ),
            (
                "Misskey",
                Text("In .config/default.yml:\n" + MISSKEY, ".config/default.yml の設定：\n" + MISSKEY),
            ),
            (
                "WireGuard",
                Text(
                    "Only the traffic of one user takes the tunnel; 991 is the number of that user:\n"
                    + WIREGUARD,
                    "特定のユーザの通信だけをトンネルに通します。991 はそのユーザの UID です。\n" + WIREGUARD,
                ),
            ),
        ),
    ),
    verify=Text(
        "As the user of the app; the address must not be the origin's (with WARP, warp=on):\n" + VERIFY,
        "アプリのユーザで実行し、オリジンのアドレスでないことを確認します（WARP なら warp=on）。\n" + VERIFY,
    ),
    attest_days=180,
    outdated=Text(
        "The source writes warp-cli set-mode; the command is warp-cli mode now.",
        "出典にある warp-cli set-mode は、現在は warp-cli mode です。",
    ),
    codes={
        "proxy": Text(
            "The software sends its requests through a proxy ({key}).",
            "ソフトウェアはプロキシ経由で通信しています（{key}）。",
        ),
        "warp": Text("WARP is connected.", "WARP が接続されています。"),
        "default_route": Text(
            "All traffic leaves through {link}.", "すべての通信が {link} から出ていきます。"
        ),
        "one_family": Text(
            "Traffic leaves through {link}, but not all of it: another default route leads through {other}.",
            "通信は {link} から出ていきますが、{other} を通る経路も残っています。",
        ),
        "vpn_up": Text(
            "{sign} is up, but the default route does not lead there. Whether the software's traffic does, you know best.",
            "{sign} は動いていますが、既定の経路はそこを通りません。ソフトウェアの通信が通っているかどうか、回答してください。",
        ),
        "not_hidden": Text(
            "No CDN or tunnel hides the server's address, so there is nothing to mask.",
            "CDN やトンネルでアドレスを隠していないため、対象外です。",
        ),
        "direct": Text(
            "{cdn} hides the server, but requests leave directly through {link} and show its address.",
            "{cdn} でサーバを隠していますが、外向きの通信は {link} から直接出ていき、アドレスが知られます。",
        ),
        "denied": Text(
            "Requests leave through {link}; whether the software uses a proxy was not seen, as {path} may not be read.",
            "通信は {link} から出ていきます。{path} を読めないため、ソフトウェアがプロキシを使うかどうかは確認できませんでした。",
        ),
        "no_routes": Text("The server's routes were not shown.", "サーバの経路を確認できませんでした。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    ways, configs = parse_egress(inside.lines("egress")), configs_of(inside, facts.maybe(Software))
    for file in configs.read:
        for key in PROXIES:
            if file.text(key):
                return passed("proxy", key=key).seen(f"inside: {file.path}", f"{key} is set")
    if ways.warp_connected:
        return passed("warp").seen("inside: warp-cli status", "Connected")
    if not ways.routes:
        return unknown("no_routes", Reason.NO_TOOL)
    if any(is_tunnel(link) for link in ways.routes):
        return _through_tunnel(ways.routes)
    if refused(inside.lines("egress")) and not ways.vpn_signs:
        raise MissingFact(Missing(Reason.DENIED, "section egress"))
    cdn = cdn_in_front(facts.get(Addresses))
    if cdn is None and not ways.tunnels:
        return not_applicable("not_hidden")
    return _direct(ways, cdn.name if cdn else ways.tunnels[0], ways.routes[0], configs.denied)


def _through_tunnel(routes: tuple[str, ...]) -> Verdict:
    link = next(one for one in routes if is_tunnel(one))
    other = next((one for one in routes if not is_tunnel(one)), "")
    verdict = warned("one_family", link=link, other=other) if other else passed("default_route", link=link)
    return verdict.seen("inside: ip route", "\n".join(f"default dev {one}" for one in routes))


def _direct(ways: Ways, shield: str, link: str, denied: tuple[str, ...]) -> Verdict:
    """A VPN for one user or mark leaves the default route as it is, so one that is up may do its work."""
    if ways.vpn_signs:
        return asked("vpn_up", sign=ways.vpn_signs[0]).seen("inside", ", ".join(ways.vpn_signs))
    if denied:
        return unknown("denied", Reason.DENIED, link=link, path=denied[0])
    return failed("direct", cdn=shield, link=link).seen("inside: ip route", f"default dev {link}")
