"""Who has a second factor, and who must."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings

from fedisec.accounts.models import Membership, Role, User

OPTIONAL, EDITORS, EVERYBODY = "optional", "editors", "everybody"
CHOICES = (OPTIONAL, EDITORS, EVERYBODY)


def is_compulsory(user: User) -> bool:
    """By FEDISEC_SECOND_FACTOR.  Who may reach keys of servers counts as an editor: so does the operator."""
    if settings.SECOND_FACTOR != EDITORS:
        return bool(settings.SECOND_FACTOR == EVERYBODY)
    roles = (Role.EDITOR, Role.OWNER)
    return bool(user.is_superuser or Membership.objects.filter(user=user, role__in=roles).exists())


def has_one(user: User) -> bool:
    """A passkey or an authenticator app."""
    return bool(Authenticator.objects.filter(user=user).exists())


def must_set_up(user: User) -> bool:
    return is_compulsory(user) and not has_one(user)


def may_remove(user: User) -> bool:
    """Whether one of them may go: not the last one where one is compulsory."""
    return bool(Authenticator.objects.filter(user=user).count() > 1) or not is_compulsory(user)
