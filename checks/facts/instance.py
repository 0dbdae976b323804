"""What the fediverse software says about itself, without a login."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Fact, Missing


@dataclass(frozen=True, slots=True)
class Software(Fact):
    """The recognised software.  `family` is the upstream that advisories and defaults are looked up by."""

    name: str  # as it calls itself, lower case: "akkoma", "sharkey"
    family: str  # mastodon pleroma akkoma misskey pixelfed gotosocial friendica lemmy peertube; "" if unknown
    version: str  # as given
    base_version: str  # upstream version without fork or build suffix; "" where it cannot be told
    fork: str = ""  # fork marker ("glitch"), "" for upstream
    prerelease: bool = False
    source_url: str | None = None  # repository or source offer it names
    via: str = "nodeinfo"  # where it was read: nodeinfo, instance_v1, instance_v2, meta …


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
    media_urls: tuple[str, ...] = ()  # sample URLs of uploads (avatar, thumbnail)
    actor_url: str | None = None  # a public actor, for the signed-fetch probe
