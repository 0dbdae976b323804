"""`python -m tests.security.furnish`: the data to attack, and sessions of its owner, as JSON in the last line."""

from __future__ import annotations

import json

import django

SESSIONS = 40  # some are ended by what is tried


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.test import Client

    from fedisec.accounts.models import User
    from tests.e2e.furniture import OWNER, furnish
    from tests.factories import signed_in

    settings.ALLOWED_HOSTS += ["testserver"]
    furnish()
    owner = User.objects.get(email=OWNER)
    keys = []
    for _number in range(SESSIONS):
        client = Client()
        signed_in(client, owner)
        keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    print(json.dumps(keys))


if __name__ == "__main__":
    main()
