"""Sources that come in many pages, or in one too large to hold: a few requests for each job, at a pace;
the row remembers how far it came.  What a page brings is stored before the next is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import sleep
from typing import Any

from django.db import transaction
from django.utils import timezone

from checks.errors import ParseError, Reason
from fedisec.lib import fetch
from fedisec.watch import catching_up, debian, judging, matching, myjvn, stacks, ubuntu
from fedisec.watch.claiming import believed, failed, held, retry_after
from fedisec.watch.debian import Said
from fedisec.watch.doubts import Doubt
from fedisec.watch.matching import cpes_of
from fedisec.watch.models import Flaw, Form, Source, Stack
from fedisec.watch.storing import store

PAGES_A_JOB = 5
PAUSE_S = 1.0  # between two requests to one server
SOON_S = 5  # until the job that goes on
PAGE_S = 15.0
TRACKER_S = 120.0
LEFT_OUT = frozenset({"linux"})  # thousands a year, each for some driver: the distribution tells which matter
_STORED_AT_ONCE = 500

Ask = Callable[..., fetch.Raw]


def read(source: Source, ask: Ask) -> None:
    """One job of reading `source`.  `ask` takes an address and keywords of `fetch.get`; its ProbeErrors are
    the caller's to handle."""
    if source.form == Form.DEBIAN:
        _read_tracker(source, ask)
        return
    step = _myjvn_page if source.form == Form.MYJVN else _ubuntu_page
    first = source.last_ok_at is None
    ask = _paced(ask)
    for _ in range(PAGES_A_JOB):
        try:
            more = step(source, ask)
        except _Failed as error:
            failed(source, error.reason, error.detail, pause=error.pause_s)
            return
        if not more:
            break
    believed(source, timezone.now(), {"cursor": source.cursor}, pause_s=SOON_S if more else None)
    if first:
        catching_up.judge_waiting()


def _paced(ask: Ask) -> Ask:
    asked = False

    def paced(url: str, **how: Any) -> fetch.Raw:
        nonlocal asked
        if asked:
            sleep(PAUSE_S)
        asked = True
        return ask(url, **how)

    return paced


class _Failed(Exception):
    def __init__(self, reason: str, detail: str, pause_s: int = 0) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.pause_s = reason, detail, pause_s


def _good(answer: fetch.Raw) -> bytes:
    if answer.status != 200:
        pause = retry_after(answer.header("retry-after") or "", timezone.now())
        raise _Failed(f"http_{answer.status}", f"HTTP {answer.status}", pause)
    return answer.body


def _myjvn_page(source: Source, ask: Ask) -> bool:
    """One page; False when the round is done."""
    now, cpes = timezone.now(), _wanted_cpes()
    question = source.cursor.get("question") or myjvn.next_question(source.cursor, cpes, now)
    if question is None:
        source.cursor = myjvn.round_done(source.cursor, cpes, now)
        return False
    start = int(source.cursor.get("start", 1))
    answer = ask(myjvn.url_of(source.url, question, start, source.language), deadline_s=PAGE_S)
    try:
        page = myjvn.parse_page(_good(answer), answer.url)
    except myjvn.Refusal as error:
        raise _Failed("refused_by_api", str(error)) from error
    except ParseError as error:
        raise _Failed(Reason.MALFORMED.value, str(error)) from error
    with transaction.atomic():
        store(source, page.entries, now, first=question["history"])
    matching.match_new(now)
    if start <= page.last < min(page.total, myjvn.PAGE * myjvn.PAGES_MAX):
        source.cursor = {**source.cursor, "question": question, "start": page.last + 1}
    else:
        source.cursor = myjvn.answered(source.cursor, question)
    return True


def _wanted_cpes() -> list[str]:
    """Of what instances run whose warnings are read."""
    names: set[str] = set()
    for stack in stacks.of_followers_of_warnings():
        names |= {name for name, _ in stack.products} | {stack.software, stack.family}
    return cpes_of(names - LEFT_OUT)


def _ubuntu_page(source: Source, ask: Ask) -> bool:
    """One page; False when the round is done.  A round takes every package that an inventory holds."""
    wanted = stacks.packages_of_followers(source.about)
    package, offset = source.cursor.get("package", ""), int(source.cursor.get("offset", 0))
    if package not in wanted:
        package, offset = next(iter(sorted(name for name in wanted if name > package)), ""), 0
    if not package:
        source.cursor = {}
        return False
    releases = wanted[package]
    answer = ask(
        ubuntu.url_of(source.url, package, releases, offset), deadline_s=PAGE_S, limit=ubuntu.BYTES_MAX
    )
    page = ubuntu.Page(package, releases)
    try:
        page.read(_good(answer))
    except ParseError as error:
        raise _Failed(Reason.MALFORMED.value, str(error)) from error
    keep(source.about, page.found, timezone.now())
    offset += page.cves
    if page.cves and offset < min(page.total or 0, ubuntu.PAGE * ubuntu.PAGES_MAX):
        source.cursor = {"package": package, "offset": offset}
    else:
        _judge(source.about, [package])
        source.cursor = {"package": _after(package), "offset": 0}
    return True


def _after(package: str) -> str:
    """A name that no package has, right behind this one."""
    return package + " "


def _read_tracker(source: Source, ask: Ask) -> None:
    wanted = stacks.packages_of_followers(source.about)
    tracker = debian.Tracker(wanted)
    headers = []
    if source.etag and source.cursor.get("wanted") == _digest(wanted):
        headers = [("If-None-Match", source.etag)]
    try:
        answer = ask(
            source.url, headers=headers, deadline_s=TRACKER_S, limit=debian.BYTES_MAX, sink=tracker.feed
        )
        now = timezone.now()
        if answer.status == 304 and headers:
            believed(source, now, {})
            return
        _good(answer)
        found = tracker.close()
    except _Failed as error:
        failed(source, error.reason, error.detail, pause=error.pause_s)
        return
    except ParseError as error:
        failed(source, Reason.MALFORMED.value, str(error))
        return
    before = int(source.cursor.get("packages", 0))
    if tracker.packages < before / 2 and not source.believe:
        held(source, now, Doubt.EMPTY, f"{tracker.packages}, {before}")
        return
    cursor = {"packages": tracker.packages, "wanted": _digest(wanted)}
    first = source.last_ok_at is None
    with transaction.atomic():
        if not believed(source, now, {"cursor": cursor, "etag": _etag(answer), "believe": False}):
            return
        keep(source.about, found, now)
        # What the tracker no longer names is no flaw any more.
        Flaw.objects.filter(distribution=source.about, seen_at__lt=now).delete()
    _judge(source.about, wanted)
    if first:
        catching_up.judge_waiting()


def _digest(wanted: dict[str, frozenset[str]]) -> str:
    return " ".join(sorted(f"{package}:{','.join(sorted(found))}" for package, found in wanted.items()))[
        :4000
    ]


def _etag(answer: fetch.Raw) -> str:
    value = answer.header("etag") or ""
    return value if value.isascii() and value.isprintable() and len(value) <= 200 else ""


def keep(distribution: str, found: Sequence[Said], now: datetime) -> None:
    """What a distribution says now, over what it said before."""
    rows = {
        (one.release, one.package, one.name): Flaw(
            distribution=distribution,
            release=one.release,
            package=one.package,
            name=one.name,
            state=one.state.value,
            said=one.said,
            fixed=one.fixed,
            urgency=one.urgency,
            seen_at=now,
        )
        for one in found
    }
    Flaw.objects.bulk_create(
        rows.values(),
        batch_size=_STORED_AT_ONCE,
        update_conflicts=True,
        unique_fields=["distribution", "release", "package", "name"],
        update_fields=["state", "said", "fixed", "urgency", "seen_at"],
    )


def _judge(distribution: str, packages: Iterable[str]) -> None:
    """The instances that have one of these packages, anew."""
    names = set(packages)
    mine: list[Stack] = [
        stack
        for stack in stacks.of_followers_of_warnings().filter(distribution=distribution)
        if any(package in names for package, _ in stack.packages)
    ]
    for start in range(0, len(mine), _STORED_AT_ONCE):
        judging.refresh(mine[start : start + _STORED_AT_ONCE])
