"""Does the app send its mail through a configured provider or own server, over TLS that is verified?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    asked,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.app_config import AppConfig, configs_of
from checks.parse.host.mail_server import MailServer, parse_mail

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal", "172.17.0.1"})
_MAILER = "Pleroma.Emails.Mailer"
_BY_HTTPS = frozenset({"mailgun", "ses", "postmark", "mandrill", "sparkpost"})  # of Laravel's drivers
SHOWN = (
    "SMTP_SERVER", "SMTP_PORT", "SMTP_ENABLE_STARTTLS", "SMTP_TLS", "SMTP_SSL", "SMTP_OPENSSL_VERIFY_MODE",
    "SMTP_DELIVERY_METHOD", "MAIL_DRIVER", "MAIL_MAILER", "MAIL_HOST", "MAIL_ENCRYPTION", "smtp-host", "smtp-port", "email.tls_type", "smtp.tls",
    "smtp.disable_starttls", "smtp.transport", "smtp.hostname", "Pleroma.Emails.Mailer.enabled", "Pleroma.Emails.Mailer.adapter",
    "Pleroma.Emails.Mailer.relay", "Pleroma.Emails.Mailer.ssl", "Pleroma.Emails.Mailer.tls",
)  # fmt: skip

MASTODON = """
    SMTP_SERVER=smtp.example.net
    SMTP_PORT=587
    SMTP_LOGIN=LOGIN
    SMTP_PASSWORD=PASSWORD
    SMTP_FROM_ADDRESS=notifications@example.social
    SMTP_ENABLE_STARTTLS=always
    SMTP_OPENSSL_VERIFY_MODE=peer

    sudo systemctl restart mastodon-web mastodon-sidekiq"""

AKKOMA = """
    config :pleroma, Pleroma.Emails.Mailer,
      enabled: true,
      adapter: Swoosh.Adapters.SMTP,
      relay: "smtp.example.net",
      username: "LOGIN",
      password: "PASSWORD",
      port: 465,
      ssl: true,
      auth: :always

    ./bin/pleroma_ctl email test --to you@example.net"""

PIXELFED = """
    MAIL_DRIVER=smtp
    MAIL_HOST=smtp.example.net
    MAIL_PORT=465
    MAIL_USERNAME=LOGIN
    MAIL_PASSWORD=PASSWORD
    MAIL_ENCRYPTION=tls
    MAIL_FROM_ADDRESS=pixelfed@example.social

    php artisan config:cache"""

GOTOSOCIAL = """
    smtp-host: "smtp.example.net"
    smtp-port: 587
    smtp-username: "LOGIN"
    smtp-password: "PASSWORD"
    smtp-from: "gotosocial@example.social\""""

POSTFIX = """
    sudo postconf -e 'relayhost = [smtp.example.net]:587'
    sudo postconf -e 'smtp_tls_security_level = secure'
    sudo postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'
    sudo systemctl reload postfix"""

VERIFY = """
    openssl s_client -connect smtp.example.net:587 -starttls smtp -brief -verify_return_error -verify_hostname smtp.example.net < /dev/null"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("001", "Preface 4"), Source("002"), Source("003", "構築/メールサーバ")),
    references=(
        Reference(
            "RFC 8314: Cleartext Considered Obsolete: Use of TLS for Email Submission and Access",
            "https://www.rfc-editor.org/rfc/rfc8314",
        ),
        Reference("Mastodon: Configuring your environment", "https://docs.joinmastodon.org/admin/config/"),
        Reference("GoToSocial: SMTP", "https://docs.gotosocial.org/en/latest/configuration/smtp/"),
        Reference("Postfix: TLS Support", "https://www.postfix.org/TLS_README.html"),
    ),
    title=Text(
        "Mail leaves through a known relay, over TLS that is verified",
        "メールを決まった中継先へ、検証付きの TLS で送っている",
    ),
    why=Text(
        "Password resets, confirmations and reports travel by mail, so without it users are locked out and you hear nothing. A mail connection that accepts any certificate hands reset links to whoever sits in between.",
        "パスワード再設定、登録確認、通報の知らせはメールで届くため、送れないと利用者は締め出され、管理者も気づけません。証明書を検証しない接続では、再設定リンクを途中で盗まれるおそれがあります。",
    ),
    expected=Text(
        "A mail server with login is set, TLS is demanded rather than tried, its certificate is verified, and a test mail arrives.",
        "認証付きの送信サーバが設定され、TLS が「できれば」ではなく必須で、証明書も検証され、テストメールが届く状態。",
    ),
    fix=Fix(
        Text(
            "Use a mail provider, or a mail server of your own that has a good name. Take the server name, port and login from it, demand TLS, leave certificate checks on, and send from an address of the domain whose SPF, DKIM and DMARC you set. Gmail as the relay of a server for one person can work, but the source itself advises against it: it is awkward to set up and may stop any day.",
            "メール配信サービスか、評判に問題のない自前のメールサーバを使います。サーバ名・ポート・認証情報を設定し、TLS を必須にして証明書の検証は切らないでください。差出人には、SPF・DKIM・DMARC を設定したドメインのアドレスを使います。おひとりさまサーバで Gmail を中継に使う方法は、設定が面倒で、いつまで使えるかもわからないため、出典も勧めていません。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "In .env.production:\n"
                    + MASTODON
                    + "\n\nThen ask for a password reset of your own account.",
                    ".env.production に設定します。\n"
                    + MASTODON
                    + "\n\nそのあと、自分のアカウントでパスワード再設定メールを請求してみます。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "In the configuration file; restart, then send a test. Never add verify: :verify_none.\n"
                    + AKKOMA,
                    "設定ファイルに書いて再起動し、テスト送信します。verify: :verify_none は書かないでください。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Email server: enter host, login and port 465, switch on implicit TLS (SMTPS), and press the button for a test mail. On port 587 the connection may fall back to plain text.",
                    "コントロールパネルの「メールサーバー」で、ホスト・認証情報・ポート 465 を入力し、暗黙的な SSL/TLS を使う設定をオンにして、テスト送信します。ポート 587 では暗号化されない接続に落ちることがあります。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "In .env. On port 465 the connection is TLS from the first byte; on 587 TLS is taken only where the server offers it:\n"
                    + PIXELFED,
                    ".env に設定します。ポート 465 は最初から TLS で接続します。587 では、サーバが提示したときだけ TLS になります。\n"
                    + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "In config.yaml; restart, then send a test mail from the admin section of the settings panel. Certificates are always checked.\n"
                    + GOTOSOCIAL,
                    "config.yaml に書いて再起動し、設定パネルの管理者向けページからテストメールを送ります。証明書は常に検証されます。\n"
                    + GOTOSOCIAL,
                ),
            ),
            (
                "Postfix",
                Text(
                    "Where the app hands its mail to Postfix on the same machine, Postfix is what must verify:\n"
                    + POSTFIX,
                    "アプリが同じサーバの Postfix に渡している場合は、Postfix 側で検証させます。\n" + POSTFIX,
                ),
            ),
        ),
    ),
    verify=Text(
        "The relay must show a certificate for its own name (look for Verification: OK), and a reset mail must reach an inbox elsewhere:\n"
        + VERIFY,
        "中継先が自分の名前の証明書を示すこと（Verification: OK と出ます）と、再設定メールが外部の受信箱に届くことを確かめます。\n"
        + VERIFY,
    ),
    attest_days=180,
    codes={
        "verified": Text(
            "Mail goes to {server} over TLS that is demanded and verified. Whether a test mail arrives only you can see.",
            "メールは、検証付きの TLS を必須にして {server} へ送られます。テストメールが届くかどうかはご自身で確認してください。",
        ),
        "by_postfix": Text(
            "Mail goes to Postfix on this machine, which demands verified TLS ({level}).",
            "メールはこのサーバの Postfix に渡され、検証付きの TLS（{level}）で送られます。",
        ),
        "encrypted": Text(
            "Mail goes to {server} over TLS. Whether the certificate is verified depends on the version; please answer.",
            "{server} へ TLS で送信されます。証明書を検証するかどうかはバージョンによって異なるため、回答してください。",
        ),
        "opportunistic": Text(
            "Mail goes to {server}, and TLS is only tried there: who sits in between can switch it off.",
            "{server} への送信で TLS が「できれば」になっているため、途中で無効にされるおそれがあります。",
        ),
        "postfix_opportunistic": Text(
            "Mail goes to Postfix on this machine, which does not verify the next server (level {level}).",
            "メールはこのサーバの Postfix に渡されますが、中継先を検証していません（設定値 {level}）。",
        ),
        "unverified": Text(
            "{setting}: any certificate is accepted.", "{setting} のため、どんな証明書でも受け入れます。"
        ),
        "plain": Text("{setting}: mail leaves without TLS.", "{setting} のため、TLS なしで送信されます。"),
        "none": Text(
            "No mail server is set, so nobody gets a reset mail.",
            "送信サーバが設定されていないため、再設定メールなどが届きません。",
        ),
        "local": Text(
            "Mail goes to a mail server on this machine; how that one sends it on was not seen.",
            "メールはこのサーバ上のメールサーバに渡されます。その先の送り方は確認できませんでした。",
        ),
        "elsewhere": Text(
            "{software} keeps these settings in its database, or where fedisec does not read them.",
            "{software} のこの設定は、データベースなど fedisec の読まない場所にあります。",
        ),
        "denied": Text(
            "fedisec's account may not read {path}, so its settings were not seen.",
            "fedisec のアカウントでは {path} を読めないため、設定を確認できませんでした。",
        ),
        "no_file": Text(
            "None of the places that fedisec knows holds a configuration file; its path can be named to the collector.",
            "fedisec の知る場所に設定ファイルがありませんでした。パスは収集スクリプトの設定に登録できます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    configs = configs_of(inside, facts.maybe(Software))
    read = [file for file in configs.read if file.values]
    if not read and configs.denied:
        return unknown("denied", Reason.DENIED, path=configs.denied[0])
    if not read:
        return unknown("no_file", Reason.NOT_ASKED)
    postfix = parse_mail(inside.lines("mail"))
    verdicts = [_judge(file, postfix).seen(f"inside: {file.path}", _shown(file)) for file in read]
    rank = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.MANUAL, Status.PASS)
    return min(verdicts, key=lambda verdict: rank.index(verdict.status))


def _judge(file: AppConfig, postfix: MailServer) -> Verdict:
    if file.family == "mastodon":
        return _mastodon(file, postfix)
    if file.family == "gotosocial":
        server = file.text("smtp-host")
        return passed("verified", server=server) if server else failed("none")
    if file.family == "pixelfed":
        return _pixelfed(file, postfix)
    if file.family == "lemmy" and (kind := file.text("email.tls_type")):
        return (
            failed("plain", setting="email.tls_type=none")
            if kind == "none"
            else passed("verified", server=kind)
        )
    if file.family == "peertube" and any(key.startswith("smtp.") for key in file.values):
        return _peertube(file, postfix)
    if file.family in {"akkoma", "pleroma"} and not file.database_rules:
        return _pleroma(file, postfix)
    return _elsewhere(file)


def _elsewhere(file: AppConfig) -> Verdict:
    return unknown("elsewhere", Reason.NOT_ASKED, software=file.family)


def _peertube(file: AppConfig, postfix: MailServer) -> Verdict:
    """Without a host it sends no mail at all."""
    server = file.text("smtp.hostname")
    if file.text("smtp.transport") == "sendmail" or server in LOCAL:
        return _handed_on(postfix)
    if not server and "smtp.hostname" in file.values:
        return failed("none")
    if file.flag("smtp.tls"):
        return passed("verified", server=server or "smtp.hostname")
    if file.flag("smtp.disable_starttls"):
        return failed("plain", setting="smtp.disable_starttls=true")
    return warned("opportunistic", server=server) if server else _elsewhere(file)


def _pleroma(file: AppConfig, postfix: MailServer) -> Verdict:
    """Its SMTP client takes TLS where it is offered, unless told otherwise; whether it looks at the certificate
    differs from version to version."""
    settings = {key: file.text(f"{_MAILER}.{key}") for key in ("adapter", "relay", "tls")}
    if file.flag(f"{_MAILER}.enabled") is False:
        return failed("none")
    if settings["adapter"].endswith(".Sendmail") or settings["relay"] in LOCAL:
        return _handed_on(postfix)
    if not settings["adapter"].endswith(".SMTP"):
        return _elsewhere(file)
    if file.flag(f"{_MAILER}.ssl") or settings["tls"] == ":always":
        return asked("encrypted", server=settings["relay"])
    if settings["tls"] == ":never":
        return failed("plain", setting="tls: :never")
    return warned("opportunistic", server=settings["relay"])


def _mastodon(file: AppConfig, postfix: MailServer) -> Verdict:
    """Without a server Mastodon takes localhost, without a mode of verification OpenSSL's own: peer."""
    server = file.text("SMTP_SERVER")
    if file.mails_locally:
        return _handed_on(postfix)
    if file.text("SMTP_OPENSSL_VERIFY_MODE") == "none":
        return failed("unverified", setting="SMTP_OPENSSL_VERIFY_MODE=none")
    if file.flag("SMTP_TLS") or file.flag("SMTP_SSL") or file.text("SMTP_ENABLE_STARTTLS") == "always":
        return passed("verified", server=server)
    if file.text("SMTP_ENABLE_STARTTLS") == "never":
        return failed("plain", setting="SMTP_ENABLE_STARTTLS=never")
    return warned("opportunistic", server=server)


def _pixelfed(file: AppConfig, postfix: MailServer) -> Verdict:
    """Its mailer (Symfony's) speaks TLS from the first byte on port 465; on any other it takes STARTTLS where it is
    offered, whatever MAIL_ENCRYPTION says."""
    server, driver = file.text("MAIL_HOST"), file.text("MAIL_DRIVER") or file.text("MAIL_MAILER")
    if driver in {"log", "array"}:
        return failed("none")
    if driver in _BY_HTTPS:
        return passed("verified", server=driver)
    if server in LOCAL or driver == "sendmail":
        return _handed_on(postfix)
    if not server:
        return unknown("elsewhere", Reason.NOT_ASKED, software="pixelfed")
    if file.text("MAIL_PORT") == "465":
        return passed("verified", server=server)
    return warned("opportunistic", server=server)


def _handed_on(postfix: MailServer) -> Verdict:
    level = postfix.tls_level or "none"
    if not postfix.has_postfix:
        return asked("local")
    if level in {"secure", "verify", "dane-only", "fingerprint"}:
        return passed("by_postfix", level=level).seen(
            "inside: postconf", f"smtp_tls_security_level = {level}"
        )
    verdict = warned("postfix_opportunistic", level=level)
    return verdict.seen("inside: postconf", f"smtp_tls_security_level = {level}")


def _shown(file: AppConfig) -> str:
    held = (f"{key}={file.values[key]}" for key in SHOWN if key in file.values)
    return "\n".join(held) or "no setting of a mail server"
