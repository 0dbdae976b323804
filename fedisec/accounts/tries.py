"""How often somebody may try a password or a code.

Token buckets in the database, so that neither a restart nor another process forgets.  A try from elsewhere
takes from the bucket of its address and from that of the account: so nobody guesses, neither one account
from many addresses nor many accounts from one.  A stranger can empty the account's bucket; therefore who
comes with the token of a device that signed in to this account before, or from the address of such a
device, takes from a bucket of that device alone, and gets in while strangers hammer.  A passkey takes from
none of them: there is nothing to guess.  Only a failed try costs; the one that was right is given back.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from fedisec.accounts.models import User
from fedisec.accounts.signin_models import Bucket, Device
from fedisec.lib.tokens import hash_of

KNOWN_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Rate:
    """`size` tries at once, and as many again within `per`."""

    size: int
    per: timedelta


ADDRESS = Rate(20, timedelta(hours=1))
ACCOUNT = Rate(20, timedelta(days=1))
DEVICE = Rate(20, timedelta(hours=1))
CODE = Rate(10, timedelta(hours=1))  # of a million codes three are right at a time


class TooMany(Exception):
    """No try is left here; what was given was not even looked at."""


@dataclass(frozen=True, slots=True)
class Try:
    """What one try took.  `give_back` when it was right."""

    taken: tuple[tuple[str, Rate], ...]

    def give_back(self) -> None:
        for key, rate in self.taken:
            _take(key, rate, -1.0)


def for_password(request: HttpRequest, email: str) -> Try:
    """Before a password of the account is looked at, whether there is such an account or not."""
    _forget(timezone.now())
    known = device_of(request, email)
    if known is not None:
        return _all((_key("device", str(known.pk)), DEVICE))
    address = _key("address", network_of(request))
    return _all((address, ADDRESS), (_of_account(email), ACCOUNT))


def for_code(request: HttpRequest, user: User) -> Try:
    """Before a code of the second factor is looked at; who gets here has the password."""
    known = device_of(request, user.email)
    if known is not None:
        return _all((_key("code of device", str(known.pk)), CODE))
    return _all((_code_of(user), CODE))


def unlock(user: User) -> None:
    """Gives the account all its tries again."""
    keys = [_of_account(user.email), _code_of(user)]
    for pk in user.devices.values_list("pk", flat=True):
        keys += [_key("device", str(pk)), _key("code of device", str(pk))]
    Bucket.objects.filter(pk__in=keys).delete()


def device_of(request: HttpRequest, email: str) -> Device | None:
    """The device that asks, if it signed in to that account within 90 days: by its token, else by its
    address."""
    mine = Device.objects.filter(user__email=email.strip().lower(), seen_at__gt=timezone.now() - KNOWN_FOR)
    token = token_of(request)
    found = mine.filter(token_hash=hash_of(token)).first() if token else None
    return found or mine.filter(address=address_of(request)).order_by("-seen_at").first()


COOKIE = "device"


def token_of(request: HttpRequest) -> str:
    return request.COOKIES.get(cookie_name(request), "")[:100]


def cookie_name(request: HttpRequest) -> str:
    return f"__Host-{COOKIE}" if request.is_secure() else COOKIE


def address_of(request: HttpRequest) -> str:
    """The client's, behind as many proxies as the settings trust."""
    return str(get_adapter().get_client_ip(request))


def network_of(request: HttpRequest) -> str:
    """An IPv6 client has a whole /64 to itself."""
    address = ipaddress.ip_address(address_of(request))
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)


def _of_account(email: str) -> str:
    return _key("account", email.strip().lower())


def _code_of(user: User) -> str:
    return _key("code", str(user.pk))


def _key(kind: str, what: str) -> str:
    return hash_of(f"{kind} {what}")


def _all(*wanted: tuple[str, Rate]) -> Try:
    """Takes one of each, or none: who is stopped by the first does not empty the second."""
    taken: list[tuple[str, Rate]] = []
    for key, rate in wanted:
        if not _take(key, rate, 1.0):
            Try(tuple(taken)).give_back()
            raise TooMany
        taken.append((key, rate))
    return Try(tuple(taken))


def _take(key: str, rate: Rate, amount: float) -> bool:
    now = timezone.now()
    with transaction.atomic():
        Bucket.objects.bulk_create([Bucket(key=key, left=rate.size, at=now)], ignore_conflicts=True)
        bucket = Bucket.objects.select_for_update().get(pk=key)
        left = min(float(rate.size), _filled(bucket, rate, now) - amount)
        if left < 0:
            return False
        bucket.left, bucket.at = left, now
        bucket.save(update_fields=["left", "at"])
    return True


def _filled(bucket: Bucket, rate: Rate, now: datetime) -> float:
    since = max(timedelta(0), now - bucket.at)  # a clock that was put back gives nothing
    return min(float(rate.size), bucket.left + rate.size * (since / rate.per))


def _forget(now: datetime) -> None:
    """Buckets that have long been full again.  Here, as workers, which have clocks, may not touch them."""
    Bucket.objects.filter(at__lt=now - timedelta(days=2)).delete()
