"""What people say about items: attestations, waivers, notes; and the items that are a team's own."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checks.model import Level
from fedisec.accounts.models import Team
from fedisec.instances.models import Instance


class EndedWhy(models.TextChoices):
    """Why an entry no longer stands; "" while it does."""

    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"  # taken back within seconds, as if it had never been given
    MACHINE = "machine"  # a newer fail, confirmed by the machine


class _Said(models.Model):
    """Who said what about which item, and when; an entry is ended, never edited."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="%(class)ss")
    item_id = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, blank=True)  # an EndedWhy

    class Meta:
        abstract = True


class EndingTold(models.IntegerChoices):
    """How far people were told of the end of an answer or a waiver."""

    NOTHING = 0
    AHEAD = 1  # that it ends soon
    ENDED = 2


class Attestation(_Said):
    """A person's answer, valid until a day.  A newer machine `fail` ends it (`ended_why` = machine)."""

    met = models.BooleanField()
    note = models.TextField(max_length=2000, blank=True)
    link = models.URLField(max_length=500, blank=True)
    valid_until = models.DateTimeField()
    ending_told = models.PositiveSmallIntegerField(default=EndingTold.NOTHING)

    class Meta:
        indexes = (
            models.Index(
                fields=["ending_told", "valid_until"], condition=Q(ended_at=None), name="attestation_ends"
            ),
        )
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
    """A decision to live with an item as it is, with a reason and an end (a year at most).  What does not
    apply may stay without an end (`valid_until` NULL); then it is asked again every year."""

    kind = models.CharField(max_length=20)  # a WaiverKind
    reason = models.TextField(max_length=2000)
    valid_until = models.DateTimeField(null=True, blank=True)
    ending_told = models.PositiveSmallIntegerField(default=EndingTold.NOTHING)

    class Meta:
        indexes = (
            models.Index(
                fields=["ending_told", "valid_until"], condition=Q(ended_at=None), name="waiver_ends"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "item_id"], condition=Q(ended_at=None), name="one_live_waiver"
            ),
        )

    def __str__(self) -> str:
        until = f"{self.valid_until:%Y-%m-%d}" if self.valid_until else "asked again"
        return f"{self.item_id}: {self.kind} until {until}"


class Note(_Said):
    """A remark in an item's thread.  One that was undone stays in the table and on no page."""

    text = models.TextField(max_length=2000)

    def __str__(self) -> str:
        return f"note on {self.item_id}"


class Undo(models.Model):
    """How to take one act of a person back, for some seconds.  `steps` holds row ids:
    {"made": {"attestation": [..], ..}, "ended": {"attestation": [..], ..}, "items": ["plan.x", ..]}."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    steps = models.JSONField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"undo of {self.at:%Y-%m-%d %H:%M:%S}"


class OwnItem(models.Model):
    """A question that a team asks itself, in its own words: of one instance, or of all (`instance` NULL).
    A retired one asks nobody any more; its answers stay."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="own_items")
    instance = models.ForeignKey(Instance, models.CASCADE, null=True, blank=True, related_name="own_items")
    level = models.CharField(max_length=12, default=Level.RECOMMENDED.value)  # a checks.model.Level
    title = models.CharField(max_length=200)
    why = models.TextField(max_length=2000, blank=True)
    expected = models.TextField(max_length=2000, blank=True)
    renew_days = models.PositiveSmallIntegerField(default=180)  # default validity of an answer
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.title

    @property
    def item_id(self) -> str:
        return f"own.{self.pk}"
