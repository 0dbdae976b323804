"""Is TLS 1.2 the oldest version on offer?  RFC 8996 deprecates 1.0 and 1.1, RFC 7568 SSL 3.0, RFC 6176 SSL 2.0.

Each version is asked for with a hello of our own; only a ServerHello of the version counts as offered, only
an alert or a clean end as not offered."""

from checks.facts import Facts, seen
from checks.facts.tls import TlsOffer, TlsVersion
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.tls_text import endpoint_label, versions_text

_OLD = (TlsVersion.SSL2, TlsVersion.SSL3, TlsVersion.TLS10, TlsVersion.TLS11)

NGINX = """
    ssl_protocols TLSv1.2 TLSv1.3;"""

NGINX_SEARCH = """
    sudo grep -rn ssl_protocols /etc/nginx /etc/letsencrypt
    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = """
    SSLProtocol -all +TLSv1.2 +TLSv1.3"""

APACHE_SEARCH = """
    sudo grep -rni sslprotocol /etc/apache2 /etc/httpd /etc/letsencrypt
    sudo apachectl configtest && sudo apachectl graceful"""

HAPROXY = """
    global
        ssl-default-bind-options ssl-min-ver TLSv1.2"""

VERIFY = """
    nmap -Pn -p 443 --script ssl-enum-ciphers example.social
    nmap -Pn -p 443 --script sslv2 example.social"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "構築/HTTPS"), Source("002")),
    references=(
        Reference("RFC 8996: Deprecating TLS 1.0 and TLS 1.1", "https://www.rfc-editor.org/rfc/rfc8996"),
        Reference(
            "RFC 7568: Deprecating Secure Sockets Layer Version 3.0", "https://www.rfc-editor.org/rfc/rfc7568"
        ),
        Reference(
            "RFC 9325: Recommendations for Secure Use of TLS and DTLS (BCP 195)",
            "https://www.rfc-editor.org/rfc/rfc9325",
        ),
    ),
    title=Text("TLS 1.2 is the oldest version on offer", "TLS 1.2 より古いバージョンを受け付けない"),
    why=Text(
        "SSL 2.0, SSL 3.0, TLS 1.0 and TLS 1.1 rest on broken building blocks and were withdrawn years ago. Every current browser, app and fediverse server speaks TLS 1.2 or 1.3, so the old versions serve attackers alone.",
        "SSL 2.0、SSL 3.0、TLS 1.0、TLS 1.1 は破られた部品に頼っており、何年も前に廃止されています。いまのブラウザ・アプリ・分散SNSサーバはどれも TLS 1.2 か 1.3 で通信するため、古いバージョンを残して得をするのは攻撃者だけです。",
    ),
    expected=Text(
        "Every address of the server offers TLS 1.3, with or without TLS 1.2, and refuses everything older. Without TLS 1.3 there is a warning.",
        "サーバのどのアドレスでも TLS 1.3（または 1.2 と 1.3）だけを受け付け、それより古いものを拒否する状態。TLS 1.3 がなければ「注意」になります。",
    ),
    fix=Fix(
        Text(
            "Name the two versions where TLS ends: in the web server, or at the CDN if one stands in front. With more than one server block or virtual host on an address, set it in all of them.",
            "TLS を終端している場所（ウェブサーバ、CDN があればその設定画面）で、許可するバージョンを2つだけに絞ります。同じアドレスに複数の server ブロックやバーチャルホストがあるときは、すべてで揃えてください。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "nginx takes this from the first (default) server of the address, whatever the others say. Put it into the http block and remove other lines:\n"
                    + NGINX
                    + "\n"
                    + NGINX_SEARCH,
                    "nginx では、そのアドレスの最初（既定）の server の値が使われ、ほかの server の指定は効きません。http ブロックに1行だけ書き、残りは消します。\n"
                    + NGINX
                    + "\n"
                    + NGINX_SEARCH,
                ),
            ),
            (
                "Apache",
                Text(
                    "Once, in ssl.conf; then look for lines that undo it:\n" + APACHE + "\n" + APACHE_SEARCH,
                    "ssl.conf に1度だけ書き、ほかに打ち消す行がないか探します。\n"
                    + APACHE
                    + "\n"
                    + APACHE_SEARCH,
                ),
            ),
            (
                "Caddy",
                Text(
                    "Caddy offers nothing older than TLS 1.2 by default: delete a protocols line from the tls block.",
                    "Caddy は初期設定で TLS 1.2 以上だけを使います。tls ブロックに protocols の行があれば削除してください。",
                ),
            ),
            (
                "HAProxy",
                Text("In haproxy.cfg:\n" + HAPROXY, "haproxy.cfg に書きます。\n" + HAPROXY),
            ),
            (
                "Cloudflare",
                Text(
                    "SSL/TLS → Edge Certificates → Minimum TLS Version: 1.2. Switch TLS 1.3 on there as well.",
                    "「SSL/TLS」→「エッジ証明書」→「TLS の最小バージョン」を 1.2 にし、同じ画面で TLS 1.3 も有効にします。",
                ),
            ),
        ),
    ),
    verify=Text(
        "No SSLv3, TLSv1.0 or TLSv1.1 may be listed by the first, no SSLv2 by the second:\n" + VERIFY,
        "1つ目で SSLv3、TLSv1.0、TLSv1.1 が、2つ目で SSLv2 が一覧に出ないことを確認します。\n" + VERIFY,
    ),
    codes={
        "modern": Text(
            "Only TLS 1.2 and TLS 1.3 are offered, or TLS 1.3 alone.",
            "受け付けるのは TLS 1.2 と 1.3（または 1.3 のみ）です。",
        ),
        "modern_partly": Text(
            "Nothing older than TLS 1.2 is offered where it could be seen; {left} of {all} addresses could not be checked.",
            "確認できたアドレスでは TLS 1.2 より古いものを受け付けません（{all} 個のうち {left} 個は確認できませんでした）。",
        ),
        "old": Text("{address} still offers {versions}.", "{address} がまだ {versions} を受け付けています。"),
        "no_13": Text(
            "Nothing old is offered, but {address} lacks TLS 1.3.",
            "古いバージョンは拒否していますが、{address} は TLS 1.3 に対応していません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    offer = facts.get(TlsOffer)
    for endpoint in offer.seen:
        old = [version.value for version in _OLD if endpoint.offers(version) is True]
        if old:
            verdict = failed("old", address=endpoint.address, versions=", ".join(old))
            return verdict.seen(endpoint_label(endpoint), versions_text(endpoint))
    for endpoint in offer.seen:
        if endpoint.offers(TlsVersion.TLS13) is False and not endpoint.gaps(*_OLD):
            verdict = warned("no_13", address=endpoint.address)
            return verdict.seen(endpoint_label(endpoint), versions_text(endpoint))
    whole = [e for e in offer.seen if not e.gaps(*_OLD, TlsVersion.TLS13)]
    if not whole:
        seen(offer.seen[0].gaps(*_OLD, TlsVersion.TLS13)[0])
    count = len(offer.endpoints)
    verdict = (
        passed("modern")
        if len(whole) == count
        else passed("modern_partly", left=count - len(whole), all=count)
    )
    for endpoint in whole:
        verdict = verdict.seen(endpoint_label(endpoint), versions_text(endpoint))
    return verdict
