"""Who is told of what: a release at once, warnings together in the morning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from checks.facts.advisories import Advisory
from checks.parse.severity import severity
from checks.parse.versions import comparable
from fedisec.alerts.models import MailKind
from fedisec.alerts.notices import tell
from fedisec.alerts.recipients import Recipient, of_instance
from fedisec.watch import stories
from fedisec.watch.matching import product_title
from fedisec.watch.models import Concern, Entry, Said, Source, SourceKind, Stack, Verdict
from fedisec.watch.stacks import followed_by, of_followers
from fedisec.watch.versions import branch_of, concerns

MORNING = time(8, 0)  # in the installation's time zone
BATCH = 500  # warnings of one round


def tell_releases(source: Source, stored: Sequence[Entry], now: datetime) -> int:
    """Tells of releases among `stored` that are newer than all known of their branch, each instance of at
    most one: that of its own branch, else the newest of all.  In the transaction that stores them; not at the
    first reading of a feed.  Returns how many notices were wanted."""
    newest = _newest_known(source, stored)
    fresh = [entry for entry in stored if _is_news(entry, newest)]
    if not fresh:
        return 0
    top = max([entry.version for entry in fresh] + list(newest.values()), key=comparable)
    told: dict[int, list[Stack]] = defaultdict(list)
    for stack in of_followers(SourceKind.RELEASE).select_related("instance").order_by("pk"):
        if followed_by(source.about, stack.software, stack.family):
            entry = release_for(stack, fresh, top)
            if entry is not None:
                told[entry.pk].append(stack)
    by_key = {entry.pk: entry for entry in fresh}
    return sum(_tell_release(source, by_key[pk], stacks, now) for pk, stacks in told.items())


def _newest_known(source: Source, stored: Sequence[Entry]) -> Mapping[tuple[int, ...], str]:
    """Branch -> its newest release before `stored`, of all feeds about the same software."""
    before = Entry.objects.filter(
        source__kind=SourceKind.RELEASE, source__about=source.about, prerelease=False
    )
    newest: dict[tuple[int, ...], str] = {}
    for version in before.exclude(pk__in=[entry.pk for entry in stored]).values_list("version", flat=True):
        branch = branch_of(version)
        if branch and (branch not in newest or comparable(version) > comparable(newest[branch])):
            newest[branch] = version
    return newest


def _is_news(entry: Entry, newest: Mapping[tuple[int, ...], str]) -> bool:
    branch = branch_of(entry.version)
    if entry.prerelease or not branch:
        return False
    return branch not in newest or comparable(entry.version) > comparable(newest[branch])


def release_for(stack: Stack, fresh: Sequence[Entry], top: str) -> Entry | None:
    """The one of `fresh` that who runs `stack` is to hear of.  `top`: the newest version of all."""
    wanted = [entry for entry in fresh if concerns(entry.version, top, stack.family, stack.version)]
    here = branch_of(_plain(stack.version))
    own = [entry for entry in wanted if branch_of(entry.version) == here]
    return max(own or wanted, key=lambda entry: comparable(entry.version), default=None)


def _plain(version: str) -> str:
    return version.partition("+")[0].partition("-")[0]


def _tell_release(source: Source, entry: Entry, stacks: Sequence[Stack], now: datetime) -> int:
    data = {
        "kind": "release",
        "software": product_title(source.about),
        "version": entry.version,
        "title": entry.title,
        "url": entry.url,
        "urgent": entry.urgent,
        "published": entry.published_at.isoformat() if entry.published_at else "",
        "source": source.title,
    }
    runs = [(stack.instance_id, stack.instance.domain, stack.version) for stack in stacks]
    about = f"release {source.about} {entry.version}"
    return _tell(about, data, runs, now)


def tell_advisory(said: Advisory, about: str, stacks: Sequence[Stack], now: datetime) -> int:
    """A newly known flaw of what `stacks` run: one notice for each recipient, in the transaction that marks
    it as weighed.  `about`: the same for the same versions."""
    rated = severity(said.ratings)
    data = {
        "kind": "advisory",
        "title": f"{said.id}: {said.title}",
        "url": said.url,
        "source": said.by,
        "published": said.published,
        "urgent": rated.word in {"critical", "high"},
        "rated": [rated.word, rated.by, rated.score.version, f"{rated.score.number}"]
        if rated.score
        else [rated.word, rated.by],
        "fixed": sorted({span.fixed for span in said.affected if span.fixed}, key=comparable),
    }
    runs = [(stack.instance_id, stack.instance.domain, stack.version) for stack in stacks]
    return _tell(about, data, runs, now)


def _tell(about: str, data: Mapping[str, Any], runs: Iterable[tuple[int, str, str]], now: datetime) -> int:
    """One notice for each recipient, that names all the instances which they hear of."""
    recipients: dict[str, Recipient] = {}
    theirs: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in runs:
        for recipient in of_instance(row[0]):
            recipients[recipient.key] = recipient
            theirs[recipient.key].append(row)
    wanted = 0
    for key, recipient in recipients.items():
        rows = theirs[key]
        named = [{"domain": domain, "version": version} for _, domain, version in rows]
        only = rows[0][0] if len(rows) == 1 else None
        wanted += tell(
            MailKind.NEWS, about, [recipient], now, instance_id=only, data={**data, "instances": named}
        )
    return wanted


def tick(now: datetime) -> None:
    """Once a day, in the morning, tells of the warnings that came before it.  One indexed query otherwise."""
    slot = morning(now)
    while _tell_warnings(slot, now) == BATCH:
        pass


def morning(now: datetime) -> datetime:
    """The last morning before `now`."""
    here = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    today = datetime.combine(here.date(), MORNING, tzinfo=here.tzinfo)
    return today if today <= here else today - timedelta(days=1)


def _tell_warnings(slot: datetime, now: datetime) -> int:
    waiting = Concern.objects.filter(told_at=None, created_at__lt=slot).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True)[:BATCH])
    if not keys:
        return 0
    with transaction.atomic():
        mine = Concern.objects.filter(pk__in=keys, told_at=None)
        if mine.update(told_at=now) != len(keys):
            transaction.set_rollback(True)  # another clock is at it
            return 0
        found = Concern.objects.filter(pk__in=keys, instance__follow_sources=True, instance__demo=False)
        by_story: dict[str, list[Concern]] = defaultdict(list)
        found = found.filter(said=Said.OPEN).exclude(verdict=Verdict.REPAIRED)
        for concern in found.select_related("entry__source", "instance__stack"):
            by_story[concern.story].append(concern)
        tellings = stories.told_in(list(by_story))
        for story, concerned in by_story.items():
            _tell_warning(concerned, tellings.get(story, {}), now)
    return len(keys)


def _tell_warning(concerned: Sequence[Concern], tellings: Mapping[str, Entry], now: datetime) -> None:
    """`tellings`: the same in other languages; each reader gets their own where it is told in that."""
    entry = concerned[0].entry
    data: dict[str, Any] = {
        "kind": "warning",
        "title": entry.title,
        "url": entry.url,
        "source": entry.source.title,
        "severity": severity_of(entry),
        "published": entry.published_at.isoformat() if entry.published_at else "",
    }
    if set(tellings) - {entry.source.language}:
        data["in"] = {
            language: {"title": other.title, "url": other.url, "source": other.source.title}
            for language, other in tellings.items()
            if language
        }
    runs = [(one.instance_id, one.instance.domain, _running(one)) for one in concerned]
    _tell(f"warning {entry.pk}", data, runs, now)


def _running(concern: Concern) -> str:
    """ "nginx 1.24.0": what the instance runs of what the warning names."""
    stack: Stack | None = getattr(concern.instance, "stack", None)
    versions = dict(stack.products) if stack is not None else {}
    if stack is not None and concern.product in {stack.software, stack.family}:
        versions[concern.product] = stack.version
    return f"{concern.product} {versions.get(concern.product, '')}".strip()


def severity_of(entry: Entry) -> str:
    """The score with its scale, as the source gives it; "" where it gives none."""
    cvss = entry.data.get("cvss") or {}
    if not cvss.get("score"):
        return ""
    scale = f"CVSS {cvss['version']}" if cvss.get("version") else "CVSS"
    word = f" ({cvss['severity']})" if cvss.get("severity") else ""
    return f"{scale} {cvss['score']}{word}"
