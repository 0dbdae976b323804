"""Who is told, of what, and what became of each mail or call.

A `Notice` is one thing that one recipient is to hear of; it is stored with the change itself.  Notices are
packed into `Delivery`s when their time has come, and each delivery is sent until the other side has taken it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from fedisec.accounts.models import Team
from fedisec.instances.models import Instance
from fedisec.lib.sealed import SealedField
from fedisec.scans.models import Change, Incident


class Subscription(models.Model):
    """A person who hears of an instance."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="subscriptions")
    snoozed_until = models.DateTimeField(null=True, blank=True)  # held until then, then summarised
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "instance"], name="one_subscription_each"),)

    def __str__(self) -> str:
        return f"{self.user_id} hears of {self.instance_id}"


class MailKind(models.TextChoices):
    """What a notice tells.  Its `about` names the thing within the kind: nobody hears of it twice."""

    REGRESSION = "regression"  # an item is no longer met; about the change
    RECOVERY = "recovery"  # it is met again; about the change
    UNREACHABLE = "unreachable"  # the server does not answer, or answers again; about the change
    FLAPPING = "flapping"  # an item goes to and fro, or came to rest; about the change
    BLIND = "blind"  # items could not be seen for three scans; about the scan
    CERTIFICATE = "certificate"  # less of its life is left than a threshold; about fingerprint and threshold
    HOST_KEY = "host_key"  # another SSH host key; about that key and the stop it caused
    REMINDER = "reminder"  # still not met; about the incident and the number of the reminder
    ENDING = "ending"  # an answer or a waiver ends soon, or has; about it and its end
    DIGEST = "digest"  # the week; about the person and the week
    NEWS = "news"  # a release or a warning that concerns the software; about the news
    OUTAGE = "outage"  # fedisec itself saw nothing, or did not run; about the time it began
    TEST = "test"  # somebody asked for it; about the moment


# What a person may switch off.  A changed host key, an outage of fedisec and a test always come.
CHOSEN_KINDS = (
    MailKind.REGRESSION,
    MailKind.RECOVERY,
    MailKind.UNREACHABLE,
    MailKind.FLAPPING,
    MailKind.BLIND,
    MailKind.CERTIFICATE,
    MailKind.REMINDER,
    MailKind.ENDING,
    MailKind.NEWS,
)
ALWAYS = frozenset({MailKind.HOST_KEY, MailKind.OUTAGE, MailKind.TEST})


def chosen_kinds() -> list[str]:
    return [kind.value for kind in CHOSEN_KINDS]


def chosen_levels() -> list[str]:
    return ["required", "recommended"]


class Preference(models.Model):
    """What one person wants to hear, and when.  Who has none has the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="preference", primary_key=True
    )
    levels = models.JSONField(default=chosen_levels)
    kinds = models.JSONField(default=chosen_kinds)
    reminder_days = models.PositiveSmallIntegerField(default=7)  # 0 (none), 1, 7, 30; of required items …
    remind_recommended = models.BooleanField(default=False)  # … and of recommended ones
    digest = models.BooleanField(default=True)
    digest_day = models.PositiveSmallIntegerField(default=0)  # Monday is 0, in the person's time zone
    digest_hour = models.PositiveSmallIntegerField(default=8)
    quiet_from = models.TimeField(null=True, blank=True)  # both or none, in the person's time zone
    quiet_to = models.TimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)  # everything is held until then

    def __str__(self) -> str:
        return f"what {self.user_id} wants to hear"


class ChannelKind(models.TextChoices):
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class Channel(models.Model):
    """Another way than a person's mail: a signed webhook, or an address for Apprise.

    The address may hold a password: it is sealed, as is the signing secret, bound to this row."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=20)  # a ChannelKind
    name = models.CharField(max_length=60)
    sealed_address = SealedField("channel address", blank=True)
    sealed_secret = SealedField("channel secret", blank=True)
    sealed_secret_before = SealedField("channel secret", blank=True)  # signs too, for a day after the change
    secret_made_at = models.DateTimeField(null=True, blank=True)
    shown = models.CharField(max_length=253, blank=True)  # scheme and host, for pages
    levels = models.JSONField(default=chosen_levels)
    kinds = models.JSONField(default=chosen_kinds)
    instances = models.ManyToManyField(Instance, blank=True, related_name="channels")  # none: all of the team
    language = models.CharField(max_length=8, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    enabled = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    stopped_why = models.CharField(max_length=20, blank=True)  # a code; why fedisec itself switched it off
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class MailServer(models.Model):
    """The relay that was set by form; at most one row.  EMAIL_URL in the environment counts before it."""

    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=587)
    security = models.CharField(max_length=10, default="starttls")  # starttls, tls, none
    username = models.CharField(max_length=254, blank=True)
    sealed_password = SealedField("mail server", blank=True)
    sender = models.CharField(max_length=254)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Delivery(models.Model):
    """One mail to one person, or one call of a channel: about all its notices.

    pending -> sending (with a lease) -> sent; an error goes back to pending with a growing pause.  The
    Message-ID is fixed here, so a second copy can be recognised.
    """

    kind = models.CharField(max_length=20)  # a MailKind, of its first notice; no choices, so no migrations
    about = models.CharField(max_length=200)  # what its first notice is about
    instance = models.ForeignKey(
        Instance, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )  # NULL: about several, or none
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, related_name="deliveries")
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    answer = models.CharField(max_length=500, blank=True)  # what the other side said last
    maybe_arrived = models.BooleanField(default=False)  # a try ended after the content was handed over

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "about", "user"], name="one_mail_per_thing_and_person"),
            models.UniqueConstraint(
                fields=["kind", "about", "channel"], name="one_call_per_thing_and_channel"
            ),
            models.CheckConstraint(
                condition=Q(user=None, channel__isnull=False) | Q(user__isnull=False, channel=None),
                name="delivery_has_one_recipient",
            ),
        )
        indexes = (
            models.Index(
                fields=["next_try_at"], condition=Q(state__in=("pending", "sending")), name="delivery_queue"
            ),
            models.Index(fields=["-created_at"], name="delivery_log"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.about} to {self.user_id or self.channel} ({self.state})"


class Notice(models.Model):
    """One thing that one recipient (a person or a channel) is to hear of."""

    kind = models.CharField(max_length=20)  # a MailKind
    about = models.CharField(max_length=200)
    data = models.JSONField(default=dict, blank=True)  # what the words need as it was then; no secrets
    instance = models.ForeignKey(Instance, models.CASCADE, null=True, blank=True, related_name="notices")
    change = models.ForeignKey(Change, models.CASCADE, null=True, blank=True, related_name="notices")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, blank=True, related_name="notices")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="notices"
    )
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, related_name="notices")
    created_at = models.DateTimeField(default=timezone.now)
    delivery = models.ForeignKey(Delivery, models.CASCADE, null=True, blank=True, related_name="notices")
    dropped_at = models.DateTimeField(null=True, blank=True)  # no longer worth telling, or not wanted
    dropped_why = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=["kind", "about", "user"], name="one_notice_per_person"),
            models.UniqueConstraint(fields=["kind", "about", "channel"], name="one_notice_per_channel"),
            models.CheckConstraint(
                condition=Q(user=None, channel__isnull=False) | Q(user__isnull=False, channel=None),
                name="notice_has_one_recipient",
            ),
        )
        indexes = (
            models.Index(
                fields=["created_at"], condition=Q(delivery=None, dropped_at=None), name="notice_queue"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.about} for {self.user_id or self.channel}"
