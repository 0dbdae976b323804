"""After hostile looks every page, mail, file, call and log line holds text alone: no control character that acts, no
live markup, no cell that calculates."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import models, transaction
from django.test import override_settings
from django.urls import reverse
from markdown_it import MarkdownIt
from pytest_django import DjangoDbBlocker

from checks.cli import main
from checks.codec import decode_facts, encode_facts
from checks.items import all_items
from fedisec.accounts import audit
from fedisec.alerts.channels.webhook import body_of
from fedisec.alerts.letter import letter_of, summary_of
from fedisec.lib.logs import CleanFilter
from fedisec.share import demo
from tests.access.addresses import addresses
from tests.access.asking import Browser
from tests.access.world import ITEM, World, build
from tests.alerts.letters.samples import NOW, SAMPLES, Post, a_reader
from tests.factories import a_recorded_scan, a_user, an_instance
from tests.hostile.shown import FOREIGN, POISON, formulas, live, poison, poisoned_facts, raw
from tests.share.conftest import ATTESTED, STATES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
DEMO = Path(demo.__file__).with_name("demo_facts")
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_OURS = {  # codes, keys, seals and digests: nobody outside can choose them
    "item_id", "status", "code", "kind", "state", "side", "token", "token_hash", "code_hash", "key", "sealed",
    "password", "email", "language", "time_zone", "role", "action", "address", "instance_name", "way", "said",
    "domain", "origins", "query", "grader", "actions", "mode", "sealed_key", "public_key", "host_key",
    "offered_host_key", "powers", "progress", "facts", "counts", "connections", "checks_version", "only", "settled",
    "candidate", "memory", "reason", "closed_by", "before", "after", "answered", "boot", "rules", "ended_why", "level",
    "steps", "levels", "kinds", "sealed_address", "sealed_secret", "sealed_secret_before", "stopped_why", "security",
    "sealed_password", "about", "message_id", "dropped_why", "slug", "error_reason", "held", "product", "family",
    "shows", "sealed_token", "salt", "name", "type", "data", "said_by", "support",
    "form", "asks", "cursor", "story", "verdict", "release", "packages", "owned", "distribution", "platform", "aliases",
    "affected", "ratings", "published", "changed", "scopes", "used_from",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    path = tmp_path_factory.mktemp("hostile") / "keys"
    path.write_text("k" * 43)
    with django_db_blocker.unblock(), override_settings(KEY_FILE=str(path)), transaction.atomic():
        made = build()
        audit.record(
            "waived",
            team=made.theirs.team,
            by=made.theirs.owner,
            instance=made.theirs.instance,
            item_id=ITEM,
            before="x",
            after="y",
            why="z",
            data={"a": "b"},
        )
        poison()
        yield made
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def no_limits_used_up() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_every_text_is_known_as_foreign_or_ours() -> None:
    for model in apps.get_models():
        if model.__module__.startswith("fedisec."):
            for field in model._meta.concrete_fields:
                text = isinstance(field, (models.CharField, models.TextField, models.JSONField))
                known = field.name in FOREIGN.get(model._meta.label, ()) or field.name in _OURS
                assert not text or known, f"{model._meta.label}.{field.name}"


def _pages(world: World) -> Iterator[tuple[str, str]]:
    """Every address of the project, and the pages of items of each kind."""
    plot = world.theirs
    for one in addresses():
        if one.is_named:
            arguments = world.arguments(one.name, plot)
            yield one.name, reverse(one.name, kwargs={key: arguments[key] for key in one.arguments})
    for item in (*STATES, ATTESTED, f"own.{plot.own.pk}"):
        yield item, reverse("item", kwargs={"domain": plot.instance.domain, "item_id": item})


@pytest.mark.parametrize(
    ("who", "headers"),
    [("anonymous", {}), ("viewer", {}), ("owner", {}), ("owner", {"HX-Request": "true"}), ("operator", {})],
    ids=["anonymous", "viewer", "owner", "fragments", "operator"],
)
@pytest.mark.wide
def test_no_page_shows_more_than_text(world: World, who: str, headers: dict[str, str]) -> None:
    browser, wrong, seen = Browser(world.people[who]), {}, 0
    for name, url in _pages(world):
        status, answer, _ = browser.ask("GET", url, headers=headers)
        assert not status.startswith("5"), (name, status)
        text = bytes(answer.content).decode()  # type: ignore[attr-defined]
        seen += "alert(1)" in text
        kind = answer.get("Content-Type", "")
        trouble = [*raw(text), *raw("".join(f"{key}{value}" for key, value in answer.items()))]
        trouble += live(text) if kind.startswith(("text/html", "image/svg")) else []
        if trouble:
            wrong[name] = trouble
    assert wrong == {}
    assert seen > 5 or who in {"anonymous", "operator"}, "hardly anything foreign was shown"


FILES = ("csv", "json", "md", "sarif", "print")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_file_holds_more_than_text(world: World, language: str) -> None:
    browser = Browser(world.people["owner"])
    paths = [(reverse("export", kwargs={"domain": world.theirs.instance.domain}), form) for form in FILES]
    paths += [(reverse("export_overview"), form) for form in FILES]
    paths += [(reverse("audit_export"), form) for form in ("csv", "json")]
    for path, form in paths:
        status, answer, _ = browser.ask("GET", f"{path}?format={form}&lang={language}")
        text = bytes(answer.content).decode()  # type: ignore[attr-defined]
        assert status == "200" and not raw(text), (path, form, raw(text))
        if form == "csv":
            assert formulas(text) == []
        elif form == "print":
            assert live(text) == []
        elif form == "md":
            pieces = [child for token in MARKDOWN.parse(text) for child in (token, *(token.children or ()))]
            assert not [p.content for p in pieces if p.type.startswith("html") and "alert" in p.content]
            assert not [p.attrs for p in pieces if "javascript" in str(p.attrs)]
        else:
            assert not [one for one in _texts(json.loads(text)) if raw(one)]


def _texts(value: Any) -> Iterator[str]:
    """Every text of a JSON document, keys included, as whoever reads it gets it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_mail_and_no_call_holds_more_than_text(name: str, language: str) -> None:
    with transaction.atomic():
        instance = an_instance(domain=f"{name}-{language}.example".replace("_", "-"))
        delivery = SAMPLES[name](Post(a_reader(instance, language=language)), instance)
        poison()
        mail, summary = letter_of(delivery), summary_of(delivery)
        transaction.set_rollback(True)
    page = str(mail.alternatives[0][0])
    body = str(mail.body)
    assert [*raw(body), *raw(page), *raw(str(mail.subject)), *live(page)] == []
    assert "\n" not in mail.subject and "\r" not in mail.subject
    message = message_from_bytes(mail.message().as_bytes())
    assert not {"Bcc", "Cc"} & set(message.keys())
    assert not [one for one in _texts(json.loads(body_of(summary.facts, NOW))) if raw(one)]
    assert not raw(summary.text) and not raw(summary.subject)


def test_no_line_of_the_log_is_written_by_somebody_else() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(CleanFilter())
    log = logging.Logger("hostile")
    log.addHandler(handler)
    log.warning("feed %s: %s", "x", POISON)
    log.warning(POISON)
    try:
        raise ValueError(POISON)
    except ValueError:
        log.exception("probe failed on %s", POISON)
    written = stream.getvalue()
    assert "alert(1)" in written and "Traceback" in written and not raw(written)


@pytest.mark.parametrize("name", ["good", "bad"])
@pytest.mark.parametrize("more", [(), ("--json",), ("--lang", "ja")], ids=["text", "json", "japanese"])
def test_the_command_line_shows_text_of_any_facts(
    name: str, more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = decode_facts(json.loads((DEMO / f"{name}.json").read_text()))
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(encode_facts(poisoned_facts(recorded))))
    main(["judge", str(file), *more])
    said = capsys.readouterr()
    assert "alert(1)" in said.out and not raw(said.out) and not raw(said.err)


def test_what_is_stored_of_facts_that_nobody_cleaned_is_shown_as_text() -> None:
    with transaction.atomic():
        owner = a_user()
        instance = an_instance(owner)
        recorded = decode_facts(json.loads((DEMO / "bad.json").read_text()))
        a_recorded_scan(instance, poisoned_facts(recorded))
        browser = Browser(owner)
        for name in ("instance", "changes", "scans", "trend", "inventory", "news"):
            text = _page(browser, reverse(name, kwargs={"domain": instance.domain}))
            assert [*raw(text), *live(text)] == [], name
        for item in list(all_items())[:: 1 if os.environ.get("FEDISEC_WIDE") == "all" else 12]:
            text = _page(browser, reverse("item", kwargs={"domain": instance.domain, "item_id": item}))
            assert [*raw(text), *live(text)] == [], item
        transaction.set_rollback(True)


def _page(browser: Browser, url: str) -> str:
    status, answer, _ = browser.ask("GET", url)
    assert status == "200", url
    return bytes(answer.content).decode()  # type: ignore[attr-defined]
