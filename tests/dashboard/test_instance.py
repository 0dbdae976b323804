"""The instance's page: orders of the checklist, what changed, the server's facts, second opinions."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.items import all_items
from checks.model import Level, Text
from checks.sources_doc import advice
from fedisec.accounts.models import AuditEvent
from fedisec.checklist import daily, groups
from fedisec.checklist.board import rows_of
from fedisec.checklist.next_actions import exposure_and_effort, next_actions
from fedisec.checklist.templatetags import checklist
from fedisec.instances.graders import GRADERS
from fedisec.instances.models import Glance, Instance, NotedGrade
from fedisec.scans.models import ItemState, Scan
from tests.factories import a_recorded_scan

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/"


def listed(text: str) -> list[str]:
    """The items of the list, in order."""
    return re.findall(r'<details class="item" id="([^"]+)"', text)


def titles(text: str) -> list[str]:
    """The headings of the groups, in order."""
    return re.findall(r'id="topic-[^"]+-title">([^<]+)<', text)


def test_by_level_lists_every_item_from_required_on(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(PAGE, {"by": "level"}).content.decode()
    assert titles(text) == ["Required", "Recommended", "Optional"]
    levels = [all_items()[key].level for key in listed(text)]
    assert levels == sorted(levels, key=list(Level).index) and len(levels) == len(all_items())


def test_the_2020_checklist_stands_in_its_own_order(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(
        PAGE, {"by": "source", "source": "003"}, headers={"Accept-Language": "ja"}
    ).content.decode()
    assert titles(text)[:3] == ["準備：目的", "準備：ドメイン", "準備：コンプライアンス"]
    assert titles(text)[-2:] == ["運用：コンプライアンス", "非常時"]
    shown = listed(text)
    assert shown[:3] == ["plan.hosting_considered", "plan.audience_decided", "domain.caa"]
    ssh = [key for key in shown if key.startswith("ssh.")]
    assert ssh == [
        "ssh.password_login_off",
        "ssh.port_changed",
        "ssh.source_restricted",
        "ssh.login_notice",
    ]
    wanted = {item.id for item in all_items().values() if any(s.text == "003" for s in item.sources)}
    assert set(shown) == wanted and len(shown) == len(wanted)


@pytest.mark.parametrize("source", groups.SOURCES)
def test_each_source_lists_what_it_asks_for_under_named_sections(scanned: Instance, source: str) -> None:
    found = groups.grouped(rows_of(scanned), "source", source)
    wanted = [i.id for i in all_items().values() if any(s.text == source for s in i.sources)]
    assert sorted(row.item.id for group in found for row in group.rows) == sorted(wanted)
    sections = {s.section for i in all_items().values() for s in i.sources if s.text == source}
    assert sections <= set(groups._SECTIONS[source]), "a section without a name of its own"
    order = [row.item.id for group in found for row in group.rows]
    said = [key for line in advice() if line.text == source for key in line.items]
    for group in found:
        places = [said.index(row.item.id) for row in group.rows if row.item.id in said]
        assert places == sorted(places)
    assert len(order) == len(set(order))


def test_the_filter_keeps_the_order_and_the_order_keeps_the_filter(
    as_alice: Client, scanned: Instance
) -> None:
    text = as_alice.get(PAGE, {"by": "source", "source": "000", "level": "required"}).content.decode()
    assert '<input type="hidden" name="by" value="source">' in text
    assert 'href="?level=required&amp;by=level#list"' in text
    assert 'href="?level=required&amp;by=source&amp;source=003#list"' in text
    assert all(all_items()[key].level is Level.REQUIRED for key in listed(text))


@pytest.mark.parametrize("query", [{"by": "x"}, {"by": "source", "source": "x"}, {"source": "<b>"}])
def test_an_odd_order_does_no_harm(as_alice: Client, scanned: Instance, query: dict[str, str]) -> None:
    assert as_alice.get(PAGE, query).status_code == 200


def test_every_item_has_its_exposure_and_effort() -> None:
    from fedisec.checklist.next_actions import _TABLE

    assert set(_TABLE) == set(all_items())
    for item in all_items().values():
        assert all(1 <= value <= 3 for value in exposure_and_effort(item)), item.id


def test_the_next_five_go_by_level_then_exposure_then_effort(scanned: Instance) -> None:
    ItemState.objects.filter(instance=scanned).update(status="pass")
    ItemState.objects.filter(
        item_id__in=("mail.dkim", "mail.spf", "app.setup_finished", "http.hsts", "edge.cdn")
    ).update(status="fail")
    order = [row.item.id for _, row in next_actions(rows_of(scanned))]
    assert order == ["app.setup_finished", "mail.spf", "mail.dkim", "http.hsts", "edge.cdn"]


def test_what_waits_for_ssh_stands_back(scanned: Instance) -> None:
    ItemState.objects.filter(instance=scanned).update(status="pass")
    waiting = ItemState.objects.filter(item_id="firewall.host_enabled")
    waiting.update(status="unknown", reason="not_connected")
    ItemState.objects.filter(item_id="http.hsts").update(status="fail")
    order = [row.item.id for _, row in next_actions(rows_of(scanned))]
    assert order == ["http.hsts", "firewall.host_enabled"]


def test_the_first_step_of_the_fix_stands_beside_the_action(as_alice: Client, scanned: Instance) -> None:
    ItemState.objects.filter(instance=scanned).update(status="pass")
    ItemState.objects.filter(item_id="http.hsts").update(status="fail")
    text = as_alice.get(PAGE).content.decode().split('id="next-title"')[1].split("</section>")[0]
    assert "Make sure that https works on the name first, and on every sub-domain" in text
    assert "browsers will not go back.</p>" in text
    ItemState.objects.filter(item_id="http.hsts").update(status="pass")
    ItemState.objects.filter(item_id="mail.mx_sane").update(status="fail")
    text = as_alice.get(PAGE).content.decode().split('id="next-title"')[1].split("</section>")[0]
    # What follows a colon at the end are commands, which stand on the item's page.
    assert "a name with an address record …</p>" in text


def test_a_long_first_step_ends_at_a_word() -> None:
    step = checklist.first_step(Text(en="Go " + "word " * 60 + "end.", ja="あ" * 300 + "。"))
    assert step.endswith("word…") and len(step) <= checklist.STEP_CHARS
    with translation.override("ja"):
        step = checklist.first_step(Text(en="Go.", ja="あ" * 300 + "。"))
    assert step.endswith("ああ…") and len(step) <= checklist.STEP_CHARS


def test_what_changed_counts_and_leads_to_the_two_scans(as_alice: Client, scanned: Instance) -> None:
    now = timezone.now() + timedelta(minutes=1)
    first = Scan.objects.get()
    second = Scan.objects.create(instance=scanned, state="done", reason="scheduled", finished_at=now)
    ItemState.objects.filter(item_id="http.hsts").update(since=now)
    text = as_alice.get(PAGE).content.decode().split('id="changed-title"')[1].split("</section>")[0]
    assert "1 worse" in text and "0 newly met" in text and "items/http.hsts/" in text
    assert f"{PAGE}compare/?from={first.pk}&amp;to={second.pk}" in text


def test_a_look_leaves_the_servers_facts_for_the_page(as_alice: Client, instance: Instance) -> None:
    facts = Facts().with_facts(Addresses("social.example", ("192.0.2.10",), ("2001:db8::1",)))
    scan = a_recorded_scan(instance, facts)
    daily.note(instance, scan.finished_at, scanned=True)
    text = as_alice.get(PAGE).content.decode().split('id="server"')[1].split("</details>")[0]
    assert "192.0.2.10" in text and "2001:db8::1" in text and "not connected" in text


def test_facts_that_cannot_be_read_leave_the_panel_empty(as_alice: Client, scanned: Instance) -> None:
    Scan.objects.update(facts={"schema": 999})
    daily.note(scanned, scanned=True)
    assert Glance.objects.get().facts == {}
    assert as_alice.get(PAGE).status_code == 200


def test_second_opinions_are_links_that_tell_nothing_of_us(as_alice: Client, scanned: Instance) -> None:
    text = as_alice.get(PAGE).content.decode()
    links = re.findall(r'<a href="(https://[^"]+)"([^>]*)>', text)
    assert len(links) == len(GRADERS)
    for address, attributes in links:
        assert "social.example" in address and 'rel="noopener noreferrer"' in attributes


def test_a_mail_grader_is_asked_for_the_mail_domain(as_alice: Client, scanned: Instance) -> None:
    Instance.objects.update(mail_from="mail.example")
    text = as_alice.get(PAGE).content.decode()
    assert "https://internet.nl/mail/mail.example/" in text
    assert "https://internet.nl/site/social.example/" in text


def test_a_noted_grade_is_shown_with_its_day_and_stands_in_the_trail(
    as_alice: Client, scanned: Instance
) -> None:
    day = timezone.localdate() - timedelta(days=2)
    for grade in ("B", "A+"):
        given = {"grader": "ssllabs", "grade": grade, "seen_on": day.isoformat()}
        assert as_alice.post(f"{PAGE}grades/", given)["Location"] == f"{PAGE}#opinions"
    assert NotedGrade.objects.count() == 2
    text = as_alice.get(PAGE).content.decode()
    assert "<b>A+</b>" in text and "<b>B</b>" not in text
    event = AuditEvent.objects.filter(action="grade.noted").latest("pk")
    assert (event.before, event.after, event.data["site"]) == ("B", "A+", "SSL Labs")


@pytest.mark.parametrize(
    "change", [{"grader": "nobody"}, {"grade": ""}, {"grade": "x" * 21}, {"seen_on": "2999-01-01"}]
)
def test_a_grade_that_makes_no_sense_is_refused(
    as_alice: Client, scanned: Instance, change: dict[str, str]
) -> None:
    given = {"grader": "ssllabs", "grade": "A", "seen_on": timezone.localdate().isoformat()}
    as_alice.post(f"{PAGE}grades/", {**given, **change})
    assert not NotedGrade.objects.exists()


def test_a_viewer_notes_no_grade_and_a_stranger_finds_nothing(
    as_bob: Client, as_charlie: Client, scanned: Instance
) -> None:
    given = {"grader": "ssllabs", "grade": "A", "seen_on": timezone.localdate().isoformat()}
    for client in (as_bob, as_charlie):
        assert client.post(f"{PAGE}grades/", given).status_code == 404
    assert "grades/" not in as_bob.get(PAGE).content.decode()


def test_settings_keep_tags_and_the_pause_and_tell_the_trail(as_alice: Client, scanned: Instance) -> None:
    given = {"tags": " Japan, #single-user,、japan", "paused": "on"}
    assert as_alice.post(f"{PAGE}settings/", given).status_code == 302
    stored = Instance.objects.get()
    assert sorted(tag.name for tag in stored.tags.all()) == ["Japan", "single-user"] and stored.paused
    assert not Scan.objects.filter(state="queued").exists(), "a tag is no reason to look"
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {
        "instance.paused",
        "instance.changed",
    }
    text = as_alice.get(f"{PAGE}settings/").content.decode()
    assert 'value="Japan, single-user"' in text and "checked" in text
    as_alice.post(f"{PAGE}settings/", {"tags": "Japan, single-user"})
    assert AuditEvent.objects.filter(action="instance.resumed").count() == 1


@pytest.mark.parametrize("tags", ["x" * 31, ",".join(f"t{n}" for n in range(11))])
def test_too_many_or_too_long_tags_are_refused(as_alice: Client, scanned: Instance, tags: str) -> None:
    assert as_alice.post(f"{PAGE}settings/", {"tags": tags}).status_code == 422
    assert not scanned.tags.exists()
