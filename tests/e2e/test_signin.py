"""The second factor in a real browser: an app, a passkey (Chromium's virtual authenticator), recovery codes;
under the strict policy, on a telephone, and the app without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from fedisec.accounts.models import User
from tests.accounts.signin.conftest import PASSWORD, code_of
from tests.e2e.reading import Look, Reader, reader
from tests.factories import a_user

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = Look(theme="dark", width=360)


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Settings) -> None:
    settings.KEY_FILE = str(tmp_path / "keys")
    (tmp_path / "keys").write_text("k" * 64)
    cache.clear()


@pytest.fixture
def ann(empty: str) -> User:
    return a_user(email="ann@example.org", password=PASSWORD)


@pytest.fixture
def phone(browser: Browser, empty: str, ann: User) -> Iterator[Reader]:
    with reader(browser, empty, look=PHONE) as found:
        yield found


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("ann@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(someone: Reader) -> None:
    someone.open("/account/logout/")
    someone.page.locator("main").get_by_role("button", name="Sign out").click()
    expect(someone.page.get_by_role("heading", name="Sign in")).to_be_visible()


def is_in(page: Page) -> None:
    expect(page.locator("details.menu")).to_be_visible()


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def authenticator(page: Page) -> Any:
    """A telephone that knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def add_app(someone: Reader) -> tuple[str, list[str]]:
    """The key of the app, and the recovery codes that were shown."""
    page = someone.page
    someone.open("/account/2fa/app/")
    key = page.locator("pre.command").inner_text().strip()
    page.get_by_label("Authenticator code").fill(code_of(key))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    return key, re.findall(r"(?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}", page.locator("pre.command").inner_text())


def test_app_passkey_and_recovery_codes(phone: Reader) -> None:
    page = phone.page
    authenticator(page)
    phone.open("/account/login/")
    fits(page)
    sign_in(page)
    is_in(page)
    key, codes = add_app(phone)
    fits(page)
    assert len(codes) == 10
    # a passkey beside it
    phone.open("/account/2fa/passkeys/add/")
    page.get_by_label("Name").fill("my phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("li strong", has_text="my phone")).to_be_visible()
    fits(page)
    # it signs in by itself
    sign_out(phone)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)
    # it is a second step behind the password
    sign_out(phone)
    sign_in(page)
    fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    is_in(page)
    # so is a code of the app, and each recovery code once
    for code in (code_of(key, 1), codes[0]):
        sign_out(phone)
        sign_in(page)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        is_in(page)
    sign_out(phone)
    sign_in(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Incorrect code")).to_be_visible()
    phone.open("/")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()


def test_a_passkey_of_another_account_is_not_taken(phone: Reader, ann: User) -> None:
    """The signature is right, the account that it speaks of is gone, or has another key."""
    page = phone.page
    authenticator(page)
    phone.open("/account/login/")
    sign_in(page)
    is_in(page)
    phone.open("/account/2fa/passkeys/add/")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    sign_out(phone)
    Authenticator.objects.filter(user=ann).delete()
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("status").get_by_role("listitem")).to_be_visible()
    phone.open("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_without_any_script(browser: Browser, empty: str, ann: User) -> None:
    with reader(browser, empty, look=PHONE, javascript=False) as someone:
        page = someone.page
        someone.open("/account/login/")
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
        sign_in(page)
        is_in(page)
        key, codes = add_app(someone)
        someone.open("/account/2fa/passkeys/add/")
        expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
        sign_out(someone)
        sign_in(page)
        page.get_by_label("Code").fill(code_of(key, 1))
        page.get_by_role("button", name="Sign in", exact=True).click()
        is_in(page)
        someone.open("/account/sessions/")
        assert page.get_by_text("this one").count() == 1
