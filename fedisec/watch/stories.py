"""Which warnings are the same news: what JVN, JVN iPedia and its English edition bring is one story, one line
of a reading list and of a mail.

Two are the same where they share an identifier of JVN or JVN iPedia, or are about the same set of CVEs.  What
a distribution says of its packages is always news of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from fedisec.watch.models import Entry, Name, Source

_ASKED_AT_ONCE = 500
_NAME_MAX = 80


def names_of(ids: Iterable[str]) -> tuple[str, ...]:
    """By which names a story with these identifiers goes, its own before the CVEs that it is about."""
    ids = tuple(dict.fromkeys(ids))
    cves = sorted(one for one in ids if one.startswith("CVE-"))
    own = [one[:_NAME_MAX] for one in ids if one.startswith("JVN")]
    if len(cves) > 1:
        own.append("CVEs " + hashlib.sha256(" ".join(cves).encode()).hexdigest()[:40])
    return (*own, *(cves if len(cves) == 1 else ()))


def tell_apart(rows: Sequence[Entry], source: Source) -> None:
    """Sets `story` of entries of one source that are about to be stored, and keeps their names."""
    names = {row.guid: () if source.about else names_of(row.data.get("ids", ())) for row in rows}
    known = _known([name for found in names.values() for name in found])
    fresh: dict[str, str] = {}
    for row in rows:
        mine = names[row.guid]
        row.story = next((known[name] for name in mine if name in known), "") or _own(row, source, mine)
        for name in mine:
            if name not in known:
                known[name] = fresh[name] = row.story
    Name.objects.bulk_create(
        [Name(name=name, story=story) for name, story in fresh.items()], ignore_conflicts=True
    )


def _own(row: Entry, source: Source, names: Sequence[str]) -> str:
    if names:
        return names[0]
    return f"{source.pk} {hashlib.sha256(row.guid.encode()).hexdigest()[:40]}"


def _known(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _parts(names):
        found.update(Name.objects.filter(name__in=part).values_list("name", "story"))
    return found


def forget(stories: Sequence[str]) -> None:
    """Drops the names of stories of which no entry is left."""
    for part in _parts(stories):
        left = set(Entry.objects.filter(story__in=part).values_list("story", flat=True))
        Name.objects.filter(story__in=set(part) - left).delete()


def all_of(stories: Sequence[str]) -> Mapping[str, Sequence[Entry]]:
    """story -> the entries that tell it, the first that came first."""
    found: dict[str, list[Entry]] = {}
    for part in _parts([story for story in stories if story]):
        for entry in Entry.objects.filter(story__in=part).select_related("source").order_by("pk"):
            found.setdefault(entry.story, []).append(entry)
    return found


def told_in(stories: Sequence[str]) -> Mapping[str, Mapping[str, Entry]]:
    """story -> language -> the entry that tells it in that language, the first that came."""
    found: dict[str, dict[str, Entry]] = {}
    for story, entries in all_of(stories).items():
        for entry in entries:
            found.setdefault(story, {}).setdefault(entry.source.language, entry)
    return found


def for_reader(tellings: Mapping[str, Entry], language: str, otherwise: Entry) -> Entry:
    """The entry in a reader's language, else `otherwise`."""
    return tellings.get(language.partition("-")[0], otherwise)


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _ASKED_AT_ONCE):
        yield keys[start : start + _ASKED_AT_ONCE]
