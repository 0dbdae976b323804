"""Who hears of an instance, and what a scan may know about that.  Called by dotted path from the settings,
because scans and instances lie below alerts."""

from __future__ import annotations

from django.conf import settings

from checks.facts import Fact
from checks.facts.fedisec import CertificateWatch
from fedisec.alerts.models import Subscription
from fedisec.instances.models import Instance


def subscribe_creator(instance: Instance) -> None:
    """Who adds an instance hears of it, until they say otherwise."""
    if instance.created_by_id is not None:
        Subscription.objects.get_or_create(user_id=instance.created_by_id, instance=instance)


def self_facts(instance: Instance) -> tuple[Fact, ...]:
    """Facts that only the dashboard can give.  Nobody hears of anything while mails go to a folder."""
    hears = Subscription.objects.filter(instance=instance, user__is_active=True).count()
    recipients = hears if settings.EMAIL_URL else 0
    return (CertificateWatch(watching=not instance.paused, confirmed_recipients=recipients),)
