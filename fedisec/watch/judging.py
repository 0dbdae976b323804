"""What a distribution says of the packages an instance has from it, by Debian's rules.  Images and
own builds are upstream's to judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from django.db import transaction
from univers.versions import DebianVersion, InvalidVersion

from fedisec.watch.models import Concern, Flaw, FlawState, PackageStanding, Stack, Verdict

JUDGED = frozenset({"debian", "ubuntu"})  # whose own word is read, and whose versions compare alike
_SETTLED = timedelta(hours=12)  # after a warning its distribution's list has the repair, too
NAMED_MAX = 12
_GRAVEST = ("critical", "high", "medium", "low", "negligible", "unimportant")
_PARTS = 400

Flaws = Mapping[tuple[str, str], Mapping[str, Flaw]]  # (release, package) -> name -> flaw


def flaws_of(stacks: Iterable[Stack]) -> Flaws:
    """What is known of the packages of these instances, in one question for each release."""
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for stack in stacks:
        if stack.distribution in JUDGED and stack.release:
            wanted[stack.distribution, stack.release] |= {package for package, _ in stack.packages}
    found: dict[tuple[str, str], dict[str, Flaw]] = defaultdict(dict)
    for (distribution, release), packages in wanted.items():
        names = sorted(packages)
        for start in range(0, len(names), _PARTS):
            part = names[start : start + _PARTS]
            for flaw in Flaw.objects.filter(distribution=distribution, release=release, package__in=part):
                found[release, flaw.package][flaw.name] = flaw
    return found


def refresh(stacks: Iterable[Stack]) -> None:
    """Makes what is stored of these instances' packages anew, and the verdicts of their warnings."""
    stacks = [stack for stack in stacks if stack.distribution in JUDGED]
    flaws = flaws_of(stacks)
    for stack in stacks:
        made = [
            standing
            for package, version in stack.packages
            if (standing := standing_of(stack, package, version, flaws)) is not None
        ]
        with transaction.atomic():
            PackageStanding.objects.filter(instance=stack.pk).delete()
            PackageStanding.objects.bulk_create(made)
            _judge_again(stack, flaws)


def standing_of(stack: Stack, package: str, version: str, flaws: Flaws) -> PackageStanding | None:
    """Not stored; None where nothing is known of the package."""
    known = flaws.get((stack.release, package))
    if not known:
        return None
    made = PackageStanding(instance_id=stack.pk, package=package, installed=version, names=[])
    repairs: list[Flaw] = []
    for flaw in known.values():
        verdict = verdict_of(flaw, version)
        if verdict is Verdict.UPDATE:
            repairs.append(flaw)
        made.open += verdict is Verdict.OPEN
        made.ignored += verdict is Verdict.IGNORED
        made.ended = made.ended or verdict is Verdict.ENDED
    made.update = len(repairs)
    repairs.sort(key=lambda flaw: (_gravity(flaw.urgency), flaw.name))
    for flaw in repairs:
        if not made.fixed or _older(made.fixed, flaw.fixed):
            made.fixed = flaw.fixed
    made.urgency = repairs[0].urgency if repairs else ""
    made.names = [flaw.name for flaw in repairs[:NAMED_MAX]]
    return made


def verdict_of(flaw: Flaw, installed: str) -> Verdict | None:
    """None where the versions cannot be compared."""
    if flaw.state == FlawState.UNTOUCHED:
        return Verdict.REPAIRED
    if flaw.fixed:
        older = _older(installed, flaw.fixed)
        if older is None:
            return None
        if not older:
            return Verdict.REPAIRED
        if flaw.state == FlawState.FIXED:
            return Verdict.UPDATE
    return {
        FlawState.OPEN.value: Verdict.OPEN,
        FlawState.IGNORED.value: Verdict.IGNORED,
        FlawState.ENDED.value: Verdict.ENDED,
    }.get(flaw.state)


def judge(concern: Concern, stack: Stack, flaws: Flaws) -> None:
    """Sets the distribution's verdict of a warning, where it has one: of every CVE that the warning names, or
    of the package, for a warning of its own that names none."""
    concern.verdict, concern.repaired_in = "", ""
    entry = concern.entry
    package = stack.owned.get(concern.product, "") if stack.distribution in JUDGED else ""
    known = flaws.get((stack.release, package)) if package else None
    version = dict(stack.packages).get(package, "")
    if not known or not version:
        return
    cves = [one for one in entry.data.get("ids", ()) if one.startswith("CVE-")]
    if cves:
        _judge_by_names(concern, [known.get(cve) for cve in cves], version)
    elif entry.source.about:
        _judge_by_package(concern, stack, (package, version), flaws)


def _judge_by_names(concern: Concern, named: Sequence[Flaw | None], version: str) -> None:
    found = [(flaw, verdict_of(flaw, version)) for flaw in named if flaw is not None]
    verdicts = [verdict for _, verdict in found]
    for worst in (Verdict.UPDATE, Verdict.OPEN, Verdict.ENDED, Verdict.IGNORED):
        if worst in verdicts:
            concern.verdict = worst
            break
    else:
        if len(found) == len(named) and set(verdicts) == {Verdict.REPAIRED}:
            concern.verdict = Verdict.REPAIRED
    if concern.verdict in {Verdict.UPDATE, Verdict.REPAIRED}:
        for flaw, _ in found:
            if not concern.repaired_in or _older(concern.repaired_in, flaw.fixed):
                concern.repaired_in = flaw.fixed


def _judge_by_package(concern: Concern, stack: Stack, owner: tuple[str, str], flaws: Flaws) -> None:
    """A list that was read before the warning came, or just after, does not know its repair yet."""
    standing = standing_of(stack, *owner, flaws)
    if standing is not None and standing.update:
        concern.verdict, concern.repaired_in = Verdict.UPDATE, standing.fixed
        return
    told_at = concern.entry.published_at or concern.entry.first_seen_at
    known = flaws[stack.release, owner[0]].values()
    if standing is not None and min(flaw.seen_at for flaw in known) > told_at + _SETTLED:
        concern.verdict = Verdict.REPAIRED


def _judge_again(stack: Stack, flaws: Flaws) -> None:
    changed = []
    rows = Concern.objects.filter(instance=stack.pk, product__in=list(stack.owned))
    for concern in rows.select_related("entry__source"):
        before = (concern.verdict, concern.repaired_in)
        judge(concern, stack, flaws)
        if (concern.verdict, concern.repaired_in) != before:
            changed.append(concern)
    Concern.objects.bulk_update(changed, ["verdict", "repaired_in"], batch_size=_PARTS)


def _gravity(urgency: str) -> int:
    """Only for the order; what is shown is the word as given."""
    word = urgency.strip("*").lower()
    return _GRAVEST.index(word) if word in _GRAVEST else len(_GRAVEST)


@lru_cache(maxsize=16384)
def _parsed(version: str) -> DebianVersion | None:
    try:
        return DebianVersion(version)
    except InvalidVersion:
        return None


def _older(one: str, other: str) -> bool | None:
    """By Debian's rules; None where one of them is no version."""
    left, right = _parsed(one), _parsed(other)
    return None if left is None or right is None else bool(left < right)
