"""What is remembered of signing in: devices, sessions, recovery codes, and how often somebody tried.

Tokens and codes are kept as hashes of at least 120 random bits, so a plain SHA-256 is enough (nobody can try
that many); the sessions themselves lie in Django's table, see fedisec.lib.sessions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Device(models.Model):
    """A browser that somebody signed in with: it holds the token of which the hash stands here."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64)
    words = models.CharField(max_length=80)  # "Firefox, Linux"
    address = models.CharField(max_length=45, blank=True)  # the last one it signed in from
    made_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)  # signed in last

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "token_hash"], name="one_row_per_device"),)

    def __str__(self) -> str:
        return f"{self.words} of {self.user_id}"


class OpenSession(models.Model):
    """A session of somebody, by the name under which it lies in Django's table."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="open_sessions")
    name = models.CharField(max_length=40, unique=True)
    words = models.CharField(max_length=80, blank=True)
    address = models.CharField(max_length=45, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)  # to five minutes

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.began_at:%Y-%m-%d %H:%M}"


class RecoveryCode(models.Model):
    """One way in without the second factor, once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "code_hash"], name="one_row_per_code"),)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Bucket(models.Model):
    """What is left of the tries of one address, account or device; see fedisec.accounts.tries."""

    key = models.CharField(max_length=64, primary_key=True)  # a hash: no addresses of people stand here
    left = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.left:.1f} tries left"
