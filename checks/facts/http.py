"""What the web server answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checks.facts import Fact, Missing

# The Origin of a stranger's page: reserved, so nobody allows it on purpose.
FOREIGN_ORIGIN = "https://origin.invalid"
HEADER_CHARS = 8192  # of one header value; the rest is cut


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer.  Header names are lower case, values cleaned, order and repetition kept; the value of
    a cookie is left out, its name and attributes stay."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str  # decoded with replacement, capped; "" for bodies that were not wanted
    truncated: bool = False

    def header_values(self, name: str) -> tuple[str, ...]:
        """All values of a header field in the order they came, each field line on its own."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key == wanted)

    def header(self, name: str) -> str | None:
        """The first value of a header field; None where the field is absent."""
        values = self.header_values(name)
        return values[0] if values else None

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class FrontPage(Fact):
    """GET https://host/ as a browser without cookies sees it."""

    page: Page  # the first answer, redirects not followed
    landing: Page | Missing | None = None  # where `/` redirects to on the same host; None if it does not

    @property
    def document(self) -> Page | Missing:
        """The page whose policy counts: the landing page where `/` only points to it."""
        return self.page if self.landing is None else self.landing


@dataclass(frozen=True, slots=True)
class PlainHttp(Fact):
    """What port 80 does: the chain of answers from http://host/ on, first hop first.

    `closed` means port 80 refused the connection (a definite answer); a time-out is Missing.  The chain ends
    with the first redirect to https: what answers there is FrontPage.
    """

    closed: bool
    hops: tuple[Page, ...] | Missing = ()
    deep: Page | Missing | None = None  # one deep path, first hop only


@dataclass(frozen=True, slots=True)
class NoSuchPage(Fact):
    """What the server says to a path that cannot exist: the measure for "served" and "not served".  Asked
    with a foreign Origin, as are ApiPage and SignInPage."""

    page: Page


@dataclass(frozen=True, slots=True)
class ApiPage(Fact):
    """One answer of the public API or of NodeInfo (headers count, the body is elsewhere)."""

    page: Page


@dataclass(frozen=True, slots=True)
class AssetPage(Fact):
    """A static file that the front page names, for its headers: the web server often answers it alone."""

    page: Page


@dataclass(frozen=True, slots=True)
class SignInPage(Fact):
    """The software's sign-in page, for its cookies."""

    page: Page


@dataclass(frozen=True, slots=True)
class SecurityTxt(Fact):
    """/.well-known/security.txt, or /security.txt where only that exists.  `page` None: neither exists."""

    page: Page | None
    seen_at: datetime  # the measure for Expires
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class MediaSample(Fact):
    """One upload and the place it lies in."""

    host: str
    page: Page  # of the upload; the body is not kept
    listing_url: str = ""
    listing: str | Missing | None = None  # kind of listing found at the root, None if none, see parse.served


@dataclass(frozen=True, slots=True)
class PathSeen:
    """A path that should not be served.  Nothing of the body is kept but what it proved to be."""

    path: str
    status: int
    found: str = ""  # kind of content recognised by its grammar, "" for nothing
    proof: str = ""  # which words of the grammar matched; never a value


@dataclass(frozen=True, slots=True)
class SecretPaths(Fact):
    """Files that belong to the operator alone, asked for as anybody could."""

    paths: tuple[PathSeen | Missing, ...]


@dataclass(frozen=True, slots=True)
class PanelPaths(Fact):
    """Admin panels, metrics and debug pages of this software."""

    paths: tuple[PathSeen | Missing, ...]


@dataclass(frozen=True, slots=True)
class SignedFetch(Fact):
    """An unsigned ActivityPub request for a public actor."""

    url: str
    status: int
    is_actor: bool  # the body is an ActivityPub actor


@dataclass(frozen=True, slots=True)
class SourceOffer(Fact):
    """The place where a server says that its source lies, asked for where it is not the project's own."""

    url: str
    status: int  # of the first answer; a redirect is not followed
