"""Recovery codes: ten ways in when the second factor is lost, each of them once.

Only their hashes are stored.  allauth's own codes grow out of a seed from which all can be made again, so
that whoever opens the seal has them all; these can't be shown a second time, not even by fedisec.
"""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from fedisec.accounts.audit import record
from fedisec.accounts.models import User
from fedisec.accounts.notices import tell
from fedisec.accounts.signin_models import RecoveryCode
from fedisec.lib.tokens import hash_of

COUNT = 10
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32, none of which looks like another: 5 bits each
_LENGTH, _GROUP = 24, 4  # 120 bits


def make(user: User) -> list[str]:
    """Ten new codes, to be shown once; those from before no longer work."""
    made = [_code() for _ in range(COUNT)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=_hash(code)) for code in made)
        record("account.codes_made", team=None, by=user)
        tell(user, "codes_made")
    return made


def use(user: User, typed: str) -> bool:
    """Whether it is one of the codes that are left; from now on it is none."""
    with transaction.atomic():
        mine = RecoveryCode.objects.filter(user=user, code_hash=_hash(typed), used_at=None)
        if mine.update(used_at=timezone.now()) != 1:
            return False
        left = left_of(user)
        record("account.factor_used", team=None, by=user, after="recovery_codes", data={"left": left})
        tell(user, "code_used", left=left)
    return True


def left_of(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def remove(user: User) -> None:
    """With the last factor its codes go, too."""
    with transaction.atomic():
        if RecoveryCode.objects.filter(user=user).delete()[0]:
            record("account.codes_removed", team=None, by=user)


def _code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def _hash(typed: str) -> str:
    return hash_of("".join(letter for letter in typed.upper() if letter in _LETTERS))
