"""What people say about items: attestations, waivers, notes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fedisec.instances.models import Instance


class _Said(models.Model):
    """Who said what about which item, and when; an entry is ended, never edited."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="%(class)ss")
    item_id = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True


class Attestation(_Said):
    """A person's answer, valid until a day.  A newer machine `fail` ends it (`ended_why` = machine)."""

    met = models.BooleanField()
    note = models.TextField(max_length=2000, blank=True)
    link = models.URLField(max_length=500, blank=True)
    valid_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, blank=True)  # replaced, withdrawn, machine

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "item_id"], condition=Q(ended_at=None), name="one_live_attestation"
            ),
        )

    def __str__(self) -> str:
        return f"{self.item_id}: {'met' if self.met else 'not met'} until {self.valid_until:%Y-%m-%d}"


class WaiverKind(models.TextChoices):
    ACCEPTED_RISK = "accepted_risk", _("accepted risk")
    FALSE_POSITIVE = "false_positive", _("false positive")
    NOT_APPLICABLE = "not_applicable", _("not applicable here")
    COMPENSATED = "compensated", _("compensating control")


class Waiver(_Said):
    """A decision to live with an item as it is, with a reason and an end (a year at most)."""

    kind = models.CharField(max_length=20)  # a WaiverKind
    reason = models.TextField(max_length=2000)
    valid_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "item_id"], condition=Q(ended_at=None), name="one_live_waiver"
            ),
        )

    def __str__(self) -> str:
        return f"{self.item_id}: {self.kind} until {self.valid_until:%Y-%m-%d}"


class Note(_Said):
    """A remark in an item's thread."""

    text = models.TextField(max_length=2000)

    def __str__(self) -> str:
        return f"note on {self.item_id}"
