"""The fediverse servers that are watched."""

from __future__ import annotations

from django.conf import settings
from django.db import models
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
    paused = models.BooleanField(default=False)
    demo = models.BooleanField(default=False)  # made up for a look around: never looked at, nobody is mailed
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["team", "domain"], name="one_instance_per_team_and_domain"),
        )

    def __str__(self) -> str:
        return self.domain

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
