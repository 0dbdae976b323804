"""What pages of many instances show of one beside its counts, and the facts panel: made when a look ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from checks.codec import CodecError, decode_facts
from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.software import Software
from checks.facts.tls import WebCertificates
from checks.model import Status
from fedisec.checklist.board import Row
from fedisec.checklist.next_actions import next_actions
from fedisec.checklist.state import State
from fedisec.instances.models import Glance, Instance, NextAction
from fedisec.scans.models import Scan

ADDRESSES_SHOWN = 8

_WORSE = frozenset({State.NOT_MET, State.WARNING})
_BLIND = frozenset({Status.UNKNOWN, Status.ERROR})
_NO_ANSWER = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.CONNECTION_LOST, Reason.UNREACHABLE})
_FRONT_TOPICS = frozenset({"tls", "http"})


def keep(instance: Instance, rows: Sequence[Row], now: datetime, *, scanned: bool = True) -> None:
    """Stores what `rows` amount to at a glance, inside the caller's transaction.  The facts are read anew
    only where a look may have brought other ones (`scanned`)."""
    made = glance_of(instance, rows, now, looks_of(instance))
    fields = ["looked_at", "worse", "better", "unseen", "unreached_since", "made_at"]
    if scanned or not Glance.objects.filter(pk=instance.pk).exists():
        made.facts = facts_of_last(instance)
        fields.append("facts")
    Glance.objects.bulk_create(
        [made], update_conflicts=True, unique_fields=["instance"], update_fields=fields
    )
    _keep_actions(instance, rows if made.looked_at else ())


def _keep_actions(instance: Instance, rows: Sequence[Row]) -> None:
    """Most looks change none of them: then it is one query."""
    made = {(row.item.id, row.state.state.value, heavy) for heavy, row in next_actions(rows)}
    mine = NextAction.objects.filter(instance=instance)
    had = set(mine.values_list("item_id", "state", "weight"))
    if had == made:
        return
    mine.exclude(item_id__in=[item_id for item_id, _, _ in made]).delete()
    NextAction.objects.bulk_create(
        (NextAction(instance=instance, item_id=i, state=s, weight=w) for i, s, w in sorted(made - had)),
        update_conflicts=True,
        unique_fields=["instance", "item_id"],
        update_fields=["state", "weight"],
    )


def looks_of(instance: Instance) -> list[Scan]:
    """The last two looks that ended well, newest first.  A second look that only confirms is part of the
    first."""
    return list(_looks().filter(instance=instance)[:2])


def _looks() -> QuerySet[Scan]:
    return Scan.objects.whole().exclude(reason="confirm").defer("facts")


def glance_of(instance: Instance, rows: Sequence[Row], now: datetime, looks: Sequence[Scan]) -> Glance:
    """The same as an object that is not stored, without facts."""
    moved = changed_rows(rows, looks)
    whole = Scan.objects.whole().filter(instance=instance)
    return Glance(
        instance=instance,
        looked_at=whole.values_list("finished_at", flat=True).first(),
        worse=len(moved["worse"]),
        better=len(moved["better"]),
        unseen=len(moved["unseen"]),
        unreached_since=unreached_since(rows),
        made_at=now,
    )


def changed_rows(rows: Iterable[Row], looks: Sequence[Scan]) -> dict[str, list[Row]]:
    """What the last look found otherwise than the one before it: worse, better, unseen.  Nothing after a
    first look, which has none before it."""
    found: dict[str, list[Row]] = {"worse": [], "better": [], "unseen": []}
    if len(looks) < 2 or looks[0].finished_at is None:
        return found
    for row in rows:
        machine = row.machine
        if machine is None or machine.since < looks[0].finished_at:
            continue
        kind = _kind(row)
        if kind:
            found[kind].append(row)
    return found


def _kind(row: Row) -> str:
    if row.state.state in _WORSE:
        return "worse"
    if row.state.state is State.MET:
        return "better"
    machine = row.machine
    return "unseen" if machine is not None and machine.status in _BLIND else ""


def unreached_since(rows: Iterable[Row]) -> datetime | None:
    """Since when nothing of TLS and the web server can be seen from outside; None where anything was."""
    front = [row.machine for row in rows if row.item.topic in _FRONT_TOPICS and row.machine is not None]
    if not front or any(m.status not in _BLIND and m.status != Status.MANUAL for m in front):
        return None
    silent = [m.since for m in front if m.reason in _NO_ANSWER]
    return min(silent, default=None)


def facts_of_last(instance: Instance) -> dict[str, Any]:
    """`facts_of` the last look that still has its facts; {} where there is none or it cannot be read."""
    last = Scan.objects.whole().filter(instance=instance, facts__isnull=False).first()
    if last is None:
        return {}
    try:
        return facts_of(decode_facts(last.facts))
    except CodecError:  # of another version: the next look brings new ones
        return {}


def facts_of(facts: Facts) -> dict[str, Any]:
    """What a person wants to see at once, as plain JSON: `addresses` (list), `behind` (names an alias leads
    over), `certificates` (list of {issuer, ends}), `software` {name, version, family, fork}."""
    found: dict[str, Any] = {}
    dns, software = facts.maybe(Addresses), facts.maybe(Software)
    if dns is not None:
        found["addresses"] = [*dns.v4, *dns.v6][:ADDRESSES_SHOWN]
        found["behind"] = list(dns.aliases)[:2]
    if software is not None:
        found["software"] = {
            "name": software.name,
            "version": software.version,
            "family": software.family,
            "fork": software.fork,
        }
    certificates = facts.maybe(WebCertificates)
    if certificates is not None:
        found["certificates"] = _certificates(certificates)
    return found


def _certificates(facts: WebCertificates) -> list[dict[str, str]]:
    """One entry for each issuer, with the first day on which a certificate of it ends."""
    ends: dict[str, datetime] = {}
    uses: Counter[str] = Counter()
    for served in facts.served:
        if isinstance(served.shown, Missing):
            continue
        for certificate in served.shown:
            issuer = certificate.issuer_organisation or certificate.issuer_name
            ends[issuer] = min(ends.get(issuer, certificate.not_after), certificate.not_after)
            uses[issuer] += 1
    return [{"issuer": issuer, "ends": ends[issuer].isoformat()} for issuer, _ in uses.most_common(3)]


def shown_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The stored facts for a page, with moments instead of text; what an older version stored otherwise is
    left out."""
    shown: dict[str, Any] = {key: facts[key] for key in ("addresses", "behind", "software") if key in facts}
    shown["certificates"] = [
        {"issuer": found["issuer"], "ends": datetime.fromisoformat(found["ends"])}
        for found in facts.get("certificates", ())
    ]
    return shown
