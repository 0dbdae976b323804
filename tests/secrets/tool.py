"""Runs inside the settings under test: `python -m tests.secrets.tool COMMAND`.

plant PORT PASSWORD   a key for every instance, and a relay on that port with that password, all of it sealed
relay PORT PASSWORD   a relay alone, in the place of others
count                 how many sealed texts the first key of the file opens, and how many only another one
ring                  rings for every scan that is queued
"""

from __future__ import annotations

import sys

import django


def main(command: str, *given: str) -> None:
    django.setup()
    from fedisec.scans.models import Scan
    from fedisec.scans.queue import ring_scans

    if command == "plant":
        plant(int(given[0]), given[1])
    elif command == "relay":
        a_relay_with(int(given[0]), given[1])
    elif command == "count":
        print(*count())
    elif command == "ring":
        ring_scans(Scan.objects.filter(state="queued"))
    else:
        raise SystemExit(f"unknown command {command}")


def plant(port: int, password: str) -> None:
    from fedisec.enrolment.keys import new_pair
    from fedisec.enrolment.models import SshAccess
    from fedisec.instances.models import Instance
    from fedisec.lib.sealed import put

    for instance in Instance.objects.all():
        private, public = new_pair()
        access = SshAccess(instance=instance, public_key=public, host_key="ssh-ed25519 AAAA")
        put(access, "sealed_key", private)
        access.save()
    a_relay_with(port, password)


def a_relay_with(port: int, password: str) -> None:
    from fedisec.alerts.models import MailServer
    from fedisec.lib.sealed import put

    MailServer.objects.all().delete()
    server = MailServer(host="127.0.0.1", port=port, security="none", username="me", sender="a@example.org")
    server.save()
    put(server, "sealed_password", password)
    server.save()


def count() -> tuple[int, int]:
    from fedisec.lib.sealed import columns
    from fedisec.lib.secrets import is_newest, unseal

    found = [0, 0]
    for column in columns():
        for pk, stored in column.model._default_manager.values_list("pk", column.field):
            row = column.row_of(pk)

            def look(text: str, purpose: str = column.purpose, row: str = row) -> str:
                unseal(purpose, row, text)
                found[not is_newest(purpose, row, text)] += 1
                return text

            column.each(stored, look)
    return found[0], found[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
