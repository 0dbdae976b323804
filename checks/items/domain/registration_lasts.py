"""Does the registration of the domain run on?  The machine's part needs the registry's RDAP service."""

from checks.model import MANUAL, OUTSIDE, Fix, Item, Level, Source, Text

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE, MANUAL),
    sources=(Source("+"),),
    title=Text(
        "The domain's registration is renewed by itself and is not on hold",
        "ドメインの登録が自動更新され、停止状態になっていない",
    ),
    why=Text(
        "A lapsed domain is bought by others within days, and whoever holds it receives the instance's mail and passes its checks. Losing it is worse than losing the server.",
        "失効したドメインは数日で他人に取得され、その人がメールを受け取り、サーバになりすませます。サーバを失うより深刻です。",
    ),
    expected=Text(
        "More than 60 days are left or auto-renewal is on with a valid means of payment, no hold status is set, and the transfer lock is on.",
        "有効期限まで60日を超えているか、自動更新と有効な支払い方法が設定されていて、停止を示すステータスがなく、移管ロックがかかっている状態。",
    ),
    fix=Fix(
        Text(
            "In the registrar's account switch on auto-renewal and the transfer lock, check the card's end date, and make sure that notices reach a mailbox outside the domain itself.\n\n"
            "A status of clientHold or serverHold takes the name out of the DNS: answer the registrar's request (most often an unconfirmed contact address or a bill).",
            "登録事業者の管理画面で自動更新と移管ロックを有効にし、クレジットカードの有効期限を確認します。通知は、そのドメイン以外のメールアドレスで受け取れるようにしてください。\n\n"
            "clientHold や serverHold は名前が DNS から外されている状態です。連絡先メールの未確認や未払いが主な原因なので、登録事業者からの連絡に対応してください。",
        )
    ),
    verify=Text(
        "Look at the lines with the end date and the status:\n\n    whois example.social",
        "有効期限とステータスの行を確認します。\n\n    whois example.social",
    ),
    attest_days=90,
)
