"""Is X25519MLKEM768 accepted?  draft-ietf-tls-ecdhe-mlkem; first choice of Mozilla's guideline.

Asked for with the hybrid group alone and an empty key share: the server's HelloRetryRequest names it, or an
alert says no.  No fail is possible: the weakest group of TLS 1.3 is still P-256.
"""

from checks.facts import Facts, Missing, seen
from checks.facts.tls import TlsOffer, TlsVersion
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    not_applicable,
    passed,
    warned,
)
from checks.parse.tls_text import endpoint_label

NGINX = """
    ssl_ecdh_curve X25519MLKEM768:X25519:secp256r1:secp384r1;

    nginx -V 2>&1 | grep -i openssl
    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = """
    SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519:P-256:P-384

    sudo apachectl configtest && sudo apachectl graceful"""

VERIFY = """
    openssl s_client -connect example.social:443 -servername example.social -groups X25519MLKEM768 -brief < /dev/null"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "draft-ietf-tls-ecdhe-mlkem", "https://datatracker.ietf.org/doc/draft-ietf-tls-ecdhe-mlkem/"
        ),
        Reference("Mozilla: Server Side TLS", "https://wiki.mozilla.org/Security/Server_Side_TLS"),
    ),
    title=Text(
        "Post-quantum key exchange (X25519MLKEM768) is accepted",
        "耐量子の鍵交換（X25519MLKEM768）に対応している",
    ),
    why=Text(
        "Traffic recorded today can be opened once large quantum computers exist. Browsers already ask for the hybrid key exchange, which is at least as strong as X25519 alone.",
        "いま録られた通信は、大規模な量子コンピュータができたときに解読されるおそれがあります。ブラウザはすでにハイブリッド鍵交換を提示しており、X25519 単独より弱くなることはありません。",
    ),
    expected=Text(
        "A TLS 1.3 handshake with the group X25519MLKEM768 succeeds on every address.",
        "どのアドレスでも、TLS 1.3 のグループ X25519MLKEM768 で接続できる状態。",
    ),
    fix=Fix(
        Text(
            "The web server needs OpenSSL 3.5 or later (or BoringSSL, AWS-LC, Go). Distributions that ship it use the group without a setting, unless a line in your configuration names the curves. Otherwise wait for the next release of your distribution: a CDN in front offers it in the meantime.",
            "ウェブサーバが OpenSSL 3.5 以降（または BoringSSL、AWS-LC、Go）で動いている必要があります。その版を採用したディストリビューションなら、設定で曲線を指定していない限り自動で使われます。まだの場合は次のリリースを待つか、対応済みの CDN を手前に置きます。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "Delete ssl_ecdh_curve, or put the group first. The version must be OpenSSL 3.5 or later, or nginx will not start:\n"
                    + NGINX,
                    "設定から ssl_ecdh_curve を削除するか、その先頭に加えます。OpenSSL が 3.5 より古いと nginx が起動しなくなるので、先に確認してください。\n"
                    + NGINX,
                ),
            ),
            (
                "Apache",
                Text("With OpenSSL 3.5 or later:\n" + APACHE, "OpenSSL 3.5 以降で使えます。\n" + APACHE),
            ),
            (
                "Caddy",
                Text(
                    "On by default in current releases; delete a curves line.",
                    "最近の版では初期設定で有効です。curves の行があれば削除してください。",
                ),
            ),
            (
                "Cloudflare",
                Text(
                    "On by default for TLS 1.3; check that TLS 1.3 is on.",
                    "TLS 1.3 では初期設定で有効です。TLS 1.3 がオンになっているか確認してください。",
                ),
            ),
        ),
    ),
    verify=Text(
        "With OpenSSL 3.5 or later on your own machine the connection must succeed:\n" + VERIFY,
        "手元の OpenSSL が 3.5 以降なら、次の接続が成功します。\n" + VERIFY,
    ),
    codes={
        "accepted": Text("X25519MLKEM768 is accepted.", "X25519MLKEM768 で接続できます。"),
        "classic": Text(
            "{address} knows classical groups only ({group}).",
            "{address} は従来のグループ（{group}）だけに対応しています。",
        ),
        "no_13": Text(
            "Without TLS 1.3 there is no post-quantum key exchange.",
            "TLS 1.3 を使えないため、耐量子の鍵交換もありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    endpoints = facts.get(TlsOffer).seen
    if all(endpoint.offers(TlsVersion.TLS13) is False for endpoint in endpoints):
        return not_applicable("no_13")
    for endpoint in endpoints:
        if endpoint.post_quantum is False:
            group = endpoint.group13 if isinstance(endpoint.group13, str) else "?"
            verdict = warned("classic", address=endpoint.address, group=group)
            return verdict.seen(endpoint_label(endpoint), "X25519MLKEM768 alone: not taken")
    having = [endpoint for endpoint in endpoints if endpoint.post_quantum is True]
    if not having:
        seen(next(e.post_quantum for e in endpoints if isinstance(e.post_quantum, Missing)))
    return passed("accepted").seen(endpoint_label(having[0]), "HelloRetryRequest names X25519MLKEM768")
