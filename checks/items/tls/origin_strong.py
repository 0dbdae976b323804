"""Behind a CDN or tunnel: is the way from there to the machine itself protected well?"""

from checks.data.network import cdn_in_front
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.facts.inside import Inside
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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.egress import shielded_tunnels
from checks.parse.host.proxy import Nginx, parse_proxy

LABEL = "inside: nginx's configuration"
_STRONG = frozenset({"TLSv1.2", "TLSv1.3"})


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
    sources=(Source("002"), Source("001", "Setting up")),
    references=(
        Reference(
            "Cloudflare: Full (strict)",
            "https://developers.cloudflare.com/ssl/origin-configuration/ssl-modes/full-strict/",
        ),
        Reference(
            "RFC 9325: Recommendations for Secure Use of TLS and DTLS (BCP 195)",
            "https://www.rfc-editor.org/rfc/rfc9325",
        ),
    ),
    title=Text(
        "The way from the CDN to the server is protected by TLS 1.2 or later",
        "CDN からサーバまでの区間も TLS 1.2 以上で保護されている",
    ),
    why=Text(
        "Visitors see the lock of the CDN, not what happens behind it. Without TLS there, everything crosses the internet in the clear after all.",
        "訪問者に見える鍵マークは CDN までのもので、その先の様子はわかりません。そこが TLS でなければ、結局は平文のままインターネットを通ることになります。",
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
    outdated=Text(
        "The source of 2018 says that Cloudflare reaches origins with TLS 1.2 at most; it speaks TLS 1.3 to them today. The other one switches verification off for a self-signed certificate that lasts for centuries: that does no harm inside the same machine, and must not be done on any longer way.",
        "2018年の出典は、Cloudflare からオリジンへの接続が TLS 1.2 までだとしていますが、現在は TLS 1.3 に対応しています。もう1つの出典は、期限が200年以上の自己署名証明書を使って検証を無効にしています。同じマシンの中なら害はありませんが、それより長い区間では無効にしないでください。",
    ),
    codes={
        "tunnel": Text(
            "A tunnel ({unit}) carries the way to the server, and nginx listens on loopback alone.",
            "トンネル（{unit}）を通っており、nginx はループバックだけで待ち受けています。",
        ),
        "strong": Text(
            'nginx takes {versions} alone. Does the CDN speak TLS to it, and check its certificate ("Full (strict)")?',
            "nginx が受け付けるのは {versions} だけです。CDN は TLS で接続し、証明書を検証していますか（「フル（厳密）」など）。",
        ),
        "old": Text(
            "nginx's configuration still allows {versions} on the way from the CDN.",
            "CDN からの接続について、nginx の設定がまだ {versions} を許しています。",
        ),
        "mixed": Text(
            "One line of nginx's configuration allows {versions}, another does not; which of them counts cannot be seen.",
            "nginx の設定に {versions} を許す行と許さない行があり、どちらが使われるか判断できません。",
        ),
        "direct": Text(
            "The name leads to the server itself, so the other TLS items see this way.",
            "名前が直接サーバを指しているため、ほかの TLS の項目で確認できます。",
        ),
        "denied": Text("nginx's configuration may not be read.", "nginx の設定を読む権限がありません。"),
        "not_seen": Text(
            "No line of nginx's configuration says which TLS versions it takes.",
            "nginx の設定に、受け付ける TLS のバージョンの指定がありません。",
        ),
        "no_nginx": Text(
            "fedisec reads this from nginx's configuration only, and there is none.",
            "fedisec がこれを読めるのは nginx の設定だけですが、見当たりません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    proxy = parse_proxy(inside.lines("proxy"))
    tunnels = shielded_tunnels(inside.lines("egress"))
    addresses = facts.maybe(Addresses) if tunnels else facts.get(Addresses)
    if addresses is not None and cdn_in_front(addresses) is None and not tunnels:
        every = (*addresses.v4, *addresses.v6)
        return not_applicable("direct").seen(f"outside: A, AAAA {addresses.host}", "\n".join(every))
    if tunnels and proxy.listens and proxy.only_loopback:
        return passed("tunnel", unit=tunnels[0]).seen(LABEL, "\n".join(proxy.listens))
    return _by_versions(proxy)


def _by_versions(proxy: Nginx) -> Verdict:
    shown = "\n".join(f"ssl_protocols {' '.join(line)}" for line in proxy.protocols)
    old = [version for version in proxy.versions if version not in _STRONG]
    if old and proxy.every_line_allows(old[0]):
        return warned("old", versions=", ".join(old)).seen(LABEL, shown)
    if old:
        return unknown("mixed", Reason.NOT_ASKED, versions=", ".join(old)).seen(LABEL, shown)
    if proxy.denied:
        return unknown("denied", Reason.DENIED)
    if proxy.versions:
        return asked("strong", versions=", ".join(proxy.versions)).seen(LABEL, shown)
    return unknown("no_nginx", Reason.NO_TOOL) if proxy.absent else unknown("not_seen", Reason.NOT_ASKED)
