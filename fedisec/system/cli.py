"""What `manage.py fedisec` does: a table on a terminal, JSON everywhere else.

Every command returns its exit code: 0 all is well, 1 something is not, 2 wrong words or (doctor) something
broken, 3 it could not be found out.
"""

from __future__ import annotations

import argparse
import json
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management.base import OutputWrapper
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from checks.clean import clean
from fedisec.checklist import daily
from fedisec.history import compare
from fedisec.instances.models import Instance
from fedisec.scans.models import LIVE, Scan, ScanState
from fedisec.scans.queue import Asked, queue_scan
from fedisec.share.exports import FORMS
from fedisec.share.sheet import sheet_of
from fedisec.system import doctor, words
from fedisec.system.line import exit_code

FORMATS = tuple(FORMS)
OK, NOT_WELL, NOT_FOUND_OUT = 0, 1, 3
_LOOK_S = 0.5
_BAR = 24


class NotFoundOut(Exception):
    """The message says why there is nothing to tell."""


def run(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    """Runs the command that `given.what` names, in the active language; returns its exit code."""
    try:
        return _COMMANDS[given.what](given, out, err)
    except NotFoundOut as error:
        err.write(f"fedisec: {error}\n")
        return NOT_FOUND_OUT


def _status(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    found = _instances(given)
    if given.domain:
        found = found.filter(domain__in=given.domain)
        if missing := set(given.domain) - set(found.values_list("domain", flat=True)):
            raise NotFoundOut(_("there is no server %(names)s here") % {"names": ", ".join(sorted(missing))})
    instances = list(found.order_by("domain", "pk"))
    standings = daily.standings_of(instances)
    looked = _looked_at(instances)
    rows = [
        {
            "domain": one.domain,
            "team": one.team.name,
            "required_not_met": standings[one.pk].required_not_met,
            "required_met": standings[one.pk].required_met,
            "new": standings[one.pk].new,
            "counts": standings[one.pk].counts,
            "software": standings[one.pk].software,
            "looked_at": looked.get(one.pk),
            "paused": one.paused,
        }
        for one in instances
    ]
    if _wants_json(given, out):
        _json(out, {"instances": rows})
    else:
        head = (_("Server"), _("Required: not met"), _("of them new"), _("Software"), _("Last look"))
        _table(out, head, [_status_row(row) for row in rows])
    return NOT_WELL if any(row["required_not_met"] for row in rows) else OK


def _status_row(row: dict[str, Any]) -> list[str]:
    at = row["looked_at"]
    when = date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else _("not yet")
    return [row["domain"], str(row["required_not_met"]), str(row["new"]), row["software"] or "–", when]


def _scan(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    instance = _instance(given)
    asked = queue_scan(instance, "manual", pause_s=0)
    if asked not in {Asked.QUEUED, Asked.LIVE}:
        said = {
            Asked.DEMO: _("a made-up server is never looked at"),
            Asked.UNPROVEN: _("the team has not shown yet that this domain is its own"),
        }
        raise NotFoundOut(said.get(asked, _("another look has only just begun; try again in a minute")))
    scan = Scan.objects.filter(instance=instance, state__in=LIVE).defer("facts").order_by("-pk").first()
    if scan is None:
        scan = Scan.objects.filter(instance=instance).defer("facts").order_by("-pk")[0]
    if given.no_wait:
        if _wants_json(given, out):
            _json(out, {"scan": scan.pk, "state": scan.state})
        return OK
    scan = _wait(scan, given.timeout, err)
    if scan.state != ScanState.DONE:
        raise NotFoundOut(_("the scan did not end: %(why)s") % {"why": scan.error or scan.state})
    return _tell(instance, given, out)


def _wait(scan: Scan, within_s: int, err: OutputWrapper) -> Scan:
    """The scan once it ended.  NotFoundOut where it takes longer than that."""
    ends, drawn = time.monotonic() + within_s, False
    try:
        while scan.is_live:
            if time.monotonic() > ends:
                raise NotFoundOut(
                    _("no end after %(n)s seconds; it goes on in the background") % {"n": within_s}
                )
            if err.isatty():
                phases = scan.phases
                done, total = sum(phase[1] for phase in phases), sum(phase[2] for phase in phases)
                err.write(f"\r\x1b[K{progress_bar(done, total)}", ending="")
                err.flush()
                drawn = True
            time.sleep(_LOOK_S)
            scan.refresh_from_db(fields=("state", "progress", "error"))
    finally:
        if drawn:
            err.write("\r\x1b[K", ending="")
    return scan


def progress_bar(done: int, total: int) -> str:
    """Plain characters, as wide as any terminal has room for."""
    full = _BAR * done // total if total else 0
    return f"[{'#' * full}{'.' * (_BAR - full)}] {done}/{total}"


def _tell(instance: Instance, given: argparse.Namespace, out: OutputWrapper) -> int:
    """How the instance stands now."""
    standing = daily.standings_of([instance])[instance.pk]
    sheet = sheet_of(instance)
    if _wants_json(given, out):
        out.write("".join(FORMS["json"].one(sheet)))
    else:
        out.write(f"{clean(sheet.sentence, 1000)}\n{sheet.url}\n")
    return NOT_WELL if standing.required_not_met else OK


def _diff(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    instance = _instance(given)
    pair = compare.last_two(instance)
    if pair is None:
        raise NotFoundOut(_("%(domain)s was not looked at twice yet") % {"domain": instance.domain})
    found = compare.compare(instance, *pair)
    told = compare.as_json(instance, found, get_language() or "en")
    if _wants_json(given, out):
        _json(out, told)
    else:
        rows = [
            [
                line["kind"],
                line["item"],
                (line["before"] or {}).get("status", "–"),
                line["after"]["status"],
                line["after"]["text"],
            ]
            for line in told["changes"]
        ]
        _table(
            out, (_("How"), _("Item"), pgettext("scan", "before"), pgettext("scan", "now"), _("Seen")), rows
        )
    return NOT_WELL if any(line.kind is compare.Kind.WORSE for line in found.lines) else OK


def _export(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    form = FORMS[given.format]
    pieces = form.one(sheet_of(_instance(given))) if given.domain else form.all(_instances(given))
    for piece in pieces:
        out.write(piece, ending="")
    return OK


def _doctor(given: argparse.Namespace, out: OutputWrapper, err: OutputWrapper) -> int:
    lines = doctor.examine()
    if _wants_json(given, out):
        _json(out, {"lines": doctor.as_json(lines), "exit_code": exit_code(lines)})
        return exit_code(lines)
    for line in lines:
        state, title = str(words.STATES[line.state]), str(words.TITLES[line.name])
        out.write(f"{_padded(state, 16)}  {_padded(title, 24)}  {clean(words.cause(line), 1000)}\n")
        if cure := words.cure(line):
            out.write(f"{'':44}→ {clean(cure, 1000)}\n")
    return exit_code(lines)


_COMMANDS: dict[str, Callable[[argparse.Namespace, Any, Any], int]] = {
    "status": _status,
    "scan": _scan,
    "diff": _diff,
    "export": _export,
    "doctor": _doctor,
}


def _instances(given: argparse.Namespace) -> QuerySet[Instance]:
    found = Instance.objects.select_related("team")
    return found.filter(team__name=given.team) if given.team else found


def _instance(given: argparse.Namespace) -> Instance:
    found = list(_instances(given).filter(domain=given.domain)[:2])
    if not found:
        raise NotFoundOut(_("there is no server %(names)s here") % {"names": given.domain})
    if len(found) > 1:
        raise NotFoundOut(_("several teams have %(names)s; name one with --team") % {"names": given.domain})
    return found[0]


def _looked_at(instances: Sequence[Instance]) -> dict[int, Any]:
    whole = Scan.objects.whole().filter(instance__in=instances).order_by("pk")
    return dict(whole.values_list("instance_id", "finished_at"))


def _wants_json(given: argparse.Namespace, out: OutputWrapper) -> bool:
    return bool(given.json) or not out.isatty()


def _json(out: OutputWrapper, told: object) -> None:
    out.write(json.dumps(told, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))


def _table(out: OutputWrapper, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """In columns; what a server said is cleaned of whatever a terminal obeys."""
    lines = [[clean(str(cell), 200) for cell in row] for row in (head, *rows)]
    wide = [max(_width(line[n]) for line in lines) for n in range(len(head))]
    for line in lines:
        out.write("  ".join(_padded(cell, wide[n]) for n, cell in enumerate(line)).rstrip())


def _width(text: str) -> int:
    """Columns on a terminal: East Asian letters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))
