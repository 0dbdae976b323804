"""Writing down what people say.  Nothing is overwritten: a new answer ends the one before.

Every change is one act: in one transaction the rows, a line in the audit trail for each item, and how to
undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from checks.model import Item
from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.checklist import daily
from fedisec.checklist.board import Row, row_of, rows_of
from fedisec.checklist.models import Attestation, EndedWhy, Note, Undo, Waiver
from fedisec.checklist.state import State
from fedisec.instances.models import Instance
from fedisec.lib import bounds

LONGEST = timedelta(days=366)  # a year at most, and the rest of its last day
UNDO_S = 10  # shown for so long
UNDO_TAKEN_S = 20  # and taken for so long: the way there and back, a slow hand
MODELS: Mapping[str, type[Attestation] | type[Waiver] | type[Note]] = {
    "attestation": Attestation,
    "waiver": Waiver,
    "note": Note,
}


class AlreadyAnswered(Exception):
    """Somebody else answered after the page was made that this answer comes from; nothing was stored."""


class TooLate(Exception):
    """The time to undo is over, or somebody has answered since; nothing was changed."""


@dataclass
class Act:
    """What one person does at one moment to some items of an instance."""

    instance: Instance
    user: User
    items: Sequence[Item]
    now: datetime
    made: dict[str, list[int]] = field(default_factory=dict)
    ended: dict[str, list[int]] = field(default_factory=dict)
    undo: Undo | None = None

    @property
    def ids(self) -> list[str]:
        return [item.id for item in self.items]

    def end(self, name: str, why: EndedWhy) -> None:
        """Ends what stands of one model; it stays in the history."""
        live = MODELS[name].objects.filter(instance=self.instance, item_id__in=self.ids, ended_at=None)
        self.ended[name] = list(live.values_list("pk", flat=True))
        live.update(ended_at=self.now, ended_why=why)

    def make(self, name: str, rows: Iterable[Attestation | Waiver | Note]) -> None:
        for row in rows:
            row.save(force_insert=True)
            self.made.setdefault(name, []).append(row.pk)


def attest(
    instance: Instance,
    items: Item | Sequence[Item],
    user: User,
    *,
    met: bool,
    note: str,
    link: str = "",
    days: int | None = None,
    basis: str | None = None,
    since: str = "",
) -> Undo:
    """Records an answer that is valid for `days` (None: each item's own time); the one before is replaced.
    AlreadyAnswered where what stands is no longer `basis`, or is newer than `since`."""
    values: dict[str, audit.Plain] = {"met": met, "link": link, "days": days or "as the item says"}
    with _act("answer.attested", instance, items, user, note, values, basis, since) as act:
        act.end("attestation", EndedWhy.REPLACED)
        act.make(
            "attestation",
            (
                Attestation(
                    instance=instance,
                    item_id=item.id,
                    by=user,
                    met=met,
                    note=note,
                    link=link,
                    created_at=act.now,
                    valid_until=act.now + timedelta(days=days or item.attest_days),
                )
                for item in act.items
            ),
        )
    return _undo_of(act)


def waive(
    instance: Instance,
    items: Item | Sequence[Item],
    user: User,
    *,
    kind: str,
    reason: str,
    until: datetime | None,
    basis: str | None = None,
    since: str = "",
) -> Undo:
    """Sets items aside until then (None: for good, asked again every year); replaces the waiver before."""
    if until is not None:
        until = min(until, timezone.now() + LONGEST)
    values: dict[str, audit.Plain] = {"kind": kind, "until": until.isoformat() if until else ""}
    with _act("answer.waived", instance, items, user, reason, values, basis, since) as act:
        act.end("waiver", EndedWhy.REPLACED)
        act.make(
            "waiver",
            (
                Waiver(
                    instance=instance,
                    item_id=item.id,
                    by=user,
                    kind=kind,
                    reason=reason,
                    created_at=act.now,
                    valid_until=until,
                )
                for item in act.items
            ),
        )
    return _undo_of(act)


def withdraw(
    instance: Instance, items: Item | Sequence[Item], user: User, *, basis: str | None = None
) -> Undo:
    """Takes back the live answer and the live waiver; both stay in the history."""
    with _act("answer.withdrawn", instance, items, user, "", {}, basis) as act:
        act.end("attestation", EndedWhy.WITHDRAWN)
        act.end("waiver", EndedWhy.WITHDRAWN)
    return _undo_of(act)


def remark(instance: Instance, item: Item, user: User, text: str) -> Undo:
    """Adds a note to the thread of an item."""
    with _act("note.added", instance, item, user, text, {}, None) as act:
        bounds.room("notes", Note.objects.filter(instance=instance, item_id=item.id))
        note = Note(instance=instance, item_id=item.id, by=user, text=text, created_at=act.now)
        act.make("note", [note])
    return _undo_of(act)


def basis_of(row: Row) -> str:
    """Names what stands of people's words, for a form to say what its reader had seen."""
    return ".".join(str(one.pk) if one is not None else "0" for one in (row.attestation, row.waiver))


@contextmanager
def _act(
    action: str,
    instance: Instance,
    items: Item | Sequence[Item],
    user: User,
    why: str,
    data: Mapping[str, audit.Plain],
    basis: str | None,
    since: str = "",
) -> Iterator[Act]:
    """One transaction: whoever comes second in a race waits here, and is then told by `basis`."""
    chosen = [items] if isinstance(items, Item) else list(items)
    try:
        with transaction.atomic():
            Instance.objects.select_for_update().get(pk=instance.pk)
            act = Act(instance, user, chosen, timezone.now())
            before = _rows(instance, chosen)
            if any(_is_other(row, basis, since) for row in before.values()):
                raise AlreadyAnswered
            yield act
            _write_down(action, act, before, why, data)
            daily.note(instance, act.now)
            act.undo = _keep_undo(act)
    except IntegrityError as error:
        # The index that allows one live answer had the last word.
        raise AlreadyAnswered from error


def _is_other(row: Row, basis: str | None, since: str) -> bool:
    """True where what stands is not what the form was made from.  `since`: the newest keys when a page with
    many items was made, as "answer.waiver"."""
    stands = basis_of(row)
    if basis is not None and stands != basis:
        return True
    known = since.split(".")
    if len(known) != 2 or not all(key.isascii() and key.isdecimal() for key in known):
        return False
    return any(int(now) > int(then) for now, then in zip(stands.split("."), known, strict=True))


def _rows(instance: Instance, items: Sequence[Item]) -> dict[str, Row]:
    if len(items) == 1:
        return {items[0].id: row_of(instance, items[0])}
    wanted = {item.id for item in items}
    return {row.item.id: row for row in rows_of(instance) if row.item.id in wanted}


def _write_down(
    action: str, act: Act, before: Mapping[str, Row], why: str, data: Mapping[str, audit.Plain]
) -> None:
    moves = not action.startswith("note.")
    after = _rows(act.instance, act.items) if moves else {}
    for key in act.ids:
        audit.record(
            action,
            team=act.instance.team,
            by=act.user,
            instance=act.instance,
            item_id=key,
            before=_word(before, key) if moves else "",
            after=_word(after, key) if moves else "",
            why=why,
            data=data,
        )


def _word(rows: Mapping[str, Row], key: str) -> str:
    return rows[key].state.state.value if key in rows else State.NEEDS_YOU.value


def _keep_undo(act: Act) -> Undo:
    Undo.objects.filter(at__lt=act.now - timedelta(days=1)).delete()
    steps = {"made": act.made, "ended": act.ended, "items": act.ids}
    return Undo.objects.create(instance=act.instance, by=act.user, at=act.now, steps=steps)


def _undo_of(act: Act) -> Undo:
    assert act.undo is not None, "an act that ended well has left how to undo it"
    return act.undo


def undo(instance: Instance, user: User, pk: int, item_of: Callable[[str], Item | None]) -> list[Item]:
    """Restores exactly what stood before one's own act, within its time; returns its items.  TooLate, and
    nothing changed, when somebody has answered since."""
    now = timezone.now()
    try:
        with transaction.atomic():
            Instance.objects.select_for_update().get(pk=instance.pk)
            mine = Undo.objects.filter(pk=pk, by=user, instance=instance, used_at=None)
            found = mine.filter(at__gt=now - timedelta(seconds=UNDO_TAKEN_S)).first()
            if found is None or mine.update(used_at=now) != 1:
                raise TooLate
            items = [item for item in map(item_of, found.steps["items"]) if item is not None]
            before = _rows(instance, items)
            _revert(found, now)
            what = "note" if "note" in found.steps["made"] else "answer"
            _write_down(f"{what}.undone", Act(instance, user, items, now), before, "", {})
            daily.note(instance, now)
    except IntegrityError as error:
        raise TooLate from error
    return items


def _revert(found: Undo, now: datetime) -> None:
    made, ended = found.steps["made"], found.steps["ended"]
    for name, pks in made.items():
        live = MODELS[name].objects.filter(pk__in=pks, ended_at=None)
        if live.update(ended_at=now, ended_why=EndedWhy.UNDONE) != len(pks):
            raise TooLate
    for name, pks in ended.items():
        # Where somebody has answered since, the index that allows one live answer refuses.
        MODELS[name].objects.filter(pk__in=pks).update(ended_at=None, ended_why="")


def looked(instance: Instance, now: datetime, *, scanned: bool) -> None:
    """What follows from the machine's side being stored, in that transaction; named by ON_RECORDED."""
    _end_contradicted(instance, now)
    daily.note(instance, now, scanned=scanned)


def _end_contradicted(instance: Instance, now: datetime) -> None:
    """Ends the answers that a newer, confirmed fail of the machine contradicts, and says so in the trail."""
    if not Attestation.objects.filter(instance=instance, ended_at=None).exists():
        return
    for row in rows_of(instance, now=now):
        said, machine = row.attestation, row.machine
        if said is None or machine is None or machine.settled != "fail" or machine.settled_since is None:
            continue
        if machine.settled_since <= said.created_at:
            continue
        Attestation.objects.filter(pk=said.pk).update(ended_at=now, ended_why=EndedWhy.MACHINE)
        audit.record(
            "answer.ended",
            team=instance.team,
            by=None,
            instance=instance,
            item_id=row.item.id,
            before=(State.MET if said.met else State.NOT_MET).value,
            after=row.state.state.value,
            data={"seen": machine.status, "code": machine.code, "answered_by": str(said.by or "")},
        )
