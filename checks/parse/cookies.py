"""Set-Cookie lines, by RFC 6265 section 5.2.  Values are neither needed nor kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.errors import ParseError

# Cookies of shields and load balancers in front: not the admin's to change.
_FOREIGN = re.compile(
    r"(?:__cf|cf_|_cfuvid|__cflb|awsalb|__ddg|datadome|incap_ses|visid_incap|nlbi_|ak_bmsc|bm_sz|within\.website|"
    r"techaro\.lol)",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"(?:sess|_mastodon|pleroma_key|pxfs|gotosocial|friendica|jwt|auth|token|remember|login|sid$)",
    re.IGNORECASE,
)
_CSRF = re.compile(r"(?:xsrf|csrf)", re.IGNORECASE)
_YEAR = re.compile(r"\b\d{4}\b", re.ASCII)
_LONG_AGO = 2020  # no cookie that is meant to live ends before


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    secure: bool
    http_only: bool
    same_site: str  # lower case; "" if absent
    path: str
    has_domain: bool
    removed: bool = False  # the line takes a cookie away: it has ended already

    @property
    def is_foreign(self) -> bool:
        """Set by something in front of the software."""
        return bool(_FOREIGN.match(self.name))

    @property
    def is_session(self) -> bool:
        """By its name, what holds a sign-in.  A CSRF token is read by scripts by design."""
        return bool(_SESSION.search(self.name)) and not _CSRF.search(self.name)

    @property
    def host_prefixed(self) -> bool:
        """`__Host-` and its conditions: browsers refuse the cookie if they do not hold."""
        return self.name.startswith("__Host-") and self.secure and self.path == "/" and not self.has_domain


def parse_cookie(line: str) -> Cookie:
    """One Set-Cookie line.  ParseError where there is no name."""
    pair, *attributes = line[:8192].split(";")
    name = pair.partition("=")[0].strip()
    if not name or "=" not in pair:
        raise ParseError("no cookie name")
    found: dict[str, str] = {}
    for attribute in attributes[:50]:
        key, _, value = attribute.partition("=")
        found[key.strip().lower()] = value.strip()
    return Cookie(
        name[:200],
        "secure" in found,
        "httponly" in found,
        found.get("samesite", "").lower(),
        found.get("path", ""),
        bool(found.get("domain")),
        _has_ended(found),
    )


def parse_cookies(lines: tuple[str, ...]) -> tuple[Cookie, ...]:
    """The cookies that one answer leaves with a browser: of two with the same name and place the later one
    (RFC 6265 section 5.3).  Those of shields in front, and those taken away, are left out."""
    found: dict[tuple[str, str, bool], Cookie] = {}
    for line in lines[:100]:
        try:
            cookie = parse_cookie(line)
        except ParseError:
            continue
        place = cookie.name, cookie.path, cookie.has_domain
        found.pop(place, None)
        if not cookie.is_foreign and not cookie.removed:
            found[place] = cookie
    return tuple(found.values())


def _has_ended(attributes: dict[str, str]) -> bool:
    """Max-Age has the last word where it is a number (section 5.3, step 3); the year of Expires is enough to
    tell the usual 1970 from a date to come."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isascii() and age.removeprefix("-").isdigit():
        return age.startswith("-") or not age.strip("0")
    year = _YEAR.search(attributes.get("expires", ""))
    return year is not None and int(year[0]) < _LONG_AGO
