"""Addresses and signing secrets of channels: sealed, bound to their row, opened for one call."""

from __future__ import annotations

import base64
import os
from datetime import datetime, timedelta

from fedisec.alerts.models import Channel
from fedisec.lib.sealed import opened, put

BOTH_FOR = timedelta(hours=24)  # the secret before signs too, so that the receiver can change in its own time
SHOWN_FOR = timedelta(hours=1)
_SECRET_BYTES = 32  # Standard Webhooks wants 24 to 64


def put_address(channel: Channel, address: str) -> None:
    """Seals `address` into the row, which is stored already."""
    put(channel, "sealed_address", address)


def address_of(channel: Channel) -> str:
    """The whole address.  CannotOpen where no key of the key file fits."""
    return opened(channel, "sealed_address")


def put_new_secret(channel: Channel, now: datetime) -> None:
    """A fresh signing secret; the one of now signs for another day."""
    secret = "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode("ascii")
    channel.sealed_secret_before = channel.sealed_secret
    put(channel, "sealed_secret", secret)
    channel.secret_made_at = now


def secrets_of(channel: Channel, now: datetime) -> list[str]:
    """What signs now, the newest first.  CannotOpen where no key of the key file fits."""
    fields = ["sealed_secret"]
    if signs_twice(channel, now):
        fields.append("sealed_secret_before")
    return [opened(channel, field) for field in fields]


def signs_twice(channel: Channel, now: datetime) -> bool:
    """Within a day after the secret was changed."""
    made = channel.secret_made_at
    return bool(channel.sealed_secret_before) and made is not None and now - made < BOTH_FOR


def may_be_shown(channel: Channel, now: datetime) -> bool:
    """The secret was made just now; later it can only be changed."""
    return channel.secret_made_at is not None and now - channel.secret_made_at < SHOWN_FOR
