"""Who is told, and what became of each mail."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from fedisec.instances.models import Instance
from fedisec.scans.models import Scan


class Subscription(models.Model):
    """A person who hears of an instance's regressions."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="subscriptions")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "instance"], name="one_subscription_each"),)

    def __str__(self) -> str:
        return f"{self.user_id} hears of {self.instance_id}"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class MailKind(models.TextChoices):
    """What a mail tells; each has its own words (`letter`) and its own meaning of `about`."""

    REGRESSION = "regression"  # what a scan changed; about the scan
    HOST_KEY = "host_key"  # a server that shows another SSH host key; about that key and the stop it caused


class Delivery(models.Model):
    """One mail to one person about one thing.  pending -> sending (with a lease) -> sent; an error goes back
    to pending with a growing pause.  The Message-ID is fixed here, so a second copy can be recognised.

    `about` names the thing within its kind: whoever writes the same mail twice finds it there already.
    """

    kind = models.CharField(max_length=20)  # a MailKind; no choices here, so that a new kind is no migration
    about = models.CharField(max_length=200)
    data = models.JSONField(default=dict, blank=True)  # what the words need as it was then; no secrets
    instance = models.ForeignKey(
        Instance, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )  # NULL: about several
    scan = models.ForeignKey(Scan, models.CASCADE, null=True, blank=True, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=500, blank=True)  # what the relay said last

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "about", "user"], name="one_mail_per_thing_and_person"),
        )
        indexes = (
            models.Index(
                fields=["next_try_at"], condition=Q(state__in=("pending", "sending")), name="delivery_queue"
            ),
        )

    def __str__(self) -> str:
        return f"mail to {self.user_id} about {self.kind} {self.about} ({self.state})"
