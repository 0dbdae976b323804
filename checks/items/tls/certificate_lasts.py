"""Is more of the certificate's life left than the share at which it should have been renewed?

A fixed number of days is wrong in both directions once lives differ (398 days to 6): the measure is a quarter
of the life, 30 days at most; a tenth, 7 days at most, is late.  Clients renew at a third, so a healthy
renewal never comes near the line.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.http import FrontPage
from checks.facts.tls import WebCertificate, WebCertificates
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.tls_text import certificate_label, certificate_text

_WARN_SHARE, _WARN_MAX = 4, timedelta(days=30)
_FAIL_SHARE, _FAIL_MAX = 10, timedelta(days=7)
_SKEW = timedelta(minutes=5)
_SEVERITY = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}

CERTBOT = """
    sudo certbot renew --dry-run
    systemctl list-timers | grep -i certbot
    sudo certbot renew && sudo systemctl reload nginx"""

CADDY = """
    sudo journalctl -u caddy --since -7d | grep -i -e renew -e challenge"""

ACME_SH = """
    ~/.acme.sh/acme.sh --cron --home ~/.acme.sh
    crontab -l | grep acme"""

HOOK = """
    printf '#!/bin/sh\\nsystemctl reload nginx\\n' | sudo tee /etc/letsencrypt/renewal-hooks/deploy/reload
    sudo chmod +x /etc/letsencrypt/renewal-hooks/deploy/reload"""

VERIFY = """
    openssl s_client -connect example.social:443 -servername example.social < /dev/null 2>/dev/null | openssl x509 -noout -dates"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("003", "構築/証明書"),),
    references=(
        Reference("Let's Encrypt: Integration Guide", "https://letsencrypt.org/docs/integration-guide/"),
        Reference(
            "RFC 9773: ACME Renewal Information (ARI) Extension", "https://www.rfc-editor.org/rfc/rfc9773"
        ),
    ),
    title=Text("The certificate is renewed in good time", "証明書が余裕をもって更新されている"),
    why=Text(
        "The day it ends, nobody gets in: browsers and apps refuse, and other servers stop delivering. A renewal that is overdue means that the automatic renewal has failed, and there is still time to repair it.",
        "期限が切れたその日から、ブラウザもアプリも接続を拒み、他サーバからの配送も止まります。更新が遅れているのは自動更新が失敗している印で、いまならまだ直せます。",
    ),
    expected=Text(
        "On every address more than a quarter of the certificate's life is left, or more than 30 days, whichever is less; below that there is a warning. Less than a tenth, or than 7 days, is not met.",
        "どのアドレスの証明書も、残りが有効期間の4分の1（長いものは30日）より多い状態。それを切ると「注意」、10分の1（長いものは7日）を切ると「未達成」です。",
    ),
    fix=Fix(
        Text(
            "Find out why the renewal failed, renew, and reload the server:\n"
            + CERTBOT
            + "\n\nIf the file is new and the server still shows the old one, the reload after renewal is missing:\n"
            + HOOK,
            "更新に失敗した原因を調べ、更新してからサーバに再読み込みさせます。\n"
            + CERTBOT
            + "\n\nファイルは新しいのに古い証明書が表示される場合は、更新後の再読み込みが抜けています。\n"
            + HOOK,
        ),
        variants=(
            ("Caddy", Text("The journal says why:\n" + CADDY, "原因はログに出ます。\n" + CADDY)),
            ("acme.sh", Text("Run its job by hand:\n" + ACME_SH, "更新の処理を手で実行します。\n" + ACME_SH)),
            (
                "Cloudflare",
                Text(
                    "The edge certificate renews by itself; if it does not, look for a CAA record that forbids Cloudflare's authorities.",
                    "エッジ証明書は自動で更新されます。されない場合は、CAA レコードが Cloudflare の使う認証局を禁じていないか確認してください。",
                ),
            ),
        ),
    ),
    verify=Text("notAfter must have moved:\n" + VERIFY, "notAfter が先に延びたことを確認します。\n" + VERIFY),
    codes={
        "fresh": Text(
            "{left} days of {life} are left; it should be renewed before {due} days are left.",
            "{life} 日のうち {left} 日残っています（残り {due} 日を切る前に更新されるはずです）。",
        ),
        "fresh_partly": Text(
            "{left} days of {life} are left on the addresses that could be seen; {unseen} could not.",
            "確認できたアドレスでは {life} 日のうち {left} 日残っています（{unseen} 個のアドレスは確認できませんでした）。",
        ),
        "due": Text(
            "Only {left} days of {life} are left; it should have been renewed with {due} left.",
            "{life} 日のうち残り {left} 日です。残り {due} 日までに更新されているはずでした。",
        ),
        "late": Text(
            "Only {left} days of {life} are left: renew now.",
            "{life} 日のうち残り {left} 日しかありません。すぐに更新してください。",
        ),
        "expired": Text("The certificate ended {ago} days ago.", "証明書は {ago} 日前に期限が切れています。"),
        "not_yet": Text(
            "The certificate is not valid yet, but from {date} on.",
            "証明書はまだ有効ではありません（{date} から有効）。",
        ),
        "clock": Text(
            "fedisec's clock and the server's differ by {minutes} minutes, which changes the answer.",
            "fedisec とサーバの時計が {minutes} 分ずれており、それによって判定が変わってしまいます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    web = facts.get(WebCertificates)
    verdict = _worst(web, web.seen_at)
    theirs = _their_clock(facts)
    if theirs is not None and abs(theirs - web.seen_at) > _SKEW and _worst(web, theirs).code != verdict.code:
        minutes = round(abs(theirs - web.seen_at) / timedelta(minutes=1))
        return unknown("clock", Reason.MALFORMED, minutes=minutes).seen(
            "Date", f"{theirs:%Y-%m-%d %H:%M:%S} UTC"
        )
    return verdict


def _worst(web: WebCertificates, now: datetime) -> Verdict:
    judged = [
        (_judge(one, now, len(web.gaps)), one.not_after - now, address, one) for address, one in web.seen
    ]
    verdict, _, address, one = max(judged, key=lambda row: (_SEVERITY[row[0].status], -row[1]))
    return verdict.seen(certificate_label(address), certificate_text(one))


def _judge(one: WebCertificate, now: datetime, unseen: int) -> Verdict:
    left, life = one.not_after - now, one.not_after - one.not_before
    if left < timedelta(0):
        return failed("expired", ago=_days(-left))
    if one.not_before > now:
        return failed("not_yet", date=f"{one.not_before:%Y-%m-%d %H:%M} UTC")
    due = min(life / _WARN_SHARE, _WARN_MAX)
    if left < min(life / _FAIL_SHARE, _FAIL_MAX):
        return failed("late", left=_days(left), life=_days(life))
    if left < due:
        return warned("due", left=_days(left), life=_days(life), due=_days(due))
    if unseen:
        return passed("fresh_partly", left=_days(left), life=_days(life), unseen=unseen)
    return passed("fresh", left=_days(left), life=_days(life), due=_days(due))


def _days(span: timedelta) -> float | int:
    days = span / timedelta(days=1)
    return int(days) if days >= 10 else round(days, 1)


def _their_clock(facts: Facts) -> datetime | None:
    """The Date header of the front page, seen in the same minute; None where there is none."""
    page = facts.maybe(FrontPage)
    value = page.page.header("date") if page else None
    try:
        found = parsedate_to_datetime(value or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else None
