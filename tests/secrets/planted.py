"""`python -m tests.secrets.planted`: an installation with every kind of secret; prints them as JSON.

What is planted in clear, and so must be found, has a name that begins with "control".
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import django

DOMAIN = "control-7f3a9c.example"
WORD = "control?value&of/the+search"


def main() -> None:
    django.setup()
    from django.utils import timezone

    from tests.factories import an_instance

    now = timezone.now()
    instance = an_instance(domain=DOMAIN)
    person = instance.created_by
    assert person is not None
    found = {"control in clear": DOMAIN, "control encoded": WORD}
    plant_controls()
    for part in (of_account(person), of_alerts(instance, now), of_pages(instance)):
        found |= part
    print(json.dumps(found))


def plant_controls() -> None:
    """In the three forms that hide a value from who searches for it as it is."""
    from fedisec.accounts.models import Team

    word = WORD.encode()
    for form in ("x" + base64.b64encode(b"12" + word).decode(), word.hex(), quote(WORD, safe="")):
        Team.objects.create(name=form)


def of_account(person: Any) -> dict[str, str]:
    from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
    from allauth.account.models import EmailAddress, EmailConfirmationHMAC
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.contrib.auth import SESSION_KEY

    from fedisec.accounts import codes, invitations
    from fedisec.accounts.factors import secrets_of
    from fedisec.accounts.models import SetupLink
    from fedisec.accounts.signin_models import Device
    from fedisec.alerts.account_letters import ask_reset
    from fedisec.api import tokens
    from fedisec.lib.sessions import SessionStore
    from fedisec.lib.tokens import hash_of

    setup = SetupLink.issue()
    person.set_password("a planted password, 合言葉")
    person.save()
    seed = generate_totp_secret()
    with secrets_of(person):
        TOTP.activate(person, seed)
    session = SessionStore()
    session[SESSION_KEY], session["seed on its way"] = str(person.pk), "planted-in-a-session-5c1d"
    session.create()
    Device.objects.create(user=person, token_hash=hash_of("planted-device-token-9b1f"), words="Firefox")
    ask_reset(person)
    address = EmailAddress.objects.get(user=person)
    _invitation, invited = invitations.invite(person.teams.get(), "new@example.org", "viewer", person)
    return {
        "set-up link": setup,
        "password": "a planted password, 合言葉",
        "seed of the second factor": seed,
        **{f"recovery code {n}": code for n, code in enumerate(codes.make(person))},
        "session id": str(session.session_key),
        "inside of a session": "planted-in-a-session-5c1d",
        "device token": "planted-device-token-9b1f",
        "reset token": PASSWORD_RESET_TOKEN_GENERATOR().make_token(person),
        "token of a program": tokens.make(person, "backup", ["read"], None, 30),
        "invitation": invited.rstrip("/").rpartition("/")[2],
        "confirmation": EmailConfirmationHMAC(address).key,
    }


def of_alerts(instance: Any, now: Any) -> dict[str, str]:
    from fedisec.alerts import unsubscribe
    from fedisec.alerts.channels.sealing import put_address, put_new_secret, secrets_of
    from fedisec.alerts.models import Channel, MailServer
    from fedisec.lib.sealed import put

    server = MailServer.objects.create(host="mail.example", username="me", sender="a@example.org")
    put(server, "sealed_password", "planted-relay-password-0d4e")
    server.save()
    hook = Channel.objects.create(
        team=instance.team, kind="webhook", name="Hook", shown="https://hook.example"
    )
    put_address(hook, "https://hook.example/planted-path-77aa?token=planted-token-88bb")
    put_new_secret(hook, now)
    first = secrets_of(hook, now)[0]
    put_new_secret(hook, now)
    hook.save()
    chat = Channel.objects.create(team=instance.team, kind="apprise", name="Chat", shown="mastodon://")
    put_address(chat, "mastodon://planted-chat-token-99cc@chat.example")
    chat.save()
    ticket = unsubscribe.Ticket(unsubscribe.Purpose.INSTANCE, instance.created_by_id, instance.pk)
    return {
        "password of the relay": "planted-relay-password-0d4e",
        "path of a webhook": "planted-path-77aa",
        "token of a webhook": "planted-token-88bb",
        "signing secret": secrets_of(hook, now)[0].removeprefix("whsec_"),
        "signing secret before": first.removeprefix("whsec_"),
        "token of a chat": "planted-chat-token-99cc",
        "unsubscribing": unsubscribe.sealed(ticket),
    }


def of_pages(instance: Any) -> dict[str, str]:
    from django.contrib.auth.hashers import make_password

    from fedisec.enrolment.keys import new_pair
    from fedisec.enrolment.models import SshAccess
    from fedisec.instances import proof
    from fedisec.instances.models import Proof
    from fedisec.lib.sealed import put
    from fedisec.share.models import Share

    private, public = new_pair()
    access = SshAccess(instance=instance, public_key=public, host_key="ssh-ed25519 AAAA")
    put(access, "sealed_key", private)
    access.save()
    Proof.objects.create(instance=instance)
    share = Share.objects.create(instance=instance, password=make_password("planted-page-password-1e2f"))
    body = [line for line in private.splitlines() if "PRIVATE KEY" not in line]
    # The public half is in the first lines, and may be known.
    return {
        **{f"private key {number}": line for number, line in enumerate(body[2:]) if len(line) > 30},
        "proof": proof.texts(instance).text.rpartition("=")[2],
        "address of the public page": share.token,
        "password of the public page": "planted-page-password-1e2f",
    }


if __name__ == "__main__":
    main()
