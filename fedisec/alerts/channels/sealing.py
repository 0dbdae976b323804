"""Addresses and signing secrets of channels: sealed, bound to their row, opened for one call."""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta

from django.db import transaction

from fedisec.alerts.models import Channel
from fedisec.lib.secrets import seal, unseal

BOTH_FOR = timedelta(hours=24)  # the secret before signs too, so that the receiver can change in its own time
SHOWN_FOR = timedelta(hours=1)
_ADDRESS, _SECRET = "channel address", "channel secret"
_SECRET_BYTES = 32  # Standard Webhooks wants 24 to 64


def put_address(channel: Channel, address: str) -> None:
    """Seals `address` into the row, which is stored already."""
    channel.sealed_address = seal(_ADDRESS, str(channel.pk), address)


def address_of(channel: Channel) -> str:
    """The whole address.  CannotOpen where no key of the key file fits."""
    return unseal(_ADDRESS, str(channel.pk), channel.sealed_address)


def put_new_secret(channel: Channel, now: datetime) -> None:
    """A fresh signing secret; the one of now signs for another day."""
    secret = "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode("ascii")
    channel.sealed_secret_before = channel.sealed_secret
    channel.sealed_secret = seal(_SECRET, str(channel.pk), secret)
    channel.secret_made_at = now


def secrets_of(channel: Channel, now: datetime) -> list[str]:
    """What signs now, the newest first.  CannotOpen where no key of the key file fits."""
    sealed = [channel.sealed_secret]
    if channel.sealed_secret_before and signs_twice(channel, now):
        sealed.append(channel.sealed_secret_before)
    return [unseal(_SECRET, str(channel.pk), one) for one in sealed]


def signs_twice(channel: Channel, now: datetime) -> bool:
    """Within a day after the secret was changed."""
    made = channel.secret_made_at
    return bool(channel.sealed_secret_before) and made is not None and now - made < BOTH_FOR


def may_be_shown(channel: Channel, now: datetime) -> bool:
    """The secret was made just now; later it can only be changed."""
    return channel.secret_made_at is not None and now - channel.secret_made_at < SHOWN_FOR


def reseal(channel: Channel) -> bool:
    """Seals all that is sealed with the newest key; False where somebody changed the channel meanwhile."""
    row, sealed = str(channel.pk), {}
    for name, purpose in _SEALED.items():
        stored = getattr(channel, name)
        sealed[name] = seal(purpose, row, unseal(purpose, row, stored)) if stored else ""
    with transaction.atomic():
        same = Channel.objects.filter(pk=channel.pk, **{name: getattr(channel, name) for name in _SEALED})
        return same.update(**sealed) == 1


_SEALED = {"sealed_address": _ADDRESS, "sealed_secret": _SECRET, "sealed_secret_before": _SECRET}
