"""Pasting a mail under mail.dkim: verified, watched, written down as an answer; the mail is not stored."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping

import pytest
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from fedisec.accounts.models import User
from fedisec.checklist.models import Attestation
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Scan
from tests.checks.dns.server import NOBODY, SERVFAIL, Say, name_server
from tests.checks.mail.mails import BODY, HEAD, key, quoted, signed

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/items/mail.dkim/"
PATH = "/instances/social.example/dkim-message/"
OWN_HEAD = HEAD.replace(b"notify@a.test", b"notify@social.example")
KEY = ("s._domainkey.social.example", "TXT")
MAIL = signed(OWN_HEAD + b"\r\n" + BODY, domain="social.example")


@pytest.fixture(autouse=True)
def records(settings: Settings) -> Iterator[dict[tuple[str, str], Say | tuple[str, ...]]]:
    """The table of a name server that runs beside the test; it may be changed until the first question."""
    table: dict[tuple[str, str], Say | tuple[str, ...]] = {KEY: quoted(key().record)}
    ready, done = threading.Event(), threading.Event()

    async def run() -> None:
        async with name_server(table) as server:
            settings.RESOLVER = f"127.0.0.1:{server.port}"
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(20)
    yield table
    done.set()
    thread.join()


def everything_stored() -> str:
    rows = [
        *Instance.objects.all(),
        *Attestation.objects.all(),
        *Scan.objects.all(),
        *ItemState.objects.all(),
    ]
    return str(serializers.serialize("json", rows))


def test_a_pasted_mail_is_verified_watched_and_written_down(
    as_alice: Client, instance: Instance, alice: User
) -> None:
    answer = as_alice.post(PATH, {"message": MAIL.decode()})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    instance.refresh_from_db()
    assert (instance.dkim_selectors, instance.mail_from) == (["s"], "")
    given = Attestation.objects.get()
    assert (given.met, given.by, given.item_id) == (True, alice, "mail.dkim")
    assert "s=s d=social.example: verified (rsa-sha256, 2048)" in given.note
    assert Scan.objects.get().reason == "manual"
    page = as_alice.get(PAGE).content.decode()
    assert "verified (rsa-sha256, 2048)" in page and "watched from now on" in page


def test_the_mail_itself_is_stored_nowhere(as_alice: Client, instance: Instance) -> None:
    as_alice.post(PATH, {"message": MAIL.decode()})
    stored = everything_stored()
    assert json.loads(stored)
    for piece in ("somebody asked", "Reset", "you@example.org", "notify@", "bounce@", "Message-ID"):
        assert piece not in stored


def test_a_file_does_as_well(as_alice: Client, instance: Instance) -> None:
    file = SimpleUploadedFile("mail.eml", MAIL.replace(b"\r\n", b"\n"), "message/rfc822")
    assert as_alice.post(PATH, {"file": file}).status_code == 302
    assert Attestation.objects.get().met


def test_headers_alone_are_watched_but_prove_nothing(as_alice: Client, instance: Instance) -> None:
    assert as_alice.post(PATH, {"message": MAIL.partition(b"\r\n\r\n")[0].decode()}).status_code == 302
    instance.refresh_from_db()
    assert instance.dkim_selectors == ["s"]
    assert not Attestation.objects.exists()
    assert "nothing can be verified" in as_alice.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (SERVFAIL, "could not be asked for just now"),
        (NOBODY, "no key in the DNS"),
        (('"v=DKIM1; p="',), "the key is revoked"),
    ],
)
def test_a_key_that_does_not_serve_is_no_answer(
    as_alice: Client,
    instance: Instance,
    records: dict[tuple[str, str], Say | tuple[str, ...]],
    record: Say | tuple[str, ...],
    sentence: str,
) -> None:
    records[KEY] = record
    as_alice.post(PATH, {"message": MAIL.decode()})
    assert not Attestation.objects.exists()
    assert sentence in as_alice.get(PAGE).content.decode()


def test_a_changed_copy_is_no_verdict_on_the_server(as_alice: Client, instance: Instance) -> None:
    as_alice.post(PATH, {"message": MAIL.replace(b"password.", b"PASSWORD.").decode()})
    assert not Attestation.objects.exists()
    assert "copying may have changed it" in as_alice.get(PAGE).content.decode()


REFUSED: Mapping[str, tuple[str, str]] = {
    "nothing": ("", "Paste a mail with its headers"),
    "prose": ("Hello, my mail does not arrive", "not the source of a mail"),
    "unsigned": ((OWN_HEAD + b"\r\n" + BODY).decode(), "no DKIM-Signature header"),
    "two senders": ("From: x@b.test\r\n" + MAIL.decode(), "more than one From header"),
    "a null byte": ("Fr\0om: x@b.test\r\n" + MAIL.decode(), "not the source of a mail"),
    "foreign": (signed(OWN_HEAD + b"\r\n" + BODY, domain="mailer.test").decode(), "Signed by: mailer.test"),
    "elsewhere": (signed().decode(), "The mail is from a.test"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_gets_a_sentence_and_comes_back(as_alice: Client, instance: Instance, case: str) -> None:
    text, sentence = REFUSED[case]
    answer = as_alice.post(PATH, {"message": text})
    page = answer.content.decode()
    assert answer.status_code == 422 and sentence in page
    if len(text) > 60:
        assert "Hello, \xa0" in page or "somebody asked for a new" in page, "what was pasted is still there"
    instance.refresh_from_db()
    assert instance.dkim_selectors == [] and not Attestation.objects.exists() and not Scan.objects.exists()


def test_a_file_that_is_refused_comes_back_as_text(as_alice: Client, instance: Instance) -> None:
    file = SimpleUploadedFile("mail.eml", signed(), "message/rfc822")
    page = as_alice.post(PATH, {"file": file}).content.decode()
    assert "somebody asked for a new" in page


def test_a_file_that_is_too_large_is_refused(as_alice: Client, instance: Instance) -> None:
    file = SimpleUploadedFile("mail.eml", MAIL + b"x" * 1_100_000, "message/rfc822")
    answer = as_alice.post(PATH, {"file": file})
    assert answer.status_code == 422 and "larger than 1 MiB" in answer.content.decode()


def test_text_that_is_too_large_is_refused_with_a_way_back(as_alice: Client, instance: Instance) -> None:
    answer = as_alice.post(PATH, {"message": MAIL.decode() + "x" * 1_100_000})
    assert answer.status_code == 413 and b"what you typed is still there" in answer.content


def test_another_sender_domain_is_taken_on_the_admins_word(
    as_alice: Client, instance: Instance, records: dict[tuple[str, str], Say | tuple[str, ...]]
) -> None:
    Instance.objects.update(dkim_selectors=["old"])
    records["s._domainkey.a.test", "TXT"] = quoted(key().record)
    page = as_alice.post(PATH, {"message": signed().decode()}).content.decode()
    assert 'name="use_domain"' in page
    assert 'name="use_domain"' not in as_alice.get(PAGE).content.decode()
    assert as_alice.post(PATH, {"message": signed().decode(), "use_domain": "on"}).status_code == 302
    instance.refresh_from_db()
    assert (instance.mail_from, instance.dkim_selectors) == ("a.test", ["s"])
    assert Attestation.objects.get().met


def test_selectors_of_before_stay_watched(as_alice: Client, instance: Instance) -> None:
    Instance.objects.update(dkim_selectors=[f"s{n}" for n in range(10)])
    as_alice.post(PATH, {"message": MAIL.decode()})
    instance.refresh_from_db()
    assert instance.dkim_selectors == ["s", *(f"s{n}" for n in range(9))]


def test_evil_text_is_shown_as_text(as_alice: Client, instance: Instance) -> None:
    page = as_alice.post(PATH, {"message": "</textarea><script>alert(1)</script>"}).content.decode()
    assert "<script>alert(1)" not in page


def test_an_evil_key_record_does_no_harm(
    as_alice: Client, instance: Instance, records: dict[tuple[str, str], Say | tuple[str, ...]]
) -> None:
    records["evil._domainkey.social.example", "TXT"] = (
        '"v=DKIM1; p\\000\\010\\155<script>alert(1)</script>\\133\\202"',
    )
    as_alice.post(PATH, {"message": signed(MAIL, domain="social.example", selector="evil").decode()})
    note = Attestation.objects.get().note
    assert (
        "s=s d=social.example: verified" in note and "s=evil d=social.example: the record is no key" in note
    )
    assert len(note.splitlines()) == 3 and note.replace("\n", "").isprintable()
    assert "<script>alert(1)" not in as_alice.get(PAGE).content.decode()


def test_only_who_may_edit_can_paste(as_bob: Client, as_charlie: Client, instance: Instance) -> None:
    for client in (as_bob, as_charlie):
        assert client.post(PATH, {"message": MAIL.decode()}).status_code == 404
    assert b'id="pasted"' not in as_bob.get(PAGE).content
    assert as_charlie.get(PAGE).status_code == 404
    assert not Attestation.objects.exists()


def test_the_form_is_on_this_item_alone(as_alice: Client, instance: Instance) -> None:
    page = as_alice.get(PAGE).content.decode()
    form = page.partition('id="pasted"')[2].partition("</form>")[0]
    assert 'name="message"' in form and 'name="file"' in form
    assert "(optional)" not in form, "one of the two it must be"
    assert b'id="pasted"' not in as_alice.get(PAGE.replace("mail.dkim", "mail.spf")).content
    assert as_alice.get(PATH).status_code == 405
