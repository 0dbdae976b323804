"""Who hears of an instance, of what at once, and what a scan may know about that.  Called by dotted path from
the settings, because scans, enrolment and instances lie below alerts."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from checks.facts import Fact
from checks.facts.fedisec import CertificateWatch
from fedisec.alerts import relay
from fedisec.alerts.models import Delivery, DeliveryState, MailKind, Subscription
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import of_instance
from fedisec.instances.models import Instance


def subscribe_creator(instance: Instance) -> None:
    """Who adds an instance hears of it, until they say otherwise."""
    if instance.created_by_id is not None:
        Subscription.objects.get_or_create(user_id=instance.created_by_id, instance=instance)


def host_key_changed(instance: Instance, before: str, after: str, since: datetime) -> None:
    """A server shows another SSH host key: type and fingerprint of the confirmed one and of the new one.
    `since`: when the logins were stopped.  One mail for each new key of one stop; inside the transaction that
    stops the logins."""
    about = f"{instance.pk} {since.isoformat()} {after}"[:200]
    now = timezone.now()
    data = {"before": before, "after": after, "seen_at": now.isoformat()}
    tell(MailKind.HOST_KEY, about, of_instance(instance.pk), now, instance_id=instance.pk, data=data)


def self_facts(instance: Instance) -> tuple[Fact, ...]:
    """Facts that only the dashboard can give.  Nobody hears of anything while mails go to a folder, nor at an
    address that was never confirmed; a channel counts once it has taken something."""
    hears = [one for one in of_instance(instance.pk) if one.wishes.wants(MailKind.CERTIFICATE)]
    mailed = sum(one.user is not None for one in hears) if relay.is_set() else 0
    channels = [one.channel_id for one in hears if one.channel is not None]
    proved = Delivery.objects.filter(channel__in=channels, state=DeliveryState.SENT).values("channel")
    recipients = mailed + proved.distinct().count()
    return (CertificateWatch(watching=not instance.paused, confirmed_recipients=recipients),)
