"""The public APIs of nine families, read into one shape.  A field that a family does not show is
Missing(NOT_ASKED); one that it should show and did not is Missing with the reason of its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from checks.clean import clean
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.instance import InstanceInfo
from checks.parse.json_caps import at, bool_at, int_at, list_at, text_at
from checks.parse.nodeinfo import NodeInfo

T = TypeVar("T")
NOT_SHOWN = Missing(Reason.NOT_ASKED, "this software does not show it")
Doc = Mapping[str, Any] | Missing

_PRIVACY_DEFAULT_DATE = "2022-10-07"  # Mastodon gives this date to the text it ships
_DEFAULT_MARKS = ("discourse privacy policy", "default placeholder tos", "this is a placeholder")
_SHIPPED_FILE = re.compile(
    r"^https://[^/]+/(?:(?:avatars|headers)/original/missing\.|instance/thumbnail\.|storage/avatars/default\.|"
    r"(?:packs|vite|assets|static|img|images|static-assets|client-assets|twemoji|fluent-emoji)/|favicon)",
    re.IGNORECASE,
)
_PEERTUBE_TERMS = "No terms for now"
_CAPTCHAS = ("enableHcaptcha", "enableMcaptcha", "enableRecaptcha", "enableTurnstile", "enableFC")


@dataclass(frozen=True, slots=True)
class Docs:
    """What was read of the instance; each is the JSON object or why it is not there."""

    nodeinfo: NodeInfo | Missing
    v1: Doc = NOT_SHOWN
    v2: Doc = NOT_SHOWN
    meta: Doc = NOT_SHOWN
    site: Doc = NOT_SHOWN  # Lemmy /api/v3/site
    config: Doc = NOT_SHOWN  # PeerTube /api/v1/config
    about: Doc = NOT_SHOWN  # PeerTube /api/v1/config/about
    captcha: Doc = NOT_SHOWN  # Pleroma, Akkoma
    privacy: Doc = NOT_SHOWN  # Mastodon's text of the privacy policy
    terms_text: str | Missing = NOT_SHOWN


def read_instance(family: str, docs: Docs) -> InstanceInfo:
    """The settings of an instance of `family`; the Mastodon API's for families not known, and for those of
    Misskey's family that speak it alone."""
    if family == "misskey" and isinstance(docs.meta, Missing) and not isinstance(docs.v1, Missing):
        return _mastodon_api(family, docs)
    reader = {"misskey": _misskey, "lemmy": _lemmy, "peertube": _peertube}.get(family)
    return reader(docs) if reader else _mastodon_api(family, docs)


def _known(value: T | None, otherwise: Missing) -> T | Missing:
    return otherwise if value is None else value


def _gap(*docs: Doc) -> Missing:
    """Why a field is not known: the reason of the first document that could not be read, else not shown."""
    for doc in docs:
        if isinstance(doc, Missing) and doc.reason is not Reason.NOT_ASKED:
            return doc
    return NOT_SHOWN


def _users(docs: Docs) -> int | None:
    return None if isinstance(docs.nodeinfo, Missing) else docs.nodeinfo.users


def _meta(docs: Docs, *path: str) -> Any:
    return None if isinstance(docs.nodeinfo, Missing) else at(docs.nodeinfo.metadata, *path)


def _first(*values: bool | None) -> bool | None:
    return next((value for value in values if value is not None), None)


def _mastodon_api(family: str, docs: Docs) -> InstanceInfo:
    v1, v2, gap = docs.v1, docs.v2, _gap(docs.v2, docs.v1)
    both_missing = isinstance(v1, Missing) and isinstance(v2, Missing)
    opened = _first(bool_at(v2, "registrations", "enabled"), bool_at(v1, "registrations"))
    if opened is None and not isinstance(docs.nodeinfo, Missing):
        opened = docs.nodeinfo.open_registrations
    approval = _first(bool_at(v2, "registrations", "approval_required"), bool_at(v1, "approval_required"))
    rules = list_at(v2, "rules")
    rules = list_at(v1, "rules") if rules is None else rules
    return InstanceInfo(
        registrations_open=_known(opened, gap),
        approval_required=_known(approval, gap),
        invites_only=_known(_invites_only(opened, v1, docs), gap),
        captcha=_pleroma_captcha(docs) if family in {"pleroma", "akkoma"} else NOT_SHOWN,
        captcha_is_test=NOT_SHOWN,
        email_confirmation=_confirmation(family, docs),
        rules=_rules(rules) if rules is not None else gap,
        terms_url=gap if both_missing else _terms_url(family, v1, v2, docs),
        privacy_url=gap if both_missing else _privacy_url(family, v2),
        contact_email=gap if both_missing else text_at(v2, "contact", "email") or text_at(v1, "email"),
        contact_account=gap if both_missing else _account(v1, v2),
        user_count=_known(_users(docs) or int_at(v1, "stats", "user_count") or _users(docs), gap),
        setup_open=NOT_SHOWN,
        terms_default=_is_default(docs.terms_text),
        privacy_default=_privacy_default(docs.privacy),
        media_urls=_media(v1, v2),
        actor_url=_actor(v1, v2, docs),
    )


def _invites_only(opened: bool | None, v1: Doc, docs: Docs) -> bool | None:
    invites = _first(bool_at(v1, "invites_enabled"), bool_at(_meta(docs), "invitesEnabled"))
    return None if invites is None or opened is None else invites and not opened


def _pleroma_captcha(docs: Docs) -> bool | Missing:
    kind = text_at(docs.captcha, "type")
    return _known(None if kind is None else kind != "none", _gap(docs.captcha))


def _confirmation(family: str, docs: Docs) -> bool | Missing:
    if family == "mastodon":
        return True  # cannot be switched off
    if family in {"pleroma", "akkoma"}:
        found = _first(
            bool_at(docs.v1, "pleroma", "metadata", "account_activation_required"),
            bool_at(_meta(docs), "accountActivationRequired"),
        )
        return _known(found, _gap(docs.v1))
    return NOT_SHOWN


def _rules(rules: list[Any]) -> tuple[str, ...]:
    texts = (text_at(rule, "text") if isinstance(rule, dict) else rule for rule in rules)
    return tuple(
        clean(text, 300, newlines=False) for text in texts if isinstance(text, str) and text.strip()
    )[:50]


def _terms_url(family: str, v1: Doc, v2: Doc, docs: Docs) -> str | None | Missing:
    texts = (
        text_at(v2, "configuration", "urls", "terms_of_service"),
        text_at(v1, "terms"),
        text_at(v2, "terms"),
    )
    if any(texts):
        return next(text for text in texts if text)
    if family == "gotosocial":  # the field is there and empty
        return None
    if family in {"pleroma", "akkoma"}:
        return NOT_SHOWN if isinstance(docs.terms_text, Missing) else "/static/terms-of-service.html"
    return None if family == "mastodon" and not isinstance(v2, Missing) else NOT_SHOWN


def _privacy_url(family: str, v2: Doc) -> str | None | Missing:
    url = text_at(v2, "configuration", "urls", "privacy_policy")
    return url if url else NOT_SHOWN


def _privacy_default(doc: Doc) -> bool | Missing:
    if isinstance(doc, Missing):
        return doc
    content, updated = text_at(doc, "content", limit=200_000), text_at(doc, "updated_at")
    if content is None:
        return NOT_SHOWN
    if updated is None:
        return True  # nobody ever saved a text of their own
    return updated.startswith(_PRIVACY_DEFAULT_DATE) or any(m in content.lower() for m in _DEFAULT_MARKS)


def _is_default(text: str | Missing) -> bool | Missing:
    return text if isinstance(text, Missing) else any(mark in text.lower() for mark in _DEFAULT_MARKS)


def _account(v1: Doc, v2: Doc) -> str | None:
    return text_at(v2, "contact", "account", "acct") or text_at(v1, "contact_account", "acct")


def _actor(v1: Doc, v2: Doc, docs: Docs) -> str | None:
    for account in (at(v2, "contact", "account"), at(v1, "contact_account")):
        url = text_at(account, "uri", limit=2000) or text_at(account, "url", limit=2000)
        if url:
            return url
    staff = list_at(_meta(docs), "staffAccounts") or [None]  # Pleroma, Akkoma: addresses of actors
    return text_at({"first": staff[0]}, "first", limit=2000)


def _media(v1: Doc, v2: Doc) -> tuple[str, ...]:
    """Uploads first (an avatar lies in the media store), the thumbnail may be a file of the software."""
    found = (
        text_at(v2, "contact", "account", "avatar", limit=2000),
        text_at(v1, "contact_account", "avatar", limit=2000),
        text_at(v2, "thumbnail", "url", limit=2000),
        text_at(v1, "thumbnail", limit=2000),
    )
    return uploads(*found)


def uploads(*urls: str | None) -> tuple[str, ...]:
    """The addresses that can be uploads: what ships with the software (the picture of an account without one,
    a logo) lies on the web host wherever uploads lie, and says nothing of them."""
    found = [url for url in urls if url and url.startswith("https://") and not _SHIPPED_FILE.search(url)]
    return tuple(dict.fromkeys(found))


def _misskey(docs: Docs) -> InstanceInfo:
    meta, gap = docs.meta, _gap(docs.meta)
    closed = _first(bool_at(meta, "disableRegistration"), bool_at(_meta(docs), "disableRegistration"))
    source = meta if not isinstance(meta, Missing) else _meta(docs) or {}
    switches = [bool_at(source, name) for name in _CAPTCHAS]
    test = bool_at(source, "enableTestcaptcha")
    rules = list_at(meta, "serverRules")
    read = not isinstance(meta, Missing)
    return InstanceInfo(
        registrations_open=_known(None if closed is None else not closed, gap),
        approval_required=_known(
            bool_at(meta, "approvalRequiredForSignup") or (False if read else None), gap
        ),
        invites_only=_known(closed, gap),
        captcha=_known(None if all(s is None for s in switches) else any(switches), gap),
        captcha_is_test=_known(test, gap),
        email_confirmation=_known(bool_at(source, "emailRequiredForSignup"), gap),
        rules=_rules(rules) if rules is not None else gap,
        terms_url=text_at(meta, "tosUrl") if read else gap,
        privacy_url=text_at(meta, "privacyPolicyUrl") if read else gap,
        contact_email=_misskey_contact(docs) or (None if read else gap),
        contact_account=NOT_SHOWN,
        user_count=_known(_users(docs), gap),
        setup_open=_known(bool_at(meta, "requireSetup"), gap),
        terms_default=False if text_at(meta, "tosUrl") else NOT_SHOWN,
        privacy_default=False if text_at(meta, "privacyPolicyUrl") else NOT_SHOWN,
        media_urls=_https(meta, "iconUrl", "bannerUrl", "backgroundImageUrl", "logoImageUrl"),
    )


def _misskey_contact(docs: Docs) -> str | None:
    """NodeInfo names the maintainer also where the API is closed."""
    return (
        text_at(docs.meta, "maintainerEmail")
        or text_at(docs.meta, "inquiryUrl")
        or text_at(_meta(docs), "maintainer", "email")
    )


def _https(doc: Any, *keys: str) -> tuple[str, ...]:
    return uploads(*(text_at(doc, key, limit=2000) for key in keys))


def _lemmy(docs: Docs) -> InstanceInfo:
    site, gap = docs.site, _gap(docs.site)
    local = at(site, "site_view", "local_site")
    mode = (text_at(local, "registration_mode") or "").lower().replace("_", "")  # 1.0: require_application
    finished = bool_at(local, "site_setup")
    legal = text_at(local, "legal_information", limit=2000)
    read = isinstance(local, dict)
    admins = list_at(site, "admins") or []
    admin = at(admins[0], "person") if admins else None
    return InstanceInfo(
        registrations_open=_known(mode in {"open", "requireapplication"} if mode else None, gap),
        approval_required=_known(mode == "requireapplication" if mode else None, gap),
        invites_only=NOT_SHOWN,
        captcha=_known(bool_at(local, "captcha_enabled"), gap),
        captcha_is_test=NOT_SHOWN,
        email_confirmation=_known(bool_at(local, "require_email_verification"), gap),
        rules=NOT_SHOWN,  # they stand in the sidebar, as free text
        terms_url=("/legal" if legal else None) if read else gap,
        privacy_url=("/legal" if legal else None) if read else gap,
        contact_email=NOT_SHOWN,
        contact_account=text_at(admin, "name") if read else gap,
        user_count=_known(_users(docs), gap),
        setup_open=_known(None if finished is None else not finished, gap),
        terms_default=False if legal else NOT_SHOWN,
        privacy_default=False if legal else NOT_SHOWN,
        media_urls=(*_https(admin, "avatar"), *_https(at(site, "site_view", "site"), "icon", "banner")),
        actor_url=text_at(admin, "actor_id", limit=2000),
    )


def _peertube(docs: Docs) -> InstanceInfo:
    config, gap = docs.config, _gap(docs.config)
    about, about_gap = at(docs.about, "instance"), _gap(docs.about)
    read = isinstance(about, dict)
    conduct, terms = text_at(about, "codeOfConduct", limit=300), text_at(about, "terms", limit=300)
    return InstanceInfo(
        registrations_open=_known(bool_at(config, "signup", "allowed"), gap),
        approval_required=_known(bool_at(config, "signup", "requiresApproval"), gap),
        invites_only=NOT_SHOWN,
        captcha=NOT_SHOWN,
        captcha_is_test=NOT_SHOWN,
        email_confirmation=_known(bool_at(config, "signup", "requiresEmailVerification"), gap),
        rules=((conduct,) if conduct else ()) if read else about_gap,
        terms_url=("/about/instance" if terms else None) if read else about_gap,
        privacy_url=NOT_SHOWN,
        contact_email=NOT_SHOWN,
        contact_account=NOT_SHOWN,
        user_count=_known(_users(docs), gap),
        setup_open=NOT_SHOWN,
        terms_default=terms.startswith(_PEERTUBE_TERMS) if terms else NOT_SHOWN,
        privacy_default=NOT_SHOWN,
        media_urls=tuple(
            url
            for kind in ("avatars", "banners")
            for image in (list_at(about, kind) or [])[:3]
            for url in _https(image, "fileUrl")
        ),
    )
