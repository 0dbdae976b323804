"""Which software, which version, which settings: real answers first, then the traps of every family."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from checks.errors import ProbeError, Reason, Refused, TimedOut
from checks.facts import Missing, MissingFact
from checks.facts.http import ApiPage, Page
from checks.facts.instance import InstanceInfo, Software
from tests.checks.instance.samples import Recorded, answer, facts_of, sample

Table = dict[str, Page | ProbeError]


def look(host: str, table: Table) -> tuple[Software, InstanceInfo, Recorded]:
    client = Recorded(host, table)
    found = {type(fact): fact for fact in asyncio.run(facts_of(client))}
    software, info = found[Software], found[InstanceInfo]
    assert isinstance(software, Software) and isinstance(info, InstanceInfo)
    return software, info, client


def recorded(host: str, prefix: str, paths: dict[str, str]) -> Table:
    return {path: sample(f"{prefix}_{name}", f"https://{host}{path}") for path, name in paths.items()}


def node(name: str, version: str, *, users: int = 5, opened: bool = False, **metadata: Any) -> Table:
    """NodeInfo as most servers give it."""
    link = {
        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
        "href": "https://site.test/nodeinfo/2.0",
    }
    doc = {
        "version": "2.0",
        "software": {"name": name, "version": version},
        "openRegistrations": opened,
        "usage": {"users": {"total": users}},
        "metadata": metadata,
    }
    return {"/.well-known/nodeinfo": answer({"links": [link]}), "/nodeinfo/2.0": answer(doc)}


def test_a_real_gotosocial_is_read() -> None:
    paths = {
        "/.well-known/nodeinfo": ".well-known_nodeinfo",
        "/nodeinfo/2.1": "nodeinfo_2.1",
        "/api/v1/instance": "api_v1_instance",
        "/api/v2/instance": "api_v2_instance",
    }
    software, info, client = look("gts.lab.test", recorded("gts.lab.test", "gts", paths))
    assert (software.name, software.family, software.base_version, software.prerelease) == (
        "gotosocial", "gotosocial", "0.20.0", True)  # fmt: skip
    assert software.source_url == "https://codeberg.org/superseriousbusiness/gotosocial"
    assert (info.registrations_open, info.approval_required) == (False, True)
    assert info.rules == () and info.user_count == 0 and info.contact_email is None
    assert client.asked[:2] == ["/.well-known/nodeinfo", "/nodeinfo/2.1"]


def test_a_real_misskey_fork_is_read() -> None:
    paths = {
        "/.well-known/nodeinfo": ".well-known_nodeinfo",
        "/nodeinfo/2.1": "nodeinfo_2.1",
        "/api/meta": "api_meta_POST",
    }
    software, info, client = look("mk.lab.test", recorded("mk.lab.test", "mk", paths))
    assert (software.family, software.base_version, software.fork, software.prerelease) == (
        "misskey", "2025.4.1", "mhq", False)  # fmt: skip
    assert info.setup_open is True
    assert (info.registrations_open, info.captcha, info.captcha_is_test) == (False, False, False)
    assert info.email_confirmation is False and info.contact_email is None and info.terms_url is None
    assert client.asked == ["/.well-known/nodeinfo", "/nodeinfo/2.1", "/api/meta"]


def test_a_real_snac_is_no_mastodon() -> None:
    paths = {
        "/.well-known/nodeinfo": ".well-known_nodeinfo",
        "/nodeinfo_2_0": "nodeinfo_2_0",
        "/api/v1/instance": "api_v1_instance",
        "/api/v2/instance": "api_v2_instance",
    }
    table = recorded("snac.lab.test", "snac", paths)
    software, info, _ = look("snac.lab.test", table)
    assert (software.name, software.family, software.version) == ("snac", "", "2.38")
    assert info.contact_email == "admin@lab-mail.org" and info.registrations_open is False

    del table["/.well-known/nodeinfo"]
    software, _, _ = look("snac.lab.test", table)
    assert (software.name, software.version, software.via) == ("snac", "2.38", "instance_v1")


MASTODON = {
    "version": "4.6.5+glitch",
    "source_url": "https://github.com/glitch-soc/mastodon",
    "registrations": {"enabled": True, "approval_required": True},
    "contact": {"email": "a@site.test", "account": {"acct": "a", "url": "https://site.test/@a", "avatar": "https://f.test/a.png"}},
    "rules": [{"id": "1", "text": "Be kind"}],
    "configuration": {"urls": {"privacy_policy": "https://site.test/privacy-policy", "terms_of_service": None}},
}  # fmt: skip


def test_a_glitch_mastodon_with_approval_is_not_called_open_to_all() -> None:
    table = node("mastodon", "4.6.5+glitch", opened=True) | {"/api/v2/instance": answer(MASTODON)}
    table["/api/v1/instance/privacy_policy"] = answer(
        {"updated_at": "2022-10-07", "content": "This privacy policy"}
    )
    software, info, client = look("site.test", table)
    assert (software.base_version, software.fork) == ("4.6.5", "glitch")
    assert (info.registrations_open, info.approval_required) == (True, True)
    assert info.privacy_default is True and info.terms_url is None
    assert info.media_urls == ("https://f.test/a.png",) and info.actor_url == "https://site.test/@a"
    assert len(client.asked) == 4


@pytest.mark.parametrize(
    ("policy", "default"),
    [
        ({"updated_at": "2026-01-01T00:00:00Z", "content": "Ours"}, False),
        ({"updated_at": None, "content": "This privacy policy describes"}, True),
        ({"updated_at": "2026-01-01", "content": "adapted from the Discourse privacy policy"}, True),
        ({}, Missing(Reason.NOT_ASKED, "this software does not show it")),
    ],
)
def test_the_shipped_privacy_policy_is_told_from_an_own_one(policy: dict[str, Any], default: object) -> None:
    table = node("mastodon", "4.7.3") | {"/api/v2/instance": answer(MASTODON)}
    table["/api/v1/instance/privacy_policy"] = answer(policy)
    assert look("site.test", table)[1].privacy_default == default


def test_an_akkoma_shows_its_captcha_and_a_pretended_mastodon() -> None:
    v1 = {
        "version": "2.7.2 (compatible; Akkoma 3.16.0)",
        "registrations": True,
        "approval_required": False,
        "email": "a@site.test",
        "pleroma": {"metadata": {"account_activation_required": True}},
    }
    table = node("akkoma", "3.16.0", opened=True) | {
        "/api/v1/instance": answer(v1),
        "/api/v1/pleroma/captcha": answer({"type": "none"}),
        "/static/terms-of-service.html": answer(
            "<p>This is the default placeholder ToS.</p>", media_type="text/html"
        ),
    }
    software, info, _ = look("site.test", table)
    assert (software.family, software.base_version) == ("akkoma", "3.16.0")
    assert (info.captcha, info.email_confirmation, info.terms_default) == (False, True, True)

    table["/api/v1/pleroma/captcha"] = answer({"type": "native"})
    assert look("site.test", table)[1].captcha is True
    del table["/.well-known/nodeinfo"]
    software, _, _ = look("site.test", table)
    assert (software.name, software.base_version, software.via) == ("akkoma", "3.16.0", "instance_v1")


def test_lemmy_and_peertube_are_read_by_their_own_apis() -> None:
    local = {
        "registration_mode": "RequireApplication",
        "captcha_enabled": True,
        "require_email_verification": False,
    }
    site = {"site_view": {"local_site": local}, "admins": []}
    _, info, _ = look("site.test", node("lemmy", "0.19.20") | {"/api/v3/site": answer(site)})
    assert (info.registrations_open, info.approval_required, info.captcha, info.email_confirmation) == (
        True, True, True, False)  # fmt: skip
    config = {"signup": {"allowed": False, "requiresApproval": True, "requiresEmailVerification": True}}
    _, info, _ = look("site.test", node("peertube", "8.1.6") | {"/api/v1/config": answer(config)})
    assert (info.registrations_open, info.email_confirmation) == (False, True)


def test_a_fork_under_its_own_name_has_no_upstream_version() -> None:
    meta = {
        "disableRegistration": False,
        "enableHcaptcha": True,
        "enableTestcaptcha": True,
        "version": "2025.4.6",
    }
    software, info, _ = look("site.test", node("sharkey", "2025.4.6") | {"/api/meta": answer(meta)})
    assert (software.family, software.fork, software.base_version) == ("misskey", "sharkey", "")
    assert (info.registrations_open, info.captcha, info.captcha_is_test) == (True, True, True)


def test_the_link_of_nodeinfo_may_not_lead_elsewhere() -> None:
    table = node("mastodon", "4.7.3")
    links = [
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": href}
        for href in (
            "https://inner.test/x",
            "http://site.test/x",
            "https://site.test:6379/x",
            "file:///etc/passwd",
            7,
        )
    ]
    table["/.well-known/nodeinfo"] = answer({"links": links})
    client = Recorded("site.test", table)
    with pytest.raises(MissingFact) as caught:
        asyncio.run(facts_of(client))
    assert caught.value.missing.reason is Reason.MALFORMED
    assert "/x" not in client.asked


BOMBS = {
    "empty": "",
    "html": "<html>",
    "list": "[]",
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 5000 + "1" + "}" * 5000,
    "big": '{"a":"' + "x" * 2_000_000 + '"}',
    "NaN": '{"links": NaN}',
    "number": '{"links": ' + "9" * 10_000 + "}",
    "surrogates": '{"software": {"name": "\\ud800", "version": "\\udfff"}}',
    "wrong types": '{"links": {"rel": 1}, "software": ["a"], "usage": 3}',
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_json_bombs_are_malformed_and_nothing_worse(body: str) -> None:
    table: Table = {
        path: answer(body)
        for path in ("/.well-known/nodeinfo", "/api/v1/instance", "/api/v2/instance", "/api/meta")
    }
    with pytest.raises(MissingFact) as caught:
        asyncio.run(facts_of(Recorded("site.test", table)))
    assert caught.value.missing.reason is Reason.MALFORMED


def test_odd_values_inside_good_json_are_left_out() -> None:
    odd = {
        "version": ["x"], "registrations": {"enabled": "yes", "approval_required": 1},
        "contact": {"email": {"a": 1}, "account": {"avatar": "javascript:alert(1)", "url": 5}}, "rules": [1, None, {"text": 5}, {"text": "a\u202eb"}],
    }  # fmt: skip
    software, info, _ = look(
        "site.test", node("mastodon", "4.7.3", users=-4) | {"/api/v2/instance": answer(odd)}
    )
    assert software.source_url is None
    assert info.registrations_open is False, "NodeInfo says so"
    assert isinstance(info.approval_required, Missing) and info.contact_email is None
    assert info.rules == ("a\ufffdb",) and info.media_urls == () and isinstance(info.user_count, Missing)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (TimedOut("x"), Reason.TIMEOUT),
        (Refused("x"), Reason.REFUSED),
        (answer("no", status=403), Reason.WITHHELD),
        (answer("no", status=503), Reason.WITHHELD),
        (answer("<script>window._cf_chl_opt", media_type="text/html"), Reason.WITHHELD),
    ],
)
def test_a_server_that_sends_us_away_is_not_pressed(first: Page | ProbeError, reason: Reason) -> None:
    client = Recorded("site.test", {"/.well-known/nodeinfo": first})
    with pytest.raises(MissingFact) as caught:
        asyncio.run(facts_of(client))
    assert caught.value.missing.reason is reason
    assert client.asked == ["/.well-known/nodeinfo"]


def test_an_api_behind_a_sign_in_leaves_the_settings_unknown() -> None:
    table = node("mastodon", "4.7.3") | {"/api/v2/instance": answer({"error": "login"}, status=401)}
    software, info, _ = look("site.test", table)
    assert software.base_version == "4.7.3"
    assert isinstance(info.approval_required, Missing) and info.approval_required.reason is Reason.WITHHELD
    assert isinstance(info.rules, Missing) and info.rules.reason is Reason.WITHHELD


def test_the_first_api_answer_is_kept_for_its_headers() -> None:
    table = node("mastodon", "4.7.3") | {"/api/v2/instance": answer(MASTODON)}
    found = asyncio.run(facts_of(Recorded("site.test", table)))
    pages = [fact.page for fact in found if isinstance(fact, ApiPage)]
    assert len(pages) == 1 and pages[0].body == ""
