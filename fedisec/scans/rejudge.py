"""Judges stored facts by the rules of this version: no network, nobody is told."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from checks import CHECKS_VERSION
from checks.codec import CodecError, decode_facts
from checks.errors import Reason
from checks.model import Verdict
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState, Scan
from fedisec.scans.record import judge, move_states
from fedisec.scans.settle import Kind

log = logging.getLogger(__name__)


def last_scan(instance: Instance) -> Scan | None:
    """The last look at the whole checklist that still has its facts."""
    return Scan.objects.whole().filter(instance=instance, facts__isnull=False).first()


def rejudge(scan: Scan) -> int:
    """Evaluates the facts of `scan` again and moves the states; returns how many items are judged otherwise.
    Facts of a form that this version cannot read are left alone: the next scan brings new ones."""
    try:
        judged = judge(decode_facts(scan.facts))
    except CodecError as error:
        log.warning("the facts of scan %s cannot be read any more: %s", scan.pk, error)
        return 0
    with transaction.atomic():
        instance = Instance.objects.select_for_update().get(pk=scan.instance_id)
        if last_scan(instance) != scan:
            return 0  # a newer look was recorded meanwhile, by these rules
        newer = ItemState.objects.filter(instance=instance, seen_at__gt=scan.finished_at)
        skipped = set(newer.values_list("item_id", flat=True))
        # What the old look did not bring is no news; the page keeps what it knew.
        looked_for = judged.only(
            key
            for key, verdict in judged.verdicts.items()
            if key not in skipped and not _not_looked_for(verdict)
        )
        now = timezone.now()
        move_states(scan, looked_for, began=now, now=now, again=True)
        Scan.objects.filter(pk=scan.pk).update(counts=judged.counts, checks_version=CHECKS_VERSION)
        import_string(settings.ON_RECORDED)(scan.instance, now, scanned=False)
    return Change.objects.filter(scan=scan, kind=Kind.REJUDGED, created_at=now).count()


def _not_looked_for(verdict: Verdict) -> bool:
    return verdict.reason is Reason.NOT_ASKED and not verdict.code
