"""The parts of each instance: made from its looks and from what people wrote down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from checks.codec import CodecError, decode_facts
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.stated import StatedProduct, StatedStack
from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.checklist import switches
from fedisec.instances.models import Glance, Instance
from fedisec.scans.models import Scan, ScanState
from fedisec.watch import parts
from fedisec.watch.models import Stack
from fedisec.watch.parts import Kind, Part
from fedisec.watch.stock_models import Stated, StatedEnd, Stock

BATCH = 50
ITEM = "updates.inventory_known"
VALID = timedelta(days=90)  # as an answer to the item
STATED_MAX = 100  # lines of an instance
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_HAS_INSIDE = '"$": "Inside"'  # how the codec marks the fact, in the text of either database


def refresh() -> int:
    """Makes the stocks of a batch of instances that were looked at since; returns how many changed."""
    old = Q(instance__stock=None) | Q(made_at__gt=F("instance__stock__made_at"))
    found = Glance.objects.filter(old, instance__demo=False).select_related("instance", "instance__stock")
    return sum(remake(glance.instance, glance.made_at) for glance in found.order_by("made_at")[:BATCH])


def remake(instance: Instance, made_at: datetime | None = None) -> bool:
    """Makes the stock of an instance; True if it is another than before.  `made_at`: of the glance it is made
    after, None where that is not the reason."""
    before = Stock.objects.filter(pk=instance.pk).first()
    last, facts = last_look(instance)
    inside = facts.maybe(Inside) or last_inside(instance)
    made = parts.to_json(parts.parts_of(facts, inside, stated_of(instance)))
    if before is not None:
        made = _kept(before.parts, made, unseen=inside is None)
    same = before is not None and before.parts == made
    Stock.objects.update_or_create(
        instance=instance,
        defaults={
            "scan_id": last.pk if last is not None else 0,
            "parts": made,
            "made_at": made_at or (before.made_at if before is not None else timezone.now()),
            **({} if same else {"placed_on": None}),
        },
    )
    return not same


def _kept(before: list[list[str]], made: list[list[str]], *, unseen: bool) -> list[list[str]]:
    """What a look could not see takes nothing away: a server that is down still runs what it ran.  `unseen`:
    there is no report from inside."""
    outside, by_hand = parts.Source.OUTSIDE.value, parts.Source.HAND.value
    kept = [row for row in before if unseen and row[3] not in {outside, by_hand}]
    if not any(row[0] == Kind.SOFTWARE and row[3] == outside for row in made):
        kept += [row for row in before if row[0] == Kind.SOFTWARE and row[3] == outside]
    return [*kept, *(row for row in made if row not in kept)]


def last_look(instance: Instance) -> tuple[Scan | None, Facts]:
    """The last whole look, with what it saw."""
    scan = Scan.objects.whole().filter(instance=instance, facts__isnull=False).first()
    return scan, _decoded(scan)


def last_inside(instance: Instance) -> Inside | None:
    """The report of the last login whose facts are still kept."""
    seen = Scan.objects.filter(instance=instance, state=ScanState.DONE, facts__isnull=False)
    text = seen.annotate(text=Cast("facts", TextField())).filter(text__contains=_HAS_INSIDE)
    return _decoded(text.first()).maybe(Inside)


def _decoded(scan: Scan | None) -> Facts:
    try:
        return decode_facts(scan.facts) if scan is not None else Facts()
    except CodecError:  # of another version: the next look brings new ones
        return Facts()


def parts_stored(instance: Instance) -> tuple[Part, ...]:
    found = Stock.objects.filter(pk=instance.pk).values_list("parts", flat=True).first()
    return parts.from_json(found or [])


def with_others(instance: Instance, products: Sequence[Sequence[str]], facts: Facts) -> list[list[str]]:
    """[product, version] of what was read inside, beside what people wrote down and what strangers are told
    of other products.  A line by hand that stands no more is taken out."""
    seen = {(one.name, one.version) for one in parts_stored(instance)}
    ended = Stated.objects.filter(instance=instance).exclude(ended_at=None)
    gone = set(ended.values_list("product", "version")) - seen
    found = [list(pair) for pair in products if tuple(pair) not in gone]
    found += [
        [one.name, one.version] for one in stated_of(instance) if parts.kind_of(one.name) is Kind.PROGRAM
    ]
    known = {pair[0] for pair in found}
    told = [one for one in parts.seen_outside(facts) if one.name and one.name not in known]
    rows = [*found, *([one.name, one.version] for one in told)]
    return [list(pair) for pair in dict.fromkeys((name, version) for name, version in rows)]


# By hand


def live(instance: Instance) -> list[Stated]:
    """What stands, with who wrote it."""
    found = Stated.objects.filter(instance=instance, ended_at=None, valid_until__gt=timezone.now())
    return list(found.select_related("by"))


def stated_of(instance: Instance) -> list[parts.Stated]:
    return [
        parts.Stated(one.product, one.version, timezone.localdate(one.valid_until)) for one in live(instance)
    ]


def stated_fact(instance: Instance) -> StatedStack:
    return StatedStack(tuple(StatedProduct(one.name, one.version, one.until) for one in stated_of(instance)))


class Full(Exception):
    """There are STATED_MAX lines already."""


def state(instance: Instance, user: User, product: str, version: str) -> None:
    """Writes a line down, or confirms the one that says the same."""
    with transaction.atomic():
        Instance.objects.select_for_update().get(pk=instance.pk)
        now = timezone.now()
        mine = Stated.objects.filter(instance=instance, ended_at=None)
        again = mine.filter(product=product, version=version)
        confirmed = again.update(ended_at=now, ended_why=StatedEnd.REPLACED)
        if mine.count() >= STATED_MAX:
            raise Full
        try:
            with transaction.atomic():
                Stated.objects.create(
                    instance=instance,
                    product=product,
                    version=version,
                    by=user,
                    created_at=now,
                    valid_until=now + VALID,
                )
        except IntegrityError:  # somebody else wrote the same at once
            return
        _note("inventory.confirmed" if confirmed else "inventory.stated", instance, user, product, version)
        _changed(instance)


def remove(line: Stated, user: User) -> None:
    with transaction.atomic():
        live = Stated.objects.filter(pk=line.pk, ended_at=None)
        if live.update(ended_at=timezone.now(), ended_why=StatedEnd.REMOVED):
            _note("inventory.removed", line.instance, user, line.product, line.version)
            _changed(line.instance)


def end_old(now: datetime) -> None:
    """Lines whose time is up stand no more.  Safe to run twice and beside others."""
    over = Stated.objects.filter(ended_at=None, valid_until__lte=now).select_related("instance__team")
    for line in over[:BATCH]:
        with transaction.atomic():
            mine = Stated.objects.filter(pk=line.pk, ended_at=None)
            if mine.update(ended_at=now, ended_why=StatedEnd.OVER):
                _note("inventory.over", line.instance, None, line.product, line.version)
                _changed(line.instance)


def _note(action: str, instance: Instance, user: User | None, product: str, version: str) -> None:
    audit.record(
        action,
        team=instance.team,
        by=user,
        instance=instance,
        item_id=ITEM,
        after=f"{parts.title_of(product)} {version}",
        data={"product": product, "version": version},
    )


def _changed(instance: Instance) -> None:
    """The parts, what news are matched with, and the item that counts them, by what was seen last."""
    remake(instance)
    Stack.objects.filter(pk=instance.pk).update(scan_id=0, made_at=_LONG_AGO)
    _, facts = last_look(instance)
    switches.rejudge(instance, ITEM, facts)
