"""`python -m tests.security.fuzz URL COUNT [SESSION...]`: requests made up by hypothesis, at every address.

Each answer is looked at: none of 5xx, no word of the inside, every header on it.  Prints a JSON object.  Signed in
where sessions are given; when one was ended by what was tried, the next is taken.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import django
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

HEADERS = (
    "Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy",
    "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy", "Cache-Control",
)  # fmt: skip
INSIDE = re.compile(
    rb"Traceback \(most recent|site-packages/(?:django|allauth)|django\.core|OperationalError|/fedisec/[a-z_]+\.py"
)
METHODS = ["GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]
NASTY = [
    "", "'", '"', "<script>alert(1)</script>", "../../../etc/passwd", "%00", "\x00", "\u202e", "\ud7ff", "-1", "0",
    "99999999999999999999", "9" * 5000, "NaN", "1e999", "2026-02-30", "9999-12-31", "0001-01-01", "{{7*7}}", "${7*7}",
    "a" * 3000, "\r\nSet-Cookie: x=1", "http://127.0.0.1:6379/", "//evil.example/", "javascript:alert(1)",
    "xn--a", "é" * 300, "=1+1", "on", "true", "[]", "{}", "null", "127.0.0.1", "[::1]", "\u0660", "\U0001f600" * 50,
]  # fmt: skip
NAMES = [
    "q", "is", "format", "page", "before", "after", "since", "until", "sort", "level", "topic", "tag", "next", "lang",
    "team", "person", "action", "instance", "days", "a", "b", "from", "to", "only", "view", "csrfmiddlewaretoken",
]  # fmt: skip
PER_CONNECTION = 200


class Forms(HTMLParser):
    """The names of all fields of a page, and the values that it offers."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, set[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in {"input", "select", "textarea", "button"} and (name := found.get("name")):
            self.fields.setdefault(name, set()).add(found.get("value") or "")


@dataclass
class Fuzz:
    url: str
    sessions: list[str]
    answers: Counter[str] = field(default_factory=Counter)
    findings: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    ended: int = 0
    templates: set[str] = field(default_factory=set)
    fields: dict[str, set[str]] = field(default_factory=dict)
    csrf: str = "a" * 32
    line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any, bytes]:
        """One request over a connection that is kept; CSRF is answered as a page of ours would."""
        if self.line is None or self.sent % PER_CONNECTION == 0:
            where = urlsplit(self.url)
            self.line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
        cookies = f"csrftoken={self.csrf}" + (f"; sessionid={self.sessions[0]}" if self.sessions else "")
        sent = {"Cookie": cookies, "X-CSRFToken": self.csrf, "Referer": f"{self.url}/", **headers}
        self.sent += 1
        try:
            self.line.request(method, path, body or None, sent)
            answer = self.line.getresponse()
            return answer.status, answer.headers, answer.read()
        except (http.client.HTTPException, OSError):
            self.line.close()
            self.line = None
            raise

    def try_one(self, template: str, method: str, path: str, body: bytes, kind: str, htmx: bool) -> None:
        headers = {"Content-Type": kind} if body else {}
        if htmx:
            headers["HX-Request"] = "true"
        try:
            status, found, content = self.ask(method, path, body, **headers)
        except (http.client.HTTPException, OSError) as error:
            self.find(f"{method} {template}: {type(error).__name__}")
            return
        self.templates.add(template)
        self.answers[f"{status // 100}xx"] += 1
        if status >= 500:
            self.find(f"{method} {template}: {status} for {path[:200]} {body[:200]!r}")
        if shown := INSIDE.search(content):
            around = content[max(shown.start() - 60, 0) : shown.end() + 60]
            self.find(f"{method} {template}: {status} shows the inside: {around!r}")
        for name in HEADERS:
            if name not in found:
                self.find(f"{method} {template}: {status} without {name}")
        if status == 302 and "/account/login/" in (found["Location"] or "") and len(self.sessions) > 1:
            self.sessions.pop(0)
            self.ended += 1

    def find(self, what: str) -> None:
        self.findings[what] = self.findings.get(what, 0) + 1

    def learn(self, templates: list[str]) -> None:
        """Asks for each page once, for the fields of its forms."""
        from tests.security.addresses import fillings

        for template in templates:
            path = "/" + re.sub(r"%\((\w+)\)s", lambda gap: fillings(gap[1])[0], template)
            if "logout" in template:
                continue
            try:
                status, _headers, content = self.ask("GET", path)
            except (http.client.HTTPException, OSError):
                continue
            if status == 200:
                reader = Forms()
                reader.feed(content.decode(errors="replace"))
                self.fields[template] = set(reader.fields)
                for name, values in reader.fields.items():
                    self.fields.setdefault(f"values of {name}", set()).update(values)


def request_strategy(fuzz: Fuzz, templates: list[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    text = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))

    @st.composite
    def made(draw: st.DrawFn) -> tuple[str, str, str, bytes, str, bool]:
        from tests.security.addresses import fillings

        template = draw(st.sampled_from(templates))

        def fill(gap: re.Match[str]) -> str:
            known = draw(st.integers(0, 9)) < 7
            value = draw(st.sampled_from(fillings(gap[1]))) if known else draw(text)
            return quote(value.encode("utf-8", "surrogatepass"), safe="")

        path = "/" + re.sub(r"%\((\w+)\)s", fill, template)
        names = sorted(fuzz.fields.get(template, ())) or NAMES

        def pairs() -> dict[str, str]:
            chosen = draw(st.lists(st.sampled_from(names + NAMES[:6]), max_size=6, unique=True))
            return {name: draw(value_of(name)) for name in chosen}

        def value_of(name: str) -> st.SearchStrategy[str]:
            offered = sorted(fuzz.fields.get(f"values of {name}", ()))
            return st.one_of(st.sampled_from(offered), text) if offered else text

        method = draw(st.sampled_from(METHODS))
        if draw(st.booleans()):
            path += "?" + urlencode(pairs(), errors="surrogatepass")
        body, kind = b"", ""
        if method in {"POST", "PUT", "PATCH"}:
            kind = draw(
                st.sampled_from([FORM, FORM, FORM, "application/json", "text/plain", "multipart/form-data"])
            )
            given = pairs()
            body = (
                json.dumps(given).encode()
                if "json" in kind
                else urlencode(given, errors="surrogatepass").encode()
            )
        return template, method, path, body, kind, draw(st.booleans())

    return made()


FORM = "application/x-www-form-urlencoded"


def main(url: str, count: int, sessions: list[str]) -> None:
    django.setup()
    from tests.security.addresses import templates

    known = [one for one in templates() if "logout" not in one or not sessions]
    fuzz = Fuzz(url, sessions)
    fuzz.learn(known)

    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(request_strategy(fuzz, known))
    def everything(made: tuple[Any, ...]) -> None:
        fuzz.try_one(*made)

    everything()
    missed = sorted(set(known) - fuzz.templates)
    print(json.dumps({
        "sent": fuzz.sent, "answers": fuzz.answers, "findings": fuzz.findings, "addresses": len(fuzz.templates),
        "missed": missed, "ended": fuzz.ended,
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
