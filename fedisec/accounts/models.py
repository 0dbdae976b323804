"""People, teams, the one-time link that makes the first of them, and the trail of what they did."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fedisec.accounts.signin_models import Bucket, Device, OpenSession, RecoveryCode  # noqa: F401
from fedisec.accounts.team_models import Invitation  # noqa: F401
from fedisec.lib.tokens import hash_of

SETUP_LINK_LIFE = timedelta(hours=24)


class UserManager(BaseUserManager["User"]):
    """Users are known by their e-mail address; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractUser):
    username = None  # type: ignore[assignment]  # the address is the name
    email = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(max_length=8, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email


class Team(models.Model):
    """Owns instances; everything a person may see, they see through a team."""

    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    VIEWER = "viewer", _("viewer")
    EDITOR = "editor", _("editor")
    OWNER = "owner", _("owner")


class Membership(models.Model):
    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10)  # a Role; no choices here, so that a new role is no migration
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_person"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team} ({self.role})"


class SetupLink(models.Model):
    """A one-time invitation to make the first account.  Only the hash of the token is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"set-up link of {self.created_at:%Y-%m-%d %H:%M}"

    @classmethod
    def issue(cls) -> str:
        """A fresh token (256 bits, URL-safe); links issued before and not used no longer work."""
        token = secrets.token_urlsafe(32)
        cls.objects.filter(used_at=None).delete()
        cls.objects.create(token_hash=hash_of(token))
        return token

    @classmethod
    def usable(cls, token: str) -> SetupLink | None:
        """The link of `token` while it is unused and younger than 24 hours, and nobody has an account."""
        if User.objects.exists():
            return None
        oldest = timezone.now() - SETUP_LINK_LIFE
        return cls.objects.filter(token_hash=hash_of(token), used_at=None, created_at__gt=oldest).first()


class AppendOnly(TypeError):
    """Somebody tried to change or remove a line of the audit trail."""


class AuditEvents(models.QuerySet["AuditEvent"]):
    """Reads and adds; the database refuses the rest too, by triggers (migration 0004)."""

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly("a line of the audit trail is never changed")

    def delete(self) -> NoReturn:
        raise AppendOnly("a line of the audit trail is never removed")


class AuditEvent(models.Model):
    """One thing that somebody did, or fedisec by itself (`actor_id` NULL).  Written by `audit.record` alone.

    It outlives what it speaks of: ids are plain numbers without foreign keys, names stand as they were.
    A line of no team belongs to the installation: its operator reads it, and the person it is about.
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=40)  # "answer.waived": what kind of thing, and what became of it
    team_id = models.BigIntegerField(null=True, blank=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)  # e-mail address; "" = fedisec itself
    subject_id = models.BigIntegerField(null=True, blank=True)  # the account it was done to
    address = models.CharField(max_length=45, blank=True, default="")  # the client's; "" = no page
    instance_id = models.BigIntegerField(null=True, blank=True)
    instance_name = models.CharField(max_length=253, blank=True)  # the domain
    item_id = models.CharField(max_length=60, blank=True)
    before = models.CharField(max_length=500, blank=True)
    after = models.CharField(max_length=500, blank=True)
    why = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)  # small plain values, no secrets

    objects = AuditEvents.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["team_id", "-id"], name="audit_of_team"),
            models.Index(fields=["instance_id", "item_id", "-id"], name="audit_of_item"),
            models.Index(fields=["subject_id", "-id"], name="audit_of_person"),
        )

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name or 'fedisec'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("a line of the audit trail is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("a line of the audit trail is never removed")
