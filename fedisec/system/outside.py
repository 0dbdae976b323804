"""What fedisec sees of the network and what leaves it: read from what its own scans and mails met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings

from checks.codec import CodecError, decode_facts
from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses, ResolverHealth
from checks.facts.mail import SmtpHosts
from fedisec.alerts import relay
from fedisec.alerts.models import Delivery, DeliveryState
from fedisec.scans.models import Outlook, Scan
from fedisec.system.line import Line, State
from fedisec.watch.models import Source
from fedisec.watch.standing import Standing, standing_of

HEARD_LATELY = timedelta(hours=1)
SEEN_LATELY = timedelta(days=2)  # by a scan; servers are looked at daily
SCANS = 3
MAIL_PATIENCE = timedelta(minutes=10)


def network(now: datetime) -> Line:
    """Machines that scan, by their anchors."""
    if settings.ANCHORS is None:
        return Line("network", State.UNKNOWN, "switched_off")
    rows = list(Outlook.objects.filter(checked_at__gt=now - HEARD_LATELY).order_by("host"))
    if not rows:
        return Line("network", State.UNKNOWN, "not_asked")
    out = [row.host for row in rows if row.offline_since is not None]
    if out:
        return Line("network", State.BROKEN, "offline", {"hosts": ", ".join(out)})
    return Line("network", State.OK, "online", {"n": len(rows)}, max(row.checked_at for row in rows))


def resolver(now: datetime) -> Line:
    """Whether it set AD on a signed name and refused a bogus one, in the newest scan that asked."""
    for at, facts in _seen(now):
        health = facts.maybe(ResolverHealth)
        if health is None:
            continue
        data = {"address": health.address}
        if isinstance(health.validates, Missing):
            return Line("resolver", State.UNKNOWN, "silent", data, at)
        state = State.OK if health.validates else State.BROKEN
        return Line("resolver", state, "validates" if health.validates else "does_not", data, at)
    return Line("resolver", State.UNKNOWN, "no_scan")


def ipv6(now: datetime) -> Line:
    """The way out over IPv6: an IPv6 anchor that answered, or a scan that found the way open."""
    for row in Outlook.objects.filter(checked_at__gt=now - HEARD_LATELY):
        heard = [datetime.fromisoformat(at) for name, at in row.answered.items() if name.startswith("[")]
        if heard and now - max(heard) < HEARD_LATELY:
            return Line("ipv6", State.OK, "open", at=max(heard))
    for at, facts in _seen(now):
        found = facts.maybe(Addresses)
        if found is not None:
            usable = found.ipv6_usable
            state = State.OK if usable else State.ATTENTION
            return Line("ipv6", state, "open" if usable else "closed", at=at)
    return Line("ipv6", State.UNKNOWN, "no_scan")


def port_25(now: datetime) -> Line:
    """The way out to port 25, as scans of mail hosts met it."""
    blocked: datetime | None = None
    for at, facts in _seen(now):
        found = facts.maybe(SmtpHosts)
        sessions = [host.session for host in found.hosts if not host.hosted] if found else []
        if any(not isinstance(session, Missing) for session in sessions):
            return Line("port_25", State.OK, "open", at=at)
        gap = facts.missing.get(SmtpHosts)
        gaps = [one for one in (*sessions, gap) if isinstance(one, Missing)]
        if any(one.reason is Reason.PORT_BLOCKED for one in gaps):
            blocked = blocked or at
    if blocked is not None:
        return Line("port_25", State.ATTENTION, "closed", at=blocked)
    return Line("port_25", State.UNKNOWN, "no_scan")


def mail(now: datetime) -> Line:
    """Whether mails leave: the newest that a relay took, and those that wait after an error."""
    if not relay.is_set():
        return Line("mail", State.ATTENTION, "no_relay", {"folder": str(settings.EMAIL_FILE_PATH)})
    mails = Delivery.objects.filter(user__isnull=False)
    stuck = mails.filter(
        state__in=(DeliveryState.PENDING, DeliveryState.SENDING),
        attempts__gt=0,
        created_at__lt=now - MAIL_PATIENCE,
    )
    first = stuck.order_by("created_at").values_list("answer", flat=True).first()
    if first is not None:
        return Line("mail", State.BROKEN, "stuck", {"n": stuck.count(), "why": first[:200]})
    taken = mails.filter(state=DeliveryState.SENT, sent_at__isnull=False).order_by("-pk")
    sent = taken.values_list("sent_at", flat=True).first()
    if sent is None:
        return Line("mail", State.UNKNOWN, "none_yet")
    return Line("mail", State.OK, "taken", at=sent)


_BAD = (Standing.STALE, Standing.SILENT, Standing.HELD)


def feeds(now: datetime) -> Line:
    """The feeds that servers here need."""
    if not settings.FEEDS:
        return Line("feeds", State.UNKNOWN, "switched_off")
    counts = Counter(standing_of(source, now) for source in Source.objects.all())
    bad = sum(counts[one] for one in _BAD)
    read = counts[Standing.READ] + counts[Standing.FAILING]
    if bad:
        return Line("feeds", State.ATTENTION, "stale", {"n": bad})
    if not read:
        return Line("feeds", State.UNKNOWN, "none_read")
    return Line("feeds", State.OK, "fresh", {"n": read})


def _seen(now: datetime) -> Iterator[tuple[datetime, Facts]]:
    """What the newest scans saw, the newest first, each read when it is asked for."""
    scans = Scan.objects.whole().filter(
        facts__isnull=False, finished_at__gt=now - SEEN_LATELY, instance__demo=False
    )
    for finished_at, facts in scans.order_by("-pk").values_list("finished_at", "facts")[:SCANS].iterator():
        with suppress(CodecError):
            decoded = decode_facts(facts)
            assert finished_at is not None  # the filter says so
            yield finished_at, decoded
