"""What a person, a mail reader, a spreadsheet or a terminal is shown after hostile looks: text, and nothing that acts.

`poison` puts one text that means harm into every field that holds foreign or typed text; `raw`, `live` and `formulas`
find what is left of it in what is shown.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.db import models

from checks.facts import Facts

MARKUP = '<script>alert(1)</script>"><img src=x onerror=1>{{7*7}}${7*7}'
CONTROLS = "\x1b[31m\x07\u202e\u2066\u2028\x9b\r\n"
POISON = f"=HYPERLINK(1){MARKUP}{CONTROLS}"
BEGINS = "javascript:alert(1)"  # for what is shown as the address of a link

# Texts that came from a server, a feed, a browser or a person.  Every other text is fedisec's own: codes, keys, seals.
FOREIGN: dict[str, frozenset[str]] = {
    "accounts.Device": frozenset({"words"}),
    "accounts.OpenSession": frozenset({"words"}),
    "accounts.User": frozenset({"first_name", "last_name"}),
    "accounts.Team": frozenset({"name"}),
    "accounts.AuditEvent": frozenset({"actor_name", "before", "after", "why", "data"}),
    "instances.Instance": frozenset({"mail_from", "dkim_selectors", "ssh_user"}),
    "instances.Tag": frozenset({"name"}),
    "instances.SavedView": frozenset({"name"}),
    "instances.NotedGrade": frozenset({"grade"}),
    "instances.Glance": frozenset({"facts"}),
    "enrolment.SshAccess": frozenset({"host", "user", "changed_to", "report"}),
    "scans.Scan": frozenset({"error"}),
    "scans.Span": frozenset({"data", "evidence"}),
    "scans.Reach": frozenset({"data", "evidence"}),
    "scans.ItemState": frozenset({"data", "evidence", "detail"}),
    "scans.Incident": frozenset({"acknowledged_why"}),
    "scans.Change": frozenset({"data", "evidence"}),
    "scans.Outlook": frozenset({"host"}),
    "history.Standing": frozenset({"software"}),
    "checklist.Attestation": frozenset({"note", "link"}),
    "checklist.Waiver": frozenset({"reason"}),
    "checklist.Note": frozenset({"text"}),
    "checklist.OwnItem": frozenset({"title", "why", "expected"}),
    "alerts.Channel": frozenset({"name", "shown"}),
    "alerts.MailServer": frozenset({"host", "username", "sender"}),
    "alerts.Delivery": frozenset({"subject", "answer"}),
    "alerts.Notice": frozenset({"data"}),
    "watch.Source": frozenset({"title", "url", "page", "etag", "last_modified", "last_error", "held_detail"}),
    "watch.Entry": frozenset({"guid", "title", "url", "summary", "version", "data"}),
    "watch.Concern": frozenset({"matched", "repaired_in"}),
    "watch.Stack": frozenset({"products", "distribution", "software", "version"}),
    "watch.Stated": frozenset({"product", "version"}),
    "watch.Stock": frozenset({"parts"}),
    "watch.Lifecycle": frozenset({"releases"}),
    "watch.Flaw": frozenset({"package", "fixed", "urgency"}),
    "watch.PackageStanding": frozenset({"package", "installed", "fixed", "urgency", "names"}),
    "watch.Advisory": frozenset({"title", "url"}),
    "watch.Offer": frozenset({"version", "offered"}),
    "watch.Ending": frozenset({"product", "branch", "version", "goes_to"}),
}
_ADDRESSES = frozenset({"url", "page", "link"})  # shown as links


def poison() -> int:
    """Every foreign text of the database means harm from now on; how many there were."""
    touched = 0
    for label, names in FOREIGN.items():
        model = apps.get_model(label)
        for row in model._default_manager.all():
            values = {name: _poisoned(model._meta.get_field(name), getattr(row, name)) for name in names}
            _store(row, values)
            touched += len(values)
    return touched


def _store(row: models.Model, values: dict[str, Any]) -> None:
    """Past every model that refuses changes; where the database itself refuses them, the row is made anew."""
    from django.db import DatabaseError, transaction

    rows: models.QuerySet[models.Model] = models.QuerySet(type(row)).filter(pk=row.pk)
    try:
        with transaction.atomic():
            rows.update(**values)
    except DatabaseError:  # append-only: a span, a line of the trail
        for name, value in values.items():
            setattr(row, name, value)
        row.pk = None
        models.Model.save(row, force_insert=True)


def _poisoned(field: models.Field[Any, Any], value: Any) -> Any:
    if isinstance(field, models.JSONField):
        return _poisoned_json(value)
    text = BEGINS + POISON if field.name in _ADDRESSES else POISON
    return text[: field.max_length] if field.max_length else text


def _poisoned_json(value: Any) -> Any:
    if isinstance(value, str):
        return POISON + value
    if isinstance(value, list):
        return [_poisoned_json(part) for part in value]
    if isinstance(value, dict):
        return {key: _poisoned_json(part) for key, part in value.items()}
    return value


_RAW = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def raw(text: str) -> list[str]:
    """Where a control character stands as itself, with what is around it."""
    return [text[max(0, found.start() - 60) : found.end() + 20] for found in _RAW.finditer(text)][:3]


class _Reader(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = f"<{tag} {attrs}>"
        self._script = tag == "script"
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if (
                name.startswith("on")
                or name == "srcdoc"
                or name in {"href", "src", "action", "formaction", "hx-get", "hx-post"}
                and address.startswith(("javascript:", "data:text", "vbscript:"))
            ):
                self.found.append(shown)

    def handle_data(self, data: str) -> None:
        if self._script and "alert(1)" in data:
            self.found.append(f"<script>{data[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_comment(self, data: str) -> None:
        if "alert(1)" in data:
            self.found.append(f"<!--{data[:60]}")


def live(page: str) -> list[str]:
    """What of the markup that was put in would act."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    evaluated = ["49" for _ in re.findall(r"onerror=1&gt;49|onerror=1>49", page)]
    return reader.found[:3] + evaluated


def formulas(table: str) -> list[str]:
    """The cells of a CSV that a spreadsheet would calculate."""
    rows = csv.reader(io.StringIO(table.removeprefix("\ufeff"), newline=""))
    return [cell for row in rows for cell in row if cell.lstrip()[:1] in set("=+-@＝＋－＠\t\r") - {""}][:3]


def poisoned_facts(facts: Facts) -> Facts:
    """The facts with that text behind every text in them: as if no probe had cleaned anything."""
    return Facts({kind: _poisoned_fact(fact) for kind, fact in facts.found.items()}, facts.missing)


def _poisoned_fact(value: Any) -> Any:
    if type(value) is str:  # a StrEnum is a word of our own
        return value + POISON
    if isinstance(value, tuple):
        return tuple(_poisoned_fact(part) for part in value)
    if isinstance(value, Mapping):
        return {key: _poisoned_fact(part) for key, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _poisoned_fact(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **parts)
    return value
