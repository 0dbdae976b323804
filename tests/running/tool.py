"""Runs inside the settings under test: `python -m tests.running.tool COMMAND`.

add INTERVAL DOMAIN…   instances of one person, due now; a day: in a day; 0: no interval, the first scan is queued
mine EMAIL DOMAIN      an instance of that person, whose first scan is queued
ask DOMAIN             asks for a scan
look DOMAIN TIMES      so many scans, one after the other, each followed by a round of the clock
hears DOMAIN EMAIL     one more person who hears of an instance
ring TASK KEY TIMES    so many messages to the workers
session                begins a session and prints its key
many NUMBER            so many instances that are due, oldest first; prints the key of their owner's session
alarm                  every server shows another SSH host key
pause                  no more scans by the clock
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django

DAY_S = 86_400


def main(command: str, *given: str) -> None:
    django.setup()
    from celery import current_app
    from django.utils import timezone

    from fedisec.accounts.models import User
    from fedisec.alerts.models import Subscription
    from fedisec.enrolment.enrol import stop
    from fedisec.enrolment.models import SshAccess
    from fedisec.instances.models import Instance
    from fedisec.lib.sessions import SessionStore
    from fedisec.scans.queue import queue_scan
    from tests.factories import a_subscriber, a_user, an_instance

    if command == "add":
        user, interval = a_user(email=f"person{os.getpid()}@example.org"), int(given[0])
        for domain in given[1:]:
            due = (
                timezone.now() + timedelta(seconds=interval if interval == DAY_S else 0) if interval else None
            )
            instance = an_instance(user, domain=domain, interval_s=interval or 86_400, next_scan_at=due)
            Subscription.objects.create(user=user, instance=instance)
            if not interval:
                queue_scan(instance, "first")
    elif command == "mine":
        queue_scan(an_instance(User.objects.get(email=given[0]), domain=given[1]), "first")
    elif command == "ask":
        print(queue_scan(Instance.objects.get(domain=given[0]), "manual"))
    elif command == "many":
        print(many(int(given[0])))
    elif command == "session":
        session = SessionStore()
        session.create()
        print(session.session_key)
    elif command == "hears":
        a_subscriber(Instance.objects.get(domain=given[0]), email=given[1])
    elif command == "ring":
        for _ in range(int(given[2])):
            current_app.send_task(given[0], args=(int(given[1]),))
    elif command == "look":
        look(given[0], int(given[1]))
    elif command == "alarm":  # every server shows another SSH host key
        for instance in Instance.objects.all():
            access = SshAccess.objects.create(
                instance=instance, sealed_key="x", public_key="y", host_key="a b"
            )
            stop(access, "ssh-ed25519 SHA256:new")
    elif command == "pause":
        Instance.objects.update(paused=True)
    else:
        raise SystemExit(f"unknown command {command}")


def many(number: int) -> str:
    """So many instances of one person, due one after the other, the last a minute ago.  Returns the key of a
    session of that person."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.db.models import Model
    from django.utils import timezone

    from fedisec.checklist import daily
    from fedisec.history.models import Standing
    from fedisec.instances.models import Glance, Instance, NextAction
    from fedisec.lib.sessions import SessionStore
    from tests.factories import an_instance

    due = timezone.now() - timedelta(seconds=60 + number)
    first = an_instance(domain="many0.example", next_scan_at=due)
    assert first.created_by is not None
    Instance.objects.bulk_create(
        Instance(
            team=first.team, created_by=first.created_by, domain=f"many{n}.example",
            next_scan_at=due + timedelta(seconds=n),
        )
        for n in range(1, number)
    )  # fmt: skip
    daily.note(first)  # as the look before did; the others are like it
    models: tuple[type[Model], ...] = (Standing, Glance)
    for model in models:
        row = model._default_manager.values().get()
        others = Instance.objects.exclude(pk=first.pk).values_list("pk", flat=True)
        model._default_manager.bulk_create(model(**row | {"instance_id": pk}) for pk in others)
    for action in NextAction.objects.values("item_id", "state", "weight"):
        NextAction.objects.bulk_create(NextAction(instance_id=pk, **action) for pk in others)
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = (
        str(first.created_by.pk),
        settings.AUTHENTICATION_BACKENDS[0],
    )
    session[HASH_SESSION_KEY] = first.created_by.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def look(domain: str, times: int) -> None:
    """Ends with a scan in the queue where the last look wants a second one."""
    from django.utils import timezone

    from fedisec.alerts import outbox
    from fedisec.instances.models import Instance
    from fedisec.scans.models import Scan
    from fedisec.scans.queue import queue_scan
    from fedisec.scans.run import run_scan

    instance = Instance.objects.get(domain=domain)
    for _ in range(times):
        queue_scan(instance, "manual")
        run_scan(Scan.objects.filter(instance=instance, state="queued").get().pk)
        outbox.tick(timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
