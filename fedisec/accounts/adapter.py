"""allauth's hooks: sign-up is closed, guesses are limited, mails are queued and carry no foreign host, a new
password is noted in the trail and ends the other sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string

from fedisec.accounts import sessions_kept, sudo, tries
from fedisec.accounts.audit import record
from fedisec.accounts.models import User
from fedisec.accounts.notices import tell


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """The same half hour as everywhere; a sign-in counts."""
        return not sudo.proved_lately(self.request)

    def is_safe_url(self, url: str | None) -> bool:
        """Back to where the reader is, and to no other name that this installation has."""
        here = {self.request.get_host()}
        return bool(url) and url_has_allowed_host_and_scheme(
            url, here, require_https=self.request.is_secure()
        )

    # guesses

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            self._try = tries.for_password(request, str(credentials.get("email", "")))
        except tries.TooMany:
            raise self.validation_error("too_many_login_attempts") from None

    def _rollback_login_failed_rl_usage(self) -> None:
        """allauth's name for: the password was right."""
        self._try.give_back()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth's name for: the password was set with the link of a mail."""
        user = User.objects.filter(email=str(credentials.get("email", "")).lower()).first()
        if user is not None:
            tries.unlock(user)

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    # passwords and addresses

    def set_password(self, user: User, password: str) -> None:
        """Every other session ends: by its own hash of the password, and in the list."""
        how = _how()
        with transaction.atomic():
            super().set_password(user, password)
            record(f"account.password_{how}", team=None, by=user)
            tell(user, f"password_{how}")
            sessions_kept.end_others(context.request, user)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        import_string(settings.RESET_PASSWORD)(user)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Queued like every mail: a relay that is away must not lose it, nor keep the page waiting."""
        import_string(settings.CONFIRM_ADDRESS)(emailconfirmation.email_address)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing else is mailed, and nothing within a request."""

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Another address than the one in use takes its place; both hear of it."""
        user = email_address.user
        before = user.email if user.email != email_address.email else ""
        with transaction.atomic():
            if User.objects.exclude(pk=user.pk).filter(email=email_address.email).exists():
                return False
            if not super().confirm_email(request, email_address):
                return False
            after = email_address.email
            if before:
                had = user.emailaddress_set.filter(email__iexact=before, verified=True).exists()
                user.emailaddress_set.exclude(pk=email_address.pk).delete()
                email_address.set_as_primary()  # and that of the account
                tell(user, "address_changed", before=before, after=after)
                if had:
                    tell(user, "address_changed", to=before, before=before, after=after)
            record("account.address_confirmed", team=None, by=user, before=before, after=after)
        return True


def _how() -> str:
    """Whether the page that sets a password is the one behind the link of a mail."""
    match = getattr(context.request, "resolver_match", None)
    return "reset" if match is not None and "reset" in (match.url_name or "") else "changed"
