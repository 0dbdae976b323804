"""One feed from claim to record.  Safe to call twice, from anywhere, at any time: the database decides.

What a server says in any number of failures, or implausibly, never touches what is stored.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from checks.errors import ParseError, ProbeError, Reason
from checks.probes.http_dial import WEB_PORTS
from fedisec.lib import fetch
from fedisec.lib.limits import TimeIsUp
from fedisec.watch import advisory_fetching, catching_up, lifecycles, matching, paging, telling
from fedisec.watch.claiming import believed, claim, failed, held, retry_after
from fedisec.watch.doubts import doubt
from fedisec.watch.models import Form, Source, SourceKind
from fedisec.watch.parsing import parse_feed
from fedisec.watch.storing import known_of, store

FETCH_FEED = "fedisec.fetch_feed"  # name of the task
DEADLINE_S = 10.0
_ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, */*;q=0.5"


def fetch_source(source_id: int) -> None:
    """Claims the feed if it is due, reads it, and stores what is new and believed."""
    source = claim(source_id)
    if source is None:
        return
    try:
        if source.kind == SourceKind.ADVISORIES:
            advisory_fetching.read(source, lambda *call, **how: _request(source, *call, **how))
            return
        if source.form != Form.FEED:
            paging.read(source, lambda url, **how: fetch.get(url, ports=_ports(source), **how))
            return
        answer = _ask(source)
    except ProbeError as error:
        failed(source, error.reason.value, error.detail)
    except (TimeIsUp, SoftTimeLimitExceeded):
        failed(source, Reason.TIMEOUT.value, "the time limit of a job was reached")
    else:
        _take(source, answer)


def _ask(source: Source) -> fetch.Raw:
    headers = [("Accept", _ACCEPT)]
    if source.etag:
        headers.append(("If-None-Match", source.etag))
    if source.last_modified:
        headers.append(("If-Modified-Since", source.last_modified))
    return fetch.get(source.url, headers=headers, deadline_s=DEADLINE_S, ports=_ports(source))


def _request(source: Source, method: str, url: str, **how: Any) -> fetch.Raw:
    """A GET follows redirects, as a feed's does."""
    if method == "GET":
        return fetch.get(url, ports=_ports(source), **how)
    return fetch.request(method, url, ports=_ports(source), **how)


def _ports(source: Source) -> frozenset[int]:
    """An operator may name another port; what fedisec comes with and redirects may not."""
    return WEB_PORTS | {urlsplit(source.url).port or 443} if source.own else WEB_PORTS


def _take(source: Source, answer: fetch.Raw) -> None:
    """An answer came, good or bad."""
    now = timezone.now()
    if answer.status == 304 and (source.etag or source.last_modified):
        believed(source, now, {})
        if source.kind == SourceKind.ENDS:
            lifecycles.unchanged(source, now)
        return
    if answer.status != 200:
        pause = retry_after(answer.header("retry-after") or "", now)
        failed(source, f"http_{answer.status}", f"HTTP {answer.status}", pause=pause)
        return
    marks = {"etag": _mark(answer, "etag", 200), "last_modified": _mark(answer, "last-modified", 60)}
    if source.kind == SourceKind.ENDS:
        lifecycles.take(source, answer, now, marks)
        return
    try:
        entries = parse_feed(answer.body, answer.url)
    except ParseError as error:
        failed(source, Reason.MALFORMED.value, str(error))
        return
    software = source.about if source.kind == SourceKind.RELEASE else ""
    doubted = None if source.believe else doubt(entries, known_of(source), now, software=software)
    if doubted is not None:
        held(source, now, *doubted)
        return
    first = source.last_ok_at is None
    with transaction.atomic():
        if not believed(source, now, marks | {"believe": False}):
            return
        stored = store(source, entries, now, first=first)
        if source.kind == SourceKind.RELEASE and not first:
            telling.tell_releases(source, stored, now)
    if source.kind == SourceKind.WARNINGS:
        matching.match_new(now)
    if first:
        catching_up.judge_waiting()


def _mark(answer: fetch.Raw, name: str, limit: int) -> str:
    """A header that is sent back as it came, if it can be."""
    value = answer.header(name) or ""
    return value if value.isascii() and value.isprintable() and len(value) <= limit else ""
