"""Opening, changing, moving and closing a public page; each leaves a line in the trail."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.instances.models import Instance
from fedisec.share.models import Share, new_token


def save(instance: Instance, user: User, values: dict[str, Any]) -> Share:
    """Opens the page, or changes what it shows.  `values`: shows, only_met, badge, new_password,
    drop_password (see `forms.ShareForm`)."""
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        share = Share.objects.filter(instance=instance).first() or Share(instance=instance, is_open=False)
        before = _told(share) if share.is_open else ""
        action = "share.changed" if share.is_open else "share.opened"
        if not share.is_open:
            share.is_open, share.opened_at, share.opened_by = True, timezone.now(), user
        share.shows, share.only_met, share.badge = values["shows"], values["only_met"], values["badge"]
        if values["new_password"]:
            share.password = make_password(values["new_password"])
        elif values["drop_password"]:
            share.password = ""
        share.save()
        audit.record(
            action, team=instance.team, by=user, instance=instance, before=before, after=_told(share)
        )
    return share


def rotate(share: Share, user: User) -> None:
    """Another address; the one before leads nowhere from now on."""
    with transaction.atomic():
        share.lead_to(new_token())
        audit.record("share.rotated", team=share.instance.team, by=user, instance=share.instance)


def close(share: Share, user: User) -> None:
    """The address answers "not found" at once.  Opening it again brings it back."""
    with transaction.atomic():
        if Share.objects.filter(pk=share.pk, is_open=True).update(is_open=False):
            audit.record(
                "share.closed",
                team=share.instance.team,
                by=user,
                instance=share.instance,
                before=_told(share),
            )


def _told(share: Share) -> str:
    """What the page shows, in the words of the trail."""
    extras = {"only met": share.shows == "items" and share.only_met, "badge": share.badge}
    extras["password"] = bool(share.password)
    return ", ".join([share.shows, *(word for word, is_so in extras.items() if is_so)])
