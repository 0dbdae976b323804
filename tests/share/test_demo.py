"""The demo: real rules over facts of real servers, marked wherever it is seen, and gone without a trace."""

from __future__ import annotations

import io
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from checks.codec import encode_facts
from checks.evaluate import evaluate
from checks.items import all_items
from checks.model import Status
from fedisec.accounts.models import AuditEvent, User
from fedisec.alerts.models import Subscription
from fedisec.alerts.outbox import tick
from fedisec.checklist.models import Attestation, Note, Waiver
from fedisec.history.models import DayCount
from fedisec.instances.models import Instance
from fedisec.scans.models import Change, ItemState, Scan
from fedisec.share import demo
from fedisec.share.demo_looks import facts_on, seen_on
from fedisec.share.demo_story import DAYS, SERVERS, Server
from tests.factories import a_user, an_instance, signed_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SHORT = 2  # days, where a test needs no more


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DAYS", SHORT)


@pytest.fixture
def owner(db: None) -> User:
    user = a_user(email="alice@example.org")
    an_instance(user, domain="social.example")
    return user


@pytest.fixture
def made(short: None, owner: User) -> list[Instance]:
    return demo.add(owner.teams.get(), owner, language="en")


# what was seen


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: str(server.domain))
def test_every_day_of_the_story_is_judged_without_a_bug(server: Server) -> None:
    first_of_each = {seen_on(server, day): day for day in range(DAYS)}
    for day in first_of_each.values():
        verdicts = evaluate(facts_on(server, day, NOW))
        assert [key for key, verdict in verdicts.items() if verdict.status is Status.ERROR] == []


def test_the_same_day_is_told_the_same_way_twice() -> None:
    for server in SERVERS:
        assert facts_on(server, 3, NOW) == facts_on(server, 3, NOW)


def test_nothing_in_the_facts_leads_to_a_real_place() -> None:
    for server in SERVERS:
        assert server.domain.endswith(".example")
        told = json.dumps(encode_facts(facts_on(server, 0, NOW)))
        assert server.domain in told
        assert not [word for word in ("fedi.test", "127.66", "fd66:", '"demo.example') if word in told]


def test_a_look_of_long_ago_reads_like_one_of_then() -> None:
    server = SERVERS[0]
    early, late = (evaluate(facts_on(server, 0, at)) for at in (NOW - timedelta(days=80), NOW))
    assert {key: v.status for key, v in early.items()} == {key: v.status for key, v in late.items()}


def test_the_story_names_items_and_facts_that_exist() -> None:
    for server in SERVERS:
        said = {*(word.item_id for word in server.words), *server.answered}
        assert said <= set(all_items())
        kinds = {kind for chapter in server.chapters for kind in chapter.kinds}
        known = facts_on(server, 89, NOW)
        names = {kind.__name__ for kind in (*known.found, *known.missing)}
        assert kinds <= names
        assert all(c.seen in {"good", "bad", "silent"} and c.last <= c.first < DAYS for c in server.chapters)


# what becomes of it


def test_the_demo_has_a_history_and_tells_nobody(made: list[Instance]) -> None:
    assert [instance.domain for instance in made] == [server.domain for server in SERVERS]
    for instance in made:
        assert (instance.demo, instance.paused, instance.next_scan_at) == (True, True, None)
        assert instance.scans.filter(state="done").count() >= SHORT
        assert ItemState.objects.filter(instance=instance).count() == len(all_items())
        assert DayCount.objects.filter(instance=instance).count() >= SHORT
    assert Change.objects.filter(kind="regressed").exists()
    assert not Change.objects.filter(processed_at=None).exists(), "nothing ever stood in the outbox"
    tick(timezone.now())
    assert not Subscription.objects.exists()
    assert mail.outbox == []
    assert not Scan.objects.exclude(state="done").exists()


def test_people_have_spoken_in_it(made: list[Instance]) -> None:
    for model in (Attestation, Waiver, Note):
        assert model.objects.filter(created_at__lt=timezone.now()).exists()


def test_the_words_of_the_demo_are_in_the_readers_language(short: None, owner: User) -> None:
    demo.add(owner.teams.get(), owner, language="ja")
    assert Note.objects.filter(text__contains="リバースプロキシ").exists()


def test_it_is_not_made_twice(made: list[Instance], owner: User) -> None:
    with pytest.raises(demo.AlreadyThere):
        demo.add(owner.teams.get(), owner, language="en")
    assert Instance.objects.filter(demo=True).count() == len(SERVERS)


def test_nothing_is_left_of_it_and_nothing_else_goes(made: list[Instance], owner: User) -> None:
    assert demo.remove(Instance.objects.all(), owner) == len(SERVERS)
    assert [instance.domain for instance in Instance.objects.all()] == ["social.example"]
    for model in (Scan, ItemState, Change, Attestation, Waiver, Note, DayCount):
        assert not model._default_manager.exists()
    actions = AuditEvent.objects.filter(action__startswith="demo.").values_list("action", "actor_name")
    assert sorted(actions) == [("demo.added", owner.email), ("demo.removed", owner.email)]


# its page


def test_the_page_removes_it_for_who_types_the_word(
    made: list[Instance], owner: User, client: Client
) -> None:
    signed_in(client, owner)
    assert all(instance.domain in client.get("/demo/").content.decode() for instance in made)
    assert client.post("/demo/", {"word": "dem"}).status_code == 422
    assert Instance.objects.filter(demo=True).exists()
    assert client.post("/demo/", {"word": " Demo "}, follow=True).status_code == 200
    assert not Instance.objects.filter(demo=True).exists()
    assert client.get("/demo/").status_code == 404


def test_a_stranger_neither_sees_nor_removes_it(made: list[Instance], client: Client) -> None:
    charlie = a_user()
    an_instance(charlie)
    signed_in(client, charlie)
    assert (client.get("/demo/").status_code, client.post("/demo/", {"word": "demo"}).status_code) == (
        404,
        404,
    )
    assert Instance.objects.filter(demo=True).count() == len(SERVERS)


def test_a_viewer_sees_and_does_not_remove_it(made: list[Instance], owner: User, client: Client) -> None:
    bob = a_user()
    owner.teams.get().memberships.create(user=bob, role="viewer")
    signed_in(client, bob)
    page = client.get("/demo/")
    assert page.status_code == 200
    assert 'name="word"' not in page.content.decode()
    assert client.post("/demo/", {"word": "demo"}).status_code == 404


def test_pages_and_files_say_that_it_is_made_up(made: list[Instance], owner: User, client: Client) -> None:
    signed_in(client, owner)
    overview = client.get("/").content.decode()
    assert (overview.count("demo: made up"), "trouble-paused" in overview) == (len(SERVERS), False)
    page = f"/instances/{made[0].domain}/"
    shown = client.get(page).content.decode()
    assert (f"{page}scan/" in shown, "#paused" in shown) == (False, False)
    for path in (page, f"{page}items/http.hsts/", f"{page}export/?format=print", f"{page}export/?format=md"):
        assert "made up" in client.get(path).content.decode().lower()
    assert client.get(f"{page}export/?format=json").json()["instance"]["demo"] is True


# the command


@pytest.mark.usefixtures("short")
def test_the_command_makes_an_account_where_there_is_none(client: Client) -> None:
    out = io.StringIO()
    call_command("demo", stdout=out)
    email, password = out.getvalue().split("as ")[1].splitlines()[0].split(", password ")
    assert len(password) >= 16
    assert client.login(email=email, password=password)
    assert Instance.objects.filter(demo=True).count() == len(SERVERS)
    again = io.StringIO()
    call_command("demo", if_needed=True, stdout=again)
    assert client.login(email=email, password=again.getvalue().split("password ")[1].strip())
    assert not client.login(email=email, password=password)
    with pytest.raises(CommandError, match="already"):
        call_command("demo", stdout=out)
    call_command("demo", remove=True, stdout=out)
    assert not Instance.objects.exists()


def test_the_command_asks_for_somebody_who_may(db: None) -> None:
    for email in ("nobody@example.org", a_user().email):
        with pytest.raises(CommandError):
            call_command("demo", email=email, stdout=io.StringIO())


def test_the_story_has_no_two_chapters_that_disagree() -> None:
    for server in SERVERS:
        for one, two in itertools.combinations(server.chapters, 2):
            both = (
                set(one.kinds) & set(two.kinds)
                if max(one.last, two.last) <= min(one.first, two.first)
                else set()
            )
            assert not both or "silent" in {one.seen, two.seen}
