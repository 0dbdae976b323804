"""Deliveries of every kind, with what real looks and feeds would have put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from fedisec.accounts.models import User
from fedisec.alerts.models import Channel, ChannelKind, Delivery, MailKind, Notice
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, Incident, ItemState, Scan
from tests.factories import a_subscriber, an_instance

NOW = datetime(2026, 11, 21, 20, 31, tzinfo=UTC)
_numbers = count(1)

SSH = ("ssh.password_login_off", "offered", {"port": 22, "user": "root", "methods": "publickey, password"})
SSH_SEEN = ("SSH 198.51.100.7 port 22", "userauth methods for root: publickey,password")
PANELS = ("app.panels_closed", "open", {"path": "/sidekiq", "kind": "Sidekiq"})
PANELS_SEEN = ("GET https://example.social/sidekiq", "200, <title>Sidekiq</title>")
HSTS = ("http.hsts", "short", {"days": 30})
HSTS_SEEN = ("GET https://example.social/", "strict-transport-security: max-age=2592000")
SPF = ("mail.spf", "several", {"name": "example.social", "count": 2})
SPF_SEEN = ("TXT example.social", "v=spf1 mx -all | v=spf1 include:mail.example -all")


class Post:
    """What one recipient is told, a notice at a time; `delivery()` packs them."""

    def __init__(self, user: User | None = None, channel: Channel | None = None) -> None:
        self.user, self.channel = user, channel
        self.notices: list[Notice] = []

    def tell(self, kind: MailKind, **fields: Any) -> Notice:
        fields.setdefault("about", f"sample {next(_numbers)}")
        fields.setdefault("created_at", NOW)
        notice = Notice.objects.create(kind=kind, user=self.user, channel=self.channel, **fields)
        self.notices.append(notice)
        return notice

    def change(self, kind: MailKind, change: Change) -> Notice:
        return self.tell(kind, change=change, incident=change.incident, instance=change.instance)

    def delivery(self) -> Delivery:
        first = self.notices[0]
        instances = {notice.instance_id for notice in self.notices}
        mail = Delivery.objects.create(
            kind=first.kind,
            about=first.about,
            instance=first.instance if len(instances) == 1 else None,
            user=self.user,
            channel=self.channel,
            message_id=f"<{first.kind}.{next(_numbers)}@fedisec.example>",
            created_at=NOW,
        )
        Notice.objects.filter(pk__in=[notice.pk for notice in self.notices]).update(delivery=mail)
        self.notices = []
        return mail


def a_reader(instance: Instance, **fields: Any) -> User:
    return a_subscriber(instance, **fields)


def a_channel(instance: Instance) -> Channel:
    return Channel.objects.create(team=instance.team, kind=ChannelKind.WEBHOOK, name="ops", language="en")


def a_scan(instance: Instance, at: datetime = NOW) -> Scan:
    return Scan.objects.create(instance=instance, reason="scheduled", state="done", finished_at=at)


def a_change(
    instance: Instance,
    item_id: str,
    kind: str = "regressed",
    at: datetime = NOW,
    *,
    code: str = "",
    data: Any = None,
    evidence: Any = None,
    incident: Incident | None = None,
    scan: Scan | None = None,
) -> Change:
    after = "fail" if kind in {"regressed", "flapping"} else "pass"
    if incident is None and kind in {"regressed", "recovered", "flapping", "calmed"}:
        opened = at - timedelta(days=2) if kind == "recovered" else at
        incident = Incident.objects.create(
            instance=instance, item_id=item_id, opened_at=opened, closed_at=None if after == "fail" else at
        )
    return Change.objects.create(
        instance=instance,
        scan=scan or a_scan(instance, at),
        item_id=item_id,
        kind=kind,
        incident=incident,
        after=after,
        code=code,
        data={} if data is None else data,
        evidence=[] if evidence is None else evidence,
        created_at=at,
    )


def a_fall(instance: Instance, what: Sequence[Any], seen: Sequence[str], at: datetime = NOW) -> Change:
    item_id, code, data = what
    return a_change(instance, item_id, at=at, code=code, data=data, evidence=[list(seen)])


def a_pair(instance: Instance, item_id: str, since: datetime, until: datetime) -> tuple[Change, Change]:
    """A fall and its end, of one incident."""
    incident = Incident.objects.create(
        instance=instance, item_id=item_id, opened_at=since, closed_at=until, closed_by="recovered"
    )
    down = a_change(instance, item_id, at=since, incident=incident)
    return down, a_change(instance, item_id, "recovered", until, incident=incident)


def a_state(instance: Instance, item_id: str, settled: str = "fail") -> ItemState:
    return ItemState.objects.create(
        instance=instance, item_id=item_id, status=settled, settled=settled, since=NOW, seen_at=NOW
    )


# One function for each kind of mail: (post, instance) -> delivery.


def regression(post: Post, instance: Instance) -> Delivery:
    """The usual one: two fell, one came back, one did both within this mail."""
    for what, seen in ((SSH, SSH_SEEN), (HSTS, HSTS_SEEN)):
        post.change(MailKind.REGRESSION, a_fall(instance, what, seen))
    post.change(MailKind.RECOVERY, a_change(instance, "domain.caa", "recovered"))
    pair = a_pair(instance, "mail.spf", NOW - timedelta(minutes=60), NOW - timedelta(minutes=29))
    for kind, change in zip((MailKind.REGRESSION, MailKind.RECOVERY), pair, strict=True):
        post.change(kind, change)
    for item_id in ("mail.dmarc", "host.disk_space", "tls.versions"):
        a_state(instance, item_id)
    return post.delivery()


def recovery(post: Post, instance: Instance) -> Delivery:
    post.change(MailKind.RECOVERY, a_change(instance, "ssh.password_login_off", "recovered"))
    return post.delivery()


def many(post: Post, instance: Instance, servers: int = 4) -> Delivery:
    """Several servers in one mail, some of them with the same trouble."""
    for number in range(servers):
        other = an_instance(domain=f"server{number}.example") if number else instance
        post.change(MailKind.REGRESSION, a_fall(other, PANELS, PANELS_SEEN))
        if number % 2:
            post.change(MailKind.REGRESSION, a_fall(other, SPF, SPF_SEEN))
            a_state(other, "mail.dmarc")
        if number % 3 == 2:
            silent = {"code": "silent", "count": 2}
            down = a_change(other, REACH, code="silent", data=silent, evidence=_SILENCE)
            post.change(MailKind.UNREACHABLE, down)
    return post.delivery()


_SILENCE = [["198.51.100.7 port 443", "timeout"], ["2001:db8::7 port 443", "timeout"]]


def unreachable(post: Post, instance: Instance) -> Delivery:
    data = {"code": "silent", "count": 2, "also": ["domain.dnssec"]}
    down = a_change(
        instance, REACH, at=NOW - timedelta(minutes=16), code="silent", data=data, evidence=_SILENCE
    )
    post.change(MailKind.UNREACHABLE, down)
    return post.delivery()


def reached_again(post: Post, instance: Instance) -> Delivery:
    pair = a_pair(instance, REACH, NOW - timedelta(hours=3), NOW)
    for change in pair:
        post.change(MailKind.UNREACHABLE, change)
    return post.delivery()


def flapping(post: Post, instance: Instance) -> Delivery:
    item_id, code, data = HSTS
    change = a_change(instance, item_id, "flapping", code=code, data=data, evidence=[list(HSTS_SEEN)])
    post.change(MailKind.FLAPPING, change)
    post.change(MailKind.FLAPPING, a_change(instance, "domain.caa", "calmed"))
    return post.delivery()


def blind(post: Post, instance: Instance) -> Delivery:
    items = ["mail.spf", "mail.dmarc", "domain.dnssec"]
    post.change(MailKind.BLIND, a_change(instance, "blind", "blind", data={"items": items}))
    return post.delivery()


def certificate(post: Post, instance: Instance) -> Delivery:
    data = {
        "item": "tls.certificate_lasts",
        "address": "198.51.100.7",
        "fingerprint": "5f" * 32,
        "not_before": (NOW - timedelta(days=83)).isoformat(),
        "not_after": (NOW + timedelta(days=7, hours=-2)).isoformat(),
        "threshold": "7d",
    }
    post.tell(MailKind.CERTIFICATE, instance=instance, data=data)
    return post.delivery()


def host_key(post: Post, instance: Instance) -> Delivery:
    data = {
        "before": "ssh-ed25519 SHA256:" + "Xw3b" * 10,
        "after": "ssh-ed25519 SHA256:" + "p9Qz" * 10,
        "seen_at": NOW.isoformat(),
    }
    post.tell(MailKind.HOST_KEY, instance=instance, data=data)
    return post.delivery()


def reminder(post: Post, instance: Instance) -> Delivery:
    other = an_instance(domain="friends.example")
    rows = ((instance, "mail.dmarc", 40), (instance, "ssh.password_login_off", 7), (other, REACH, 9))
    for server, item_id, days in rows:
        since = NOW - timedelta(days=days)
        incident = Incident.objects.create(instance=server, item_id=item_id, opened_at=since)
        data = {"item": item_id, "number": 1, "since": since.isoformat(), "state": "not_met"}
        post.tell(MailKind.REMINDER, instance=server, incident=incident, data=data)
    return post.delivery()


def ending(post: Post, instance: Instance) -> Delivery:
    rows: tuple[tuple[str, str, int, bool], ...] = (
        ("attestation", "legal.privacy_policy", 14, False),
        ("waiver", "http.csp", 0, False),
        ("waiver", "edge.cdn", 14, True),
    )
    for kind, item_id, days, asks in rows:
        data = {"kind": kind, "item": item_id, "title": "", "days": days, "asks": asks, "state": "needs_you"}
        at = (NOW + timedelta(days=days)).isoformat()
        post.tell(MailKind.ENDING, instance=instance, data={**data, "at": at})
    return post.delivery()


def a_week(domain: str, **more: Any) -> dict[str, Any]:
    numbers = (
        "not_met",
        "new",
        "needs_you",
        "worse",
        "better",
        "rejudged",
        "silences",
        "warnings",
        "unseen",
        "ends",
    )
    return {
        "id": 1,
        "domain": domain,
        "added": False,
        "paused": False,
        "looked_at": NOW.isoformat(),
        "unreached_since": None,
        "not_met_since": None,
        "levels": {"required": [24, 28]},
        "changes": [],
        "unseen_items": [],
        "endings": [],
        **dict.fromkeys(numbers, 0),
        **more,
    }


def a_digest(*weeks: dict[str, Any], instances: int | None = None) -> dict[str, Any]:
    names = ("worse", "better", "rejudged", "silences", "warnings", "unseen", "ends", "not_met")
    return {
        "week": "2026-W47",
        "since": (NOW - timedelta(days=7)).isoformat(),
        "until": NOW.isoformat(),
        "quiet": not any(week["worse"] or week["better"] for week in weeks),
        "instances": instances or len(weeks),
        "sums": {name: sum(week[name] for week in weeks) for name in names},
        "listed": list(weeks),
    }


def digest(post: Post, instance: Instance) -> Delivery:
    busy = a_week(
        instance.domain,
        not_met=2,
        not_met_since=(NOW - timedelta(days=18)).isoformat(),
        warnings=3,
        worse=1,
        better=2,
        rejudged=1,
        changes=[
            ["ssh.password_login_off", "regressed", "fail"],
            ["domain.caa", "recovered", "pass"],
            ["mail.spf", "recovered", "pass"],
            ["http.csp", "rejudged", "warn"],
        ],
        unseen=1,
        unseen_items=["mail.starttls"],
        ends=1,
        endings=[["waiver", "edge.cdn", "", (NOW + timedelta(days=9)).isoformat(), False]],
    )
    calm = a_week("friends.example", needs_you=3)
    silent = a_week("old.example", unreached_since=(NOW - timedelta(days=2)).isoformat(), silences=1)
    post.tell(MailKind.DIGEST, data=a_digest(busy, calm, silent))
    return post.delivery()


def calm_digest(post: Post, instance: Instance) -> Delivery:
    post.tell(MailKind.DIGEST, data=a_digest(a_week(instance.domain, needs_you=2)))
    return post.delivery()


def news(post: Post, instance: Instance) -> Delivery:
    release = {
        "kind": "release",
        "software": "Mastodon",
        "version": "4.5.19",
        "title": "v4.5.19",
        "url": "https://github.com/mastodon/mastodon/releases/tag/v4.5.19",
        "urgent": True,
        "published": NOW.isoformat(),
        "source": "Mastodon releases",
        "runs": "4.5.4",
    }
    warning = {
        "kind": "warning",
        "title": "OpenSSH: a race in the signal handler of sshd",
        "url": "https://jvndb.jvn.jp/ja/contents/2026/JVNDB-2026-000001.html",
        "published": NOW.isoformat(),
        "source": "JVN",
        "severity": "8.1 (high)",
    }
    for data in (release, warning):
        post.tell(MailKind.NEWS, instance=instance, data=data)
    return post.delivery()


def outage(post: Post, instance: Instance) -> Delivery:
    data = {
        "what": "offline",
        "host": "scanner1",
        "since": (NOW - timedelta(minutes=40)).isoformat(),
        "until": NOW.isoformat(),
        "waited": 212,
        "dropped": 3,
    }
    post.tell(MailKind.OUTAGE, data=data)
    return post.delivery()


def standstill(post: Post, instance: Instance) -> Delivery:
    since = (NOW - timedelta(hours=9)).isoformat()
    data = {"what": "stopped", "since": since, "until": NOW.isoformat(), "missed": 14}
    post.tell(MailKind.OUTAGE, data=data)
    return post.delivery()


def trial(post: Post, instance: Instance) -> Delivery:
    post.tell(MailKind.TEST)
    return post.delivery()


SAMPLES: dict[str, Callable[[Post, Instance], Delivery]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        regression,
        recovery,
        many,
        unreachable,
        reached_again,
        flapping,
        blind,
        certificate,
        host_key,
        reminder,
        ending,
        digest,
        calm_digest,
        news,
        outage,
        standstill,
        trial,
    )
}
