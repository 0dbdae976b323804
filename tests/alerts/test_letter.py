"""The words of a mail: complete by themselves, in the reader's language, and nothing a host can break."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import Settings

from checks.items import all_items
from fedisec.accounts.models import User
from fedisec.alerts import outbox
from fedisec.alerts.letter import letter_of
from fedisec.alerts.letters.items import first_step
from fedisec.alerts.letters.words import EVIDENCE_MAX, SUBJECT_MAX
from fedisec.alerts.models import Delivery
from fedisec.instances.models import Instance
from fedisec.scans.models import Change
from tests.alerts.conftest import Story

ALL_BAD = {"lock": "fail", "bolt": "fail", "bell": "fail", "lamp": "fail"}


def letter(**reader: str):  # type: ignore[no-untyped-def]  # an EmailMultiAlternatives
    User.objects.filter(email="reader@example.org").update(**reader)
    outbox.tick(timezone.now())
    return letter_of(Delivery.objects.order_by("-pk").select_related("user", "instance")[0])


def html_of(mail) -> str:  # type: ignore[no-untyped-def]
    return str(mail.alternatives[0][0])


def test_the_text_is_complete_by_itself(reader: User, story: Story, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://fedisec.example"
    story({}, {"lock": "fail"}, {"lock": "fail"})
    text = letter().body
    for part in (
        "The lock thing is in place [required]",
        "It is broken on social.example.",
        "GET https://social.example/: what was seen",
        "Without lock strangers get in.",
        "First step: Put lock in place:\n\n       apt install lock\n       systemctl enable lock\n",
        "https://fedisec.example/instances/good.example/items/fake.lock/",
        "https://fedisec.example/instances/good.example/\n",
        "Nothing else that fedisec checks is failing.",
    ):
        assert part in text
    assert "Then look again" not in text
    assert "http://" not in text


def test_html_says_the_same_words_and_loads_nothing(reader: User, story: Story) -> None:
    story({}, ALL_BAD, ALL_BAD)
    mail = letter()
    shown = " ".join(strip_tags(html_of(mail)).split())
    for line in mail.body.splitlines():
        words = " ".join(re.sub(r"^\s*(\d+\.|-+)\s|^\s*http\S+", "", line).split())
        assert words in shown or not words or words == "--", words
    assert not re.search(r"<(img|script|link|style|iframe|form)|src=|url\(|\son\w+=", html_of(mail))


def test_the_order_is_required_first_and_the_rest_is_counted(reader: User, story: Story) -> None:
    story({"bolt": "fail"}, ALL_BAD, ALL_BAD)
    mail = letter()
    assert mail.subject == "[fedisec] good.example: 2 items are no longer met, 1 of them required"
    places = [mail.body.index(f"The {slug} thing") for slug in ("lock", "bell")]
    assert places == sorted(places)
    assert "The bolt thing" not in mail.body
    assert "The lamp thing" not in mail.body  # optional: in the digest
    assert "Besides this, 2 items are still not met." in mail.body


@pytest.mark.parametrize(
    ("statuses", "subject"),
    [
        ({"lock": "fail"}, "1 required item is no longer met"),
        ({"lock": "fail", "bolt": "fail"}, "2 required items are no longer met"),
        ({"bell": "fail"}, "1 item is no longer met"),
    ],
)
def test_the_subject_says_what_happened(
    reader: User, story: Story, statuses: dict[str, str], subject: str
) -> None:
    story({}, statuses, statuses)
    assert letter().subject == f"[fedisec] good.example: {subject}"


def test_a_japanese_reader_gets_japanese_and_local_time(reader: User, story: Story) -> None:
    scan = story({}, {"lock": "fail"}, {"lock": "fail"})
    Change.objects.filter(scan=scan).update(created_at="2026-11-21T20:30:00Z")
    mail = letter(language="ja", time_zone="Asia/Tokyo")
    assert mail.subject.startswith("[fedisec] good.example: ")
    assert "必須" in mail.subject
    assert "lock が設定されている" in mail.body
    assert "social.example で壊れています。" in mail.body
    assert "2026年11月22日" in mail.body and "5:30" in mail.body
    assert 'lang="ja"' in html_of(mail)
    assert "no longer" not in mail.body


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd"])
def test_an_odd_time_zone_does_not_lose_the_mail(reader: User, story: Story, zone: str) -> None:
    story({}, {"lock": "fail"}, {"lock": "fail"})
    assert "UTC" in letter(time_zone=zone).body


def test_a_host_writes_neither_headers_nor_markup(reader: User, story: Story) -> None:
    nasty = "x\r\nBcc: all@example.org\r\n\x1b[31m<script>alert(1)</script>\u202e" + "y" * 500
    story({}, {"lock": "fail"}, {"lock": "fail"}, evidence=nasty)
    mail = letter()
    assert not re.search(r"^\s*Bcc", mail.body, re.MULTILINE)
    assert not set(mail.body) & {"\x1b", "\u202e", "\r"}
    assert "<script" not in html_of(mail)
    assert max(len(line) for line in mail.body.splitlines()) < EVIDENCE_MAX + 100
    assert mail.message()["Bcc"] is None


def test_a_long_name_is_cut_before_the_news_is(reader: User, instance: Instance, story: Story) -> None:
    Instance.objects.filter(pk=instance.pk).update(domain=".".join(["a" * 60] * 4))
    story({}, ALL_BAD, ALL_BAD)
    for language in ("en", "ja"):
        subject = letter(language=language).subject
        assert len(subject) <= SUBJECT_MAX
        assert "…" in subject
    assert subject.endswith("）") or "2" in subject


def test_an_item_that_this_version_does_not_know_still_gets_its_link(
    reader: User, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story({}, {"lock": "fail"}, {"lock": "fail"})
    outbox.tick(timezone.now())
    monkeypatch.delitem(all_items(), "fake.lock")
    mail = letter()
    assert mail.subject == "[fedisec] good.example: 1 item is no longer met"
    assert "/instances/good.example/items/fake.lock/" in mail.body


@pytest.mark.parametrize(
    ("text", "words", "commands"),
    [
        ("Do it.", "Do it.", ""),
        ("Do it.\n\nThen that.", "Do it.", ""),
        ("Do\nit:\n\n    a\n    b\n\n    c\n\nThen.", "Do\nit:", "a\nb\n\nc"),
        ("Do it:\n    a\nThen:\n    b", "Do it:", "a"),
        ("    a\n\nThen.", "", "a"),
        ("", "", ""),
    ],
)
def test_the_first_step_is_a_sentence_and_its_commands(text: str, words: str, commands: str) -> None:
    assert first_step(text) == (words, commands)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_item_has_a_first_step(language: str) -> None:
    for item in all_items().values():
        words, commands = first_step(item.fix.text.in_language(language))
        assert words or commands, item.id
