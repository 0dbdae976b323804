"""Are the cipher suites of TLS 1.2 sound, and does the server prefer those with forward secrecy?

Judged like Mozilla's guideline (pass), the phase-out list of NCSC-NL (warn) and the caps of SSL Labs (fail).
TLS 1.3 has no weak suite, SSL 2.0 no other.  One suite taken is proof for its family, a refused hello for every
suite that stood in it; the rest is offered again without what is known by then.
"""

from checks.data.tls_suites import AGED, BROKEN, Suite, suite_called
from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.tls import Negotiated, SuiteFamily, TlsEndpoint, TlsOffer, TlsOffer12, TlsVersion
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    warned,
)
from checks.parse.tls_text import endpoint_label, suites_text

_DH_BITS = 2048

LIST = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

NGINX = f"""
    ssl_ciphers {LIST};
    ssl_prefer_server_ciphers off;

    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = f"""
    SSLCipherSuite {LIST}
    SSLHonorCipherOrder off

    sudo apachectl configtest && sudo apachectl graceful"""

HAPROXY = f"""
    global
        ssl-default-bind-ciphers {LIST}"""

VERIFY = """
    nmap -Pn -p 443 --script ssl-enum-ciphers example.social"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "構築/HTTPS"), Source("000", "Advanced"), Source("002")),
    references=(
        Reference(
            "RFC 9325: Recommendations for Secure Use of TLS and DTLS (BCP 195)",
            "https://www.rfc-editor.org/rfc/rfc9325",
        ),
        Reference("Mozilla: Server Side TLS", "https://wiki.mozilla.org/Security/Server_Side_TLS"),
        Reference("Mozilla: SSL Configuration Generator", "https://ssl-config.mozilla.org/"),
    ),
    title=Text(
        "No weak cipher suite is accepted, and forward secrecy comes first",
        "脆弱な暗号スイートを受け付けず、前方秘匿性のあるものを優先している",
    ),
    why=Text(
        "A suite that is broken can be forced upon visitors or read along by a patient listener. Without forward secrecy a key that leaks one day opens all traffic that was recorded before.",
        "破られた暗号スイートが残っていると、通信の途中で使わせられたり、解読されたりするおそれがあります。前方秘匿性がなければ、鍵が漏れた日に、それまで録られた通信もすべて読まれてしまいます。",
    ),
    expected=Text(
        "TLS 1.2 accepts ECDHE suites with AES-GCM or ChaCha20-Poly1305 only. Older AES-CBC or RSA suites behind them give a warning; NULL, anonymous, EXPORT, RC4, DES, 3DES, MD5 and DH below 2048 bits are not met.",
        "TLS 1.2 では ECDHE と AES-GCM または ChaCha20-Poly1305 の組み合わせだけを受け付ける状態。AES-CBC や RSA 鍵交換が後ろに残る場合は「注意」、NULL・匿名・EXPORT・RC4・DES・3DES・MD5・2048ビット未満の DH は「未達成」です。",
    ),
    fix=Fix(
        Text(
            "Replace the list of suites by the intermediate one of Mozilla's generator (ssl-config.mozilla.org), without the DHE suites. TLS 1.3 needs no list.",
            "暗号スイートの一覧を、Mozilla の設定ジェネレータ（ssl-config.mozilla.org）の Intermediate に置き換えます。DHE は除いてかまいません。TLS 1.3 には指定が不要です。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "In the http block; the first server block of the address decides:\n" + NGINX,
                    "http ブロックに書きます（そのアドレスの最初の server ブロックの値が使われます）。\n"
                    + NGINX,
                ),
            ),
            ("Apache", Text("In ssl.conf:\n" + APACHE, "ssl.conf に書きます。\n" + APACHE)),
            ("HAProxy", Text("In haproxy.cfg:\n" + HAPROXY, "haproxy.cfg に書きます。\n" + HAPROXY)),
            (
                "Caddy",
                Text(
                    "The default is right: delete a ciphers line from the tls block.",
                    "初期設定のままで問題ありません。tls ブロックの ciphers の行を削除してください。",
                ),
            ),
            (
                "Cloudflare",
                Text(
                    "The free plan keeps AES-CBC and RSA suites at its edge by design; that is the warning you see. With Advanced Certificate Manager the suites can be chosen by its API.",
                    "無料プランのエッジでは AES-CBC と RSA のスイートが仕様で残り、これが「注意」の原因です。Advanced Certificate Manager があれば API で選べます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Under TLSv1.2 only names with ECDHE and GCM or CHACHA20 may stand:\n" + VERIFY,
        "TLSv1.2 の欄に、ECDHE と GCM または CHACHA20 を含む名前だけが並ぶことを確認します。\n" + VERIFY,
    ),
    codes={
        "sound": Text(
            "Only ECDHE suites with AES-GCM or ChaCha20 are accepted.",
            "ECDHE と AES-GCM または ChaCha20 のスイートだけを受け付けます。",
        ),
        "sound_partly": Text(
            "No weak suite was accepted where it could be seen; {left} of {all} addresses could not be checked.",
            "確認できた範囲では弱いスイートを受け付けません（{all} 個のうち {left} 個のアドレスは確認できませんでした）。",
        ),
        "only_13": Text(
            "Only TLS 1.3 is offered, which has no weak suite.",
            "TLS 1.3 だけを受け付けており、弱いスイートはありません。",
        ),
        "broken": Text(
            "{address} accepts broken suites ({families}), for example {suite}.",
            "{address} が破られた暗号スイート（{families}）を受け付けています（例：{suite}）。",
        ),
        "small_dh": Text(
            "{address} uses Diffie-Hellman with {bits} bits; 2048 are the least.",
            "{address} の Diffie-Hellman は {bits} ビットで、最低限の2048ビットに足りません。",
        ),
        "preferred": Text(
            "{address} chooses {suite} even when better ones stand first.",
            "{address} は、より良いスイートが先に並んでいても {suite} を選びます。",
        ),
        "compression": Text(
            "{address} compresses inside TLS, which gives cookies away (CRIME).",
            "{address} は TLS の圧縮を使っており、Cookie を推測されます（CRIME）。",
        ),
        "renegotiation": Text(
            "{address} does not protect renegotiation (RFC 5746).",
            "{address} は再ネゴシエーションを保護していません（RFC 5746）。",
        ),
        "no_master_secret": Text(
            "The suites are sound, but {address} lacks the extended master secret (RFC 7627).",
            "スイートに問題はありませんが、{address} は extended master secret（RFC 7627）に対応していません。",
        ),
        "aged": Text(
            "Good suites come first, but {address} still accepts older ones ({families}), for example {suite}.",
            "良いスイートが優先されますが、{address} は古いもの（{families}）もまだ受け付けています（例：{suite}）。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    offer = facts.get(TlsOffer)
    older = [e for e in offer.seen if e.older is not None or e.offers(TlsVersion.SSL2) is True]
    if not older:
        return not_applicable("only_13")
    for judge in (_broken, _aged):
        for endpoint in older:
            verdict = judge(endpoint)
            if verdict is not None:
                return verdict.seen(endpoint_label(endpoint), suites_text(endpoint))
    whole = [endpoint for endpoint in older if not _gaps(endpoint)]
    if not whole:
        seen(_gaps(older[0])[0])
    count, left = len(offer.endpoints), len(offer.endpoints) - len(whole)
    verdict = passed("sound_partly", left=left, all=count) if left else passed("sound")
    for endpoint in whole:
        verdict = verdict.seen(endpoint_label(endpoint), suites_text(endpoint))
    return verdict


def _broken(endpoint: TlsEndpoint) -> Verdict | None:
    taken = {**_of_ssl2(endpoint), **_taken(endpoint, BROKEN)}
    if taken:
        families = ", ".join(taken)
        suite = next(iter(taken.values()))
        return failed("broken", address=endpoint.address, families=families, suite=suite)
    if isinstance(endpoint.dh_bits, int) and endpoint.dh_bits < _DH_BITS:
        return failed("small_dh", address=endpoint.address, bits=endpoint.dh_bits)
    preferred = _preferred(endpoint)
    if preferred is not None and (preferred.is_cbc or preferred.is_rsa_exchange or preferred.uses_md5):
        return failed("preferred", address=endpoint.address, suite=preferred.name)
    return _unsafe_extensions(endpoint)


def _unsafe_extensions(endpoint: TlsEndpoint) -> Verdict | None:
    older = endpoint.older
    if not isinstance(older, TlsOffer12):
        return None
    if older.compression:
        return failed("compression", address=endpoint.address)
    # SSL 3.0 is asked without extensions, so their absence says nothing there.
    if not older.secure_renegotiation and older.version is not TlsVersion.SSL3:
        return failed("renegotiation", address=endpoint.address)
    return None


def _aged(endpoint: TlsEndpoint) -> Verdict | None:
    taken, older = _taken(endpoint, AGED), endpoint.older
    if not taken and isinstance(older, TlsOffer12) and not older.extended_master_secret:
        return warned("no_master_secret", address=endpoint.address)
    if not taken:
        return None
    suite = next(iter(taken.values()))
    return warned("aged", address=endpoint.address, families=", ".join(taken), suite=suite)


def _of_ssl2(endpoint: TlsEndpoint) -> dict[str, str]:
    """SSL 2.0 knows RC2, RC4, DES and 3DES alone, and MD5 for all of them."""
    return {TlsVersion.SSL2.value: endpoint.ssl2_ciphers[0]} if endpoint.ssl2_ciphers else {}


def _taken(endpoint: TlsEndpoint, kinds: tuple[SuiteFamily, ...]) -> dict[str, str]:
    found = {kind.value: endpoint.chosen_from(kind) for kind in kinds}
    return {kind: chosen.suite for kind, chosen in found.items() if isinstance(chosen, Negotiated)}


def _preferred(endpoint: TlsEndpoint) -> Suite | None:
    return suite_called(endpoint.older.preferred) if isinstance(endpoint.older, TlsOffer12) else None


def _gaps(endpoint: TlsEndpoint) -> list[Missing]:
    parts = [endpoint.older, endpoint.dh_bits, *(endpoint.chosen_from(k) for k in (*BROKEN, *AGED))]
    # Further addresses are looked at briefly, for the sake of manners; the evidence says so.
    return [part for part in parts if isinstance(part, Missing) and part.reason is not Reason.NOT_ASKED]
