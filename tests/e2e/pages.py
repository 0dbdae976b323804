"""What the tests of the pages stand on: data in every state, readers, and what a browser finds on a page."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Page,
    Request,
    ViewportSize,
)

from checks.items import all_items
from checks.model import Item, Settles
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.checklist import daily
from fedisec.checklist.models import Attestation, OwnItem, Waiver
from fedisec.enrolment.models import SshAccess
from fedisec.history.models import DayCount
from fedisec.instances.models import Glance, Instance, NotedGrade, SavedView, Tag
from fedisec.scans.models import Change, ItemState, Scan, Span
from fedisec.share.models import Share

PASSWORD = "a sentence nobody guesses"
OWNER, NEWCOMER = "owner@example.org", "newcomer@example.org"
FULL, FRESH, FAILED = "social.example", "fresh.example", "failed.example"
SILENT, PAUSED, STOPPED = "silent.example", "paused.example", "stopped.example"
LONG = ".".join(["a" * 62, "b" * 62, "c" * 62, "d" * 56, "example"])  # 253 characters, no place to break
IDN = "xn--q9jyb4c.xn--zckzah"  # みんな.テスト
PUBLIC = "4hUR9cKOw7bTQ2mD1xYzAg"  # the address of FULL's public page

# One item of each kind on FULL.
KINDS = {
    "pass": "tls.versions",
    "warn": "http.csp",
    "fail": "http.hsts",
    "unknown": "mail.spf",
    "asked": "plan.audience_decided",
    "asked-required": "plan.hosting_considered",
    "attested": "data.restore_tested",
    "waived": "http.referrer_policy",
    "not-applicable": "edge.origin_hidden",
    "outdated": "http.xss_protection_off",
    "confirming": "http.cookies",
}
MOVED = {"fail", "pass", "unknown"}  # since the look before the last
_LONG_LINE = "default-src 'none'; " + "https://" + "cdn" * 120 + ".example "
EVIDENCE = [
    [
        "GET https://social.example/",
        "HTTP/1.1 200 OK\n" + "\n".join(f"x-header-{n}: value" for n in range(40)),
    ],
    ["content-security-policy of https://social.example/", _LONG_LINE * 6],
    ["TXT social.example", "v=spf1 -all"],
]
_MACHINE = {
    "warn": ("warn", "gaps", ""),
    "fail": ("fail", "absent", ""),
    "unknown": ("unknown", "", "timeout"),
    "waived": ("fail", "absent", ""),
    "not-applicable": ("not_applicable", "no_cdn", ""),
    "outdated": ("fail", "on", ""),
    "confirming": ("fail", "no_same_site", ""),
}


_kept: list[sqlite3.Connection] = []  # the furnished database, once there is one


def furnished() -> None:
    """The data of `furnish` in the empty test database: made once, then put back as it was."""
    if connection.vendor != "sqlite":
        furnish()
        return
    connection.ensure_connection()
    if _kept:
        _kept[0].backup(connection.connection)
        return
    furnish()
    copy = sqlite3.connect(":memory:")
    connection.connection.backup(copy)
    _kept.append(copy)


def furnish() -> None:
    """An owner with servers in every state, and a newcomer with none."""
    owner = User.objects.create_user(OWNER, PASSWORD)
    newcomer = User.objects.create_user(NEWCOMER, PASSWORD)
    for user in (owner, newcomer):
        Membership.objects.create(team=Team.objects.create(name="Servers"), user=user, role=Role.OWNER)
    now = timezone.now()
    _scanned(_server(owner, FULL), owner, now)
    for domain in (LONG, IDN):
        _scanned(_server(owner, domain), owner, now - timedelta(days=1))
    long = Instance.objects.get(domain=LONG)
    OwnItem.objects.create(team=long.team, instance=long, title="当番の電話が充電されている " + "w" * 100)
    OwnItem.objects.create(team=long.team, instance=long, title="Retired", retired_at=now)
    progress = {"dns": [2, 2], "mail": [1, 3]}
    Scan.objects.create(
        instance=_server(owner, FRESH), state="running", reason="first", progress=progress, started_at=now
    )
    Scan.objects.create(
        instance=_server(owner, FAILED), state="failed", reason="first", error="broke off: " + "x" * 300
    )
    _in_trouble(owner, now)
    _filed(owner, now)
    Share.objects.create(
        instance=Instance.objects.get(domain=FULL), token=PUBLIC, shows="items", only_met=False
    )
    Instance.objects.filter(domain=IDN).update(demo=True)
    for instance in Instance.objects.all():
        daily.note(instance, now, scanned=True)
    Glance.objects.filter(instance__domain=FULL).update(facts=FACTS)
    DayCount.objects.filter(day=timezone.localdate(now)).delete()
    DayCount.objects.bulk_create(
        _day(instance, now, ago) for instance in Instance.objects.exclude(domain=FRESH) for ago in range(40)
    )


def _day(instance: Instance, now: datetime, ago: int) -> DayCount:
    met = 95 - ago + (ago % 7)
    counts = {
        level: {"met": met * of // 124, "not_met": of - met * of // 124}
        for level, of in (("required", 30), ("recommended", 64), ("optional", 30))
    }
    day = timezone.localdate(now - timedelta(days=ago))
    return DayCount(instance=instance, day=day, counts=counts, met=met, applicable=124, scanned=True)


def _in_trouble(owner: User, now: datetime) -> None:
    """One that answers no more, one that is paused, one whose host key has become another."""
    for domain in (SILENT, PAUSED, STOPPED):
        _scanned(_server(owner, domain), owner, now - timedelta(hours=3))
    silent = ItemState.objects.filter(instance__domain=SILENT)
    for topic in ("http.", "tls."):
        silent.filter(item_id__startswith=topic).update(
            status="unknown", code="", reason="timeout", since=now - timedelta(hours=3)
        )
    Instance.objects.filter(domain=PAUSED).update(paused=True)
    SshAccess.objects.create(
        instance=Instance.objects.get(domain=STOPPED),
        sealed_key="sealed",
        public_key="ssh-ed25519 AAAA",
        host_key=f"ssh-ed25519 {'A' * 68}",
        changed_at=now - timedelta(hours=3),
        changed_to="ssh-ed25519 SHA256:" + "x" * 43,
    )


def _filed(owner: User, now: datetime) -> None:
    """What people keep beside the checklist."""
    full, long = Instance.objects.get(domain=FULL), Instance.objects.get(domain=LONG)
    for instance, name in ((full, "Japan"), (full, "single-user"), (long, "w" * 30)):
        Tag.objects.create(instance=instance, name=name)
    SavedView.objects.create(user=owner, name="To do", query="is=needs_a_hand")
    NotedGrade.objects.create(instance=full, grader="ssllabs", grade="A+", seen_on=now.date(), by=owner)


FACTS = {
    "addresses": ["192.0.2.10", "2001:db8:1234:5678:9abc:def0:1234:5678"],
    "behind": ["edge.cdn.example"],
    "certificates": [{"issuer": "Let's Encrypt", "ends": "2027-01-20T12:00:00+00:00"}],
    "software": {"name": "mastodon", "version": "4.5.4", "family": "mastodon", "fork": "glitch"},
}


def _server(owner: User, domain: str) -> Instance:
    team = owner.memberships.get().team
    return Instance.objects.create(
        team=team, domain=domain, created_by=owner, next_scan_at=timezone.now() + timedelta(hours=9)
    )


def _scanned(instance: Instance, owner: User, now: datetime) -> None:
    before = now - timedelta(days=1)
    first = Scan.objects.create(instance=instance, state="done", reason="first", finished_at=before)
    scan = Scan.objects.create(instance=instance, state="done", reason="scheduled", finished_at=now)
    states = [_state(instance, item, now) for item in all_items().values()]
    ItemState.objects.bulk_create(states)
    Span.objects.bulk_create(_span(state, first, moved=False) for state in states)
    moved = {KINDS[kind] for kind in MOVED}
    Span.objects.bulk_create(_span(state, scan, moved=True) for state in states if state.item_id in moved)
    for kind, key in (("regressed", "http.hsts"), ("recovered", "tls.versions"), ("rejudged", "mail.spf")):
        Change.objects.create(
            instance=instance, scan=scan, item_id=key, kind=kind, after="fail", processed_at=now
        )
    Attestation.objects.create(
        instance=instance,
        item_id=KINDS["attested"],
        by=owner,
        met=True,
        note="Restored on a spare machine.\n" + "w" * 300,
        link="https://wiki.example/" + "path/" * 60,
        valid_until=now + timedelta(days=90),
    )
    Waiver.objects.create(
        instance=instance,
        item_id=KINDS["waived"],
        by=owner,
        kind="accepted_risk",
        reason="A test server.",
        valid_until=now + timedelta(days=30),
    )


def _state(instance: Instance, item: Item, now: datetime) -> ItemState:
    kind = next((kind for kind, key in KINDS.items() if key == item.id), "")
    status, code, reason = _MACHINE.get(kind, _plain(item))
    state = ItemState(
        instance=instance,
        item_id=item.id,
        status=status,
        code=code,
        reason=reason,
        since=now if kind in MOVED else now - timedelta(days=18),
        seen_at=now,
        data={"name": "Mastodon", "version": "4.5.4"} if item.id == "plan.software_fits" else {},
    )
    if status in {"fail", "warn", "pass"}:
        state.evidence = EVIDENCE if status != "pass" else EVIDENCE[2:]
    if kind == "fail":
        state.settled, state.alerted, state.settled_since = "fail", True, now
    if kind == "confirming":
        state.candidate, state.candidate_since = "fail", now
    if kind == "unknown":
        state.detail = "no answer from 192.0.2.53 in 5 s"
    return state


def _span(state: ItemState, scan: Scan, *, moved: bool) -> Span:
    """What the item was seen to be from `scan` on; before it moved it was the opposite."""
    assert scan.finished_at is not None
    status, code = state.status, state.code
    if not moved and state.item_id in {KINDS[kind] for kind in MOVED}:
        status, code = ("fail" if status == "pass" else "pass"), ""
    return Span(
        instance=state.instance,
        item_id=state.item_id,
        scan=scan,
        first_at=scan.finished_at,
        status=status,
        code=code,
        data=state.data,
        evidence=state.evidence,
        reason=state.reason if status == state.status else "",
    )


def _plain(item: Item) -> tuple[str, str, str]:
    if item.id == "plan.software_fits":
        return "warn", "needs_answer", ""
    if set(item.settles) == {Settles.MANUAL}:
        return "manual", "", ""
    if not item.codes:
        return "unknown", "", "not_connected"
    return "pass", next(iter(item.codes)), ""


@contextmanager
def orm_beside_playwright() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, beside which Django refuses queries by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@dataclass(frozen=True)
class Look:
    """How somebody reads: language, colours, width of the window."""

    language: str = "en"
    theme: str = "light"
    width: int = 1280

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"


@dataclass
class Reader:
    """A person at a browser.  `troubles` collects what the browser complained of on any page."""

    context: BrowserContext
    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Opens a page of the dashboard; returns the status."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        return answer.status

    def heard(self, message: ConsoleMessage) -> None:
        # Chromium reports the status of a page itself as a failed resource; the tests look at it on purpose.
        if not message.text.startswith("Failed to load resource: the server responded with a status of 4"):
            self.troubles.append(f"{message.type}: {message.text}")

    def asked(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.troubles.append(f"request to another origin: {request.url}")


def size_of(look: Look) -> ViewportSize:
    return ViewportSize(width=look.width, height=800 if look.width > 500 else 740)


def change(page: Page, look: Look) -> None:
    """The open page in other colours and another width, as by a turn of the telephone; the language stays."""
    page.set_viewport_size(size_of(look))
    page.emulate_media(color_scheme="dark" if look.theme == "dark" else "light")


@contextmanager
def reader(
    browser: Browser, url: str, email: str = "", look: Look | None = None, *, javascript: bool = True
) -> Iterator[Reader]:
    """A fresh browser profile, signed in as `email` when one is given.  Fails on leaving when a page
    complained in the console or asked another origin."""
    look = look or Look()
    context = browser.new_context(
        viewport=size_of(look),
        locale={"en": "en-GB", "ja": "ja-JP"}[look.language],
        java_script_enabled=javascript,
        color_scheme="dark" if look.theme == "dark" else "light",
    )
    cookies = {"theme": "auto"}  # the system's choice, which `change` can change
    if email:
        cookies[settings.SESSION_COOKIE_NAME] = _session(email)
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = context.new_page()
    found = Reader(context, page, url)
    page.on("console", found.heard)
    page.on("pageerror", lambda error: found.troubles.append(f"script: {error}"))
    context.on("request", found.asked)
    yield found
    context.close()
    assert not found.troubles, "\n".join(found.troubles)


def _session(email: str) -> str:
    client = Client()
    client.force_login(User.objects.get(email=email))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


_AXE = """() => axe.run(document, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})"""
_FAULTS = """() => {
    const root = document.documentElement, found = [];
    if (root.scrollWidth > root.clientWidth) {
        const wide = [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1)
            .map((e) => `${e.tagName}.${e.className}#${e.id}`);
        found.push(`scrolls sideways: ${root.scrollWidth} px, by ${wide.slice(0, 5)}`);
    }
    for (const e of document.querySelectorAll("[style], style, script:not([src])")) {
        found.push(`inline: ${e.outerHTML.slice(0, 100)}`);
    }
    for (const e of document.querySelectorAll("*")) {
        for (const a of e.attributes) if (a.name.startsWith("on")) found.push(`inline handler: ${a.name}`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) found.push(`id twice: ${id}`);
    for (const e of document.querySelectorAll("button, .button, .state, .level, label, h1, h2, h3, .tag")) {
        if (e.closest(".visually-hidden") || !e.checkVisibility()) continue;
        if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth) found.push(`clipped: ${e.textContent.trim()}`);
    }
    return found;
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it stands: sideways scrolling, clipped labels, inline code, ids twice."""
    found: list[str] = page.evaluate(_FAULTS)
    return found


def accessibility(page: Page) -> list[str]:
    """What axe-core finds: WCAG 2.2 A and AA and its own good practice."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    return [
        f"axe {violation['id']}: {node['target']} "
        + " ".join(why["message"] for why in [*node["any"], *node["all"], *node["none"]])
        for violation in page.evaluate(_AXE)["violations"]
        for node in violation["nodes"][:3]
    ]


def shoot(page: Page, folder: Path, name: str, look: Look) -> None:
    """A picture for the eyes of whoever changes the pages; of a long page, its upper part."""
    folder.mkdir(exist_ok=True)
    tall = page.evaluate("document.documentElement.scrollHeight")
    clip = FloatRect(x=0, y=0, width=look.width, height=min(tall, 3000))
    page.screenshot(path=folder / f"{name}-{look}.png", full_page=True, clip=clip)
