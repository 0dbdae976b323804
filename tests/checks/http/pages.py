"""Hand-made facts of a web server on which all is well; a test changes one thing."""

from __future__ import annotations

from datetime import UTC, datetime

from checks.facts import Fact, Facts
from checks.facts.http import (
    ApiPage,
    FrontPage,
    MediaSample,
    NoSuchPage,
    Page,
    PlainHttp,
    SecurityTxt,
    SignInPage,
)
from checks.facts.software import Software

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOST = "https://site.test"
HTML = ("content-type", "text/html; charset=utf-8")
GOOD = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "content-security-policy": "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "x-permitted-cross-domain-policies": "none",
    "referrer-policy": "same-origin",
    "x-xss-protection": "0",
}  # fmt: skip
SESSION = "_mastodon_session=…; path=/; Secure; HttpOnly; SameSite=Lax"


def html(
    path: str = "/", status: int = 200, body: str = "<html></html>", **headers: str | tuple[str, ...] | None
) -> Page:
    """A good page; `x_frame_options="…"` replaces a header, a tuple repeats it, None leaves it out."""
    wanted: dict[str, str | tuple[str, ...] | None] = {**GOOD}
    wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        (name, one)
        for name, value in wanted.items()
        if value is not None
        for one in ((value,) if isinstance(value, str) else value)
    ]
    return Page(f"{HOST}{path}", status, (*((HTML,) if "content-type" not in wanted else ()), *lines), body)


def front(
    *, status: int = 200, body: str = "<html></html>", **headers: str | tuple[str, ...] | None
) -> FrontPage:
    return FrontPage(html("/", status, body, **headers))


def redirect(url: str, to: str, status: int = 301, **headers: str) -> Page:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Page(url, status, (("location", to), *lines), "")


def software(family: str = "mastodon", version: str = "4.7.3", **more: object) -> Software:
    values: dict[str, object] = {
        "name": family,
        "family": family,
        "version": version,
        "base_version": version,
    }
    values |= {"seen_at": NOW, **more}
    return Software(**values)  # type: ignore[arg-type]


def facts(*changed: Fact) -> Facts:
    """All web facts of the good server, `changed` in place of theirs."""
    plain = redirect("http://site.test/", f"{HOST}/")
    deep = redirect("http://site.test/about", f"{HOST}/about")
    note = "Contact: mailto:a@site.test\nExpires: 2027-06-01T00:00:00Z\n"
    text = Page(f"{HOST}/.well-known/security.txt", 200, (("content-type", "text/plain"),), note)
    api = Page(f"{HOST}/api/v2/instance", 200, (*GOOD.items(), ("access-control-allow-origin", "*")), "")
    media = Page("https://files.test/a.png", 200, (("x-content-type-options", "nosniff"),), "")
    good: tuple[Fact, ...] = (
        front(),
        PlainHttp(False, (plain,), deep),
        ApiPage(api),
        NoSuchPage(html("/nothing", 404)),
        SignInPage(html("/auth/sign_in", set_cookie=SESSION)),
        SecurityTxt(text, NOW),
        MediaSample("files.test", media, "https://files.test/", None),
        software(),
    )
    return Facts().with_facts(*good).with_facts(*changed)
