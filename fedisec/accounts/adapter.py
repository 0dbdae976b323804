"""allauth's hooks: sign-up is closed, mails carry no foreign host, a new password is noted in the trail."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string

from fedisec.accounts.audit import record
from fedisec.accounts.models import User


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            super().set_password(user, password)
            record(f"account.password_{_how()}", team=None, by=user)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Queued like every mail: a relay that is away must not lose it, nor keep the page waiting."""
        import_string(settings.CONFIRM_ADDRESS)(emailconfirmation.email_address)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Another address than the one in use takes its place."""
        user = email_address.user
        before = user.email if user.email != email_address.email else ""
        with transaction.atomic():
            if User.objects.exclude(pk=user.pk).filter(email=email_address.email).exists():
                return False
            if not super().confirm_email(request, email_address):
                return False
            if before:
                user.emailaddress_set.exclude(pk=email_address.pk).delete()
                email_address.set_as_primary()  # and that of the account
            after = email_address.email
            record("account.address_confirmed", team=None, by=user, before=before, after=after)
        return True

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if "password_reset_url" in context:
            path = context["password_reset_url"].split("/", 3)[3]
            context["password_reset_url"] = f"{settings.PUBLIC_URL}/{path}"
        super().send_mail(template_prefix, email, context)


def _how() -> str:
    """Whether the page that sets a password is the one behind the link of a mail."""
    match = getattr(context.request, "resolver_match", None)
    return "reset" if match is not None and "reset" in (match.url_name or "") else "changed"
