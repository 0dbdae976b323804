"""Behind a CDN or tunnel: is the way from there to the machine itself protected well?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

NGINX = """
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate     /etc/ssl/cloudflare-origin.pem;
    ssl_certificate_key /etc/ssl/cloudflare-origin.key;

    sudo nginx -t && sudo systemctl reload nginx"""

TUNNEL = """
    ingress:
      - hostname: example.social
        service: https://localhost:443
        originRequest:
          originServerName: example.social
          caPool: /etc/cloudflared/origin-ca.pem"""

VERIFY = """
    openssl s_client -connect 127.0.0.1:443 -servername example.social -tls1_1 -brief < /dev/null
    openssl s_client -connect 127.0.0.1:443 -servername example.social -tls1_2 -brief < /dev/null"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, MANUAL),
    sources=(Source("002"), Source("001")),
    title=Text(
        "The way from the CDN to the server is protected by TLS 1.2 or later",
        "CDN からサーバまでの区間も TLS 1.2 以上で保護されている",
    ),
    why=Text(
        "Visitors see the lock of the CDN, not what happens behind it. Without TLS there, everything crosses the internet in the clear after all.",
        "訪問者に見える鍵マークは CDN までのもので、その先の様子は分かりません。そこが TLS でなければ、結局は平文のままインターネットを通ることになります。",
    ),
    expected=Text(
        "The origin takes TLS 1.2 or later with sound suites, and the CDN checks its certificate. Inside a tunnel to the same machine a self-signed certificate, or plain http on loopback, is fine.",
        "オリジンが安全な暗号スイートの TLS 1.2 以上だけを受け付け、CDN がその証明書を検証している状態。同じマシンへのトンネルの内側なら、自己署名の証明書やループバックの http でも問題ありません。",
    ),
    fix=Fix(
        Text(
            "Set the CDN to verify the origin, and give the origin a certificate that it accepts: one by ACME, or the CDN's own origin certificate.",
            "CDN がオリジンの証明書を検証するように設定し、オリジンには検証に通る証明書（ACME で取得したもの、または CDN の発行するオリジン証明書）を置きます。",
        ),
        variants=(
            (
                "Cloudflare",
                Text(
                    "SSL/TLS → Overview: Full (strict). Then on the origin:\n" + NGINX,
                    "「SSL/TLS」→「概要」を「フル（厳密）」にし、オリジンに次を設定します。\n" + NGINX,
                ),
            ),
            (
                "cloudflared",
                Text(
                    "With an origin on another machine, let the tunnel verify it; on the same machine loopback suffices:\n"
                    + TUNNEL,
                    "オリジンが別のマシンにある場合は、トンネルに証明書を検証させます。同じマシンならループバックで十分です。\n"
                    + TUNNEL,
                ),
            ),
        ),
    ),
    verify=Text(
        "On the origin: the first must fail, the second succeed:\n" + VERIFY,
        "オリジンで実行し、1つ目が失敗、2つ目が成功することを確認します。\n" + VERIFY,
    ),
)
