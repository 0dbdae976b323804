"""Does a timer renew the certificate, and did it succeed last time?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

CERTBOT = """
    systemctl list-timers | grep -i -e certbot -e snap.certbot
    sudo systemctl enable --now certbot.timer
    sudo certbot renew --dry-run"""

HOOK = """
    printf '#!/bin/sh\\nsystemctl reload nginx\\n' | sudo tee /etc/letsencrypt/renewal-hooks/deploy/reload
    sudo chmod +x /etc/letsencrypt/renewal-hooks/deploy/reload"""

ACME_SH = """
    ~/.acme.sh/acme.sh --install-cronjob
    crontab -l | grep acme.sh"""

LEGO = """
    [Unit]
    Description=Renew the certificate

    [Service]
    Type=oneshot
    ExecStart=/usr/bin/lego --path /etc/lego --email admin@example.social --domains example.social --http run
    ExecStartPost=/usr/bin/systemctl reload nginx"""

CADDY = """
    systemctl is-active caddy
    sudo journalctl -u caddy --since -30d | grep -i obtained"""

RHEL = """
    sudo systemctl enable --now certbot-renew.timer
    sudo certbot renew --dry-run"""

VERIFY = """
    systemctl list-timers --all | grep -i -e certbot -e acme -e lego
    sudo certbot certificates"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "構築/証明書"), Source("+")),
    title=Text(
        "The certificate renews itself, and the last run succeeded",
        "証明書が自動で更新され、直近の実行も成功している",
    ),
    why=Text(
        "Certificates live ever shorter: 200 days at most today, 47 from 2029 on. By hand a renewal is forgotten sooner or later.",
        "証明書の有効期間は短くなる一方で、いまは最長200日、2029年からは47日です。手作業では、いずれ必ず更新を忘れます。",
    ),
    expected=Text(
        "A timer or the web server itself renews the certificate, reloads the server afterwards, and its last run ended without an error.",
        "タイマーまたは Web サーバ自身が証明書を更新して再読み込みまで行い、直近の実行がエラーなく終わっている状態。",
    ),
    fix=Fix(
        Text(
            "Switch the timer on, rehearse a renewal, and see to it that the web server is reloaded afterwards:\n"
            + CERTBOT
            + "\n"
            + HOOK,
            "タイマーを有効にして更新を試し、その後に Web サーバが再読み込みされるようにします。\n"
            + CERTBOT
            + "\n"
            + HOOK,
        ),
        variants=(
            (
                "RHEL/Fedora",
                Text("The timer has another name here:\n" + RHEL, "タイマーの名前が異なります。\n" + RHEL),
            ),
            (
                "Caddy",
                Text(
                    "Caddy renews by itself while it runs:\n" + CADDY,
                    "Caddy は動いている間、自動で更新します。\n" + CADDY,
                ),
            ),
            (
                "acme.sh",
                Text("It uses cron:\n" + ACME_SH, "cron で動きます。\n" + ACME_SH),
            ),
            (
                "lego",
                Text(
                    "A service like this one, started daily by a timer of the same name:\n" + LEGO,
                    "次のようなサービスを、同名のタイマーで毎日起動します。\n" + LEGO,
                ),
            ),
            (
                "Cloudflare",
                Text(
                    "The edge certificate renews by itself. The certificate of the origin still needs a renewal of its own, unless it is an origin certificate with years to live.",
                    "エッジ証明書は自動で更新されます。オリジン側の証明書は、年単位で有効な Origin CA 証明書でない限り、別に更新が必要です。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The timer has a next run, and no certificate is close to its end:\n" + VERIFY,
        "タイマーに次回の実行時刻があり、期限の近い証明書がないことを確認します。\n" + VERIFY,
    ),
)
