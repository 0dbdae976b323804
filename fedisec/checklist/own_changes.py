"""Adding, changing and retiring own items: each in one transaction with its line in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import Team, User
from fedisec.checklist.models import OwnItem
from fedisec.history.models import Standing
from fedisec.instances.models import Instance
from fedisec.lib import bounds


def add(team: Team, instance: Instance | None, user: User, texts: Mapping[str, Any]) -> OwnItem:
    """A new item, asked of `instance` or of all of the team's."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        bounds.room("own_items", OwnItem.objects.filter(team=team))
        own = OwnItem.objects.create(team=team, instance=instance, created_by=user, **texts)
        _tell("own_item.added", own, user, after=_worded({**texts, "asked of": _where(own)}))
    return own


def change(own: OwnItem, team: Team, instance: Instance | None, user: User, texts: Mapping[str, Any]) -> bool:
    """Stores what differs and says what did; False where nothing does."""
    with transaction.atomic():
        now = OwnItem.objects.select_for_update().select_related("team", "instance").get(pk=own.pk)
        had = {name: getattr(now, name) for name in texts} | {"asked of": _where(now)}
        _recount(now)
        for name, value in texts.items():
            setattr(now, name, value)
        now.team, now.instance = team, instance
        has = {**texts, "asked of": _where(now)}
        moved = [name for name in has if has[name] != had[name]]
        if not moved:
            return False
        now.save()
        before, after = ({name: side[name] for name in moved} for side in (had, has))
        _tell("own_item.changed", now, user, before=_worded(before), after=_worded(after))
    return True


def retire(own: OwnItem, user: User) -> None:
    """Asks nobody any more; the answers stay in the database and in the trail."""
    _set_retired(own, user, "own_item.retired", retired=True)


def restore(own: OwnItem, user: User) -> None:
    """Asks again; answers that still hold count again."""
    _set_retired(own, user, "own_item.restored", retired=False)


def _set_retired(own: OwnItem, user: User, action: str, *, retired: bool) -> None:
    with transaction.atomic():
        mine = OwnItem.objects.filter(pk=own.pk, retired_at__isnull=retired)
        if mine.update(retired_at=timezone.now() if retired else None):
            _tell(action, own, user, before=own.title if retired else "", after="" if retired else own.title)


def _tell(action: str, own: OwnItem, user: User, *, before: str = "", after: str = "") -> None:
    audit.record(
        action,
        team=own.team,
        by=user,
        instance=own.instance,
        item_id=own.item_id,
        before=before,
        after=after,
        data={"title": own.title},
    )
    _recount(own)


def _recount(own: OwnItem) -> None:
    """The counts of all whom it asks are no longer true; the clock makes them anew."""
    asked = Standing.objects.filter(instance__team=own.team_id)
    if own.instance_id:
        asked = asked.filter(instance=own.instance_id)
    asked.update(good_until=timezone.now())


def _where(own: OwnItem) -> str:
    return own.instance.domain if own.instance is not None else f"all instances of {own.team.name}"


def _worded(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in values.items() if value != "")
