"""Are chain, name, dates and key of every certificate right?  RFC 5280, RFC 9525 6.3; the longest life allowed
to public authorities is that of the CA/Browser Forum's Baseline Requirements (398 days; 200 since March 2026).

Trust is judged apart from dates and name, so that each fault is called by its own name.  A list of roots older
than 90 days may lack a new authority, so by it none is called unknown.  Beside the certificate: an OCSP answer
or list that says "revoked" (RFC 6960, RFC 5280 5), no answer where the certificate asks for one (RFC 7633; asked twice, as the first
connection after a reload may come too early), and no timestamp of a log for one of a public authority (RFC 6962).
"""

from datetime import UTC, datetime, timedelta

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.tls import (
    KeyKind,
    Timestamps,
    TrustProblem,
    WebCertificate,
    WebCertificates,
)
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
    passed,
    unknown,
    warned,
)
from checks.parse.tls_text import certificate_label, certificate_text

_LIFE_MAX = timedelta(days=398)
_LIFE_NOW, _LIFE_NOW_FROM = timedelta(days=200), datetime(2026, 3, 15, tzinfo=UTC)
_WEAK_HASHES = frozenset({"md2", "md5", "sha1"})
_SMALLEST = {KeyKind.RSA: 2048, KeyKind.EC: 256}

CERTBOT = """
    sudo certbot certificates
    sudo certbot --nginx -d example.social -d www.example.social"""

NGINX = """
    ssl_certificate     /etc/letsencrypt/live/example.social/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/example.social/privkey.pem;

    sudo nginx -t && sudo systemctl reload nginx"""

APACHE = """
    SSLCertificateFile    /etc/letsencrypt/live/example.social/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/example.social/privkey.pem

    sudo apachectl configtest && sudo apachectl graceful"""

CADDY = """
    sudo journalctl -u caddy --since -2d | grep -i -e obtain -e challenge"""

VERIFY = """
    openssl s_client -connect example.social:443 -servername example.social -verify_hostname example.social -verify_return_error -brief < /dev/null"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("002"), Source("+")),
    references=(
        Reference(
            "RFC 5280: Internet X.509 Public Key Infrastructure Certificate and CRL Profile",
            "https://www.rfc-editor.org/rfc/rfc5280",
        ),
        Reference("RFC 9525: Service Identity in TLS", "https://www.rfc-editor.org/rfc/rfc9525"),
        Reference(
            "CA/Browser Forum: TLS Baseline Requirements",
            "https://cabforum.org/working-groups/server/baseline-requirements/",
        ),
    ),
    title=Text(
        "The certificate is right on every address: chain, name, dates and key",
        "証明書の発行元・名前・期限・鍵が、どのアドレスでも正しい",
    ),
    why=Text(
        "With a wrong certificate browsers show a warning page, apps stop, and other servers silently cease to federate. Visitors who learn to click such warnings away are easy to trick later.",
        "証明書に誤りがあると、ブラウザは警告を出し、アプリは止まり、他サーバとの連合も黙って途切れます。警告を無視する癖がついた利用者は、後で偽サイトにもだまされやすくなります。",
    ),
    expected=Text(
        "Every address sends a certificate for the instance's name, within its dates, with an RSA key of 2048 bits or more or an EC key of 256 or more, signed with SHA-2, together with the intermediates that lead to a root everybody trusts. It is not revoked, stands in the certificate logs, and comes with an OCSP answer where it demands one.",
        "どのアドレスも、インスタンスの名前の証明書を有効期限内に、中間証明書まで揃えて送っている状態。鍵は RSA 2048ビット以上または EC 256ビット以上、署名は SHA-2 で、広く信頼されたルートまでたどれること。失効しておらず、証明書ログに記録があり、必須と指定された OCSP の応答が添付されていること。",
    ),
    fix=Fix(
        Text(
            "Get a certificate for all names by ACME and configure the file with the whole chain, not the leaf alone:\n"
            + CERTBOT
            + "\n\nIf only one address is wrong, look for a second machine, an old AAAA record or a proxy that still has the former certificate.",
            "ACME で必要な名前をすべて含む証明書を取得し、サーバ証明書だけでなくチェーン全体のファイルを設定します。\n"
            + CERTBOT
            + "\n\n一部のアドレスだけ誤っている場合は、別のマシン、古い AAAA レコード、以前の証明書が残ったプロキシを疑ってください。",
        ),
        variants=(
            (
                "nginx",
                Text(
                    "fullchain.pem, not cert.pem:\n" + NGINX,
                    "cert.pem ではなく fullchain.pem を指定します。\n" + NGINX,
                ),
            ),
            (
                "Apache",
                Text(
                    "fullchain.pem, not cert.pem:\n" + APACHE,
                    "cert.pem ではなく fullchain.pem を指定します。\n" + APACHE,
                ),
            ),
            (
                "Caddy",
                Text(
                    "Caddy gets certificates by itself; the journal says why it could not:\n" + CADDY,
                    "Caddy は証明書を自動で取得します。失敗した理由はログに出ます。\n" + CADDY,
                ),
            ),
            (
                "Cloudflare",
                Text(
                    "What visitors see is the edge certificate: SSL/TLS → Edge Certificates must list the name as active. An origin certificate of Cloudflare is for the way between Cloudflare and your server only, with the proxy switched on.",
                    "訪問者に見えるのはエッジ証明書です。「SSL/TLS」→「エッジ証明書」で対象の名前が有効になっているか確認します。Origin CA 証明書はプロキシ有効時の Cloudflare とサーバの間でだけ使えます。",
                ),
            ),
        ),
    ),
    verify=Text(
        '"Verification: OK" must appear:\n' + VERIFY,
        "「Verification: OK」と表示されることを確認します。\n" + VERIFY,
    ),
    codes={
        "valid": Text(
            "The certificate of every address is right (issued by {issuer}).",
            "どのアドレスの証明書にも問題はありません（発行者は {issuer}）。",
        ),
        "valid_partly": Text(
            "The certificates that could be seen are right; {left} of {all} addresses could not be checked.",
            "確認できた証明書に問題はありません（{all} 個のうち {left} 個のアドレスは確認できませんでした）。",
        ),
        "expired": Text(
            "The certificate on {address} expired on {date}.",
            "{address} の証明書は {date} に期限が切れています。",
        ),
        "not_yet": Text(
            "The certificate on {address} is valid from {date} only.",
            "{address} の証明書は {date} からでないと有効になりません。",
        ),
        "other_name": Text(
            "The certificate on {address} is not for {host}, but for {names}.",
            "{address} の証明書は {host} のものではなく、{names} のものです。",
        ),
        "no_name": Text(
            "The certificate on {address} names no host in its subject alternative names; browsers look nowhere else.",
            "{address} の証明書には subjectAltName の名前がありません。ブラウザはそこしか見ません。",
        ),
        "self_signed": Text(
            "The certificate on {address} is signed by itself.", "{address} の証明書は自己署名です。"
        ),
        "unknown_authority": Text(
            "The certificates sent by {address} do not lead to a root that browsers trust: the intermediate is missing, or the issuer ({issuer}) is no public authority.",
            "{address} の送る証明書からは、ブラウザの信頼するルートまでたどれません。中間証明書が足りないか、発行者（{issuer}）が公的な認証局ではありません。",
        ),
        "incomplete": Text(
            "{address} does not send the intermediate certificate. Browsers fetch it themselves; apps and other servers do not.",
            "{address} が中間証明書を送っていません。ブラウザは自分で補いますが、アプリや他のサーバは補いません。",
        ),
        "broken": Text(
            "The certificate on {address} breaks the rules for certificates of the web: {detail}",
            "{address} の証明書はウェブの証明書の規則に反しています（{detail}）。",
        ),
        "weak_key": Text("The key on {address} is too weak: {key}.", "{address} の鍵が弱すぎます（{key}）。"),
        "weak_signature": Text(
            "The certificate on {address} is signed with {hash}, which can be forged.",
            "{address} の証明書は、偽造できる {hash} で署名されています。",
        ),
        "life_too_long": Text(
            "The certificate on {address} is valid for {days} days; browsers accept 398 at most.",
            "{address} の証明書の有効期間は {days} 日で、ブラウザの受け付ける上限（398日）を超えています。",
        ),
        "life_long": Text(
            "The certificate on {address} is valid for {days} days, more than the 200 that public authorities may give now.",
            "{address} の証明書の有効期間は {days} 日で、いま公的な認証局が発行できる上限（200日）を超えています。",
        ),
        "revoked": Text(
            "The certificate on {address} was revoked by its authority on {date}; browsers refuse it.",
            "{address} の証明書は {date} に認証局によって失効しており、ブラウザに拒否されます。",
        ),
        "no_staple": Text(
            "The certificate on {address} demands a stapled OCSP answer (must-staple), and the server sent none, asked twice.",
            "{address} の証明書は OCSP ステープリングを必須（must-staple）としていますが、2回尋ねてもサーバは応答を添付しませんでした。",
        ),
        "no_timestamps": Text(
            "The certificate on {address} is in no certificate log, so browsers do not trust it.",
            "{address} の証明書は証明書ログ（Certificate Transparency）に記録がなく、ブラウザに信頼されません。",
        ),
        "old_roots": Text(
            "fedisec's own list of authorities is of {date}: it may not know the newest ones, so it cannot call {issuer} unknown.",
            "fedisec の持つ認証局の一覧が {date} のものと古く、新しい認証局を知らない可能性があるため、{issuer} を不明な認証局とは判断できません。",
        ),
        "www": Text(
            "www.{host} leads to the same server, but the certificate does not cover it.",
            "www.{host} も同じサーバを指していますが、証明書に含まれていません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    web = facts.get(WebCertificates)
    judged = [(address, one, _judge(web, address, one)) for address, one in web.seen]
    for wanted in ("fail", "warn"):
        for address, one, verdict in judged:
            if verdict is not None and verdict.status == wanted:
                return verdict.seen(certificate_label(address), certificate_text(one))
    address, first = web.seen[0]
    if web.www_points_here is True and not web.www_matches:
        return warned("www", host=web.host).seen(certificate_label(address), certificate_text(first))
    whole = [(a, one) for a, one, _ in judged if not isinstance(web.trust(one), Missing)]
    if not whole:
        return _nobody_knows(web, address, first)
    left, count = len(web.served) - len({a for a, _ in whole}), len(web.served)
    issuer = first.issuer_organisation or first.issuer_name
    verdict = passed("valid_partly", left=left, all=count) if left else passed("valid", issuer=issuer)
    for address, one in whole:
        verdict = verdict.seen(certificate_label(address), certificate_text(one))
    return verdict


def _nobody_knows(web: WebCertificates, address: str, one: WebCertificate) -> Verdict:
    seen(one.trusted)
    issuer = one.issuer_organisation or one.issuer_name
    verdict = unknown("old_roots", Reason.NOT_BUILT, date=f"{web.roots_from:%Y-%m-%d}", issuer=issuer)
    return verdict.seen(certificate_label(address), certificate_text(one))


def _judge(web: WebCertificates, address: str, one: WebCertificate) -> Verdict | None:
    """The first fault of a certificate, the plainest first; None where nothing is wrong."""
    if not one.names:
        return failed("no_name", address=address)
    if not one.name_matches:
        return failed("other_name", address=address, host=web.host, names=", ".join(one.names[:5]))
    if one.not_after < web.seen_at:
        return failed("expired", address=address, date=f"{one.not_after:%Y-%m-%d %H:%M} UTC")
    if one.not_before > web.seen_at:
        return failed("not_yet", address=address, date=f"{one.not_before:%Y-%m-%d %H:%M} UTC")
    return (
        _weakness(address, one)
        or _untrusted(web, address, one)
        or _beside(address, one)
        or _life(address, one)
    )


def _weakness(address: str, one: WebCertificate) -> Verdict | None:
    if one.key_kind is KeyKind.DSA or one.key_bits < _SMALLEST.get(one.key_kind, 0):
        return failed("weak_key", address=address, key=f"{one.key_kind} {one.key_bits}")
    # A root signs itself with whatever it likes: only its being in the list counts.
    if one.signature_hash in _WEAK_HASHES and not one.self_signed:
        return failed("weak_signature", address=address, hash=one.signature_hash.upper())
    return None


def _beside(address: str, one: WebCertificate) -> Verdict | None:
    timestamps = one.timestamps
    if one.revoked_at is not None:
        return failed("revoked", address=address, date=f"{one.revoked_at:%Y-%m-%d}")
    if one.must_staple and one.staple is None:
        return failed("no_staple", address=address)
    is_public = one.public_root and one.trusted is True
    if is_public and isinstance(timestamps, Timestamps) and not timestamps.logs:
        return failed("no_timestamps", address=address)
    return None


def _untrusted(web: WebCertificates, address: str, one: WebCertificate) -> Verdict | None:
    match one.problem:
        case TrustProblem.SELF_SIGNED:
            return failed("self_signed", address=address)
        case TrustProblem.BROKEN:
            return failed("broken", address=address, detail=one.trust_detail)
        case TrustProblem.UNKNOWN_AUTHORITY if web.trust(one) is False:
            return failed(
                "unknown_authority", address=address, issuer=one.issuer_organisation or one.issuer_name
            )
        case TrustProblem.INCOMPLETE:
            return warned("incomplete", address=address)
        case _:
            return None


def _life(address: str, one: WebCertificate) -> Verdict | None:
    life = one.not_after - one.not_before
    if life > _LIFE_MAX:
        return failed("life_too_long", address=address, days=life.days)
    if life > _LIFE_NOW and one.not_before >= _LIFE_NOW_FROM:
        return warned("life_long", address=address, days=life.days)
    return None
