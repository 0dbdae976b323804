"""Invitations, in place of a sign-up: made by owners, mailed through the outbox, accepted once.

The token has 256 bits.  It is made from the row's salt and the secret of the installation, so that a mail
that waits for a relay can hold it although the database does not; what is looked up is its hash."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from fedisec.accounts import audit
from fedisec.accounts.models import Membership, Team, User
from fedisec.accounts.team_models import LIFE, Invitation
from fedisec.accounts.teams import join
from fedisec.lib.tokens import hash_of

A_DAY, OPEN_MAX = 30, 100  # invitations by one person, and open ones of one team


class TooMany(Exception):
    """This person has invited enough for a day, or the team has enough open invitations."""


def open_of(team: Team) -> QuerySet[Invitation]:
    """Those that can still be accepted."""
    return _open().filter(team=team).select_related("created_by")


def invite(team: Team, email: str, role: str, by: User) -> tuple[Invitation, str]:
    """The invitation and its link.  An open one for the same address ends.  What comes back, and how long it
    takes, says nothing about whether the address has an account.  TooMany beyond the limits."""
    email, now = email.lower(), timezone.now()
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        recent = Invitation.objects.filter(created_by=by, created_at__gt=now - timedelta(days=1))
        if recent.count() >= A_DAY or open_of(team).count() >= OPEN_MAX:
            raise TooMany
        open_of(team).filter(email=email).order_by().update(revoked_at=now)
        salt = secrets.token_hex(32)
        token = _token(salt, settings.SECRET_KEY)
        made = Invitation.objects.create(
            team=team, email=email, role=role, salt=salt, token_hash=hash_of(token), created_by=by
        )
        audit.record("team.invited", team=team, by=by, after=role, data={"who": email})
        import_string(settings.MAIL_INVITATION)(made)
    return made, link_of(token)


def revoke(team: Team, pk: int, by: User) -> None:
    """Its link leads nowhere from now on; Http404 for one that is not open."""
    with transaction.atomic():
        found = open_of(team).filter(pk=pk).first()
        if found is None or not _open().filter(pk=pk).update(revoked_at=timezone.now()):
            raise Http404
        audit.record("team.uninvited", team=team, by=by, before=found.role, data={"who": found.email})


def usable(token: str) -> Invitation | None:
    """The open invitation of `token`."""
    return _open().filter(token_hash=hash_of(token)).select_related("team").first()


def accept(invitation: Invitation, user: User) -> bool:
    """Lets `user` in, once; False where it was accepted or revoked in the same moment."""
    with transaction.atomic():
        if not _open().filter(pk=invitation.pk).update(used_at=timezone.now()):
            return False
        join(invitation.team, user, invitation.role, by=user)
    return True


def has_account(email: str) -> bool:
    return User.objects.filter(email=email).exists()


def is_member(team: Team, email: str) -> bool:
    return Membership.objects.filter(team=team, user__email=email.lower()).exists()


def link_for(invitation: Invitation) -> str:
    """The link of an open invitation, for its mail; "" where the secret has changed too often since."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        token = _token(invitation.salt, secret)
        if secrets.compare_digest(hash_of(token), invitation.token_hash):
            return link_of(token)
    return ""


def is_open(invitation: Invitation) -> bool:
    return _open().filter(pk=invitation.pk).exists()


def link_of(token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


def _open() -> QuerySet[Invitation]:
    young = timezone.now() - LIFE
    return Invitation.objects.filter(used_at=None, revoked_at=None, created_at__gt=young)


def _token(salt: str, secret: str) -> str:
    digest = salted_hmac("fedisec.accounts.invitations", salt, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
