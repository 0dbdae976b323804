"""What the API gives and takes, and what it says when something does not fit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from checks.items import all_items
from fedisec.accounts.models import Role, User
from fedisec.api.gate import BODY_MAX
from fedisec.checklist.models import Attestation, Waiver
from fedisec.history.models import Standing
from fedisec.instances.models import Instance, Tag
from fedisec.scans.models import Change, ItemState, Scan, ScanState
from fedisec.watch.models import Concern, Entry, Source
from tests.api.conftest import MakeProgram, Program, a_member
from tests.factories import a_user, an_instance

pytestmark = pytest.mark.django_db
HSTS, SPF, ASKED = "http.hsts", "mail.spf", "data.restore_tested"


def cause(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json", answer.content[:300]
    said = json.loads(answer.content)
    assert said["status"] == answer.status_code and said["title"]
    assert said["type"].endswith("#" + said["cause"])
    return answer.status_code, said["cause"]


@pytest.fixture
def seen(instance: Instance) -> Instance:
    now = timezone.now()
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    ItemState.objects.create(
        instance=instance, item_id=SPF, status="fail", code="open_end", since=now, seen_at=now,
        data={"name": "x\u202ey"}, evidence=[["GET https://social.example/", "a\x1b[31m"]],
    )  # fmt: skip
    return instance


def test_an_instance_as_it_is_given(program: Program, seen: Instance) -> None:
    Tag.objects.create(instance=seen, name="Japan")
    (listed,) = program.read("/instances")["results"]
    assert listed == program.read(f"/instances/{seen.pk}")
    assert (listed["domain"], listed["team"]["id"]) == ("social.example", seen.team_id)
    assert listed["tags"] == ["Japan"]
    assert listed["posture"]["levels"]["required"]["applicable"] > 10
    assert listed["posture"]["required_not_met"] == 1
    assert listed["posture"]["sentence"].startswith("1 required item")
    assert sum(listed["posture"]["states"].values()) == len(all_items())
    assert listed["url"] == f"http://127.0.0.1:8000/instances/social.example~{seen.team_id}/"


def test_texts_are_in_the_language_asked_for(program: Program, seen: Instance) -> None:
    path = f"/instances/{seen.pk}/items/{HSTS}"
    item = all_items()[HSTS]
    for asked, language in (
        ("ja", "ja"),
        ("ja-JP, en;q=0.5", "ja"),
        ("de, en", "en"),
        ("", "en"),
        ("xx", "en"),
    ):
        answer = program.get(path, Accept_Language=asked)
        assert json.loads(answer.content)["title"] == item.title.in_language(language), asked
        assert "Accept-Language" in answer["Vary"]
    refused = program.get("/instances/999", Accept_Language="ja")
    assert json.loads(refused.content)["title"].isascii() is False or refused["Content-Language"] == "ja"


def test_an_item_with_what_was_seen_of_it(program: Program, seen: Instance) -> None:
    found = program.read(f"/instances/{seen.pk}/items/{SPF}")
    assert (found["state"], found["decided_by"], found["level"]) == ("not_met", "machine", "required")
    assert (found["machine"]["status"], found["machine"]["code"]) == ("fail", "open_end")
    assert found["summary"] == all_items()[SPF].codes["open_end"].filled("en", {})
    text = json.dumps(found, ensure_ascii=False)
    assert "\x1b" not in text and "\u202e" not in text and "\\u001b" not in text


def test_items_come_in_pieces_and_all_of_them(program: Program, seen: Instance) -> None:
    path, found, cursor = f"/instances/{seen.pk}/items", [], ""
    while True:
        answer = program.get(f"{path}?limit=50&cursor={cursor}")
        body = json.loads(answer.content)
        found += [one["id"] for one in body["results"]]
        assert ("Link" in answer) == (body["next_cursor"] is not None)
        if body["next_cursor"] is None:
            break
        cursor = body["next_cursor"]
        assert answer["Link"] == f'<http://127.0.0.1:8000/api/v1{path}?limit=50&cursor={cursor}>; rel="next"'
    assert found == list(all_items())
    bad = program.read(f"{path}?state=not_met&level=required")
    assert [one["id"] for one in bad["results"]] == [SPF]


def test_an_answer_is_given_and_taken_back(program: Program, instance: Instance) -> None:
    path = f"/instances/{instance.pk}/items/{ASKED}"
    before = program.read(path)
    sent = {"met": True, "note": "done in May", "basis": before["basis"]}
    answer = program.ask("PUT", f"{path}/attestation", sent)
    found = json.loads(answer.content)
    assert (answer.status_code, found["state"], found["attestation"]["by"]) == (200, "met", "ann@example.org")
    (stands,) = program.read(f"/instances/{instance.pk}/answers")["results"]
    assert (stands["item_id"], stands["kind"], stands["attestation"]["note"]) == (
        ASKED,
        "attestation",
        "done in May",
    )
    assert cause(program.ask("PUT", f"{path}/attestation", sent)) == (409, "answered")
    assert Attestation.objects.count() == 1
    withdrawn = program.ask("DELETE", f"{path}/answers?basis={found['basis']}")
    assert json.loads(withdrawn.content)["attestation"] is None
    assert program.read(f"/instances/{instance.pk}/answers")["results"] == []


def test_an_answer_holds_as_long_as_the_item_says_or_as_asked(program: Program, instance: Instance) -> None:
    path = f"/instances/{instance.pk}/items/{ASKED}/attestation"
    for days, wanted in ((None, all_items()[ASKED].attest_days), (30, 30)):
        assert program.ask("PUT", path, {"met": True, "note": "yes", "days": days}).status_code == 200
        stands = Attestation.objects.get(ended_at=None)
        assert (stands.valid_until - stands.created_at).days == wanted


def test_the_rules_of_the_pages_hold(program: Program, instance: Instance) -> None:
    path = f"/instances/{instance.pk}/items"
    required = next(one for one in all_items().values() if one.takes_answers and one.level == "required")
    refused = program.ask("PUT", f"{path}/{required.id}/attestation", {"met": True})
    assert cause(refused) == (422, "invalid")
    assert json.loads(refused.content)["errors"][0]["field"] == "note"
    never = {"kind": "accepted_risk", "reason": "for good and for ever"}
    assert cause(program.ask("PUT", f"{path}/{HSTS}/waiver", never)) == (422, "invalid")
    far = never | {"until": "2199-01-01"}
    assert cause(program.ask("PUT", f"{path}/{HSTS}/waiver", far)) == (422, "invalid")
    closed = next(one for one in all_items().values() if not one.takes_answers)
    assert cause(program.ask("PUT", f"{path}/{closed.id}/attestation", {"met": True, "note": "x"})) == (
        409,
        "conflict",
    )


def test_a_waiver_is_given(program: Program, instance: Instance) -> None:
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    sent = {"kind": "accepted_risk", "reason": "an old client needs it", "until": day}
    answer = program.ask("PUT", f"/instances/{instance.pk}/items/{HSTS}/waiver", sent)
    assert json.loads(answer.content)["state"] == "accepted"
    assert Waiver.objects.get().reason == "an old client needs it"
    (stands,) = program.read(f"/instances/{instance.pk}/answers")["results"]
    assert stands["waiver"]["kind"] == "accepted_risk"


@pytest.fixture
def any_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedisec.scans.keeping.refusal", lambda domain: "")


@pytest.mark.usefixtures("any_domain")
def test_a_server_is_added_set_and_removed(program: Program, instance: Instance) -> None:
    sent = {"domain": "https://New.example/about", "origins": ["192.0.2.7"], "ssh_port": 2222}
    refused = program.ask("POST", "/instances", sent)
    assert cause(refused) == (422, "invalid")  # the address is of a reserved network
    sent["origins"] = ["1.1.1.1"]
    answer = program.ask("POST", "/instances", sent)
    made = json.loads(answer.content)
    assert (answer.status_code, made["domain"], made["ssh_port"]) == (201, "new.example", 2222)
    assert answer["Location"] == f"/api/v1/instances/{made['id']}"
    assert made["is_scanning"] is True
    assert cause(program.ask("POST", "/instances", {"domain": "new.example"})) == (422, "invalid")
    path = f"/instances/{made['id']}"
    changed = program.ask("PATCH", path, {"tags": ["a", "b"], "paused": True, "interval_s": 3600})
    found = json.loads(changed.content)
    assert (found["tags"], found["paused"], found["interval_s"], found["ssh_port"]) == (
        ["a", "b"],
        True,
        3600,
        2222,
    )
    assert cause(program.ask("PATCH", path, {"interval_s": 61})) == (422, "invalid")
    assert cause(program.ask("PATCH", path, {"paused": None})) == (422, "invalid")
    assert cause(program.ask("PATCH", path, {"demo": True})) == (422, "invalid")
    assert cause(program.ask("DELETE", f"{path}?domain=social.example")) == (422, "invalid")
    assert cause(program.ask("DELETE", path)) == (422, "invalid")
    assert program.ask("DELETE", f"{path}?domain=new.example").status_code == 204
    assert program.get(path).status_code == 404


def test_a_domain_is_looked_at_before_it_is_stored(program: Program, instance: Instance) -> None:
    refused = program.ask("POST", "/instances", {"domain": "127.0.0.1"})
    assert json.loads(refused.content)["errors"][0]["field"] == "domain"
    assert Instance.objects.count() == 1


@pytest.mark.usefixtures("any_domain")
def test_several_teams_ask_for_one_to_be_named(ann: User, instance: Instance, program: Program) -> None:
    other = an_instance(ann)
    assert cause(program.ask("POST", "/instances", {"domain": "x.example"})) == (422, "invalid")
    answer = program.ask("POST", "/instances", {"domain": "x.example", "team": other.team_id})
    assert json.loads(answer.content)["team"]["id"] == other.team_id


def test_a_team_is_bounded(program: Program, instance: Instance, any_domain: None, settings: Any) -> None:
    settings.BOUNDS = settings.BOUNDS | {"instances": 1}
    assert cause(program.ask("POST", "/instances", {"domain": "x.example"})) == (409, "full")


def test_who_asks_twice_for_a_look_gets_one(program: Program, instance: Instance) -> None:
    path = f"/instances/{instance.pk}/scans"
    first, second = (program.ask("POST", path) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200)
    assert json.loads(first.content)["id"] == json.loads(second.content)["id"]
    assert first["Location"] == f"/api/v1{path}/{Scan.objects.get().pk}"
    found = program.read(f"{path}/{Scan.objects.get().pk}")
    assert (found["state"], found["reason"]) == ("queued", "manual")
    assert [one["phase"] for one in found["progress"]]


def test_soon_after_a_look_there_is_none(program: Program, instance: Instance) -> None:
    at = timezone.now() - timedelta(seconds=100)
    Scan.objects.create(
        instance=instance, state=ScanState.DONE, reason="manual", started_at=at, finished_at=at
    )
    refused = program.ask("POST", f"/instances/{instance.pk}/scans")
    assert cause(refused) == (429, "too_soon")
    assert 490 <= int(refused["Retry-After"]) <= 500


def test_what_is_made_up_is_never_looked_at(program: Program, instance: Instance, settings: Any) -> None:
    Instance.objects.update(demo=True)
    assert cause(program.ask("POST", f"/instances/{instance.pk}/scans")) == (409, "demo")
    Instance.objects.update(demo=False)
    settings.PROOF = "required"
    assert cause(program.ask("POST", f"/instances/{instance.pk}/scans")) == (409, "unproven")


def test_changes_since_then_each_once(program: Program, instance: Instance) -> None:
    now = timezone.now()
    scan = Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    for days, kind in ((3, "regressed"), (1, "recovered")):
        Change.objects.create(
            instance=instance, scan=scan, item_id=SPF, kind=kind, before="pass", after="fail", code="open_end",
            created_at=now - timedelta(days=days),
        )  # fmt: skip
    Change.objects.create(
        instance=an_instance(), scan=scan, item_id=HSTS, kind="regressed", before="pass", after="fail"
    )
    first = program.read("/changes?limit=1")
    assert [one["kind"] for one in first["results"]] == ["regressed"]
    assert first["results"][0]["summary"] == all_items()[SPF].codes["open_end"].filled("en", {})
    second = program.read(f"/changes?cursor={first['next_cursor']}")
    assert [one["kind"] for one in second["results"]] == ["recovered"]
    since = (now - timedelta(days=2)).isoformat().replace("+", "%2B")
    assert [one["kind"] for one in program.read(f"/changes?since={since}")["results"]] == ["recovered"]
    assert len(program.read(f"/changes?instance={instance.pk}")["results"]) == 2
    assert cause(program.get("/changes?since=2026-01-01T00:00:00")) == (422, "invalid")
    assert cause(program.get("/changes?since=0001-01-01T00:00:00%2B14:00")) == (422, "invalid")


def test_warnings_that_concern_an_instance(program: Program, instance: Instance) -> None:
    feed = Source.objects.create(slug="w", kind="warnings", title="W")
    entry = Entry.objects.create(source=feed, guid="1", title="CVE-2026-1", url="https://cve.example/1")
    Concern.objects.create(instance=instance, entry=entry, product="rails", matched="rails")
    Concern.objects.create(instance=an_instance(), entry=entry, product="rails", matched="rails")
    (found,) = program.read("/warnings")["results"]
    assert (found["title"], found["product"], found["said"]) == ("CVE-2026-1", "rails", "")
    assert program.read(f"/warnings?instance={instance.pk}&said=done")["results"] == []


def test_who_has_it_already_is_told_so(program: Program, instance: Instance) -> None:
    first = program.get("/instances")
    again = program.get("/instances", If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    Instance.objects.update(paused=True)
    assert program.get("/instances", If_None_Match=first["ETag"]).status_code == 200
    assert first["Cache-Control"] == "private, no-cache"


def test_head_is_get_without_the_body(program: Program, instance: Instance) -> None:
    answer = program.ask("HEAD", "/instances")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == program.get("/instances")["ETag"]


def test_no_other_site_is_let_in(program: Program) -> None:
    answer = program.get("/instances", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    asked = program.ask("OPTIONS", "/instances", Origin="https://evil.example")
    assert cause(asked) == (405, "method") and set(asked["Allow"].split(", ")) == {"GET", "POST"}
    crossed = program.ask("POST", "/instances", {"domain": "x.example"}, Sec_Fetch_Site="cross-site")
    assert cause(crossed) == (403, "forbidden")
    assert "Set-Cookie" not in answer.headers and not answer.cookies


def test_what_the_door_refuses_is_said_the_same_way(program: Program) -> None:
    assert cause(program.get("/instances%00")) == (400, "bad_request")
    assert cause(program.get("/instances?q=" + "x" * 5000)) == (400, "bad_request")


def test_the_queries_of_a_list_do_not_grow(
    program: Program, ann: User, instance: Instance, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    program.get("/instances")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            program.get("/instances")
        return len(found)

    few = queries()
    for number in range(8):
        one = Instance.objects.create(team=instance.team, domain=f"more{number}.example")
        Tag.objects.create(instance=one, name="x")
    assert Standing.objects.count() <= 1
    many = queries()
    from fedisec.checklist import daily

    for one in Instance.objects.all():
        daily.note(one)
    assert queries() <= min(few, many)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/instances?limit=0", 422),
        ("/instances?limit=101", 422),
        ("/instances?limit=" + "9" * 400, 422),
        ("/instances?cursor=x", 422),
        ("/instances?cursor=%F0%9F%92%A9", 422),
        ("/instances?cursor=YWZ0ZXIgOTk5OTk5OTk5OTk5OTk5OTk5OTk5", 422),
        ("/instances?team=99999999999999999999", 422),
        ("/instances/99999999999999999999999", 422),
        ("/instances/0", 422),
        ("/instances/-1", 404),
        ("/instances/9223372036854775807", 404),
        ("/instances/1/items/%2e%2e", 404),
        ("/changes?since=9999999999999999999", 422),
        ("/changes?since=x", 422),
        ("/nothing", 404),
        ("/", 404),
        ("/instances/", 404),
    ],
)
def test_odd_addresses_are_the_askers_fault(program: Program, path: str, status: int) -> None:
    assert cause(program.get(path))[0] == status


BODIES = [
    "{", "[]", "null", "1", '"x"', "", "{}", "NaN", '{"domain": NaN}',
    '{"domain": ' + "9" * 5000 + "}",
    '{"domain": "\\u0000"}', '{"domain": "\\ud800"}', '{"domain": {"a": 1}}', '{"domain": null}',
    "[" * 10_000, '{"a":' * 5000 + "1" + "}" * 5000,
    '{"domain": "' + "x" * 60_000 + '"}',
    b"\xff\xfe", b'{"domain": "\xff"}',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BODIES)))
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/instances"),
        ("PATCH", "/instances/{pk}"),
        ("PUT", "/instances/{pk}/items/data.restore_tested/attestation"),
        ("PUT", "/instances/{pk}/items/http.hsts/waiver"),
    ],
)
def test_odd_bodies_are_the_askers_fault(
    program: Program, instance: Instance, method: str, path: str, number: int
) -> None:
    answer = program.ask(method, path.format(pk=instance.pk), BODIES[number])
    if method == "PATCH" and BODIES[number] == "{}":
        assert answer.status_code == 200
    else:
        assert cause(answer)[0] in {400, 422}


def test_bodies_are_bounded_and_typed(program: Program, instance: Instance) -> None:
    path = f"/instances/{instance.pk}"
    assert cause(program.ask("PATCH", path, '{"x": "' + "y" * BODY_MAX + '"}')) == (413, "too_large")
    client = Client()
    sent = client.post(
        "/api/v1/instances", {"domain": "x.example"}, headers={"Authorization": f"Bearer {program.token}"}
    )
    assert cause(sent) == (415, "media_type")


def test_a_scope_is_a_wall(ann: User, instance: Instance, program_of: MakeProgram) -> None:
    path = f"/instances/{instance.pk}"
    reader, writer, scanner, meter = (
        program_of(ann, (scope,)) for scope in ("read", "write", "scan", "metrics")
    )
    for one, reads, writes, scans in (
        (reader, 200, 403, 403), (writer, 200, 200, 403), (scanner, 200, 403, 202), (meter, 403, 403, 403),
    ):  # fmt: skip
        assert one.get(path).status_code == reads
        assert one.ask("PATCH", path, {}).status_code == writes
        assert one.ask("POST", f"{path}/scans").status_code == scans
    assert cause(reader.ask("PATCH", path, {})) == (403, "scope")


def test_a_viewer_reads(instance: Instance, program_of: MakeProgram) -> None:
    viewer = program_of(a_member(instance.team, Role.VIEWER))
    assert viewer.get(f"/instances/{instance.pk}").status_code == 200
    assert cause(viewer.ask("POST", f"/instances/{instance.pk}/scans")) == (403, "role")
    assert cause(viewer.ask("POST", "/instances", {"domain": "x.example"})) == (403, "role")
    assert viewer.read("/teams")["results"][0]["role"] == "viewer"


def test_the_operator_sees_what_he_is_a_member_of(instance: Instance, program_of: MakeProgram) -> None:
    from tests.api.conftest import with_factor

    operator = program_of(with_factor(a_user(is_superuser=True)))
    assert operator.read("/instances")["results"] == []
    assert operator.get(f"/instances/{instance.pk}").status_code == 404


def test_a_token_says_what_it_is(program: Program) -> None:
    found = program.read("/token")
    assert (found["person"], found["scopes"], found["team"]) == (
        "ann@example.org",
        ["read", "write", "scan"],
        None,
    )
    assert program.token not in json.dumps(found)
