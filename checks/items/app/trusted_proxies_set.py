"""Can addresses of clients neither be forged nor all look alike?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

MASTODON = """
    TRUSTED_PROXY_IP=127.0.0.1,::1,192.0.2.10"""

NGINX = """
    set_real_ip_from 192.0.2.0/24;
    real_ip_header CF-Connecting-IP;"""

AKKOMA = """
    config :pleroma, Pleroma.Web.Plugs.RemoteIp,
      enabled: true,
      headers: ["x-forwarded-for"],
      proxies: ["127.0.0.1/32"]"""

PIXELFED = """
    TRUST_PROXIES=127.0.0.1"""

GTS = """
    trusted-proxies:
      - "127.0.0.1/32\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text(
        "The software sees visitors' true addresses", "ソフトウェアが訪問者の本当のアドレスを把握している"
    ),
    why=Text(
        "If all visitors seem to come from the proxy, one of them can use up the limit for everybody. If any header is believed, an attacker takes a new address with each try.",
        "全員がプロキシのアドレスに見えると、1人が制限を使い切り、全員が締め出されます。逆にどんなヘッダでも信じると、攻撃者は試行のたびにアドレスを変えられます。",
    ),
    expected=Text(
        "The software trusts exactly your own proxies and, behind a CDN, the CDN's published ranges.",
        "自分のプロキシと、CDN を使う場合はその公開アドレス範囲だけを信頼している状態。",
    ),
    fix=Fix(
        Text(
            "Let nginx work out the visitor's address from the CDN's header, for each published range of the CDN, and let the software trust nginx alone. 192.0.2.x stands for your own values.\n"
            + NGINX,
            "CDN の公開アドレス範囲ごとに nginx で本来のアドレスを復元し、ソフトウェアには nginx だけを信頼させます。192.0.2.x は自分の環境の値に置き換えてください。\n"
            + NGINX,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Unset is right when nginx is on the same machine. With a proxy elsewhere the list must be complete:\n"
                    + MASTODON,
                    "nginx が同じマシンにあれば設定は不要です。別のマシンにある場合は、漏れなく列挙します。\n"
                    + MASTODON,
                ),
            ),
            ("Akkoma, Pleroma", Text("The lines for it:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Set trustProxy to your proxy's address; the value true believes everybody.",
                    "trustProxy にプロキシのアドレスを設定します。true にすると誰でも信用してしまいます。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "The sample says * and believes everybody:\n" + PIXELFED,
                    "見本の * は誰でも信用する設定です。\n" + PIXELFED,
                ),
            ),
            ("GoToSocial", Text("The lines for it:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "Sign in, then look at the list of your sessions: it must show your own address, also when you send a forged X-Forwarded-For.",
        "ログインしてセッション一覧を開き、自分のアドレスが表示されることを確認します。偽の X-Forwarded-For を送っても変わらなければ正常です。",
    ),
)
