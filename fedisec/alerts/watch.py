"""Who hears of an instance, and what a scan may know about that.  Called by dotted path from the settings,
because scans and instances lie below alerts."""

from __future__ import annotations

from checks.facts import Fact
from fedisec.alerts.models import Subscription
from fedisec.instances.models import Instance


def subscribe_creator(instance: Instance) -> None:
    """Who adds an instance hears of it, until they say otherwise."""
    if instance.created_by_id is not None:
        Subscription.objects.get_or_create(user_id=instance.created_by_id, instance=instance)


def self_facts(instance: Instance) -> tuple[Fact, ...]:
    """Facts that only the dashboard can give."""
    return ()
