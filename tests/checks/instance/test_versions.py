"""Version strings of nine families, and what a body proves to be."""

from __future__ import annotations

import pytest

from checks.data.tables import advisories, families, forks, releases, shipped_policies
from checks.errors import ParseError
from checks.facts.advisories import Affected
from checks.parse.advisories import applying, merged
from checks.parse.csp import SCRIPT_OPEN, parse_csp, weaknesses
from checks.parse.served import listing_in, panel_in, secret_in
from checks.parse.severity import severity
from checks.parse.versions import FediVersion, comparable, is_mastodon, is_within, parse_version, really
from tests.checks.instance.samples import sample


@pytest.mark.parametrize(
    ("family", "text", "wanted"),
    [
        ("mastodon", "4.7.3", FediVersion("4.7.3", "", False)),
        ("mastodon", "4.6.5+glitch", FediVersion("4.6.5", "glitch", False)),
        ("mastodon", "4.3.1+hometown-1.1.2", FediVersion("4.3.1", "hometown", False)),
        ("mastodon", "4.7.0-alpha.2+glitch", FediVersion("4.7.0", "glitch", True)),
        ("mastodon", "4.5.0-nightly.2025-07-11", FediVersion("4.5.0", "", True)),
        ("mastodon", "4.5.0-rc.1", FediVersion("4.5.0", "", True)),
        ("pleroma", "2.10.2", FediVersion("2.10.2", "", False)),
        ("pleroma", "2.7.0-123-gabc1234-branch+name", FediVersion("2.7.0", "", True)),
        ("akkoma", "3.16.0-12-gabcdef-develop", FediVersion("3.16.0", "", True)),
        ("misskey", "2026.9.1", FediVersion("2026.9.1", "", False)),
        ("misskey", "2025.12.0-alpha.2", FediVersion("2025.12.0", "", True)),
        ("misskey", "2025.4.1-io.13", FediVersion("2025.4.1", "io", False)),
        ("mastodon", "4.5.0-nightly.2025-07-11+glitch", FediVersion("4.5.0", "glitch", True)),
        ("mastodon", "4.4.8+chuckya-alpha", FediVersion("4.4.8", "chuckya-alpha", False)),
        ("misskey", "13.14.2", FediVersion("13.14.2", "", False)),
        ("misskey", "12.119.2-rc", FediVersion("12.119.2", "", True)),
        ("misskey", "2025.4.1-beta.2-pari.2", FediVersion("2025.4.1", "pari", True)),
        ("pixelfed", "0.12.6+glitch.1.12.1", FediVersion("0.12.6", "glitch", False)),
        ("gotosocial", "0.19.2+git-abc1234", FediVersion("0.19.2", "", False)),
        ("gotosocial", "0.20.0-rc1+git-57cb4fe", FediVersion("0.20.0", "", True)),
        ("friendica", "2024.08-1571", FediVersion("2024.08", "", False)),
        ("friendica", "2026.05-dev-1600", FediVersion("2026.05", "", True)),
        ("lemmy", "1.0.0-beta.1", FediVersion("1.0.0", "", True)),
        ("peertube", "8.1.6", FediVersion("8.1.6", "", False)),
    ],
)
def test_a_version_is_read_as_its_family_writes_it(family: str, text: str, wanted: FediVersion) -> None:
    assert parse_version(family, text) == wanted


@pytest.mark.parametrize("text", ["", "unknown", "v", "-1", "latest 4.7.3", "\u0664.7"])
def test_what_is_no_version_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_version("mastodon", text)


def test_pretended_versions_name_the_real_one() -> None:
    assert really("2.7.2 (compatible; Akkoma 3.16.0-1-gab)") == ("akkoma", "3.16.0-1-gab")
    assert really("4.0.0 (not true; really snac/2.38)") == ("snac", "2.38")
    assert really("3.5.3 (compatible; Pixelfed-Brasil 0.12.4)") == ("pixelfed-brasil", "0.12.4")
    assert really("4.7.3") is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("4.7.3", True), ("4.6.5+glitch", True), ("4.7.0-alpha.2+glitch", True), ("4.5.0-nightly.2025-07-11", True),
        ("4.0.15+hometown-1.1.1", True), ("3.5.3+0.19.2+git-abc1234", False), ("takahe/0.11", False), ("0.9", False), ("", False),
    ],
)  # fmt: skip
def test_only_a_version_of_mastodon_is_taken_for_one(text: str, wanted: bool) -> None:
    assert is_mastodon(text) is wanted


def test_versions_are_compared_as_numbers() -> None:
    assert comparable("4.10.0") > comparable("4.9.0") and comparable("2024.08") < comparable("2024.12")
    spans = (Affected("0", "4.4.25"), Affected("4.5.0", "4.5.18"))
    assert [is_within("4.5.4", span) for span in spans] == [False, True]
    assert not any(is_within("4.5.18", span) for span in spans)
    assert is_within("9.9", Affected("1.0")), "not fixed anywhere"
    assert is_within("4.1.16", Affected("0", last="4.1.16"))
    assert not is_within("4.1.17", Affected("0", last="4.1.16"))
    with pytest.raises(ParseError):
        is_within("4.1.17", Affected("nightly.2026-03-10"))


def test_every_advisory_and_release_can_be_compared() -> None:
    known = {*families(), *forks()}
    for advisory in advisories():
        assert advisory.platform in known and advisory.changed and advisory.url.startswith("https://")
        for span in advisory.affected:
            assert comparable(span.introduced) < comparable(span.fixed or "999999"), advisory.id
        for rating in advisory.ratings:
            assert rating.by and severity((rating,)).word in {"critical", "high", "medium", "low"}, (
                advisory.id
            )
    for name, table in releases().items():
        assert name in known and table.branches
        for branch in table.branches:
            assert comparable(branch.latest) >= comparable(branch.name) and branch.latest.startswith(
                branch.name
            )
    assert len(merged(advisories())) == len(advisories()) > 180, "each flaw once"


def test_no_newest_release_is_named_by_an_advisory() -> None:
    for name, table in releases().items():
        newest = table.branches[0].latest
        hits = [one.id for one in applying(advisories(), name, newest)]
        assert not hits, (name, newest, hits)


def test_shipped_policies_let_no_foreign_script_run() -> None:
    for name, (newest, *older) in shipped_policies().items():
        assert not newest.policy or not weaknesses(parse_csp((newest.policy,))) & SCRIPT_OPEN, name
        since = [comparable(baseline.since) for baseline in (newest, *older)]
        assert since == sorted(since, reverse=True) and since[-1] == comparable("0"), name


ENV = "# my server\nLOCAL_DOMAIN=a.test\nSECRET_KEY_BASE=0123456789\nDB_PASS=hunter2\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ENV, "environment file"),
        ("export DATABASE_URL=postgres://x\n", "environment file"),
        ("[core]\n\trepositoryformatversion = 0\n", "git configuration"),
        ("--\n-- PostgreSQL database dump\n--\n", "database dump"),
        ("[2026-01-01 10:00:00] production.ERROR: x", "log file"),
        ("<?php\nreturn [\n 'database' => ['password' => 'x']];", "configuration file"),
        ("<!DOCTYPE html><p>SECRET_KEY_BASE=1\nDB_PASS=2", None),
        ("", None),
        ("not found", None),
        ("[core]", None),
        ("AAAAAAAAAAAAAAAA=\nBBBBBBBBBBBBBBBB=\nCCCCCCCCCCCCCCCC=\n", "environment file"),
        ('{"error": "x"}', None),
    ],
)
def test_secrets_are_known_by_their_grammar_and_not_repeated(body: str, kind: str | None) -> None:
    found = secret_in(body)
    assert (found.kind if found else None) == kind
    kept = found.proof if found else ""
    assert not any(value in kept for value in ("hunter2", "0123456789", "AAAA", "BBBB"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("# HELP a_b x\n# TYPE a_b gauge\na_b 1\n# TYPE c_d counter\nc_d 2\n", "metrics"),
        ("<title>Sidekiq</title><span>Busy</span><span>Enqueued</span>", "sidekiq"),
        ("<title>Bull Dashboard</title><p>queue inbox", "bull board"),
        ("<title>/debug/pprof/</title> goroutine", "pprof"),
        ('{"active": 3, "pool_size": 10, "memory_used": 12}', "health details"),
        ("<title>Sidekiq</title>Busy<input type='password'>", None),
        ("<link href='/view/install/style.css'><input type='password'>", "installer"),
        ("<form><input name='config-php_path'>", "installer"),
        ("<title>Pixelfed Installer</title>", "installer"),
        ("<title>About Pixelfed Installer</title>", None),
        ("<title>Horizon scanning for beginners</title>", None),
        ("<html># HELP a x\n# HELP b y</html>", None),
        ('{"healthy": true}', None),
    ],
)
def test_panels_are_known_by_their_content(body: str, kind: str | None) -> None:
    found = panel_in(body)
    assert (found.kind if found else None) == kind


def test_listings_are_known_by_their_content() -> None:
    assert listing_in('<?xml version="1.0"?><ListBucketResult xmlns="x">')
    assert listing_in("<html><head><title>Index of /media/</title></head>")
    assert listing_in(
        '<?xml version="1.0"?>\n<container name="media"><object><name>a</name></object></container>'
    )
    assert listing_in('<?xml version="1.0"?><ns2:ListBucketResult xmlns:ns2="x"/>')
    assert listing_in('<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="x">')
    assert listing_in('[\n{ "name":"accounts", "type":"directory", "mtime":"Sat, 21 Nov 2026 10:00:00 GMT" }')
    assert listing_in("<html><title>Index of my thoughts</title>") is None
    assert listing_in('{"name": "an instance", "type": "file"}') is None
    assert listing_in("<p>How to read a &lt;ListBucketResult&gt;</p>") is None
    assert listing_in("<Error><Code>AccessDenied</Code></Error>") is None


@pytest.mark.parametrize(
    "name",
    [
        "mk_.env",
        "mk_.git_config",
        "mk_metrics",
        "mk_.well-known_security.txt",
        "mk_",
        "gts_",
        "snac_",
        "gts_.env",
    ],
)
def test_pages_of_real_servers_prove_nothing(name: str) -> None:
    """Misskey answers 200 and its own page to every path."""
    body = sample(name, "https://x.test/").body
    assert secret_in(body) is None and panel_in(body) is None and listing_in(body) is None
