"""What the fediverse software says about its settings, without a login."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Fact, Missing
from checks.facts.software import Software

__all__ = ["ContactDomain", "InstanceInfo", "Software"]


@dataclass(frozen=True, slots=True)
class InstanceInfo(Fact):
    """Settings that the public API shows.  Missing(NOT_ASKED) = this software does not show it."""

    registrations_open: bool | Missing  # an account can be asked for, with or without approval
    approval_required: bool | Missing
    invites_only: bool | Missing
    captcha: bool | Missing
    captcha_is_test: bool | Missing
    email_confirmation: bool | Missing
    rules: tuple[str, ...] | Missing
    terms_url: str | None | Missing
    privacy_url: str | None | Missing
    contact_email: str | None | Missing
    contact_account: str | None | Missing
    user_count: int | Missing
    setup_open: bool | Missing  # a first-run set-up is open to strangers
    terms_default: bool | Missing  # the terms are the text that ships with the software
    privacy_default: bool | Missing
    media_urls: tuple[str, ...] = ()  # sample URLs of uploads (avatar, thumbnail)
    actor_url: str | None = None  # a public actor, for the signed-fetch probe


@dataclass(frozen=True, slots=True)
class ContactDomain(Fact):
    """Whether mail to the published contact address can arrive, by the DNS of its domain."""

    domain: str
    exists: bool
    mx: tuple[str, ...]  # "preference host"; "0 ." is the null MX
    has_address: bool  # the domain itself has an address: mail would try it where there is no MX
    mx_resolves: bool  # at least one MX host has an address
