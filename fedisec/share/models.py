"""A public page of an instance: closed unless somebody of the team opens it."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fedisec.instances.models import Instance
from fedisec.lib.sealed import SealedField, opened, put
from fedisec.lib.tokens import hash_of


class Shows(models.TextChoices):
    COUNTS = "counts", _("The sentence and the counts")
    TOPICS = "topics", _("The counts of each topic as well")
    ITEMS = "items", _("Each item with its state as well")


def new_token() -> str:
    """128 bits, as 22 characters of an address."""
    return secrets.token_urlsafe(16)


class Share(models.Model):
    """The public page and the badge of an instance.  The address is known by its hash, and sealed, because
    the team is shown it again.  `password` is a hash, "" = none."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="share")
    token_hash = models.CharField(max_length=64, unique=True)
    sealed_token = SealedField("public page", blank=True)
    is_open = models.BooleanField(default=True)
    shows = models.CharField(max_length=10, default=Shows.COUNTS)  # a Shows
    only_met = models.BooleanField(default=True)  # of the items, those that are met
    badge = models.BooleanField(default=True)
    password = models.CharField(max_length=128, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    @property
    def token(self) -> str:
        """What stands in the address.  CannotOpen without the key file."""
        return opened(self, "sealed_token")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new page gets its address."""
        with transaction.atomic():
            is_new = not self.token_hash
            if is_new:
                token = new_token()
                self.token_hash = hash_of(token)
            super().save(*args, **kwargs)
            if is_new:
                self.lead_to(token)

    def lead_to(self, token: str) -> None:
        """The address becomes that one.  The row is stored already: what is sealed is bound to its key."""
        self.token_hash = hash_of(token)
        put(self, "sealed_token", token)
        Share.objects.filter(pk=self.pk).update(token_hash=self.token_hash, sealed_token=self.sealed_token)

    def __str__(self) -> str:
        return f"{'open' if self.is_open else 'closed'} page of {self.instance_id}"
