"""What instances are made of, until when it is kept up, and what people wrote down of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from fedisec.instances.models import Instance


class StatedEnd(models.TextChoices):
    """Why a line by hand no longer stands; "" while it does."""

    REPLACED = "replaced"
    REMOVED = "removed"
    OVER = "over"  # its time was up and nobody confirmed it


class Stated(models.Model):
    """A product that a person says an instance runs, valid until a day; ended, never edited."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="stated")
    product = models.CharField(max_length=60)  # of the known ones, or as typed
    version = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, blank=True)  # a StatedEnd

    class Meta:
        ordering = ("product", "version", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "product", "version"],
                condition=Q(ended_at=None),
                name="one_live_line_by_hand",
            ),
        )
        indexes = (models.Index(fields=["valid_until"], condition=Q(ended_at=None), name="stated_ends"),)

    def __str__(self) -> str:
        return f"{self.product} {self.version} of {self.instance_id}"


class Stock(models.Model):
    """The parts that an instance is made of, each with where it was taken from.  Made anew when a whole look
    brought others, or a person wrote something down."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="stock", primary_key=True)
    scan_id = models.BigIntegerField(default=0)  # the newest look it was made from
    parts = models.JSONField(default=list)  # see fedisec.watch.parts.to_json
    made_at = models.DateTimeField()
    placed_on = models.DateField(null=True, blank=True)  # the day its ends were counted; NULL: to be done

    class Meta:
        indexes = (models.Index(fields=["placed_on"], name="stock_to_place"),)

    def __str__(self) -> str:
        return f"stock of {self.instance_id}"


class Lifecycle(models.Model):
    """What a source said last, and was believed, of the ends of a product."""

    source = models.OneToOneField("watch.Source", models.CASCADE, related_name="lifecycle", primary_key=True)
    product = models.CharField(max_length=40, unique=True)  # of stack.toml, os-release(5), a software
    releases = models.JSONField(default=list)  # see fedisec.watch.lifecycles
    as_of = models.DateField()  # the last day on which the source said so

    def __str__(self) -> str:
        return self.product


class Ending(models.Model):
    """The end of one kind of support of one thing that an instance runs, and how far its people know.

    `waits_since` is set while a step was reached of which nobody heard: whoever sets it to NULL tells."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="product_endings")
    product = models.CharField(max_length=60)
    branch = models.CharField(max_length=40)
    support = models.CharField(max_length=10)  # a parts.EndKind
    version = models.CharField(max_length=60)  # that runs
    day = models.DateField(null=True, blank=True)  # the last one with support; NULL = not known
    goes_to = models.CharField(max_length=60, blank=True)
    live = models.BooleanField(default=True)  # False: it runs no more
    step = models.PositiveSmallIntegerField(default=0)  # 90, 30 or 7 days ahead, the last that was told
    told_day = models.DateField(null=True, blank=True)  # the end that was named then
    told_at = models.DateTimeField(null=True, blank=True)
    waits_step = models.PositiveSmallIntegerField(default=0)
    waits_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("day", "product", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "product", "branch", "support"], name="one_ending_of_a_branch"
            ),
        )
        indexes = (
            models.Index(fields=["waits_since"], condition=Q(waits_since__isnull=False), name="ending_waits"),
            models.Index(fields=["product"], name="endings_of_product"),
        )

    def __str__(self) -> str:
        return f"{self.product} {self.branch} of {self.instance_id}"
