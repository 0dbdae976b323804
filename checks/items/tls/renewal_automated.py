"""Does a timer renew the certificate, and did it succeed last time?"""

from datetime import timedelta

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.facts.tls import WebCertificates
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
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.renewal import parse_renewal

LABEL = "inside: systemctl show"


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
    ExecStart=/usr/bin/lego --path /etc/lego --email admin@example.social --domains example.social --http renew
    ExecStartPost=/usr/bin/systemctl reload nginx"""

LEGO_5 = """
    ExecStart=/usr/bin/lego run --path /etc/lego --email admin@example.social --domains example.social --http"""

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
    references=(
        Reference(
            "Certbot: Automated Renewals",
            "https://eff-certbot.readthedocs.io/en/stable/using.html#automated-renewals",
        ),
        Reference("Caddy: Automatic HTTPS", "https://caddyserver.com/docs/automatic-https"),
        Reference(
            "CA/Browser Forum: Ballot SC081v3",
            "https://cabforum.org/2025/04/11/ballot-sc081v3-introduce-schedule-of-reducing-validity-and-data-reuse-periods/",
        ),
    ),
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
        "タイマーまたはウェブサーバ自身が証明書を更新して再読み込みまで行い、直近の実行がエラーなく終わっている状態。",
    ),
    fix=Fix(
        Text(
            "Switch the timer on, rehearse a renewal, and see to it that the web server is reloaded afterwards:\n"
            + CERTBOT
            + "\n"
            + HOOK,
            "タイマーを有効にして更新を試し、その後にウェブサーバが再読み込みされるようにします。\n"
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
                    "A service like this one, started daily by a timer of the same name. From version 5 on, run renews as well, and the options follow it:\n"
                    + LEGO
                    + "\n"
                    + LEGO_5,
                    "次のようなサービスを、同名のタイマーで毎日起動します。バージョン5からは run が更新も兼ね、オプションはその後に書きます。\n"
                    + LEGO
                    + "\n"
                    + LEGO_5,
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
    codes={
        "ran": Text(
            "{timer} is active, and its last run ended without an error.",
            "{timer} が有効で、直近の実行もエラーなく終わっています。",
        ),
        "waits": Text(
            "{timer} is active; it has not run since the server started.",
            "{timer} は有効です（サーバの起動後、まだ実行されていません）。",
        ),
        "by_server": Text(
            "{server} is active, which renews its certificates itself.",
            "{server} が動作しており、証明書を自身で更新します。",
        ),
        "cron": Text(
            "A cron job renews it ({job}), which leaves no trace of its result. Did the last run succeed?",
            "cron（{job}）で更新していますが、結果の記録は残りません。直近の実行は成功していますか。",
        ),
        "run_failed": Text(
            "{timer} is active, but the last run of {service} ended badly ({result}).",
            "{timer} は有効ですが、{service} の直近の実行が失敗しています（{result}）。",
        ),
        "overdue": Text(
            "{timer} is active, yet the certificate that the server shows has only {left} days left.",
            "{timer} は有効ですが、サーバが示す証明書の残りが {left} 日しかありません。",
        ),
        "stopped": Text("{timer} is there, but not active.", "{timer} はありますが、有効になっていません。"),
        "none_seen": Text(
            "Nothing that renews a certificate is to be found on the server. What does it?",
            "サーバ上には、証明書を更新する仕組みが見当たりません。何で更新していますか。",
        ),
        "hidden": Text(
            "No timer is to be found, and cron jobs may not be read.",
            "タイマーは見当たらず、cron の内容は読む権限がありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    said = facts.get(Inside).lines("cert_renewal")
    found = parse_renewal(said)
    if found.timers:
        timer = found.timers[0]
        for run in found.runs:
            if run.ended and not run.well:
                verdict = failed("run_failed", timer=timer, service=run.service, result=run.result)
                return verdict.seen(
                    f"{LABEL} {run.service}", f"Result={run.result}, ended {run.ended:%Y-%m-%d %H:%M} UTC"
                )
        overdue = _overdue(facts)
        if overdue is not None:
            return warned("overdue", timer=timer, left=overdue.days).seen(LABEL, f"{timer} active")
        ran = next((run for run in found.runs if run.ended), None)
        if ran is None or ran.ended is None:
            return passed("waits", timer=timer).seen(LABEL, f"{timer} active")
        return passed("ran", timer=timer).seen(
            f"{LABEL} {ran.service}", f"Result=success, ended {ran.ended:%Y-%m-%d %H:%M} UTC"
        )
    if found.servers:
        return passed("by_server", server=found.servers[0]).seen(LABEL, f"{found.servers[0]} active")
    if found.cron:
        return asked("cron", job=found.cron[0]).seen("inside: cron", "\n".join(found.cron[:5]))
    if found.stopped:
        return warned("stopped", timer=found.stopped[0]).seen(
            LABEL, f"not active: {', '.join(found.stopped)}"
        )
    if found.gaps or not said:
        return unknown("hidden", Reason.DENIED)
    return asked("none_seen")


def _overdue(facts: Facts) -> timedelta | None:
    """What is left of a certificate that a healthy renewal would have replaced; None where none is late or seen.
    Clients renew at a third of the life, so a quarter is late."""
    web = facts.maybe(WebCertificates)
    if web is None:
        return None
    late = [
        one.not_after - web.seen_at
        for served in web.served
        if not isinstance(served.shown, Missing)
        for one in served.shown
        if one.not_after - web.seen_at < min((one.not_after - one.not_before) / 4, timedelta(days=30))
    ]
    return min(late, default=None)
