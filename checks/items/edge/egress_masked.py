"""Do outgoing requests leave through WARP, a VPN or a proxy?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

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
        "アプリからの通信が、WARP・VPN・フォワードプロキシなど、別のアドレスから出ていく状態。CDN やトンネルでオリジンを隠している場合だけ意味があります。それ以外では「適用外」にしてください。",
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
)
