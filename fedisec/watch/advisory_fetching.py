"""Reading a source of published flaws: its pages, the check of what is missing, and what is stored of them.

What is not in the answer any more is asked for by its name: it goes only where its source says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from checks.errors import ParseError, Reason
from checks.facts.advisories import Advisory as Said
from checks.parse.versions import comparable
from fedisec.lib import fetch
from fedisec.watch import advised, advisory_news, github, offers, osv
from fedisec.watch.advisory_doubts import doubt_advisories
from fedisec.watch.claiming import believed, failed, held, retry_after
from fedisec.watch.models import Advisory, Entry, Form, Offer, Source, SourceKind
from fedisec.watch.storing import shipped_newest

PAGES_MAX = 10
ASKED_ONE_BY_ONE = 5  # names that are missing from an answer
VERSIONS_MAX = 10  # that the makers are asked about
REQUEST_S = 10.0
JOB_S = 60.0
_JSON = ("Accept", "application/json")
_GITHUB = ("Accept", "application/vnd.github+json")

Ask = Callable[..., fetch.Raw]


class _Refused(Exception):
    """An answer that is none."""

    def __init__(self, reason: str, detail: str, pause_s: int = 0) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.pause_s = reason, detail, pause_s


@dataclass
class _Answer:
    """`whole`: every page was read, so what is missing is missing."""

    found: list[Said] = field(default_factory=list)
    etag: str = ""
    whole: bool = True


def read(source: Source, ask: Ask) -> None:
    """One job.  `ask(method, url, **how)` is `fetch.request` within the rule of the source; its ProbeErrors
    are the caller's to handle."""
    until = time.monotonic() + JOB_S

    def asked(method: str, url: str, **how: Any) -> fetch.Raw:
        if time.monotonic() > until:
            raise _Refused(Reason.TIMEOUT.value, f"more than {JOB_S:g} s in all")
        return ask(method, url, deadline_s=REQUEST_S, limit=fetch.FEED_BYTES, **how)

    try:
        if source.form == Form.OFFERS:
            _read_offers(source, asked)
            return
        answer = _osv(source, asked) if source.form == Form.OSV else _github(source, asked)
        if answer is None:
            believed(source, timezone.now(), {})
            return
        _take(source, answer, asked)
    except _Refused as error:
        failed(source, error.reason, error.detail, pause=error.pause_s)
    except ParseError as error:
        failed(source, Reason.MALFORMED.value, str(error))


def _good(answer: fetch.Raw) -> bytes:
    if answer.status != 200:
        raise _Refused(f"http_{answer.status}", f"HTTP {answer.status}", _pause_of(answer))
    return answer.body


def _pause_of(answer: fetch.Raw) -> int:
    """By Retry-After, else by the hour at which GitHub counts anew."""
    now = timezone.now()
    pause = retry_after(answer.header("retry-after") or "", now)
    reset = answer.header("x-ratelimit-reset") or ""
    if not pause and answer.header("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        pause = retry_after(str(max(0, int(reset[:11]) - int(now.timestamp()))), now)
    return pause


def _osv(source: Source, ask: Ask) -> _Answer:
    answer, token = _Answer(), ""
    for _ in range(PAGES_MAX):
        headers = [_JSON, ("Content-Type", "application/json")]
        body = _good(ask("POST", source.url, headers=headers, body=osv.question(source.asks, token)))
        found, token = osv.parse_answer(body, source.about, source.asks)
        answer.found += found
        if not token:
            return answer
    answer.whole = False
    return answer


def _github(source: Source, ask: Ask) -> _Answer | None:
    """None: nothing has changed since.  The newest change stands on the first page, so its mark is enough."""
    answer, url = _Answer(), source.url
    for number in range(PAGES_MAX):
        marks = [("If-None-Match", source.etag)] if source.etag and not number else []
        page = ask("GET", url, headers=[_GITHUB, *marks])
        if page.status == 304 and marks:
            return None
        answer.found += github.parse_page(_good(page), source.about)
        if not number:
            answer.etag = _mark(page.header("etag") or "")
        following = github.next_page(page.header("link") or "")
        if not following:
            return answer
        if following.partition("?")[0] != source.url.partition("?")[0] and not _same_host(following, source):
            raise ParseError("the next page lies elsewhere")
        url = following
    answer.whole = False
    return answer


def _same_host(url: str, source: Source) -> bool:
    return url.split("/")[:3] == source.url.split("/")[:3]


def _mark(value: str) -> str:
    return value if value.isascii() and value.isprintable() and len(value) <= 200 else ""


def _take(source: Source, answer: _Answer, ask: Ask) -> None:
    now = timezone.now()
    rows = {row.name: row for row in Advisory.objects.filter(source=source)}
    known = [name for name, row in rows.items() if not row.withdrawn]
    if not source.believe:
        doubted = doubt_advisories(
            answer.found, known if answer.whole else (), newest_of(source.about), now.date()
        )
        if doubted is not None:
            held(source, now, *doubted)
            return
    missing = sorted(set(known) - {one.id for one in answer.found}) if answer.whole else []
    gone = (
        missing
        if source.believe
        else [name for name in missing[:ASKED_ONE_BY_ONE] if _is_gone(source, name, ask)]
    )
    first = source.last_ok_at is None
    with transaction.atomic():
        if not believed(source, now, {"etag": answer.etag, "believe": False}):
            return
        _store(source, rows, answer.found, now, first=first)
        Advisory.objects.filter(source=source, name__in=gone).update(
            withdrawn=True, weighed=False, first=False
        )
    advisory_news.weigh(now)


def _is_gone(source: Source, name: str, ask: Ask) -> bool:
    """Whether its source has it no more, or has withdrawn it."""
    if source.form == Form.OSV:
        url = source.url.removesuffix("/query") + f"/vulns/{name}"
        answer = ask("GET", url, headers=[_JSON])
        if answer.status == 404:
            return True
        one = osv.parse_one(_good(answer), source.about, source.asks)
    else:
        answer = ask("GET", f"{source.url.partition('?')[0]}/{name}", headers=[_GITHUB])
        if answer.status == 404:
            return True
        one = github.parse_one(_good(answer), source.about)
    return one is not None and one.withdrawn


def newest_of(software: str) -> str:
    """The newest release that is known of a software: by the shipped table, or by its news."""
    released = Entry.objects.filter(
        source__kind=SourceKind.RELEASE, source__about=software, prerelease=False, source__held=""
    )
    versions = [version for version in released.values_list("version", flat=True) if version]
    return max([*versions, *filter(None, [shipped_newest(software)])], key=comparable, default="")


def _store(
    source: Source, rows: dict[str, Advisory], found: Sequence[Said], now: datetime, *, first: bool
) -> None:
    """What is new or other than before is to be weighed again."""
    new, changed = [], []
    for one in {said.id: said for said in found}.values():
        given = advised.columns_of(one)
        row = rows.get(one.id)
        if row is None:
            new.append(Advisory(source=source, first_seen_at=now, first=first, **given))
        elif any(getattr(row, name) != value for name, value in given.items()):
            weighty = ("affected", "withdrawn", "seen")
            row.weighed = row.weighed and all(getattr(row, name) == given[name] for name in weighty)
            row.first = row.first and not row.weighed
            for name, value in given.items():
                setattr(row, name, value)
            changed.append(row)
    Advisory.objects.bulk_create(new, ignore_conflicts=True)
    Advisory.objects.bulk_update(changed, [*advised.COLUMNS, "weighed", "first"], batch_size=100)


def _read_offers(source: Source, ask: Ask) -> None:
    """What the makers offer to each version that runs here."""
    now, found = timezone.now(), {}
    for version in advised.versions_of(source.about)[:VERSIONS_MAX]:
        answer = ask("GET", offers.question(source.url, version), headers=[_JSON])
        found[version] = [
            [one.version, one.urgent, one.kind, one.url] for one in offers.parse_offers(_good(answer))
        ]
    with transaction.atomic():
        if not believed(source, now, {}):
            return
        before = dict(Offer.objects.filter(source=source).values_list("version", "offered"))
        Offer.objects.filter(source=source).exclude(version__in=found).delete()
        for version, offered in found.items():
            fields = {"offered": offered, "asked_at": now}
            if before.get(version) != offered:
                fields["weighed"] = False
            Offer.objects.update_or_create(source=source, version=version, defaults=fields)
    advisory_news.weigh(now)
