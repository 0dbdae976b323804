"""Nothing that a host, a feed or another program put into the tables breaks a header, the markup or the mail."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedisec.alerts.letter import letter_of, summary_of
from fedisec.alerts.letters import reading
from fedisec.alerts.letters.items import items_for
from fedisec.alerts.letters.words import EVIDENCE_MAX, SUBJECT_MAX
from fedisec.alerts.models import Delivery, MailKind, Notice
from fedisec.alerts.recipients import wishes_of
from fedisec.instances.models import Instance
from fedisec.scans.models import REACH, Change, Incident
from tests.alerts.letters.samples import NOW, Post

NASTY = "x\r\nBcc: all@example.org\r\n\x1b[31m<script>alert(1)</script>\u202e\"'&amp;" + "y" * 500
ALLOWED = {"html", "head", "meta", "title", "body", "div", "p", "br", "strong", "code", "pre", "a", "h2", "h3", "ol", "ul", "li", "span"}  # fmt: skip
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
text = (
    st.text(max_size=300) | st.just(NASTY) | st.sampled_from(["</pre><img src=x>", "\n.\n", "%(count)d {0}"])
)
# What JSON can hold; the keys are those that words look for, and others.
keys = st.sampled_from(
    ["kind", "what", "item", "items", "at", "code", "also", "tried", "address", "fingerprint", "not_after", "not_before",
     "before", "after", "seen_at", "since", "until", "host", "waited", "title", "url", "instances", "domain", "version",
     "listed", "sums", "changes", "endings", "unseen_items", "worse", "not_met", "days", "looked_at", "published"]
)  # fmt: skip
value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | text,
    lambda more: st.lists(more, max_size=3) | st.dictionaries(keys, more, max_size=4),
    max_leaves=12,
)


class Tags(HTMLParser):
    """The tags and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links.update(str(link) for name, link in attrs if name == "href")


def assert_harmless(delivery: Delivery) -> Message:
    mail = letter_of(delivery)
    raw = mail.message().as_bytes()
    message = message_from_bytes(raw)
    assert {name.lower() for name, _ in message.items()} <= {
        "content-type", "mime-version", "subject", "from", "to", "date", "message-id", "auto-submitted",
        "in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post",
    }  # fmt: skip
    assert len(mail.subject) <= SUBJECT_MAX and mail.subject.startswith("[fedisec] ")
    page = str(mail.alternatives[0][0])
    for part in (mail.subject, mail.body, page):
        assert not HARMFUL.search(str(part))
    tags = Tags(page)
    assert tags.tags <= ALLOWED and tags.attributes <= {"lang", "charset", "name", "content", "style", "href"}
    assert all(re.match(r"https?://[^\s\"<>]+\Z", link) for link in tags.links), tags.links
    summary_of(delivery)
    return message


@pytest.fixture(autouse=True)
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def written(monkeypatch: pytest.MonkeyPatch, reader_post: Post, notices: list[Notice]) -> Delivery:
    """A delivery in memory: a database takes none of some things that are tried here."""
    user = reader_post.user
    assert user is not None
    delivery = Delivery(
        pk=1, user=user, message_id="<x@fedisec.example>", kind=notices[0].kind, created_at=NOW
    )

    def read(_delivery: Delivery) -> reading.Mail:
        items = items_for(reading._named(notices))
        return reading.Mail(_delivery, tuple(notices), items, wishes_of(user), NOW)

    monkeypatch.setattr("fedisec.alerts.letter.read", read)
    return delivery


few = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(kind=st.sampled_from(list(MailKind)), data=st.dictionaries(keys, value, max_size=8) | value)
def test_whatever_the_data_of_a_notice_the_mail_is_written(
    kind: MailKind, data: Any, post: Post, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = [Notice(pk=1, kind=kind, data=data, user=post.user, created_at=NOW)]
    if kind not in {MailKind.DIGEST, MailKind.OUTAGE, MailKind.TEST}:
        notices.append(Notice(pk=2, kind=kind, data=data, user=post.user, instance=instance, created_at=NOW))
    assert_harmless(written(monkeypatch, post, notices))


@few
@given(
    item_id=st.sampled_from(["mail.spf", "http.hsts", REACH, "blind", "own.1"]) | text,
    kind=st.sampled_from(["regressed", "recovered", "flapping", "calmed", "blind"]),
    code=st.sampled_from(["several", "short", "silent", "no_name"]) | text,
    data=st.dictionaries(st.sampled_from(["name", "count", "days", "items", "also", "code"]), value) | value,
    evidence=st.lists(st.lists(text, min_size=2, max_size=2), max_size=3) | value,
)
def test_whatever_a_host_has_said_the_mail_is_harmless(
    item_id: str, kind: str, code: str, data: Any, evidence: Any,
    post: Post, instance: Instance, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    incident = Incident(instance=instance, item_id=item_id, opened_at=NOW)
    change = Change(
        pk=1, instance=instance, scan_id=1, item_id=item_id, kind=kind, code=code, data=data,
        evidence=evidence, after="fail", incident=incident, created_at=NOW,
    )  # fmt: skip
    told = MailKind.REGRESSION if kind == "regressed" else MailKind.FLAPPING
    notice = Notice(pk=1, kind=told, change=change, instance=instance, user=post.user, created_at=NOW)
    assert_harmless(written(monkeypatch, post, [notice]))


def test_evidence_is_cut(post: Post, instance: Instance) -> None:
    scan = instance.scans.create(reason="first")
    change = Change.objects.create(
        instance=instance, scan=scan, item_id="mail.spf", kind="regressed", after="fail", code="none",
        data={"name": "z" * 5000}, evidence=[["w" * 5000, "v" * 5000]], created_at=NOW,
    )  # fmt: skip
    post.change(MailKind.REGRESSION, change)
    text = str(letter_of(post.delivery()).body)
    assert re.search("v{150,}…", text)
    assert max(len(found) for found in re.findall(r"v+|w+", text)) <= EVIDENCE_MAX
    assert max(map(len, text.splitlines())) < 600


def test_an_address_of_a_feed_leads_to_the_web_or_nowhere(post: Post, instance: Instance) -> None:
    for number, url in enumerate(
        ["javascript:alert(1)", "https://[", "data:text/html,x", 'https://x.example/"><b>']
    ):
        post.tell(MailKind.NEWS, instance=instance, data={"title": f"news {number}", "url": url})
    mail = letter_of(post.delivery())
    assert "javascript" not in mail.body and "data:" not in mail.body and "x.example" not in mail.body
    links = Tags(str(mail.alternatives[0][0])).links
    assert all(link.startswith("https://fedisec.example/") for link in links)
