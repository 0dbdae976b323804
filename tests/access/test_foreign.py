"""Things of another team, by a key that was swapped in the address or in a form; and forms that nobody sent."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.access.asking import Browser, status_of, undone
from tests.access.forms import arguments, form
from tests.access.table import TABLE
from tests.access.test_table import ADDRESSES, url_of
from tests.access.world import World
from tests.factories import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

# Sent without a token on purpose, and why.
NO_TOKEN = {"unsubscribe": "a mail program has no cookie of ours; the address is the proof (RFC 8058)"}
# Takes no form from anybody: it is a page that says so, whatever the method.
SAYS_NO = {"account_reset_password_from_key"}
POSTED = sorted(name for name, row in TABLE.items() if "POST" in row and not row["POST"].startswith("405"))


@pytest.mark.parametrize("name", sorted(set(POSTED) - set(NO_TOKEN) - SAYS_NO))
def test_no_form_without_a_token(name: str, world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    for role in ("operator" if "404" in TABLE[name]["POST"].split()[4] else "owner", "anonymous"):
        user = world.people[role]
        if user is not None:
            signed_in(client, user)
        else:
            client.logout()
        with undone():
            answer = client.post(url_of(ADDRESSES[name], world), form(name, world.theirs))
        refused = answer.status_code == 403 or status_of(answer) == "login"
        assert refused, f"{name} as {role}: {answer.status_code}"
        assert status_of(answer) != "login" or user is None


KEYS = {"domain", "pk", "member", "invitation"}
# (address, its arguments that are of the own team; the rest is the other team's)
SWAPPED = [
    (name, own)
    for name, address in ADDRESSES.items()
    if name in TABLE and not name.startswith("source_")
    for own in ((), ("domain",), ("pk",))
    if set(own) < (KEYS & set(address.arguments))
]


@pytest.mark.parametrize(("name", "own"), SWAPPED)
@pytest.mark.parametrize("role", ["editor", "owner"])
def test_keys_of_another_team_lead_nowhere(name: str, own: tuple[str, ...], role: str, world: World) -> None:
    """`own`: which of the arguments are the person's own; at least one is not."""
    browser, wanted = Browser(world.people[role]), ADDRESSES[name].arguments
    theirs, others = (world.arguments(name, plot) for plot in (world.theirs, world.other))
    given = arguments(name, wanted, {**others, **{key: theirs[key] for key in own}})
    method = "POST" if "POST" in TABLE[name] else "GET"
    sent = form(name, world.theirs)
    status, _answer, written = browser.ask(method, reverse(name, kwargs=given), sent)
    # What others did is not undone; the page says "too late", as for what is long over.
    assert status == ("302" if (name, own) == ("undo", ("domain",)) else "404")
    assert name != "undo" or not any('UPDATE "checklist_note"' in sql for sql in written)


OTHERS_IN_FORMS = [
    ("own_item_add", "where", "one:{instance}"),
    ("own_item_add", "where", "all:{team}"),
    ("own_item_edit", "where", "one:{instance}"),
    ("own_item_edit", "where", "all:{team}"),
    ("channel_add", "instances", "{instance}"),
    ("channel_edit", "instances", "{instance}"),
    ("instance_add", "team", "{team}"),
]


@pytest.mark.parametrize(("name", "field", "value"), OTHERS_IN_FORMS)
def test_keys_of_another_team_in_a_form_are_refused(name: str, field: str, value: str, world: World) -> None:
    browser = Browser(world.people["owner"])
    sent = form(name, world.theirs)
    sent[field] = value.format(instance=world.other.instance.pk, team=world.other.team.pk)
    assert browser.ask("POST", url_of(ADDRESSES[name], world), sent)[0] in {"422", "404"}


@pytest.mark.parametrize("other", ["from={other_older}&to={newer}", "from={older}&to={other_newer}"])
def test_a_scan_of_another_team_is_not_compared(other: str, world: World) -> None:
    query = other.format(
        older=world.theirs.older.pk,
        newer=world.theirs.newer.pk,
        other_older=world.other.older.pk,
        other_newer=world.other.newer.pk,
    )
    url = url_of(ADDRESSES["compare"], world)
    assert Browser(world.people["owner"]).ask("GET", f"{url}?{query}")[0] == "404"


EXPORTS = [f"export_overview?format={kind}" for kind in ("csv", "json", "md", "sarif", "print")]


@pytest.mark.parametrize(
    "asked", [*EXPORTS, "audit_export?format=json", "overview?", "channels?", "own_items?"]
)
def test_lists_and_files_hold_nothing_of_another_team(asked: str, world: World) -> None:
    name, _, query = asked.partition("?")
    for role in ("viewer", "editor", "owner", "operator"):
        _status, answer, _written = Browser(world.people[role]).ask("GET", f"{reverse(name)}?{query}")
        text = answer.content.decode()  # type: ignore[attr-defined]  # read by then
        assert "other.example" not in text
        assert ("social.example" in text) == (role != "operator") or name in {"audit_export", "channels"}


def test_a_person_who_was_removed_is_out_at_the_next_request(world: World) -> None:
    client, viewer = Client(), world.people["viewer"]
    assert viewer is not None
    url = reverse("instance", args=[world.theirs.instance.domain])
    with undone():
        signed_in(client, viewer)
        assert client.get(url).status_code == 200
        viewer.memberships.all().delete()
        assert client.get(url).status_code == 404


def test_a_person_who_was_switched_off_is_signed_out(world: World) -> None:
    client, owner = Client(), world.people["owner"]
    assert owner is not None
    with undone():
        signed_in(client, owner)
        type(owner).objects.filter(pk=owner.pk).update(is_active=False)
        answer = client.get(reverse("overview"))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse(str(settings.LOGIN_URL)))
    assert connection.in_atomic_block
