"""Proof that a team controls a domain, for installations with people whom nobody knows (FEDISEC_PROOF).

The team puts a text that only fedisec can compute where only the domain's owner can: into the DNS, or on
the web server.  Until it was found there, no look is made and no public page is shown.  It is looked for
again once a month; when it is gone, its people are told and have a week.  What could not be looked at proves
nothing, in either direction.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from checks.errors import NoSuchName, ProbeError, Reason
from checks.facts.dns import Lookup
from checks.probes.dns import Resolver
from checks.probes.http_client import Raw
from checks.probes.net import Net
from checks.target import Limits
from fedisec.accounts import audit, notices
from fedisec.accounts.models import Role, User
from fedisec.instances.models import Instance, Proof
from fedisec.lib import fetch
from fedisec.lib.context import Banner
from fedisec.lib.vantage import vantage

OFF, REQUIRED = "off", "required"
CHECK_EVERY = timedelta(days=30)
GRACE = timedelta(days=7)
AGAIN = timedelta(days=1)  # where the last check found nothing, or could not look
UNSEEN_FOR = timedelta(days=67)  # so long a proof holds that nobody could look at since
PAUSE = timedelta(seconds=10)  # between two checks that somebody asks for
BODY_BYTES = 4096
_WITHHELD = (401, 403, 407, 429)
DEADLINE_S = 10.0
_LABEL, _TEXT = "_fedisec", "fedisec-proof="


class Way(StrEnum):
    DNS = "dns"
    WEB = "web"


class Said(StrEnum):
    """What a check found out.  UNSEEN: one of the two places could not be looked at."""

    FOUND = "found"
    ABSENT = "absent"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Texts:
    """What the team is to put where; both ways prove the same."""

    record: str  # name of the TXT record
    url: str
    text: str  # the record's text, and the only line of the file


@dataclass(frozen=True, slots=True)
class Found:
    """What one check saw: the way of the first that held, and a word for each place."""

    said: Said
    way: Way | None
    dns: str  # "found", "absent" or a reason of checks.errors
    web: str


def is_required(instance: Instance) -> bool:
    """Whether looks at the instance wait for a proof."""
    if settings.PROOF != REQUIRED or instance.demo:
        return False
    return settings.PROOF_OF_OPERATOR or not _is_operators(instance)


def holds(instance: Instance, now: datetime | None = None) -> bool:
    """Whether the instance may be looked at and shown."""
    if not is_required(instance):
        return True
    return _holds(Proof.objects.filter(instance=instance).first(), now or timezone.now())


def _holds(proof: Proof | None, now: datetime) -> bool:
    if proof is None or proof.proven_at is None or now - proof.proven_at > UNSEEN_FOR:
        return False
    return proof.lapses_at is None or now < proof.lapses_at


def still_holds(instance: Instance) -> bool:
    """`holds`, after a new check where one is due.  Takes up to two deadlines; outside any transaction."""
    if not is_required(instance):
        return True
    now, proof = timezone.now(), Proof.objects.filter(instance=instance).first()
    if proof is not None and proof.proven_at is not None and _is_due(proof, now):
        check(instance)
    return holds(instance)


def _is_due(proof: Proof, now: datetime) -> bool:
    assert proof.proven_at is not None and proof.checked_at is not None
    wait = CHECK_EVERY if proof.said == Said.FOUND else AGAIN
    return now - proof.checked_at >= wait


def texts(instance: Instance) -> Texts:
    return _texts(instance, settings.PROOF_KEY)


def _texts(instance: Instance, secret: str) -> Texts:
    """128 bits that depend on the team and the domain: the text of another team proves nothing."""
    bound = f"fedisec.instances.proof {instance.team_id} {instance.domain}".encode()
    mac = hmac.digest(secret.encode(), bound, hashlib.sha256)[:16]
    token = base64.b32encode(mac).decode().rstrip("=").lower()
    return Texts(
        f"{_LABEL}.{instance.domain}",
        f"https://{instance.domain}/.well-known/fedisec-{token}",
        f"{_TEXT}{token}",
    )


def check(instance: Instance, by: User | None = None) -> Found | None:
    """Looks at both places and stores what came of it.  None where somebody did so a moment ago.  Network:
    outside any transaction."""
    now = timezone.now()
    Proof.objects.get_or_create(instance=instance)
    mine = Proof.objects.filter(instance=instance).exclude(checked_at__gt=now - PAUSE, checked_at__lte=now)
    if not mine.update(checked_at=now):
        return None
    found = look(instance)
    _store(instance, found, now, by)
    return found


def look(instance: Instance) -> Found:
    """What stands in the DNS and on the web server now; a key that was replaced lately still counts."""
    known = [_texts(instance, key) for key in (settings.PROOF_KEY, *settings.SECRET_KEY_FALLBACKS)]
    dns = _in_dns(known)
    web = "" if dns == Said.FOUND else _on_web(known)
    if Said.FOUND in (dns, web):
        return Found(Said.FOUND, Way.DNS if dns == Said.FOUND else Way.WEB, dns, web)
    is_absent = dns == web == Said.ABSENT
    return Found(Said.ABSENT if is_absent else Said.UNSEEN, None, dns, web)


def _in_dns(known: list[Texts]) -> str:
    place = vantage()
    net = Net(place, Limits(wall_s=DEADLINE_S, dns_s=DEADLINE_S))
    found = asyncio.run(_asked(Resolver(place, net), known[0].record))
    if not isinstance(found, Lookup):
        return found
    return (
        Said.FOUND if {one.text for one in known} & {text.strip() for text in found.records} else Said.ABSENT
    )


async def _asked(resolver: Resolver, name: str) -> Lookup | str:
    try:
        return await resolver.query(name, "TXT")
    except ProbeError as error:
        return error.reason.value


def _on_web(known: list[Texts]) -> str:
    """No redirect is followed: the file has to be on the domain itself.  That there is no such name or file
    is a definite answer; a server that is closed, broken or silent gives none."""
    said: str = Said.ABSENT
    for one in known:
        try:
            answer = fetch.request("GET", one.url, limit=BODY_BYTES, deadline_s=DEADLINE_S, cut=True)
        except NoSuchName:
            return Said.ABSENT
        except ProbeError as error:
            return error.reason.value
        if _is_it(answer, one.text):
            return Said.FOUND
        if answer.status in _WITHHELD or answer.status >= 500:
            said = Reason.WITHHELD
    return said


def _is_it(answer: Raw, text: str) -> bool:
    return answer.status == 200 and answer.body.strip() == text.encode()


def _store(instance: Instance, found: Found, now: datetime, by: User | None) -> None:
    with transaction.atomic():
        proof = Proof.objects.select_for_update().get(instance=instance)
        held, proof.said = _holds(proof, now), found.said
        if found.said is Said.FOUND:
            assert found.way is not None
            proof.way, proof.proven_at, proof.lapses_at = found.way, now, None
        elif found.said is Said.ABSENT and proof.proven_at is not None and proof.lapses_at is None:
            proof.lapses_at = now + GRACE
            _tell(instance, proof.lapses_at)
            audit.record("instance.proof_missed", team=instance.team, by=by, instance=instance)
        proof.save()
        if _holds(proof, now) and not held:
            audit.record(
                "instance.proven", team=instance.team, by=by, instance=instance, after=found.way or ""
            )


def _tell(instance: Instance, until: datetime) -> None:
    """Everybody who could put it back."""
    roles = (Role.EDITOR, Role.OWNER)
    people = User.objects.filter(memberships__team=instance.team, memberships__role__in=roles, is_active=True)
    for person in people.distinct():
        notices.tell(
            person,
            "proof_missed",
            domain=instance.name,
            team=instance.team.name,
            until=date_format(timezone.localtime(until), "Y-m-d"),
        )


def _is_operators(instance: Instance) -> bool:
    return User.objects.filter(
        memberships__team=instance.team_id, memberships__role=Role.OWNER, is_superuser=True, is_active=True
    ).exists()


def unproven(found: QuerySet[Instance], now: datetime) -> QuerySet[Instance]:
    """Those of `found` that wait for a proof."""
    if settings.PROOF != REQUIRED:
        return found.none()
    good = Q(proof__proven_at__gt=now - UNSEEN_FOR) & (Q(proof__lapses_at=None) | Q(proof__lapses_at__gt=now))
    found = found.filter(demo=False).exclude(pk__in=found.filter(good).values("pk"))
    if settings.PROOF_OF_OPERATOR:
        return found
    owners = User.objects.filter(is_superuser=True, is_active=True, memberships__role=Role.OWNER)
    return found.exclude(team__in=owners.values("memberships__team"))


def banner(request: HttpRequest) -> list[Banner]:
    """How many servers of the reader wait."""
    if settings.PROOF != REQUIRED or not isinstance(request.user, User):
        return []
    mine = Instance.objects.filter(team__memberships__user=request.user).distinct()
    waiting = list(unproven(mine, timezone.now()).order_by("domain")[:100])
    if not waiting:
        return []
    said = ngettext(
        "%(count)d server waits for proof that it is yours: %(first)s.",
        "%(count)d servers wait for proof that they are yours, the first is %(first)s.",
        len(waiting),
    ) % {"count": len(waiting), "first": waiting[0].name}
    return [("warning", said, reverse("proof", args=[waiting[0].address]))]
