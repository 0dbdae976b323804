"""Does the registration of the domain run on, and can nobody carry it off?

Asked of the registry over RDAP: 30 days are what is left when most registrars have tried to renew.  A registry
that publishes no end date, or has no RDAP, leaves the question to the admin.  The worst of the web name and the
mail domain counts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.rdap import RegisteredName, Registration, RegistrationRecord, RegistryStatus
from checks.model import (
    MANUAL,
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
    not_applicable,
    passed,
    unknown,
    warned,
)

WARN, FAIL = timedelta(days=60), timedelta(days=30)
HOLDS = (RegistryStatus.CLIENT_HOLD, RegistryStatus.SERVER_HOLD)
LEAVING = (RegistryStatus.PENDING_DELETE, RegistryStatus.REDEMPTION, RegistryStatus.PENDING_RESTORE)
LOCKS = (
    RegistryStatus.CLIENT_LOCK,
    RegistryStatus.SERVER_LOCK,
    RegistryStatus.LOCK,
    RegistryStatus.LOCKED,
)

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE, MANUAL),
    sources=(Source("+"),),
    references=(
        Reference(
            "ICANN: EPP Status Codes", "https://www.icann.org/resources/pages/epp-status-codes-2014-06-16-en"
        ),
        Reference(
            "RFC 9083: JSON Responses for the Registration Data Access Protocol (RDAP)",
            "https://www.rfc-editor.org/rfc/rfc9083",
        ),
    ),
    title=Text(
        "The domain is registered for more than 60 days, locked and not on hold",
        "ドメインの有効期限が60日より先で、移管ロックがあり、停止されていない",
    ),
    why=Text(
        "A lapsed domain is bought by others within days, and whoever holds it receives the instance's mail and passes its checks. Losing it is worse than losing the server.",
        "失効したドメインは数日で他人に取得され、その人がメールを受け取り、サーバになりすませます。サーバを失うより深刻です。",
    ),
    expected=Text(
        "The registry shows more than 60 days left, a transfer lock, and no hold status (60 days or less give a warning, 30 or less are not met). Where it shows no end date: auto-renewal is on, with a means of payment that is valid.",
        "レジストリの情報で、有効期限まで60日を超え、移管ロックがかかり、停止を示すステータスがない状態（60日以内は「注意」、30日以内は「未達成」）。有効期限が公開されていない場合は、自動更新と有効な支払い方法が設定されていること。",
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
    codes={
        "lasts": Text(
            "{name} is registered until {until} ({days} days) and locked against transfer.",
            "{name} の登録は {until} まで有効（残り {days} 日）で、移管ロックもかかっています。",
        ),
        "extended": Text(
            "{name} runs until {until} because the registry has just extended it by itself: see that the registrar's bill is paid, or it is taken back.",
            "{name} はレジストリ側で自動的に延長されたばかりです（{until} まで）。登録事業者への支払いが済んでいないと取り消されるので、確認してください。",
        ),
        "ends": Text(
            "The registration of {name} ends in {days} days, on {until}.",
            "{name} の登録はあと {days} 日（{until}）で切れます。",
        ),
        "no_lock": Text(
            "{name} runs until {until}, but the registry shows no transfer lock. A few country domains have none to offer.",
            "{name} の登録は {until} まで有効ですが、移管ロックが確認できません。国別ドメインの一部には、この仕組み自体がないものもあります。",
        ),
        "ends_soon": Text(
            "The registration of {name} ends in {days} days, on {until}. If auto-renewal is on, see in the registrar's account why it has not renewed yet.",
            "{name} の登録はあと {days} 日（{until}）で切れます。自動更新を設定しているなら、まだ更新されていない理由を登録事業者の管理画面で確認してください。",
        ),
        "expired": Text(
            "The registration of {name} ended on {until}.",
            "{name} の登録は {until} に切れています。",
        ),
        "hold": Text(
            "{name} is on hold ({status}): it is taken out of the DNS.",
            "{name} は停止状態（{status}）で、DNS から外されています。",
        ),
        "leaving": Text(
            "{name} is about to be deleted ({status}); it can still be bought back from the registrar.",
            "{name} は削除手続き中（{status}）です。登録事業者に連絡すれば、まだ復旧できる可能性があります。",
        ),
        "no_end": Text(
            "The registry of {name} publishes no end date.",
            "{name} のレジストリは有効期限を公開していません。",
        ),
        "no_status": Text(
            "The registry of {name} publishes no status, so a hold or a lock cannot be seen.",
            "{name} のレジストリはステータスを公開しておらず、停止やロックの有無を確認できません。",
        ),
        "no_service": Text(
            "No RDAP service is known for {name}.",
            "{name} を調べられる RDAP サービスが知られていません。",
        ),
        "not_found": Text(
            "{server} knows no registration of {name}.",
            "{server} に {name} の登録が見つかりません。",
        ),
        "lent": Text(
            "{name} is lent under {suffix}, and its owner keeps the registration.",
            "{name} は {suffix} の下で貸し出されている名前で、登録の管理者は別にいます。",
        ),
    },
)

_GRAVITY = (Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.NOT_APPLICABLE)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(Registration)
    return gravest([_of_name(name, found.seen_at) for name in found.names])


def gravest(verdicts: Sequence[Verdict]) -> Verdict:
    """The first of the worst.  A mail domain that could not be seen takes nothing from the web name's pass,
    but what could not be seen of the web name is not made good by the mail domain."""
    first = verdicts[0]
    worst = min(verdicts, key=lambda verdict: _GRAVITY.index(verdict.status))
    unseen = first.status in {Status.UNKNOWN, Status.MANUAL}
    return first if unseen and worst.status is Status.PASS else worst


def _of_name(found: RegisteredName, now: datetime) -> Verdict:
    record, name = found.record, found.name
    if found.lent_by:
        return not_applicable("lent", name=name, suffix=found.lent_by)
    if isinstance(record, Missing):
        return Verdict(Status.UNKNOWN, reason=record.reason, detail=record.detail)
    if not found.server:
        return unknown("no_service", Reason.NOT_ASKED, name=name)
    if record is None:
        return unknown("not_found", Reason.NOT_ASKED, name=name, server=found.server)
    return _judged(name, record, now).seen(f"RDAP {name}", _told(record, found.server))


def _judged(name: str, record: RegistrationRecord, now: datetime) -> Verdict:
    statuses, ends = record.statuses or (), record.expires
    for status in statuses:
        if status in LEAVING:
            return failed("leaving", name=name, status=status.value)
        if status in HOLDS:
            return failed("hold", name=name, status=status.value)
    if ends is None:
        return unknown("no_end", Reason.NOT_ASKED, name=name)
    if isinstance(ends, Missing):
        return Verdict(Status.UNKNOWN, reason=ends.reason, detail=ends.detail)
    left, until = ends - now, ends.date().isoformat()
    if left <= timedelta(0):
        return failed("expired", name=name, until=until)
    if left <= FAIL:
        return failed("ends_soon", name=name, until=until, days=left.days)
    if left <= WARN:
        return warned("ends", name=name, until=until, days=left.days)
    if record.statuses is None:
        return unknown("no_status", Reason.NOT_ASKED, name=name)
    if not any(status in LOCKS for status in statuses):
        return warned("no_lock", name=name, until=until)
    if RegistryStatus.AUTO_RENEW in statuses:
        return passed("extended", name=name, until=until)
    return passed("lasts", name=name, until=until, days=left.days)


def _told(record: RegistrationRecord, server: str) -> str:
    ends = record.expires.isoformat() if isinstance(record.expires, datetime) else "-"
    lines = [f"server: {server}", f"expiration: {ends}"]
    lines.append(f"status: {', '.join(status.value for status in record.statuses or ()) or '-'}")
    return "\n".join([*lines, *([f"registrar: {record.registrar}"] if record.registrar else [])])
