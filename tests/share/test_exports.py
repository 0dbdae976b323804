"""What is taken away: whole, in two languages, harmless wherever it is opened, and never a stranger's."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from markdown_it import MarkdownIt

from checks.items import all_items
from fedisec.accounts.models import User
from fedisec.instances.models import Instance
from fedisec.share import exports
from fedisec.share.markdown import escaped, fenced
from fedisec.share.sarif import fingerprint, message
from tests.factories import an_instance, signed_in
from tests.share.conftest import ATTESTED, DOMAIN, NOTE, WAIVED, furnish

ONE, ALL = f"/instances/{DOMAIN}/export/", "/export/"
FORMATS = ("csv", "json", "md", "sarif", "print")
_SARIF = Path(__file__).parents[1] / ".cache" / "sarif-2.1.0.json"


def text_of(client: Client, path: str, name: str, **more: str) -> str:
    answer = client.get(path, {"format": name, **more})
    assert answer.status_code == 200
    return str(answer.getvalue(), "utf-8")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def document(client: Client, path: str, name: str, **more: str) -> Any:
    return json.loads(text_of(client, path, name, **more))


# who may


@pytest.mark.parametrize("name", FORMATS)
def test_a_viewer_may_export_and_a_stranger_may_not(as_bob: Client, as_charlie: Client, name: str) -> None:
    assert as_bob.get(ONE, {"format": name}).status_code == 200
    assert as_charlie.get(ONE, {"format": name}).status_code == 404
    assert DOMAIN not in text_of(as_charlie, ALL, name)
    assert DOMAIN in text_of(as_bob, ALL, name)


@pytest.mark.parametrize("path", [ONE, ALL])
def test_nobody_who_is_not_signed_in_gets_anything(social: Instance, client: Client, path: str) -> None:
    answer = client.get(path, {"format": "json"})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/account/login/")


@pytest.mark.parametrize("name", ["xml", "CSV", "../csv"])
def test_an_unknown_format_is_not_found(as_alice: Client, name: str) -> None:
    assert [as_alice.get(path, {"format": name}).status_code for path in (ONE, ALL)] == [404, 404]


def test_the_page_offers_every_form_and_keeps_the_filter(as_bob: Client, as_charlie: Client) -> None:
    page = as_bob.get(ONE, {"level": "required"}).content.decode()
    for name in FORMATS:
        assert f"level=required&amp;format={name}" in page
        assert f"format={name}" in as_bob.get(ALL).content.decode()
    assert as_charlie.get(ONE).status_code == 404


def test_files_are_saved_under_a_name_and_never_cached(as_alice: Client) -> None:
    for name in ("csv", "json", "md", "sarif"):
        answer = as_alice.get(ONE, {"format": name})
        assert answer["Content-Disposition"].startswith(f'attachment; filename="fedisec-{DOMAIN}-20')
        assert answer["Content-Disposition"].endswith(f'.{name}"')
        assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("path", [ONE, ALL])
def test_no_export_holds_control_characters_or_live_markup(as_alice: Client, path: str, name: str) -> None:
    text = text_of(as_alice, path, name)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    if name == "print":
        assert "<script>alert(1)" not in text


# CSV


def test_csv_has_a_line_for_every_item_and_says_who_answered(as_alice: Client) -> None:
    text = text_of(as_alice, ONE, "csv")
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == len(all_items()) + 1
    found = {row["id"]: row for row in rows_of(text)}
    assert set(found) == set(all_items())
    assert (found["http.hsts"]["state"], found["http.hsts"]["level"]) == ("not_met", "recommended")
    answered = found[ATTESTED]
    assert (answered["answer"], answered["answered_by"]) == ("met", "alice@example.org")
    assert found[WAIVED]["waiver"] == "accepted_risk"


@pytest.mark.parametrize("path", [ONE, ALL])
def test_no_cell_of_csv_is_a_formula(as_alice: Client, path: str) -> None:
    cells = [cell for row in rows_of(text_of(as_alice, path, "csv")) for cell in row.values()]
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r＝＋－＠")] == []
    assert path == ALL or f"'{NOTE}" in cells


# JSON


def test_json_holds_the_documented_fields(as_alice: Client) -> None:
    found = document(as_alice, ONE, "json")
    assert (found["schema"], found["kind"], found["language"]) == (1, "instance", "en")
    assert found["instance"]["domain"] == DOMAIN
    assert found["instance"]["levels"]["required"]["applicable"] > 20
    items = {item["id"]: item for item in found["items"]}
    assert len(items) == len(all_items())
    assert items["http.hsts"]["machine"]["evidence"][0]["label"] == "GET https://social.example/"
    assert items["mail.spf"]["machine"]["reason"] == "timeout"
    assert items[ATTESTED]["answer"]["by"] == "alice@example.org"
    assert items[WAIVED]["waiver"]["kind"] == "accepted_risk"
    documented = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    assert [name for name in _names(found) if f"`{name}`" not in documented] == []


def _names(value: Any) -> set[str]:
    """The names of all fields, but of those that hold an item's own data."""
    if isinstance(value, list):
        return set().union(*map(_names, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    inner = [_names(entry) for name, entry in value.items() if name not in {"data", "levels", "states"}]
    return set(value).union(*inner)


def test_json_of_all_instances_is_one_document(as_alice: Client, social: Instance) -> None:
    an_instance(social.created_by, domain="never-looked-at.example")
    found = document(as_alice, ALL, "json")
    assert [each["domain"] for each in found["instances"]] == ["never-looked-at.example", DOMAIN]
    assert found["instances"][0]["looked_at"] is None
    assert found["instances"][1]["states"]["not_met"] == 1


def test_an_empty_overview_is_still_a_document(alice: User, client: Client) -> None:
    signed_in(client, alice)
    assert document(client, ALL, "json")["instances"] == []
    assert document(client, ALL, "sarif")["runs"][0]["results"] == []
    assert rows_of(text_of(client, ALL, "csv")) == []


# languages and filters


def test_the_language_is_the_readers_or_the_one_asked_for(as_alice: Client) -> None:
    title = all_items()["http.hsts"].title
    for name in FORMATS:
        assert title.ja in text_of(as_alice, ONE, name, lang="ja")
    assert title.en in text_of(as_alice, ONE, "json", lang="xx")
    japanese = Client(headers={"accept-language": "ja"})
    japanese.cookies = as_alice.cookies
    assert document(japanese, ALL, "json")["language"] == "ja"
    assert "必須" in text_of(japanese, ALL, "md")


def test_the_filter_of_the_page_narrows_the_items_and_never_the_counts(as_alice: Client) -> None:
    found = document(as_alice, ONE, "json", state="not_met")
    assert [item["id"] for item in found["items"]] == ["http.hsts"]
    assert found["instance"]["levels"]["required"]["applicable"] > 20
    assert len(rows_of(text_of(as_alice, ONE, "csv", level="optional"))) < len(all_items())


def test_the_filter_of_the_overview_leaves_its_instances(as_alice: Client, social: Instance) -> None:
    other = an_instance(social.created_by, domain="other.example")
    other.tags.create(name="choir")
    for query in ({"tag": "choir"}, {"q": "other"}):
        found = [row["instance"] for row in rows_of(text_of(as_alice, ALL, "csv", **query))]
        assert found == ["other.example"]


def test_the_counts_of_a_topic_are_those_of_all_its_items(as_alice: Client) -> None:
    whole, few = (text_of(as_alice, ONE, "md", **more) for more in ({}, {"q": "http.hsts"}))
    head = next(line for line in few.splitlines() if line.startswith("## "))
    assert head in whole.splitlines()
    assert head.removeprefix("## ") in text_of(as_alice, ONE, "md", q="http.csp")


# many


def test_a_batch_costs_the_same_queries_whatever_is_in_it(
    as_alice: Client, social: Instance, django_assert_max_num_queries: Any
) -> None:
    owner = social.created_by
    assert owner is not None
    for number in range(4):
        furnish(an_instance(owner, domain=f"more{number}.example"), owner)
    for name in ("csv", "sarif"):
        with django_assert_max_num_queries(14):
            text = text_of(as_alice, ALL, name)
        assert "more3.example" in text


def test_no_instance_is_lost_between_batches(
    as_alice: Client, social: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    names = ["a.example", "b.example", "b.example", "b.example", "c.example"]
    for name in names:
        an_instance(social.created_by, domain=name)  # each in a team of its own
    found = [row["instance"] for row in rows_of(text_of(as_alice, ALL, "csv"))]
    assert found == [*names, DOMAIN]


# Markdown


def test_evidence_in_markdown_becomes_no_markup(as_alice: Client) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text_of(as_alice, ONE, "md"))
    inner = [token for block in tokens for token in block.children or ()]
    assert {token.content for token in (*tokens, *inner) if token.type.startswith("html")} == {"<!-- -->"}
    links = [token.attrs["href"] for token in inner if token.type == "link_open"]
    assert links and all(str(link).startswith(f"http://127.0.0.1:8000/instances/{DOMAIN}/") for link in links)
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1
    assert any("# heading" in token.content for token in tokens if token.type == "fence")


@pytest.mark.parametrize(
    "text",
    [
        "# a",
        "1. a",
        "- a",
        "+ a",
        "= a",
        "a\n===",
        "*a*",
        "_a_",
        "`a`",
        "[a](b)",
        "![a](b)",
        "<a>",
        "&amp;",
        "~~a~~",
    ]
    + [
        "| a |\n|---|",
        "\\",
        "> a",
        "www.a.example",
        "https://a.example",
        "***",
        "    code",
        "$a$",
        "[a]: b",
        "1) a",
    ],
)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escaped(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {token.type for token in children} <= {"text", "text_special"}
    assert "".join(token.content for token in children) == " ".join(text.split())


@pytest.mark.parametrize("text", ["```", "````\n```", "a\n```\nb", "~~~", "`" * 30])
def test_no_evidence_ends_its_own_block(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse("\n".join(fenced(text)))
    assert [(token.type, token.content) for token in tokens] == [("fence", f"{text}\n")]


# SARIF


@pytest.fixture(scope="module")
def sarif_schema() -> Any:
    if not _SARIF.exists():
        pytest.skip("the schema of SARIF is not here (sh tools/fetch_sarif.sh)")
    return json.loads(_SARIF.read_text("utf-8"))


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("path", [ONE, ALL])
def test_sarif_follows_the_official_schema(as_alice: Client, sarif_schema: Any, path: str, lang: str) -> None:
    log = document(as_alice, path, "sarif", lang=lang)
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    validator = jsonschema.Draft4Validator(sarif_schema, format_checker=checker)
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(log)] == []


def test_sarif_tells_each_state_by_kind_and_level(as_alice: Client) -> None:
    run = document(as_alice, ONE, "sarif")["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(all_items())
    found = {result["ruleId"]: result for result in run["results"]}
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in found.values())
    assert {key: (found[key]["kind"], found[key]["level"]) for key in ("http.hsts", "mail.spf", WAIVED)} == {
        "http.hsts": ("fail", "warning"),
        "mail.spf": ("open", "none"),
        WAIVED: ("fail", found[WAIVED]["level"]),
    }
    assert found["plan.audience_decided"]["kind"] == "review"
    assert found[WAIVED]["suppressions"][0]["status"] == "accepted"
    assert ATTESTED not in found
    assert "edge.origin_hidden" not in found
    assert "tls.versions" not in found
    assert found["http.hsts"]["partialFingerprints"] == {"fedisecItem/v1": fingerprint(DOMAIN, "http.hsts")}


def test_a_fingerprint_never_changes() -> None:
    expected = "38fca84dc564c05390cd300402bb34636f8f3334a1e379c2f7dfc90dd11b18ec"
    assert fingerprint("social.example", "http.hsts") == expected


def test_a_message_of_sarif_has_no_placeholder_and_no_link() -> None:
    assert message("{0} [a](1) \\") == "{{0}} \\[a\\](1) \\\\"
