"""The five texts that the items come from, and where they stand: plain data for `checks.model.Source`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FIELD_PRACTICE = "+"  # the "text" of an item that none of the five has


@dataclass(frozen=True, slots=True)
class SourceText:
    """One text.  `anchors`: section as the items name it -> fragment of the page, where it has one."""

    title: str  # in the language of the text
    year: str
    language: str  # "en" or "ja"
    url: str
    anchors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


TEXTS: Mapping[str, SourceText] = MappingProxyType(
    {
        "000": SourceText(
            "Securing Mastodon Instances",
            "2022",
            "en",
            "https://decrypt.fail/blog/securing-mastodon-instances/",
        ),
        "001": SourceText(
            "Setting up a secure Mastodon server in 2024",
            "2024",
            "en",
            "https://blog.illixion.com/2024/04/setting-up-mastodon-server-securely/",
            MappingProxyType(
                {
                    "Preface": "preface",
                    "Preface 1": "preface",
                    "Preface 2": "preface",
                    "Preface 3": "preface",
                    "Preface 4": "preface",
                    "Setting up": "setting-up-mastodon",
                    "Securing outgoing": "securing-outgoing-connections",
                    "Sign-ups": "securing-sign-ups",
                }
            ),
        ),
        "002": SourceText(
            "Securing Mastodon (boothlabs.me)",
            "2018",
            "en",
            "https://boothlabs.me/2018/12/24/securing-mastodon/",
        ),
        "003": SourceText(
            "2020年度版Mastodon鯖管セキュリティチェックリスト",
            "2020",
            "ja",
            "https://hackmd.io/@h12o/mastodon-security-checklist",
        ),
        "004": SourceText(
            "Akkoma: Hardening your instance",
            "",
            "en",
            "https://docs.akkoma.dev/stable/configuration/hardening/",
            MappingProxyType(
                {
                    "http": "http",
                    "Upload base_url": "pleromaupload-uploader-base_url",
                    "secure_cookie_flag": "secure_cookie_flag",
                    "http_security": "http_security",
                    "sts": "sts",
                    "referrer_policy": "referrer_policy",
                    "systemd": "systemd",
                }
            ),
        ),
    }
)


def address_of(text: str, section: str = "") -> str:
    """The address of a text, at the section where it has an anchor; "" for field practice."""
    found = TEXTS.get(text)
    if found is None:
        return ""
    anchor = found.anchors.get(section, "")
    return f"{found.url}#{anchor}" if anchor else found.url
