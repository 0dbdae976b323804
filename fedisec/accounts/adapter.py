"""allauth's hooks: sign-up is closed, mails carry no foreign host, a new password is noted in the trail."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from fedisec.accounts.audit import record
from fedisec.accounts.models import User


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            super().set_password(user, password)
            for team in user.teams.order_by("pk"):
                record("account.password_changed", team=team, by=user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if "password_reset_url" in context:
            path = context["password_reset_url"].split("/", 3)[3]
            context["password_reset_url"] = f"{settings.PUBLIC_URL}/{path}"
        super().send_mail(template_prefix, email, context)
