"""An invitation into a team; part of the models of fedisec.accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

LIFE = timedelta(days=7)


class Invitation(models.Model):
    """Into `team`, for whoever reads the mails of `email`.  Only a hash of the token is kept; what it is made
    from (`salt`) is worth nothing without the secret of the installation."""

    team = models.ForeignKey("accounts.Team", models.CASCADE, related_name="invitations")
    email = models.EmailField()  # lower case
    role = models.CharField(max_length=10)  # a Role
    salt = models.CharField(max_length=64)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"invitation of {self.email} into {self.team_id}"

    @property
    def ends_at(self) -> datetime:
        return self.created_at + LIFE
