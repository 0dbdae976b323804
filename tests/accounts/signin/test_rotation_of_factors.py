"""The keys of apps stand where a rotation of the installation's keys finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as project

from fedisec.accounts import factors
from fedisec.accounts.models import User
from fedisec.lib.sealed import columns
from fedisec.lib.secrets import seal, unseal
from tests.accounts.signin.conftest import code_of


@pytest.mark.django_db
def test_the_key_of_an_app_is_sealed_anew_with_the_rest(ann: User, secret: str) -> None:
    column = next(one for one in columns() if one.model is Authenticator)
    found = Authenticator.objects.get()
    row = column.row_of(found.pk)
    path = Path(project.KEY_FILE)
    path.write_text("n" * 64 + "\n" + path.read_text())

    def anew(sealed: str) -> str:
        return seal(column.purpose, row, unseal(column.purpose, row, sealed))

    found.data = column.each(found.data, anew)
    found.save()
    path.write_text("n" * 64)  # the old key is gone
    assert factors.take_code(ann, code_of(secret)) is not None
