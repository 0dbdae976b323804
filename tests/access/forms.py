"""What the test sends to each address: forms as a person with the right to would fill them in.

`form` names every field that the form has, also those left empty, so that whatever is sent beside them is none
of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from checks.items import all_items
from checks.model import Level
from fedisec.checklist.switches import FOLLOWS
from tests.access.world import ITEM, Plot

Form = dict[str, Any]
REASON = "A reason that is long enough."
# Items on which an address does something.
ITEMS = {"follow": next(iter(FOLLOWS)), "answer": "data.restore_tested"}
# What an address is asked with, beside bare; "{…}" is a key of the plot.
QUERIES: dict[str, tuple[str, ...]] = {
    "compare": ("from={older}&to={newer}", "from={older}&to={newer}&format=json"),
    "changes": ("", "format=json"),
    "export": ("", "format=csv", "format=json", "format=md", "format=sarif", "format=print"),
    "export_overview": ("", "format=csv", "format=json", "format=md", "format=sarif", "format=print"),
    "audit_export": ("format=csv", "format=json"),
    "trend": ("", "days=30"),
}
# Parts of pages that htmx asks for: (address, the element it is for), with another answer where it is another.
FRAGMENTS = {"instance": "list", "item": "item", "look": "look", "trend": "trend", "progress": "progress"}


def query(text: str, plot: Plot) -> str:
    return text.format(older=plot.older.pk, newer=plot.newer.pk)


def form(name: str, plot: Plot) -> Form:
    """What is sent there; nothing for an address that needs no more than the press of a button."""
    make = _FORMS.get(name)
    return dict(make(plot)) if make is not None else {}


def _settings(plot: Plot) -> Form:
    more = {"mail_from": "", "dkim_selectors": "", "origins": "", "ssh_port": "", "ssh_user": ""}
    return {**more, "tags": "Japan", "interval_s": "86400", "inside_interval_s": "", "paused": ""}


def _channel(plot: Plot) -> Form:
    return {
        "name": "Night shift",
        "team": str(plot.team.pk),
        "address": "https://hooks.example.org/x",
        "kinds": ["regression"],
        "levels": ["required"],
        "which": "chosen",
        "instances": [str(plot.instance.pk)],
        "language": "",
        "time_zone": "",
    }


def _wishes(plot: Plot) -> Form:
    return {
        "levels": ["required"],
        "kinds": ["regression"],
        "reminder_days": "7",
        "remind_recommended": "",
        "digest": "on",
        "digest_day": "0",
        "digest_hour": "8",
        "quiet_from": "",
        "quiet_to": "",
    }


def _own_item(plot: Plot) -> Form:
    return {
        "title": "The spare key is in the safe",
        "where": f"one:{plot.instance.pk}",
        "level": "required",
        "renew_days": "180",
        "why": "",
        "expected": "",
    }


def _until(plot: Plot) -> Form:
    day = timezone.localdate() + timedelta(days=30)
    return {"kind": "accepted_risk", "reason": REASON, "until": day.isoformat(), "basis": "0.0"}


def _mail_server(plot: Plot) -> Form:
    return {
        "host": "relay.example",
        "port": "587",
        "security": "starttls",
        "username": "",
        "password": "",
        "sender": "fedisec@relay.example",
    }


def _source(plot: Plot) -> Form:
    return {"title": "Theirs", "url": "https://feed.example/2", "kind": "warnings", "about": ""}


def _several(plot: Plot) -> Form:
    item = next(one.id for one in all_items().values() if one.level is Level.OPTIONAL and one.takes_answers)
    return {"item": [item], "say": "met", "reason": REASON, "time": "own", "since": "", "back": ""}


_FORMS: dict[str, Callable[[Plot], Form]] = {
    "instance_add": lambda plot: {"domain": "new.example", **_settings(plot)},
    "instance_edit": _settings,
    "instance_remove": lambda plot: {"domain": plot.instance.domain},
    "ssh_disconnect": lambda plot: {"domain": plot.instance.domain},
    "ssh": lambda plot: {"mode": "forced", "user": "fedisec", "port": "22", "host": ""},
    "ssh_confirm": lambda plot: {"host_key": ""},
    "grade_note": lambda plot: {
        "grader": "ssllabs",
        "grade": "A",
        "seen_on": timezone.localdate().isoformat(),
    },
    "view_save": lambda plot: {"name": "Mine", "query": "is=needs_a_hand"},
    "profile": lambda plot: {"language": "en", "time_zone": ""},
    "notifications": _wishes,
    "snooze": lambda plot: {"for": "1h"},
    "hearing": lambda plot: {"do": "on", "back": "", "page": ""},
    "mail_address": lambda plot: {"email": "new@example.org", "password": "wrong"},
    "account_email": lambda plot: {"email": "new@example.org", "password": "wrong"},
    "inventory": lambda plot: {"product": "nginx", "version": "1.26.3"},
    "inventory_line": lambda plot: {"do": "confirm"},
    "news_say": lambda plot: {"said": "done", "back": "said=all&q=redis"},
    "answer": lambda plot: {"met": "yes", "note": REASON, "link": "", "days": "30"},
    "waive": _until,
    "withdraw": lambda plot: {"basis": "0.0"},
    "remark": lambda plot: {"text": "Looked at it."},
    "answer_several": _several,
    "acknowledge": lambda plot: {"do": "", "why": REASON},
    "dkim_message": lambda plot: {"message": "", "elsewhere": ""},
    "mails": lambda plot: {"on": "yes"},
    "follow": lambda plot: {"on": "no"},
    "share": lambda plot: {
        "shows": "topics", "only_met": "", "badge": "on", "new_password": "", "drop_password": "",
    },
    "demo": lambda plot: {"word": "demo"},
    "own_item_add": _own_item,
    "own_item_edit": _own_item,
    "channel_add": _channel,
    "channel_edit": _channel,
    "channel_remove": lambda plot: {"name": plot.channel.name},
    "source_add": _source,
    "source_turn": lambda plot: {"on": "no"},
    "source_read": lambda plot: {"believe": "no"},
    "mail_server": _mail_server,
    "teams": lambda plot: {"name": "Another team"},
    "team_rename": lambda plot: {"name": "A better name"},
    "team_invite": lambda plot: {"email": "somebody@example.org", "role": "viewer"},
    "member_role": lambda plot: {"role": "viewer"},
    "team_delete": lambda plot: {"name": plot.team.name},
    "invitation": lambda plot: dict.fromkeys(("password1", "password2"), "a sentence nobody guesses"),
    "theme": lambda plot: {"theme": "dark", "next": ""},
    "set_language": lambda plot: {"language": "en", "next": ""},
}  # fmt: skip


def arguments(name: str, wanted: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """Those of `given` that the address has, with an item on which it does something."""
    found = {key: value for key, value in given.items() if key in wanted}
    if "item_id" in found:
        found["item_id"] = ITEMS.get(name, ITEM)
    return found
