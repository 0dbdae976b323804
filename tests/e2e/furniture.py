"""The data that the pages are looked at with: servers in every state, items of every kind."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from checks.codec import encode_facts
from checks.facts import Facts
from checks.facts.software import Software
from checks.items import all_items
from checks.model import Item, Settles
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.checklist import daily
from fedisec.checklist.models import Attestation, OwnItem, Waiver
from fedisec.enrolment.models import SshAccess
from fedisec.enrolment.report import sections_of
from fedisec.history.models import DayCount
from fedisec.instances.models import Glance, Instance, NotedGrade, SavedView, Tag
from fedisec.scans.models import Change, ItemState, Scan, Span
from fedisec.share.models import Share
from fedisec.watch import catalogue, endings, stock
from fedisec.watch.stock_models import Stated
from tests.checks.inside.fixtures import report
from tests.e2e.mail_furniture import furnish_mail
from tests.e2e.team_furniture import furnish_team

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
    catalogue.sync()
    owner = User.objects.create_user(OWNER, PASSWORD, is_superuser=True)
    newcomer = User.objects.create_user(NEWCOMER, PASSWORD)
    for user in (owner, newcomer):
        Membership.objects.create(team=Team.objects.create(name="Servers"), user=user, role=Role.OWNER)
    furnish_team(owner.memberships.get().team, owner)
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
    _connected(Instance.objects.get(domain=FULL), now)
    _written_down(Instance.objects.get(domain=FULL), now)
    _in_trouble(owner, now)
    _filed(owner, now)
    furnish_mail(Instance.objects.get(domain=FULL), Instance.objects.get(domain=LONG), owner, now)
    public = Share.objects.create(instance=Instance.objects.get(domain=FULL), shows="items", only_met=False)
    public.lead_to(PUBLIC)
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


def _connected(instance: Instance, now: datetime) -> None:
    """Looked at from inside too: what a booted machine said, as it was recorded."""
    inside = report("trixie-bad-sudo")
    software = Software("mastodon", "mastodon", "4.5.4+glitch", "4.5.4", fork="glitch", seen_at=now)
    facts = encode_facts(Facts().with_facts(inside, software))
    Scan.objects.filter(instance=instance, finished_at=now).update(facts=facts)
    SshAccess.objects.create(
        instance=instance,
        sealed_key="sealed",
        public_key=f"ssh-ed25519 {'A' * 68} fedisec",
        host_key=f"ssh-ed25519 {'B' * 68}",
        offered_host_key=f"ssh-ed25519 {'B' * 68}",
        confirmed_at=now - timedelta(days=9),
        report_at=now,
        report={
            "where": "fedisec port 22",
            "reason": "",
            "detail": "",
            "as_root": True,
            "sections": [list(pair) for pair in sections_of(inside)],
        },
    )


def _written_down(instance: Instance, now: datetime) -> None:
    """Products by hand: one that has ended, one that is to be confirmed soon, one that nobody knows."""
    for product, version, days in (
        ("postgresql", "14.19", 80),
        ("php", "8.2.29", 5),
        ("MyOwnTool", "1.0", 80),
    ):
        until = now + timedelta(days=days)
        Stated.objects.create(
            instance=instance, product=product, version=version, by=instance.created_by, valid_until=until
        )
    stock.remake(instance, now)
    endings.place(now)


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
