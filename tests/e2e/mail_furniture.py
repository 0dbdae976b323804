"""What stands on the pages about mails, channels and news: made by hand, like the rest of the furniture."""

from __future__ import annotations

from datetime import datetime, timedelta

from fedisec.accounts.models import Team, User
from fedisec.alerts.models import Channel, Delivery, Subscription
from fedisec.alerts.unsubscribe import Purpose, Ticket, sealed
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Incident, Reach
from fedisec.watch.models import Concern, Entry, Source

_ANSWERS = {
    "sent": "250 2.0.0 Ok: queued as " + "4F1C" * 10,
    "pending": "451 4.7.1 Greylisted, try again later",
    "failed": "SMTPServerDisconnected: Connection unexpectedly closed " + "x" * 200,
}


SILENT = "silent.example"


def furnish_mail(full: Instance, long: Instance, owner: User, now: datetime) -> None:
    """A regression that is open, channels that work and fail, a log of deliveries, and news."""
    Incident.objects.create(instance=full, item_id="http.hsts", opened_at=now - timedelta(days=3))
    Incident.objects.create(
        instance=full,
        item_id="http.xss_protection_off",
        opened_at=now - timedelta(days=40),
        acknowledged_at=now - timedelta(days=2),
        acknowledged_by=owner,
        acknowledged_why="The proxy is replaced next month. " + "w" * 100,
    )
    silent = Instance.objects.get(domain=SILENT)
    Incident.objects.create(instance=silent, item_id=REACH, opened_at=now - timedelta(hours=3))
    Reach.objects.create(
        instance=silent, status="fail", code="silent", settled="fail", alerted=True, since=now, seen_at=now
    )
    Subscription.objects.create(user=owner, instance=full)
    Subscription.objects.create(user=owner, instance=long, snoozed_until=now + timedelta(hours=8))
    working = _channel(full.team, owner, "Operations", "https://hooks.example.org", "webhook")
    _channel(
        full.team, owner, "当番の部屋 " + "w" * 40, "matrix.example", "apprise",
        failing_since=now - timedelta(hours=2),
    )  # fmt: skip
    for number, (state, answer) in enumerate(_ANSWERS.items()):
        for who in ({"user": owner}, {"channel": working}):
            _delivery(full if number else long, state, answer, now - timedelta(hours=number), **who)
    _news(full, now)


def the_way_out() -> str:
    """The address in the owner's mails about one server that ends them."""
    told = Subscription.objects.order_by("pk")[0]
    return f"/unsubscribe/{sealed(Ticket(Purpose.INSTANCE, told.user_id, told.instance_id))}/"


def _channel(team: Team, owner: User, name: str, shown: str, kind: str, **more: object) -> Channel:
    return Channel.objects.create(
        team=team, created_by=owner, kind=kind, name=name, shown=shown, sealed_address="sealed", **more
    )


def _delivery(instance: Instance, state: str, answer: str, at: datetime, **who: object) -> None:
    number = Delivery.objects.count()
    Delivery.objects.create(
        kind="regression",
        about=str(number),
        instance=instance,
        message_id=f"<{number}@furniture>",
        state=state,
        answer=answer,
        attempts=1 + (state != "sent") * 4,
        subject=f"[fedisec] {instance.domain[:60]}: 2 required items now fail",
        created_at=at,
        sent_at=at if state == "sent" else None,
        next_try_at=at + timedelta(minutes=30),
        **who,
    )


def _news(instance: Instance, now: datetime) -> None:
    Source.objects.update(fetched_at=now, last_ok_at=now)
    first, second = Source.objects.order_by("pk")[:2]
    Source.objects.filter(pk=first.pk).update(
        failing_since=now - timedelta(days=2), failures=9, last_error="503 Service Unavailable " + "x" * 200
    )
    Source.objects.filter(pk=second.pk).update(held="backwards", held_detail="4.5.4 after 4.6.0")
    warnings = Source.objects.filter(kind="warnings").order_by("pk")[0]
    for number, said in enumerate(("", "concerns", "not", "done")):
        entry = Entry.objects.create(
            source=warnings,
            guid=f"JVNDB-2026-{number:06}",
            title="Ruby on Rails におけるサービス運用妨害 (DoS) の脆弱性 " + "w" * 60 * (number % 2),
            url="https://jvndb.jvn.jp/ja/contents/2026/JVNDB-2026-000001.html",
            summary="Ruby on Rails には、サービス運用妨害 (DoS) の脆弱性が存在します。" * 3,
            published_at=now - timedelta(days=number),
            data={"id": f"CVE-2026-{number}", "cvss": {"score": 7.5, "severity": "High", "vector": "x"}},
            matched=True,
        )
        Concern.objects.create(
            instance=instance,
            entry=entry,
            story=f"e{entry.pk}",
            product="rails",
            matched="rubyonrails:rails",
            by_cpe=True,
            said=said,
        )
