"""What each instance runs, in the few words that feeds are matched by; and so which feeds anybody needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import F, Q, QuerySet

from checks.clean import clean
from checks.codec import CodecError, decode_facts
from checks.data.support import same_dates
from checks.facts import Facts, MissingFact
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.parse.host.release import parse_release
from checks.parse.host.versions import inventory
from fedisec.instances.models import Glance, Instance
from fedisec.scans.models import Scan
from fedisec.watch import owning, stock
from fedisec.watch.models import Form, Source, SourceKind, Stack
from fedisec.watch.stock_models import Ending

BATCH = 50
PRODUCTS_MAX = 60
_EVERYWHERE = (("openssh", ""), ("linux", ""))  # of a server that was seen from inside
_SAME_FEED = {"raspbian": "debian"}


def refresh() -> list[Stack]:
    """Makes the stacks of a batch of instances that were looked at since; returns those whose programs are
    others than before.  Of a stack, `made_at` is the time of the glance it was made after: none is missed."""
    old = Q(instance__stack=None) | Q(made_at__gt=F("instance__stack__made_at"))
    found = Glance.objects.filter(old, instance__demo=False).select_related("instance", "instance__stack")
    return [made for glance in found.order_by("made_at")[:BATCH] if (made := _remake(glance))]


def _remake(glance: Glance) -> Stack | None:
    before: Stack | None = getattr(glance.instance, "stack", None)
    last = Scan.objects.whole().filter(instance=glance.instance, facts__isnull=False).only("pk").first()
    if before is not None and (last is None or before.scan_id == last.pk):
        Stack.objects.filter(pk=before.pk).update(made_at=glance.made_at)
        return None
    facts = _facts(last)
    made = stack_of(glance.instance, facts, glance.made_at)
    made.scan_id = last.pk if last is not None else 0
    # What a look could not see takes nothing away: a server that is down still runs what it ran.
    if before is not None and not made.products:
        made.products, made.distribution = before.products, before.distribution
        made.release, made.packages, made.owned = before.release, before.packages, before.owned
    if before is not None and not made.software:
        made.software, made.family, made.version = before.software, before.family, before.version
    made.products = stock.with_others(glance.instance, made.products, facts)[:PRODUCTS_MAX]
    fields = [field.name for field in Stack._meta.concrete_fields if not field.primary_key]
    Stack.objects.bulk_create([made], update_conflicts=True, unique_fields=["instance"], update_fields=fields)
    return None if before is not None and _runs(before) == _runs(made) else made


def _runs(stack: Stack) -> tuple[object, ...]:
    return stack.products, stack.software, stack.release, stack.packages, stack.owned


def _facts(scan: Scan | None) -> Facts:
    if scan is None:
        return Facts()
    try:
        return decode_facts(Scan.objects.values_list("facts", flat=True).get(pk=scan.pk))
    except CodecError:  # of another version: the next look brings new ones
        return Facts()


def stack_of(instance: Instance, facts: Facts, made_at: datetime) -> Stack:
    """Not stored."""
    made = Stack(instance=instance, made_at=made_at)
    software, inside = facts.maybe(Software), facts.maybe(Inside)
    if software is not None:
        made.software, made.family = software.name[:60], software.family[:40]
        made.version = clean(software.version, 120, newlines=False)
    if inside is not None:
        made.products = [list(pair) for pair in _products(inside)][:PRODUCTS_MAX]
        made.distribution, made.release = distribution_of(inside), owning.codename(inside)
        made.packages, made.owned = owning.packages(inside, made.distribution)
    return made


def _products(inside: Inside) -> Iterable[tuple[str, str]]:
    try:
        found = [(one.name, one.version) for one in inventory(inside)]
    except MissingFact:
        found = []
    return dict.fromkeys((*found, *_EVERYWHERE))


def distribution_of(inside: Inside) -> str:
    """ID of os-release(5), "" where it could not be read."""
    try:
        release = parse_release(inside.lines("release"))
    except MissingFact:
        return ""
    return _SAME_FEED.get(release.id, release.id)[:40] if release is not None else ""


def of_followers(kind: SourceKind) -> QuerySet[Stack]:
    """The stacks of instances that news of `kind` are read for."""
    wish = "follow_releases" if kind is SourceKind.RELEASE else "follow_sources"
    return Stack.objects.filter(**{f"instance__{wish}": True}, instance__demo=False)


def of_followers_of_warnings() -> QuerySet[Stack]:
    return of_followers(SourceKind.WARNINGS)


def packages_of_followers(distribution: str) -> dict[str, frozenset[str]]:
    """source package -> the releases that it is installed from, over all instances with that distribution."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = of_followers(SourceKind.PACKAGES).filter(distribution=distribution).exclude(release="")
    for release, packages in rows.values_list("release", "packages"):
        for package, _ in packages:
            found[package].add(release)
    return {package: frozenset(releases) for package, releases in found.items()}


@dataclass(frozen=True, slots=True)
class Needs:
    """Whom feeds would be read for: a feed that nobody needs is not asked for."""

    warnings: bool
    distributions: frozenset[str]
    software: frozenset[tuple[str, str]]  # (name, family)
    packaged: frozenset[str]  # distributions of which packages were seen
    running: frozenset[str]  # software that runs here, and its families

    products: frozenset[str]  # whose ends of support concern somebody

    def names(self, source: Source) -> bool:
        if source.kind == SourceKind.ENDS:
            return source.about in self.products
        if source.kind == SourceKind.ADVISORIES:
            return source.about in self.running
        if source.kind == SourceKind.PACKAGES:
            return source.about in self.packaged
        if source.form == Form.MYJVN:
            return self.warnings and any(self.software)
        if source.kind == SourceKind.RELEASE:
            return any(followed_by(source.about, *pair) for pair in self.software)
        return source.about in self.distributions if source.about else self.warnings


def needs() -> Needs:
    """Five queries."""
    running = Stack.objects.filter(instance__demo=False).order_by()
    return Needs(
        Instance.objects.filter(follow_sources=True, demo=False).exists(),
        frozenset(
            of_followers(SourceKind.WARNINGS).order_by().values_list("distribution", flat=True).distinct()
        ),
        frozenset(of_followers(SourceKind.RELEASE).order_by().values_list("software", "family").distinct()),
        frozenset(
            of_followers(SourceKind.PACKAGES)
            .exclude(release="")
            .exclude(packages=[])
            .order_by()
            .values_list("distribution", flat=True)
            .distinct()
        ),
        frozenset(chain.from_iterable(running.values_list("software", "family").distinct())) - {""},
        products=_with_ends(),
    )


def _with_ends() -> frozenset[str]:
    """Products of which an end of support is known, or may be, by the names of the tables."""
    named = Ending.objects.filter(live=True).order_by().values_list("product", flat=True).distinct()
    return frozenset(same_dates(name) for name in named)


def followed_by(about: str, software: str, family: str) -> bool:
    """Whether the release feed about `about` is that of `software`: by its own name, else (a fork with its
    upstream's name and numbers) by the family's."""
    return bool(about) and about == (software or family)
