"""Adding, changing and removing an instance, for its pages and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from fedisec.accounts import audit
from fedisec.accounts.models import Team, User
from fedisec.instances.forms import OWN_FIELDS, AddForm, SettingsForm
from fedisec.instances.models import Instance, Tag
from fedisec.instances.reach import refusal
from fedisec.lib import bounds
from fedisec.scans.queue import queue_scan, set_pace


def added(form: AddForm, team: Team, user: User) -> Instance | None:
    """The stored instance with its first scan queued; None with an error on the form, and nothing stored."""
    domain = form.cleaned_data["domain"]
    code = refusal(domain)  # network, so before any transaction
    if code:
        form.refuse(code, domain)
        return None
    try:
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=team.pk)
            bounds.room("instances", Instance.objects.filter(team=team, demo=False))
            instance = Instance.objects.create(team=team, domain=domain, created_by=user, **form.more)
            import_string(settings.ON_INSTANCE_ADDED)(instance)
            audit.record("instance.added", team=team, by=user, instance=instance)
            queue_scan(instance, "first")
    except IntegrityError:
        form.refuse("known", domain)
        return None
    return instance


def saved(instance: Instance, form: SettingsForm, user: User) -> bool:
    """Stores what was set, with lines in the trail; True where a look may now find other things."""
    tags = sorted(form.cleaned_data["tags"], key=str.casefold)
    own = {name: form.cleaned_data[name] for name in OWN_FIELDS}
    wanted = {**form.more, **own, "tags": tags}
    with transaction.atomic():
        stored = Instance.objects.select_for_update().get(pk=instance.pk)
        had = {name: getattr(stored, name) for name in wanted if name != "tags"}
        had["tags"] = sorted((tag.name for tag in stored.tags.all()), key=str.casefold)
        changed = [name for name, value in wanted.items() if value != had[name]]
        for name in changed:
            if name != "tags":
                setattr(stored, name, wanted[name])
        stored.save(update_fields=[name for name in changed if name != "tags"])
        set_pace(stored, changed)
        if "tags" in changed:
            stored.tags.all().delete()
            Tag.objects.bulk_create(Tag(instance=stored, name=name) for name in tags)
        _tell(stored, user, had, wanted, changed)
    return any(name in form.more for name in changed)


def remove(instance: Instance, user: User) -> None:
    """With all that belongs to it.  The trail stays."""
    with transaction.atomic():
        audit.record("instance.removed", team=instance.team, by=user, instance=instance)
        instance.delete()


def _tell(
    instance: Instance,
    user: User,
    had: Mapping[str, Any],
    wanted: Mapping[str, Any],
    changed: Sequence[str],
) -> None:
    """One line for the switch that stops the looks, one for the rest."""
    team = instance.team
    if "paused" in changed:
        action = "instance.paused" if wanted["paused"] else "instance.resumed"
        audit.record(action, team=team, by=user, instance=instance)
    rest = [name for name in changed if name != "paused"]
    if rest:
        before, after = ("; ".join(f"{n}: {_plain(side[n])}" for n in rest) for side in (had, wanted))
        audit.record("instance.changed", team=team, by=user, instance=instance, before=before, after=after)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
