"""Do the domain's own mail hosts offer STARTTLS with TLS 1.2 or later?  RFC 3207, RFC 8996.

A certificate that does not match is a warning: senders encrypt all the same unless MTA-STS or DANE ask for more.
Mail hosts of a mail service are its business; a silent port 25 is far more often our network than theirs.
"""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.mail import SmtpHost, SmtpHosts, SmtpSession
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
    unknown,
    warned,
)

MODERN = frozenset({"TLSv1.2", "TLSv1.3"})

POSTFIX = """
    sudo postconf -e smtpd_tls_security_level=may
    sudo postconf -e smtpd_tls_chain_files=/etc/letsencrypt/live/mx.example.social/privkey.pem,/etc/letsencrypt/live/mx.example.social/fullchain.pem
    sudo postconf -e "smtpd_tls_protocols=>=TLSv1.2"
    sudo systemctl reload postfix"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 3207: SMTP Service Extension for Secure SMTP over TLS",
            "https://www.rfc-editor.org/rfc/rfc3207",
        ),
        Reference("RFC 8996: Deprecating TLS 1.0 and TLS 1.1", "https://www.rfc-editor.org/rfc/rfc8996"),
    ),
    title=Text(
        "The domain's own mail servers offer STARTTLS",
        "自前のメールサーバが STARTTLS に対応している",
    ),
    why=Text(
        "Without STARTTLS every mail to you travels in the clear, reports and personal data included. Some senders no longer deliver to such hosts at all.",
        "STARTTLS がないと、通報や個人情報を含むメールがすべて平文で届きます。対応していないサーバには配送しない送信元もあります。",
    ),
    expected=Text(
        "Every MX host of your own offers STARTTLS with TLS 1.2 or later and a valid certificate for its name. Mail hosts of a service are not looked at.",
        "自前の MX がすべて、TLS 1.2 以上の STARTTLS と、ホスト名に合った有効な証明書を提供している状態。外部サービスの MX は対象外です。",
    ),
    fix=Fix(
        Text(
            "Give the mail server a certificate for its MX name and switch STARTTLS on; reload it after every renewal.",
            "MX のホスト名の証明書を用意し、STARTTLS を有効にします。証明書を更新するたびに再読み込みも必要です。",
        ),
        variants=(
            (
                "Postfix",
                Text(
                    "With a certificate of certbot:\n" + POSTFIX,
                    "certbot の証明書を使う例です。\n" + POSTFIX,
                ),
            ),
            (
                "OpenSMTPD",
                Text(
                    "In smtpd.conf, then restart:\n\n"
                    '    pki mx.example.social cert "/etc/letsencrypt/live/mx.example.social/fullchain.pem"\n'
                    '    pki mx.example.social key "/etc/letsencrypt/live/mx.example.social/privkey.pem"\n'
                    "    listen on eth0 tls pki mx.example.social",
                    "smtpd.conf に書いて再起動します。\n\n"
                    '    pki mx.example.social cert "/etc/letsencrypt/live/mx.example.social/fullchain.pem"\n'
                    '    pki mx.example.social key "/etc/letsencrypt/live/mx.example.social/privkey.pem"\n'
                    "    listen on eth0 tls pki mx.example.social",
                ),
            ),
        ),
    ),
    verify=Text(
        "The answer shows the certificate and a protocol of TLSv1.2 or later:\n\n    openssl s_client -starttls smtp -connect mx.example.social:25 -servername mx.example.social",
        "証明書と、TLSv1.2 以上のプロトコルが表示されることを確認します。\n\n    openssl s_client -starttls smtp -connect mx.example.social:25 -servername mx.example.social",
    ),
    codes={
        "offered": Text(
            "STARTTLS is offered ({version}); mail hosts seen: {count}.",
            "{count} 台のメールサーバが STARTTLS に対応しています（{version}）。",
        ),
        "not_offered": Text("{host} does not offer STARTTLS.", "{host} は STARTTLS に対応していません。"),
        "broken": Text(
            "{host} offers STARTTLS, but no handshake succeeds ({detail}).",
            "{host} は STARTTLS を提示しますが、接続に失敗します（{detail}）。",
        ),
        "old_version": Text(
            "{host} speaks no newer version than {version}.",
            "{host} が対応しているのは {version} までです。",
        ),
        "untrusted": Text(
            "{host} offers STARTTLS with a certificate that does not hold ({detail}).",
            "{host} の STARTTLS の証明書に問題があります（{detail}）。",
        ),
        "hosted": Text(
            "The mail hosts belong to a mail service, or there are none.",
            "メールサーバは外部サービスのもの、または存在しません。",
        ),
        "port_blocked": Text(
            "Port 25 of {host} gave no answer; many networks block it on the way out, perhaps fedisec's, too.",
            "{host} のポート25から応答がありません。fedisec 側のネットワークが外向きの25番を塞いでいる可能性があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(SmtpHosts)
    own = [host for host in found.hosts if not host.hosted]
    if not own:
        return not_applicable("hosted")
    sessions = [(host, host.session) for host in own if isinstance(host.session, SmtpSession)]
    for judge in (_fails, lambda h, s: _warns(h, s, found)):
        for host, session in sessions:
            verdict = judge(host, session)
            if verdict is not None:
                return verdict
    if not sessions:
        return _silent(own[0])
    verdict = passed("offered", count=len(sessions), version=sessions[0][1].tls_version)
    for host, session in sessions:
        verdict = verdict.seen(f"{host.name} port 25", f"STARTTLS, {session.tls_version}")
    for host in own:
        if isinstance(host.session, Missing):
            verdict = verdict.seen(f"{host.name} port 25", f"not seen: {host.session.reason.value}")
    return verdict


def _silent(host: SmtpHost) -> Verdict:
    if not isinstance(host.session, SmtpSession) and host.session.reason is Reason.PORT_BLOCKED:
        return unknown("port_blocked", Reason.PORT_BLOCKED, host=host.name)
    seen(host.session)
    return unknown("port_blocked", Reason.PORT_BLOCKED, host=host.name)


def _fails(host: SmtpHost, session: SmtpSession) -> Verdict | None:
    if session.starttls:
        return None
    return failed("not_offered", host=host.name).seen(f"{host.name} port 25", "EHLO without STARTTLS")


def _warns(host: SmtpHost, session: SmtpSession, found: SmtpHosts) -> Verdict | None:
    where = f"{host.name} port 25"
    if session.tls_error:
        return warned("broken", host=host.name, detail=session.tls_error).seen(where, session.tls_error)
    if session.tls_version not in MODERN:
        version = session.tls_version
        return warned("old_version", host=host.name, version=version).seen(where, version)
    if fault := _fault(host.name, session, found):
        return warned("untrusted", host=host.name, detail=fault).seen(where, ", ".join(session.names[:10]))
    return None


def _fault(host: str, session: SmtpSession, found: SmtpHosts) -> str:
    parent = "*." + host.partition(".")[2]
    if session.ends is not None and session.ends < found.seen_at:
        return f"notAfter {session.ends:%Y-%m-%d}"
    if session.self_signed:
        return "self-signed"
    if session.trust:
        return session.trust.replace("_", " ")
    if host not in session.names and parent not in session.names:
        return ", ".join(session.names[:3]) or "no DNS name"
    return ""
