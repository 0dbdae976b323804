"""The fediverse servers that are watched, and what people file them under."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from checks.target import Target
from fedisec.accounts.models import Team


def default_interval() -> int:
    return settings.SCAN_INTERVAL_S


class Instance(models.Model):
    """One server under its web name.  `next_scan_at` is claimed by compare-and-set by whoever ticks first."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="instances")
    domain = models.CharField(max_length=253)  # A-labels, lower case
    mail_from = models.CharField(max_length=253, blank=True)  # where it differs from `domain`
    dkim_selectors = models.JSONField(default=list, blank=True)
    origins = models.JSONField(default=list, blank=True)  # addresses behind a CDN that the admin names
    ssh_port = models.PositiveIntegerField(default=22)
    ssh_user = models.CharField(max_length=32, default="root")  # the offered methods are asked for this user
    interval_s = models.PositiveIntegerField(default=default_interval)
    next_scan_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # Looks from inside at a pace of their own; NULL: each scan looks from both sides.
    inside_interval_s = models.PositiveIntegerField(null=True, blank=True)
    next_inside_at = models.DateTimeField(null=True, blank=True, db_index=True)
    paused = models.BooleanField(default=False)
    follow_sources = models.BooleanField(default=True)  # warnings of vulnerabilities that concern it
    follow_releases = models.BooleanField(default=True)  # new versions of its software
    demo = models.BooleanField(default=False)  # made up for a look around: never looked at, nobody is mailed
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "domain"], name="one_instance_per_team_and_domain"),
        )

    names_team = False  # whether its addresses name the team: see fedisec.instances.access

    def __str__(self) -> str:
        return self.domain

    @property
    def address(self) -> str:
        """What stands for it in the addresses of its pages."""
        return f"{self.domain}~{self.team_id}" if self.names_team else self.domain

    @property
    def target(self) -> Target:
        return Target(
            domain=self.domain,
            mail_from=self.mail_from,
            dkim_selectors=tuple(self.dkim_selectors),
            origins=tuple(self.origins),
            ssh_port=self.ssh_port,
            ssh_user=self.ssh_user,
        )

    @property
    def name(self) -> str:
        """The domain as people write it, Unicode where it has any."""
        return self.target.unicode_domain


class Proof(models.Model):
    """That the team controls the domain, where the installation asks for it: see `fedisec.instances.proof`.
    The token is computed, never stored."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="proof", primary_key=True)
    way = models.CharField(max_length=10, blank=True)  # a proof.Way, of the last time that it was found
    proven_at = models.DateTimeField(null=True, blank=True)  # when it was last found
    checked_at = models.DateTimeField(null=True, blank=True)
    said = models.CharField(max_length=10, blank=True)  # a proof.Said, of the last check
    lapses_at = models.DateTimeField(null=True, blank=True)  # it was found once, and is no longer there

    def __str__(self) -> str:
        return f"proof for {self.instance_id}: {self.said or 'never looked for'}"


class Tag(models.Model):
    """A word that a team files an instance under; case does not matter and is kept."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=30)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint("instance", Lower("name"), name="one_tag_of_a_name_per_instance"),
        )

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A filter of the overview under a name, for one person.  `query`: what follows "?" in its address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["user", "name"], name="one_view_of_a_name"),)

    def __str__(self) -> str:
        return self.name


class NotedGrade(models.Model):
    """What somebody read on a grader's site.  Never edited: the newest of a grader counts."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="grades")
    grader = models.CharField(max_length=30)  # a key of fedisec.instances.graders
    grade = models.CharField(max_length=20)
    seen_on = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.grade} by {self.grader} for {self.instance_id}"


class Glance(models.Model):
    """What a page of many instances shows of one beside its counts, made once and read often."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="glance", primary_key=True)
    looked_at = models.DateTimeField(null=True, blank=True)  # when the last whole look ended well
    worse = models.PositiveSmallIntegerField(default=0)  # items that the last look found otherwise …
    better = models.PositiveSmallIntegerField(default=0)
    unseen = models.PositiveSmallIntegerField(default=0)  # … and those it could see no longer
    unreached_since = models.DateTimeField(null=True, blank=True)  # nothing answers from outside
    facts = models.JSONField(default=dict)  # see fedisec.checklist.glance.facts_of
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"glance at {self.instance_id}"


class NextAction(models.Model):
    """One of the five weightiest things to do on an instance that was looked at; rows of their own, so that a
    database adds them up over thousands of instances."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="next_actions", db_index=False)
    item_id = models.CharField(max_length=60)
    state = models.CharField(max_length=20)  # a fedisec.checklist.state.State
    weight = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "item_id"], name="one_action_of_an_item"),)
        indexes = (models.Index(fields=["item_id", "-weight", "instance"], name="actions_of_item"),)

    def __str__(self) -> str:
        return f"{self.item_id} of {self.instance_id}: {self.weight}"
