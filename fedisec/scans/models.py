"""Scans, what they saw of each item over time, the state that follows from it, and what changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from checks.probes import PHASES
from fedisec.instances.models import Instance


class ScanState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


ITEM = "item"
# Stands in `Change.item_id` and `Incident.item_id` for the server as a whole, which no item of the list is.
REACH = "reach"


class Side(models.TextChoices):
    """Where a scan looks from."""

    BOTH = "both"
    OUTSIDE = "outside"
    INSIDE = "inside"


LIVE = (ScanState.QUEUED, ScanState.RUNNING)


class ScanQuerySet(models.QuerySet["Scan"]):
    def whole(self) -> ScanQuerySet:
        """Finished looks at the whole checklist; only these say how fresh an instance is."""
        return self.filter(state=ScanState.DONE).exclude(reason=ITEM)


class Scan(models.Model):
    """One look at one instance, at the whole checklist or (`only`, reason "item") at single items of it.

    queued -> running (claimed by compare-and-set, which sets `token` and counts `attempt`) -> done | failed.
    A running scan whose heartbeat is older than the lease goes back to queued, its token is void.
    """

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="scans")
    state = models.CharField(max_length=10, default=ScanState.QUEUED)
    reason = models.CharField(max_length=10)  # first, scheduled, manual, confirm, item
    token = models.CharField(max_length=32, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)  # not to be started before
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)  # when the broker was last told
    progress = models.JSONField(default=dict, blank=True)  # phase -> [probes ended, probes in all]
    error = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(null=True, blank=True)  # checks.codec form; dropped when old
    counts = models.JSONField(default=dict, blank=True)  # level -> {status: number}, for trends
    connections = models.JSONField(default=dict, blank=True)
    checks_version = models.CharField(max_length=20, blank=True)
    only = models.JSONField(default=list, blank=True)  # ids of the items asked for; [] = the whole checklist
    side = models.CharField(max_length=10, default=Side.BOTH)
    needs_key = models.BooleanField(default=False)  # logs in over SSH: for workers that hold the key file

    objects = ScanQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["instance"], condition=Q(state__in=("queued", "running")), name="one_live_scan"
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=Q(state="queued"), name="scan_queue"),
            models.Index(fields=["instance", "-id"], name="scan_history"),
            models.Index(fields=["instance", "-id"], condition=Q(state="failed"), name="scan_failed"),
        )

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.instance_id} ({self.state})"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def phases(self) -> list[tuple[str, int, int]]:
        """(phase, probes of it that ended, probes of it in all), in the order they are shown."""
        return [(phase, *self.progress.get(phase, (0, 0))) for phase in PHASES]


class Span(models.Model):
    """What the machine said of an item from one scan on, until the next span of the item begins: only changes
    are stored (`fedisec.scans.spans` says what is one).  The state at a finished scan is the span with the
    greatest key among those whose scan is not newer."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="spans", db_index=False)
    item_id = models.CharField(max_length=60)
    scan = models.ForeignKey(Scan, models.CASCADE, related_name="spans")  # the first that said so
    first_at = models.DateTimeField()
    status = models.CharField(max_length=15)  # a checks.model.Status
    code = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict, blank=True)  # as the first scan saw it
    evidence = models.JSONField(default=list, blank=True)  # [[label, text], …]
    reason = models.CharField(max_length=20, blank=True)
    rejudged = models.BooleanField(default=False)  # begun by another version of the rules, not by the server

    class Meta:
        indexes = (models.Index(fields=["instance", "item_id", "scan"], name="span_history"),)

    def __str__(self) -> str:
        return f"{self.item_id} of {self.instance_id}: {self.status} from scan {self.scan_id}"


class Settled(models.Model):
    """What was settled by confirmed looks, as `fedisec.scans.settle` keeps it between them.

    `settled` and `candidate` hold pass, warn, fail, "" (none) or, of what had failed, not_applicable."""

    settled = models.CharField(max_length=15, blank=True)
    settled_since = models.DateTimeField(null=True, blank=True)
    candidate = models.CharField(max_length=15, blank=True)
    candidate_since = models.DateTimeField(null=True, blank=True)
    alerted = models.BooleanField(default=False)  # an open incident that people were told of
    calm_at = models.DateTimeField(null=True, blank=True)  # flapping, until nothing has moved up to then
    memory = models.JSONField(
        default=dict, blank=True
    )  # what else the machine remembers: flips, what was told
    checks_version = models.CharField(max_length=20, blank=True)

    class Meta:
        abstract = True


class Reach(Settled):
    """Whether a server answers at all: settled like an item, while no item of it is."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="reach", primary_key=True)
    status = models.CharField(max_length=15)  # pass: something answers; fail: nothing does
    code = models.CharField(max_length=60, blank=True)  # of fedisec.scans.reach
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    data = models.JSONField(default=dict, blank=True)  # code and since; of a fail also: items that fail too
    evidence = models.JSONField(default=list, blank=True)  # [[label, text], …]

    def __str__(self) -> str:
        return f"reach of {self.instance_id}: {self.status}"


class ItemState(Settled):
    """The last verdict on an item of an instance, and what was settled of it."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="states")
    item_id = models.CharField(max_length=60)
    status = models.CharField(max_length=15)  # a checks.model.Status
    code = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict, blank=True)
    evidence = models.JSONField(default=list, blank=True)  # [[label, text], …]
    reason = models.CharField(max_length=20, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    since = models.DateTimeField()  # first scan in an unbroken row with this status
    seen_at = models.DateTimeField()  # last scan with this status
    blind_scans = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "item_id"], name="one_state_per_item"),)
        indexes = (
            models.Index(fields=["calm_at"], condition=Q(calm_at__isnull=False), name="flapping_states"),
        )

    def __str__(self) -> str:
        return f"{self.item_id} of {self.instance_id}: {self.status}"


class Incident(models.Model):
    """A regression from its confirmation to its end; at most one is open per item, or for REACH."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="incidents")
    item_id = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=15, blank=True)  # the kind of change that ended it
    acknowledged_at = models.DateTimeField(null=True, blank=True)  # "I know": no more reminders
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    acknowledged_why = models.TextField(blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["instance", "item_id"], condition=Q(closed_at=None), name="one_open_incident"
            ),
        )
        indexes = (models.Index(fields=["opened_at"], condition=Q(closed_at=None), name="open_incidents"),)

    def __str__(self) -> str:
        return f"{self.item_id} of {self.instance_id} since {self.opened_at:%Y-%m-%d %H:%M}"


class Change(models.Model):
    """Something that became different, confirmed.  `processed_at` NULL is the outbox of the alerts."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="changes")
    scan = models.ForeignKey(Scan, models.CASCADE, related_name="changes")
    item_id = models.CharField(max_length=60)
    kind = models.CharField(max_length=12)  # a fedisec.scans.settle.Kind
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, blank=True, related_name="changes")
    before = models.CharField(max_length=15, blank=True)
    after = models.CharField(max_length=15)
    code = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # From when on it may be told.  NULL: not weighed yet; too many servers at once are looked at again first.
    held_until = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=["scan", "item_id", "kind"], name="one_change_of_a_kind"),
        )
        indexes = (
            models.Index(fields=["id"], condition=Q(processed_at=None), name="change_outbox"),
            models.Index(fields=["instance", "-id"], name="change_history"),
        )

    def __str__(self) -> str:
        return f"{self.item_id} {self.kind} ({self.before} -> {self.after})"


class Outlook(models.Model):
    """What a machine that scans can see of the network, by its own anchors."""

    host = models.CharField(max_length=253, unique=True)
    checked_at = models.DateTimeField()
    answered = models.JSONField(default=dict, blank=True)  # anchor -> when it last answered, ISO 8601
    offline_since = models.DateTimeField(null=True, blank=True)
    held_back = models.PositiveIntegerField(default=0)  # looks that were not believed meanwhile

    def __str__(self) -> str:
        return f"{self.host} {'offline' if self.offline_since else 'online'}"


class Pulse(models.Model):
    """When the clock last ticked on one machine, since that was started."""

    boot = models.CharField(max_length=36, unique=True)  # a name that the kernel makes up at each start
    at = models.DateTimeField()
    uptime_s = models.FloatField()

    def __str__(self) -> str:
        return f"{self.boot} at {self.at:%Y-%m-%d %H:%M:%S}"
