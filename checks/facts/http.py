"""What the web server answered."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts import Fact, Missing


@dataclass(frozen=True, slots=True)
class Page:
    """One HTTP answer.  Header names are lower case, values cleaned, order and repetition kept."""

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
    """GET https://host/ as a browser without cookies sees it, redirects not followed."""

    page: Page


@dataclass(frozen=True, slots=True)
class PlainHttp(Fact):
    """What port 80 does: the chain of answers from http://host/ on, first hop first.

    `closed` means port 80 refused the connection (a definite answer); a time-out is Missing.
    """

    closed: bool
    hops: tuple[Page, ...] | Missing = ()
    deep: Page | Missing | None = None  # one deep path, first hop only
