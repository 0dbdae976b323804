"""What people do with an access: make it, test it, confirm the server's key, give it up.  Each move is one
conditional UPDATE, so that two people at once cannot confirm what neither of them saw."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from checks.clean import clean
from checks.errors import Reason
from fedisec.accounts.audit import record
from fedisec.accounts.models import User
from fedisec.enrolment.keys import label, new_pair
from fedisec.enrolment.models import SshAccess
from fedisec.enrolment.trial import DEADLINE_S, Trial, try_out
from fedisec.instances.models import Instance
from fedisec.lib.sealed import put
from fedisec.lib.vantage import vantage

log = logging.getLogger(__name__)

_LEASE = timedelta(seconds=DEADLINE_S + 10)


def enrol(instance: Instance, person: User, given: dict[str, Any]) -> SshAccess:
    """The access with what the form says (mode, user, port, host); made with a new key where there is none.
    Another server (host or port) has to show its key anew.  CannotOpen without a key file."""
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        access = SshAccess.objects.filter(instance=instance).first()
        before = _where(access)
        if access is None:
            access = _made(instance, person)
        elif (access.host, access.port) != (given["host"], given["port"]):
            access.host_key = access.offered_host_key = access.changed_to = ""
            access.offered_at = access.changed_at = access.confirmed_at = None
        for name in ("mode", "user", "port", "host"):
            setattr(access, name, given[name])
        access.report, access.powers, access.report_at = {}, {}, None
        access.save()
        action = "ssh.access_changed" if before else "ssh.key_made"
        _note(access, action, person, before=before, after=_where(access))
    log.info("user %s set the access to instance %s: %s", person.pk, instance.pk, access.mode)
    return access


def _made(instance: Instance, person: User) -> SshAccess:
    private, public = new_pair()
    access = SshAccess(instance=instance, created_by=person, public_key=public)
    put(access, "sealed_key", private)
    return access


def _where(access: SshAccess | None) -> str:
    """Mode and place, for the trail; "" where there is no access."""
    if access is None:
        return ""
    return f"{access.mode}: {access.user}@{access.host or access.instance.domain} port {access.port}"


def _note(access: SshAccess, action: str, person: User | None, *, before: str = "", after: str = "") -> None:
    instance = access.instance
    record(action, team=instance.team, by=person, instance=instance, before=before, after=after)


def test(access: SshAccess, person: User) -> bool:
    """Tries the access out and stores what it brought; False where somebody else is at it.  Up to 20 seconds.
    CannotOpen without the right key file."""
    now = timezone.now()
    ours = SshAccess.objects.filter(pk=access.pk)
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    if ours.filter(free).update(busy_until=now + _LEASE) != 1:
        return False
    try:
        trial = try_out(access.instance.target, access.opened(), vantage())
        with transaction.atomic():
            _keep(access, person, trial)
    finally:
        ours.update(busy_until=None)
    return True


def _keep(access: SshAccess, person: User, trial: Trial) -> None:
    """Only if the access is still the one that was tried: nobody changed it meanwhile."""
    now = timezone.now()
    same = SshAccess.objects.filter(
        pk=access.pk,
        public_key=access.public_key,
        host=access.host,
        port=access.port,
        host_key=access.host_key,
    )
    values: dict[str, Any] = {"report": trial.report, "report_at": now}
    if trial.powers:
        values["powers"] = trial.powers
    if trial.shown:
        values |= {"offered_host_key": trial.shown, "offered_at": now}
    if same.update(**values) == 1:
        _note(access, "ssh.tested", person, after=_outcome(trial))
    if trial.reason == Reason.HOST_KEY_CHANGED:
        stop(access, _described(trial))
    elif access.is_stopped and trial.shown:
        _still_another(access, trial.shown)


def _outcome(trial: Trial) -> str:
    """For the trail, in a word: why there was no report, else what came."""
    return trial.reason or ("report" if trial.entered else "host key")


def _described(trial: Trial) -> str:
    return label(trial.shown) or trial.detail.removeprefix("now ")


def stop(access: SshAccess, changed_to: str) -> bool:
    """The server showed another host key: nobody logs in until a person has confirmed one.  True for the
    first one to say so.  The stop, its line in the trail and the mails about it are stored together."""
    now, changed_to = timezone.now(), clean(changed_to, 200, newlines=False)
    with transaction.atomic():
        running = SshAccess.objects.filter(pk=access.pk, changed_at=None, host_key=access.host_key)
        if running.update(changed_at=now, changed_to=changed_to) != 1:
            return False
        _alarm(access, changed_to, now)
    log.error("the host key of instance %s changed; no login until it is confirmed", access.instance_id)
    return True


def _still_another(access: SshAccess, shown: str) -> None:
    """While the logins are stopped the server shows a third key, or the confirmed one again."""
    assert access.changed_at is not None
    changed_to = label(shown)
    stopped = SshAccess.objects.filter(pk=access.pk, changed_at=access.changed_at)
    if stopped.exclude(changed_to=changed_to).update(changed_to=changed_to) == 1 and shown != access.host_key:
        _alarm(access, changed_to, access.changed_at)


def _alarm(access: SshAccess, changed_to: str, since: datetime) -> None:
    """Mails lie above and are named by a setting."""
    before = label(access.host_key)
    _note(access, "ssh.host_key_changed", None, before=before, after=changed_to)
    import_string(settings.ON_HOST_KEY_CHANGED)(access.instance, before, changed_to, since)


def confirm(access: SshAccess, person: User, host_key: str) -> bool:
    """Trusts `host_key`; False, and nothing trusted, where it is not what the server showed last."""
    with transaction.atomic():
        shown = SshAccess.objects.filter(pk=access.pk, offered_host_key=host_key).exclude(offered_host_key="")
        confirmed = shown.update(
            host_key=host_key,
            confirmed_at=timezone.now(),
            confirmed_by=person,
            changed_at=None,
            changed_to="",
            report={},
            report_at=None,
        )
        if confirmed != 1:
            return False
        _note(access, "ssh.connected", person, before=label(access.host_key), after=label(host_key))
    log.info("user %s confirmed the host key of instance %s", person.pk, access.instance_id)
    return True


def look_soon(access: SshAccess) -> None:
    """Asks for a scan, which reads what the new access shows; scans lie above and are named by a setting."""
    import_string(settings.ON_CONNECTED)(access.instance, "manual")


def disconnect(access: SshAccess, person: User) -> None:
    """Destroys the key.  The line in authorized_keys is worth nothing from then on."""
    instance_id = access.instance_id  # which delete() takes from the object
    with transaction.atomic():
        _note(access, "ssh.disconnected", person, before=_where(access))
        access.delete()
    log.info("user %s disconnected instance %s", person.pk, instance_id)
