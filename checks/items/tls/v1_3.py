"""Is TLS 1.3 offered on every address?  RFC 8446."""

from checks.facts import Facts, Missing, seen
from checks.facts.tls import TlsOffer, TlsVersion
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.tls_text import endpoint_label, versions_text

NGINX = """
    ssl_protocols TLSv1.2 TLSv1.3;

    nginx -V 2>&1 | grep -i openssl
    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = """
    SSLProtocol -all +TLSv1.2 +TLSv1.3

    sudo apachectl configtest && sudo apachectl graceful"""

VERIFY = """
    openssl s_client -connect example.social:443 -servername example.social -tls1_3 -brief < /dev/null"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("002"),),
    references=(
        Reference(
            "RFC 8446: The Transport Layer Security (TLS) Protocol Version 1.3",
            "https://www.rfc-editor.org/rfc/rfc8446",
        ),
    ),
    title=Text("TLS 1.3 is offered", "TLS 1.3 に対応している"),
    why=Text(
        "TLS 1.3 has only sound suites, always keeps past traffic secret, and hides the certificate from eavesdroppers. It is also one round trip faster, and post-quantum key exchange needs it.",
        "TLS 1.3 には安全な方式しか残っておらず、過去の通信は必ず守られ、証明書も盗聴者から見えません。往復が1回減って速くなるうえ、耐量子の鍵交換にも必要です。",
    ),
    expected=Text("Every address negotiates TLS 1.3.", "すべてのアドレスで TLS 1.3 で接続できる状態。"),
    fix=Fix(
        Text(
            "Any web server of a distribution that still gets updates can do it: switch it on where TLS ends, on IPv4 and IPv6 alike. A missing TLS 1.3 usually means an old configuration line, not old software.",
            "更新が続いているディストリビューションのウェブサーバなら対応済みです。TLS を終端している場所で、IPv4・IPv6 ともに有効にしてください。使えない原因は、ソフトウェアより古い設定の行であることがほとんどです。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "Needs OpenSSL 1.1.1 or later; the first server block of the address decides:\n" + NGINX,
                    "OpenSSL 1.1.1 以降が必要です。そのアドレスの最初の server ブロックの値が使われます。\n"
                    + NGINX,
                ),
            ),
            ("Apache", Text("In ssl.conf:\n" + APACHE, "ssl.conf に書きます。\n" + APACHE)),
            (
                "Caddy",
                Text(
                    "On by default; delete a protocols line that ends at tls1.2.",
                    "初期設定で有効です。protocols の行で tls1.2 までに制限していたら削除してください。",
                ),
            ),
            (
                "Cloudflare",
                Text(
                    "SSL/TLS → Edge Certificates → TLS 1.3: on.",
                    "「SSL/TLS」→「エッジ証明書」で TLS 1.3 を有効にします。",
                ),
            ),
        ),
    ),
    verify=Text(
        '"Protocol version: TLSv1.3" must appear:\n' + VERIFY,
        "「Protocol version: TLSv1.3」と表示されることを確認します。\n" + VERIFY,
    ),
    codes={
        "offered": Text("TLS 1.3 is offered on every address.", "すべてのアドレスで TLS 1.3 を使えます。"),
        "offered_partly": Text(
            "TLS 1.3 is offered where it could be seen; {left} of {all} addresses could not be checked.",
            "確認できたアドレスでは TLS 1.3 を使えます（{all} 個のうち {left} 個は確認できませんでした）。",
        ),
        "some": Text(
            "TLS 1.3 is offered on some addresses, but not on {address}.",
            "TLS 1.3 を使えるアドレスもありますが、{address} では使えません。",
        ),
        "absent": Text("TLS 1.3 is not offered.", "TLS 1.3 に対応していません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    offer = facts.get(TlsOffer)
    answers = [(endpoint, endpoint.offers(TlsVersion.TLS13)) for endpoint in offer.seen]
    having = [endpoint for endpoint, answer in answers if answer is True]
    lacking = [endpoint for endpoint, answer in answers if answer is False]
    if lacking:
        verdict = warned("some", address=lacking[0].address) if having else failed("absent")
        return verdict.seen(endpoint_label(lacking[0]), versions_text(lacking[0]))
    if not having:
        seen(next(answer for _, answer in answers if isinstance(answer, Missing)))
    count, left = len(offer.endpoints), len(offer.endpoints) - len(having)
    verdict = passed("offered_partly", left=left, all=count) if left else passed("offered")
    for endpoint in having:
        verdict = verdict.seen(endpoint_label(endpoint), versions_text(endpoint))
    return verdict
