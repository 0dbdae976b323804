"""The instances of a reader as the overview needs them: narrowed, put in order and counted by the database.

Ten thousand cost as many queries as ten, and no more objects than a page shows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from fedisec.accounts.models import Team, User
from fedisec.checklist.filters import folded
from fedisec.checklist.sieve import Sieve
from fedisec.checklist.trouble import Condition, Trouble
from fedisec.history.models import Standing
from fedisec.instances.access import listed_for
from fedisec.instances.models import Instance, Tag
from fedisec.scans.models import Scan, ScanState

_NEWEST = Scan.objects.filter(instance=OuterRef("pk")).order_by("-pk")


class Listing:
    """What one reader sees; each property asks when it is first read."""

    def __init__(self, user: User) -> None:
        self._mine = listed_for(user)

    @cached_property
    def conditions(self) -> dict[Condition, Q]:
        """What each filter keeps."""
        troubles = {
            Condition.HOST_KEY: Q(ssh_access__changed_at__isnull=False),
            Condition.FAILED: Q(pk__in=self._failed),
            Condition.UNREACHED: Q(glance__unreached_since__isnull=False),
            Condition.NEVER: Q(glance__looked_at=None),
            Condition.PAUSED: Q(paused=True, demo=False),
        }
        not_met = Q(standing__required_not_met__gt=0)
        needs = not_met
        for trouble in Trouble:
            if trouble.is_urgent:
                needs |= troubles[Condition(trouble.value)]
        changed = Q(glance__worse__gt=0) | Q(glance__better__gt=0) | Q(glance__unseen__gt=0)
        return {
            Condition.NEEDS_A_HAND: needs,
            Condition.NOT_MET: not_met,
            Condition.MET: Q(standing__required_met=True, glance__looked_at__isnull=False),
            Condition.CHANGED: changed,
            **troubles,
        }

    @cached_property
    def _failed(self) -> list[int]:
        """Those whose newest scan broke off.  Few, and found by an index of such scans."""
        newest = Scan.objects.filter(instance=OuterRef("instance")).order_by("-pk").values("pk")[:1]
        broken = Scan.objects.filter(state=ScanState.FAILED, instance__in=self._mine, pk=Subquery(newest))
        return list(broken.order_by().values_list("instance", flat=True))

    def fitting(self, sieve: Sieve) -> QuerySet[Instance]:
        """What the filter leaves, without an order."""
        found = self._mine
        if sieve.condition is not None:
            found = found.filter(self.conditions[sieve.condition])
        if sieve.team:
            found = found.filter(team=sieve.team)
        if sieve.tag:
            names = [name for name in self.tags if folded(name) == folded(sieve.tag)]
            found = found.filter(pk__in=Tag.objects.filter(name__in=names).values("instance"))
        if sieve.software:
            wanted = folded(sieve.software)
            names = [name for name in self._versions if folded(name_of(name)) == wanted]
            found = found.filter(standing__software__in=names)
        return found.filter(pk__in=self._with(sieve.words)) if sieve.words.strip() else found

    def _with(self, words: str) -> list[int]:
        """Compared here: the database knows neither full-width letters nor names in Unicode."""
        wanted, tags = folded(words).split(), self._tags_by_instance
        rows = self._mine.values_list("pk", "domain", "standing__software")
        found = []
        for pk, domain, software in rows:
            name = Instance(domain=domain).name if "xn--" in domain else ""
            text = folded(f"{domain} {name} {software or ''} {' '.join(tags.get(pk, ()))}")
            if all(word in text for word in wanted):
                found.append(pk)
        return found

    @cached_property
    def _tags_by_instance(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for pk, name in Tag.objects.filter(instance__in=self._mine).values_list("instance_id", "name"):
            found.setdefault(pk, []).append(name)
        return found

    def ordered(self, found: QuerySet[Instance]) -> QuerySet[Instance]:
        """Those that need a hand first, then by what is not met, then by domain."""
        needs = self.conditions[Condition.NEEDS_A_HAND]
        hand = Case(When(needs, then=Value(0)), default=Value(1), output_field=IntegerField())
        not_met = Coalesce(F("standing__required_not_met"), Value(0))
        return found.order_by(hand, not_met.desc(), "domain", "pk")

    def counts(self) -> dict[str, int]:
        """`instances`, `items_not_met`, `scanned`, and how many instances each condition keeps; one query."""
        asked: dict[str, Any] = {
            "instances": Count("pk"),
            "items_not_met": Sum("standing__required_not_met"),
            "scanned": Count("glance__looked_at"),
        }
        asked |= {str(name): Count("pk", filter=kept) for name, kept in self.conditions.items()}
        return {name: number or 0 for name, number in self._mine.aggregate(**asked).items()}

    @cached_property
    def tags(self) -> list[str]:
        names = Tag.objects.filter(instance__in=self._mine).order_by().values_list("name", flat=True)
        return sorted(names.distinct(), key=str.casefold)

    @cached_property
    def _versions(self) -> list[str]:
        found = Standing.objects.filter(instance__in=self._mine).values_list("software", flat=True)
        return [name for name in found.distinct() if name]

    @property
    def softwares(self) -> list[str]:
        return sorted({name_of(name) for name in self._versions}, key=str.casefold)

    @cached_property
    def teams(self) -> list[tuple[int, str]]:
        """(key, name) of the teams whose instances are on the list; nothing to choose where it is one."""
        found = list(Team.objects.filter(pk__in=self._mine.values("team")).values_list("pk", "name"))
        return sorted(found, key=lambda one: (one[1].casefold(), one[0])) if len(found) > 1 else []

    def shared(self, domains: set[str]) -> set[str]:
        """Which of these domains more than one of the reader's teams watches."""
        if not self.teams:
            return set()
        counted = self._mine.filter(domain__in=domains).values("domain").annotate(n=Count("pk")).order_by()
        return set(counted.filter(n__gt=1).values_list("domain", flat=True))


def newest_looks(found: QuerySet[Instance]) -> QuerySet[Instance]:
    """Each with `newest`, the state of its newest scan; for the instances of one page."""
    return found.annotate(newest=Subquery(_NEWEST.values("state")[:1]))


def name_of(software: str) -> str:
    """Without the version."""
    name, _, version = software.rpartition(" ")
    return name if name and version[:1].isdigit() else software
