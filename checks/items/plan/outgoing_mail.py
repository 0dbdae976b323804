"""Does the app send its mail through a configured provider or own server, over TLS that is verified?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

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
    MAIL_PORT=587
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
    sources=(Source("001", "Preface 4"), Source("002")),
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
            "Use a mail provider, or a mail server of your own that has a good name. Take the server name, port and login from it, demand TLS, leave certificate checks on, and send from an address of the domain whose SPF, DKIM and DMARC you set.",
            "メール配信サービスか、評判に問題のない自前のメールサーバを使います。サーバ名・ポート・認証情報を設定し、TLS を必須にして証明書の検証は切らないでください。差出人には、SPF・DKIM・DMARC を設定したドメインのアドレスを使います。",
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
                "Akkoma/Pleroma",
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
            ("Pixelfed", Text("In .env:\n" + PIXELFED, ".env に設定します。\n" + PIXELFED)),
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
)
