"""Three made-up servers for a look around: ninety days of looks that never took place, judged by the real
rules and stored by the real code.  Nobody is mailed, nothing is ever looked at, one act removes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from checks.probes import Gathered
from fedisec.accounts import audit
from fedisec.accounts.models import Role, Team, User
from fedisec.checklist import daily
from fedisec.checklist.models import Attestation, Note, Waiver
from fedisec.instances.access import instances_for
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, Scan, ScanState
from fedisec.scans.record import record
from fedisec.share.demo_looks import facts_on, seen_on
from fedisec.share.demo_story import DAYS, SEATED, SEATED_TEXT, SERVERS, Server, Word

_LOOK = timedelta(seconds=2)
_SECOND_LOOK = timedelta(minutes=7)
_FRESH = timedelta(hours=2)  # the last look was so long ago
_CONNECTIONS = {"dns": 41, "http": 7, "tcp": 44, "tls": 9}


class AlreadyThere(Exception):
    """The team has a server of the demo, or one of its name."""


def add(team: Team, user: User, *, language: str, now: datetime | None = None) -> list[Instance]:
    """Makes the demo servers for a team, in one transaction; AlreadyThere where one is there already."""
    now = now or timezone.now()
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        if Instance.objects.filter(team=team, domain__in=[server.domain for server in SERVERS]).exists():
            raise AlreadyThere
        made = [_make(server, team, user, language, now) for server in SERVERS]
        audit.record("demo.added", team=team, by=user, data={"servers": len(made)})
    return made


def of_user(user: User) -> QuerySet[Instance]:
    """The demo servers that `user` may remove."""
    return instances_for(user, Role.EDITOR).filter(demo=True)


def remove(instances: QuerySet[Instance], by: User | None) -> int:
    """Removes demo servers with all that belongs to them; anything else in `instances` stays.  Returns how
    many went."""
    with transaction.atomic():
        found = list(instances.filter(demo=True).select_related("team"))
        for team in {instance.team for instance in found}:
            gone = [instance for instance in found if instance.team_id == team.pk]
            audit.record("demo.removed", team=team, by=by, data={"servers": len(gone)})
        Instance.objects.filter(pk__in=[instance.pk for instance in found], demo=True).delete()
    return len(found)


def _make(server: Server, team: Team, user: User, language: str, now: datetime) -> Instance:
    began = now - _FRESH - timedelta(days=DAYS - 1)
    instance = Instance.objects.create(
        team=team,
        domain=server.domain,
        demo=True,
        paused=True,
        dkim_selectors=["fedi"],
        created_by=user,
        created_at=began,
    )
    said = [*server.words, *(Word(SEATED, each, SEATED_TEXT, met=True) for each in server.answered)]
    for days_ago in range(DAYS - 1, -1, -1):
        at = now - _FRESH - timedelta(days=days_ago)
        for word in (word for word in said if min(word.days_ago, DAYS - 1) == days_ago):
            _say(instance, word, user, language, at - timedelta(hours=1))
        _look(instance, server, days_ago, at, "scheduled" if days_ago < DAYS - 1 else "first")
        if days_ago < DAYS - 1 and seen_on(server, days_ago) != seen_on(server, days_ago + 1):
            _look(instance, server, days_ago, at + _SECOND_LOOK, "confirm")
    # Nobody is to be told of what never happened.
    Change.objects.filter(instance=instance, processed_at=None).update(processed_at=now)
    daily.note(instance, now)
    return instance


def _look(instance: Instance, server: Server, days_ago: int, at: datetime, reason: str) -> None:
    """One look as a runner would have stored it."""
    token = f"demo-{days_ago}"
    scan = Scan.objects.create(
        instance=instance,
        state=ScanState.RUNNING,
        reason=reason,
        token=token,
        attempt=1,
        due_at=at - _LOOK,
        started_at=at - _LOOK,
        heartbeat_at=at,
    )
    stored = record(scan, token, Gathered(facts_on(server, days_ago, at), _CONNECTIONS), at)
    assert stored, "nobody else holds the token"


def _say(instance: Instance, word: Word, user: User, language: str, at: datetime) -> None:
    """What a person said then.  The audit trail of the team is not for made-up deeds."""
    text = word.text[language.startswith("ja")]
    common = {"instance": instance, "item_id": word.item_id, "by": user, "created_at": at}
    until = at + timedelta(days=word.days)
    if word.met is not None:
        Attestation.objects.create(**common, met=word.met, note=text, valid_until=until)
    elif word.kind:
        Waiver.objects.create(**common, kind=word.kind, reason=text, valid_until=until)
    else:
        Note.objects.create(**common, text=text)
