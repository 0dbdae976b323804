"""allauth's hooks of the second factor: secrets sealed for their person, each code once, tries limited, and
whatever a browser makes up as a passkey is an error of its form."""

from __future__ import annotations

import hmac
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fedisec.accounts import codes, second, tries
from fedisec.accounts.audit import record
from fedisec.accounts.models import User
from fedisec.accounts.notices import tell
from fedisec.lib.sealed import Column, also
from fedisec.lib.secrets import CannotOpen, seal, unseal

PURPOSE = "totp secret"
PERIOD_S = 30
AROUND = 1  # codes before and after the one of now: clocks differ
LAST = "last"  # in an authenticator's data: the newest counter of which a code was taken
_NAME_MAX = 60
_ANSWER_MAX = 32 * 1024  # characters; an answer with an attestation has some 3000

# Whose secret is sealed or opened, where that is not who is signed in: between password and code nobody is.
_owner: ContextVar[User | None] = ContextVar("owner", default=None)


@contextmanager
def secrets_of(user: User) -> Iterator[None]:
    token = _owner.set(user)
    try:
        yield
    finally:
        _owner.reset(token)


def _whose() -> str:
    user = _owner.get() or context.request.user
    if user.pk is None:
        raise CannotOpen("nobody is signed in whose secret this could be")
    return str(user.pk)


class SealedAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    def encrypt(self, text: str) -> str:
        return seal(PURPOSE, _whose(), text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(PURPOSE, _whose(), encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return second.may_remove(authenticator.user)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def get_totp_issuer(self) -> str:
        return f"fedisec {urlsplit(settings.PUBLIC_URL).hostname}"

    def _get_site_name(self) -> str:
        return "fedisec"


def listen() -> None:
    """Once, when the apps are ready."""
    signals.authenticator_added.connect(_added)
    signals.authenticator_removed.connect(_removed)
    also(Column(Authenticator, "data", PURPOSE, row_of=_user_of, each=_with_secret, bound="user_id"))


def _user_of(pk: Any) -> str:
    return str(Authenticator.objects.values_list("user_id", flat=True).get(pk=pk))


def _with_secret(stored: dict[str, Any], change: Any) -> dict[str, Any]:
    return stored | {"secret": change(stored["secret"])} if "secret" in stored else stored


def _added(user: User, authenticator: Authenticator, **_: Any) -> None:
    tell(user, "factor_added", factor=authenticator.type)


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    with transaction.atomic():
        tell(user, "factor_removed", factor=authenticator.type)
        if not second.has_one(user):
            codes.remove(user)


# codes


def plain(typed: str) -> str:
    """As it was meant: a Japanese keyboard gives full-width digits, an app shows a space in the middle."""
    return "".join(unicodedata.normalize("NFKC", typed).split())


def counter_of(secret: str, code: str, now: float) -> int | None:
    """Of which half minute this is the code."""
    middle = int(now) // PERIOD_S
    found = None
    for counter in range(middle - AROUND, middle + AROUND + 1):
        right = format_hotp_value(hotp_value(secret, counter)).encode()
        if hmac.compare_digest(right, code.encode()):
            found = counter
    return found


def take_code(user: User, code: str) -> Authenticator | None:
    """The authenticator app of that person if this is a code of it, newer than any that was taken: each works
    once, also from two browsers at a time, and who looked over a shoulder has none left.  CannotOpen
    without the key file."""
    with transaction.atomic():
        mine = Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP)
        found = mine.first()
        if found is None:
            return None
        secret = unseal(PURPOSE, str(user.pk), found.data["secret"])
        counter = counter_of(secret, plain(code), time.time())
        if counter is None or counter <= found.data.get(LAST, -1):
            return None
        found.data[LAST] = counter
        found.save(update_fields=["data"])
    found.user = user
    return cast(Authenticator, found)


class _CodeForm(BaseAuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """A code of the app, or a recovery code."""

    again = False
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        adapter = SealedAdapter()
        try:
            attempt = tries.for_code(context.request, self.user)
        except tries.TooMany:
            raise ValidationError(_("Too many tries. Wait a while, or use a passkey.")) from None
        self.authenticator = self._app(code)
        if self.authenticator is None and not codes.use(self.user, code):
            record("account.factor_failed", team=None, by=None, about=self.user, after="code")
            raise adapter.validation_error("incorrect_code")
        attempt.give_back()
        return code

    def _app(self, code: str) -> Authenticator | None:
        try:
            return take_code(self.user, code)
        except CannotOpen:
            return None  # a recovery code needs no key file

    def save(self) -> None:
        if self.authenticator is not None:
            post_authentication(context.request, self.authenticator, reauthenticated=self.again)
            return
        more = {"reauthenticated": True} if self.again else {}
        record_authentication(context.request, self.user, "mfa", type="recovery_codes", **more)


class CodeForm(_CodeForm):
    pass


class CodeAgainForm(_CodeForm):
    again = True


class AppForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth ships no types
    """The first code of a new app; it is used up by that."""

    counter = -1

    def clean_code(self) -> str:
        code = plain(self.cleaned_data["code"])
        try:
            attempt = tries.for_code(context.request, self.user)
        except tries.TooMany:
            raise ValidationError(_("Too many tries. Wait a while, or use a passkey.")) from None
        counter = counter_of(self.secret, code, time.time())
        if counter is None:
            raise SealedAdapter().validation_error("incorrect_code")
        attempt.give_back()
        self.counter = counter
        return code


# passkeys

# What fido2 and the parsers below it raise for what is no passkey, or not this one.
_NO_PASSKEY = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, OverflowError,
    RecursionError, InvalidSignature, UnsupportedAlgorithm,
)  # fmt: skip


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ValidationError:
        raise
    except _NO_PASSKEY as error:
        raise ValidationError(_("This passkey was not accepted.")) from error


class AnswerField(forms.JSONField):
    """What the script puts into its form; anybody can put anything else there."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > _ANSWER_MAX:
            raise ValidationError(_("This passkey was not accepted."))
        with _refusing():
            return super().to_python(value)


class _PasskeyMixin(AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    credential = AnswerField()

    def clean_credential(self) -> Authenticator:
        with _refusing():
            return super().clean_credential()


class PasskeyForm(_PasskeyMixin):
    pass


class PasskeySignInForm(_PasskeyMixin, LoginWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    pass


class PasskeyAgainForm(_PasskeyMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    pass


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """Every one is a passkey in full: it signs in by itself, so it has to know its owner (PIN, finger)."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=_NAME_MAX,
        required=False,
        help_text=gettext_lazy("To tell it from others: “my phone”, “the blue key”."),
    )
    credential = AnswerField()
    passwordless = None  # allauth's choice

    def clean(self) -> dict[str, Any]:
        with _refusing():
            if isinstance(self.cleaned_data, dict):
                self.cleaned_data["passwordless"] = True
            return cast(dict[str, Any], super().clean())


class RenameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=_NAME_MAX)


def passkeys_work(request: HttpRequest) -> bool:
    """Browsers know passkeys of names alone, and over HTTPS (or on this very machine)."""
    host = request.get_host().rsplit(":", 1)[0]
    is_number = host.replace(".", "").isdigit() or "[" in host
    return host == "localhost" or (request.is_secure() and not is_number)
