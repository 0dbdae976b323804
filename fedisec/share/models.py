"""A public page of an instance: closed unless somebody of the team opens it."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fedisec.instances.models import Instance


class Shows(models.TextChoices):
    COUNTS = "counts", _("The sentence and the counts")
    TOPICS = "topics", _("The counts of each topic as well")
    ITEMS = "items", _("Each item with its state as well")


def new_token() -> str:
    """128 bits, as 22 characters of an address."""
    return secrets.token_urlsafe(16)


class Share(models.Model):
    """The public page and the badge of an instance.  The address stands here in clear, because the team is
    shown it again; it is worth no more than what the page shows.  `password` is a hash, "" = none."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="share")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    is_open = models.BooleanField(default=True)
    shows = models.CharField(max_length=10, default=Shows.COUNTS)  # a Shows
    only_met = models.BooleanField(default=True)  # of the items, those that are met
    badge = models.BooleanField(default=True)
    password = models.CharField(max_length=128, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{'open' if self.is_open else 'closed'} page of {self.instance_id}"
