"""Which service answers for a name, by the shipped list and by any other."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.data.rdap import bootstrap
from checks.data.suffixes import lender
from checks.errors import ParseError
from checks.parse.rdap_bootstrap import parse_bootstrap


def table(*services: Any, **more: Any) -> str:
    return json.dumps({"publication": "2026-01-01T00:00:00Z", "services": services, **more})


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("mastodon.social", "https://rdap.identitydigital.services/rdap/"),
        ("example.com", "https://rdap.verisign.com/com/v1/"),
        ("example.co.uk", "https://rdap.nominet.uk/uk/"),
        ("example.io", "https://rdap.identitydigital.services/rdap/"),
        ("example.xn--q9jyb4c", "https://pubapi.registry.google/rdap/"),
        ("example.jp", None),  # JPRS runs none that is public
        ("example.kg", None),  # plain http alone
        ("fedi.test", None),
        ("", None),
    ],
)
def test_the_shipped_list_names_the_registry(name: str, server: str | None) -> None:
    found = bootstrap().service_for(name)
    assert (found[1] if found else None) == server


def test_the_shipped_list_is_whole_and_dated() -> None:
    shipped = bootstrap()
    published = datetime.fromisoformat(shipped.publication)
    assert datetime(2026, 7, 1, tzinfo=UTC) < published < datetime.now(UTC)
    assert len(shipped.services) > 1150
    for entry, url in shipped.services.items():
        assert re.fullmatch(r"[a-z0-9-]{2,63}", entry), entry
        assert re.fullmatch(r"https://[a-z0-9.-]+(/[\w.-]+)*/", url), url


def test_the_longest_entry_wins_and_labels_stay_whole() -> None:
    services = parse_bootstrap(
        table(
            [["test"], ["https://one.test/"]], [["Fedi.Test."], ["http://x.test/", "https://two.test/rdap"]]
        )
    )
    assert services.service_for("a.test") == ("test", "https://one.test/")
    assert services.service_for("a.fedi.test") == ("fedi.test", "https://two.test/rdap/")
    assert services.service_for("notfedi.test") == ("test", "https://one.test/")


def test_our_own_additions_never_replace_an_entry_of_iana() -> None:
    services = parse_bootstrap(
        table([["a"], ["https://iana.test/"]], unlisted=[[["a", "b"], ["https://ours.test/"]]])
    )
    assert dict(services.services) == {"a": "https://iana.test/", "b": "https://ours.test/"}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"services": {}}', '{"services": ["test"]}', '{"services": [["test", "https://a.test/"]]}',
        table([["test"]]), table([["test"], ["https://a.test/"], []]), table([[7], ["https://a.test/"]]),
        table(unlisted={}),
    ],
)  # fmt: skip
def test_a_file_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_bootstrap(text)


@pytest.mark.parametrize(
    "url", ["http://a.test/", "ftp://a.test/", "https://", "//a.test/", "https://[/", ""]
)
def test_only_services_over_https_are_listed(url: str) -> None:
    assert not parse_bootstrap(table([["test"], [url]])).services


def test_the_operator_may_bring_the_file_of_iana(tmp_path: Path) -> None:
    file = tmp_path / "dns.json"
    file.write_text(table([["jp"], ["https://rdap.registry.test/"]]))
    assert bootstrap(str(file)).service_for("a.jp") == ("jp", "https://rdap.registry.test/")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3), max_leaves=12
    )
)
def test_any_list_is_read_or_refused(services: Any) -> None:
    try:
        found = parse_bootstrap(json.dumps({"services": services}))
    except ParseError:
        return
    assert all(url.startswith("https://") for url in found.services.values())


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("me.github.io", "github.io"),
        ("a.me.github.io", "github.io"),
        ("github.io", "github.io"),
        ("example.io", ""),
        ("example.co.jp", ""),
        ("fedi.test", ""),
        ("io", ""),
    ],
)
def test_a_lender_is_in_the_private_section(name: str, suffix: str) -> None:
    assert lender(name) == suffix
