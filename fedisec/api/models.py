"""Tokens of people, for their programs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fedisec.accounts.models import Team


class Scope(models.TextChoices):
    """What a token is for.  WRITE and SCAN read too; METRICS does nothing else and goes with none of them."""

    READ = "read", _("Read: servers, items, answers, scans, changes")
    WRITE = "write", _("Write: add, set and remove servers, answer items; reads too")
    SCAN = "scan", _("Scan: begin looks at servers; reads too")
    METRICS = "metrics", _("Metrics: figures for Prometheus, and nothing else")


READING = frozenset({Scope.READ.value, Scope.WRITE.value, Scope.SCAN.value})


class Token(models.Model):
    """Lets a program act for `user`: never more than that person may at the moment, narrowed to `scopes` and,
    where one is named, to `team`.  Found by its hash; a revoked one is gone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")  # NULL: all
    name = models.CharField(max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=60)  # values of Scope, with blanks between
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)  # NULL: never, for metrics alone
    used_at = models.DateTimeField(null=True, blank=True)  # to the hour
    used_from = models.CharField(max_length=45, blank=True)
    left = models.FloatField(default=0)  # requests that it may still make, …
    left_at = models.DateTimeField(null=True, blank=True)  # … when that was counted; NULL: as many as it may

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    def scope_set(self) -> frozenset[str]:
        return frozenset(self.scopes.split())

    def may(self, scope: Scope) -> bool:
        """Whether it is for that; what its person may do is another question."""
        if scope is Scope.READ:
            return bool(self.scope_set & READING)
        return scope.value in self.scope_set
