"""Outside graders for a second opinion: links alone, nothing is asked of them by fedisec."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Grader:
    """A site that grades a domain.  `address` has one place for it; `about` says what is looked at."""

    id: str
    name: str
    about: str | Promise
    address: str
    scale: str  # an example of what it says, for the field where it is noted

    def link(self, domain: str) -> str:
        return self.address.format(quote(domain, safe=""))


GRADERS = (
    Grader(
        "ssllabs",
        "SSL Labs",
        _("TLS"),
        "https://www.ssllabs.com/ssltest/analyze.html?d={}&hideResults=on",
        "A+",
    ),
    Grader("internetnl", "Internet.nl", _("web, IPv6, DNSSEC"), "https://internet.nl/site/{}/", "97 %"),
    Grader("internetnl-mail", "Internet.nl", _("mail"), "https://internet.nl/mail/{}/", "100 %"),
    Grader(
        "observatory",
        "HTTP Observatory",
        _("web headers"),
        "https://developer.mozilla.org/en-US/observatory/analyze?host={}",
        "B+",
    ),
    Grader(
        "securityheaders",
        "Security Headers",
        _("web headers"),
        "https://securityheaders.com/?q={}&hide=on&followRedirects=on",
        "A",
    ),
    Grader("hardenize", "Hardenize", _("everything public"), "https://www.hardenize.com/report/{}", "—"),
    Grader("mxtoolbox", "MXToolbox", _("mail"), "https://mxtoolbox.com/emailhealth/{}/", "0 errors"),
    Grader("hstspreload", "HSTS Preload", _("preloading"), "https://hstspreload.org/?domain={}", "preloaded"),
)
BY_ID = {grader.id: grader for grader in GRADERS}
