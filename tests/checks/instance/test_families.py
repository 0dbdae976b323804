"""The nine families and their forks, one row each: who it is, what it says of itself, and what was asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from checks.data.tables import families, forks, releases
from checks.errors import ProbeError, Reason
from checks.facts import Missing, MissingFact
from checks.facts.http import ApiPage, Page
from checks.facts.instance import InstanceInfo, Software
from checks.parse.instance_api import uploads
from tests.checks.instance import families as made
from tests.checks.instance.samples import Recorded, answer, facts_of

WELL_KNOWN = "/.well-known/nodeinfo"
NOT_SHOWN, CLOSED, GLITCH = "not shown", "withheld", "https://github.com/glitch-soc/mastodon"
MASTODON = "https://github.com/mastodon/mastodon"
CODEBERG = "https://codeberg.org/superseriousbusiness/gotosocial"


@dataclass(frozen=True)
class Row:
    """What has to come out.  `NOT_SHOWN` and `CLOSED` stand for a Missing with that reason."""

    name: str
    family: str
    base: str  # version without what forks and builds append
    fork: str = ""
    prerelease: bool = False
    branch: str = ""  # of the release table, "" for none
    opened: bool | str = False
    approval: bool | str = NOT_SHOWN
    captcha: bool | str = NOT_SHOWN
    confirmation: bool | str = NOT_SHOWN
    contact: str | None = "admin@site.test"
    rules: int | str = 0
    media: str = ""  # host of the first upload
    source: str | None = None
    asked: tuple[str, ...] = ()  # after NodeInfo


V1_AND_V2 = ("/api/v1/instance", "/api/v2/instance")
OF_MASTODON = ("/api/v2/instance", "/api/v1/instance/privacy_policy")
OF_PLEROMA = ("/api/v1/instance", "/api/v1/pleroma/captcha", "/static/terms-of-service.html")
META = ("/api/meta",)
TABLE: dict[str, tuple[dict[str, Page], Row]] = {
    "Mastodon, closed": (
        made.mastodon("4.7.3", source=MASTODON, enabled=False, approval=False),
        Row("mastodon", "mastodon", "4.7.3", branch="4.7", approval=False, confirmation=True, rules=2, media="files.test", source=MASTODON, asked=OF_MASTODON),
    ),
    "Mastodon nightly": (
        made.mastodon("4.8.0-nightly.2026-11-20", source=MASTODON, enabled=True, approval=False),
        Row("mastodon", "mastodon", "4.8.0", prerelease=True, opened=True, approval=False, confirmation=True, rules=2, media="files.test", source=MASTODON, asked=OF_MASTODON),
    ),
    "glitch-soc, approval": (
        made.mastodon("4.6.5+glitch", source=GLITCH, enabled=True, approval=True),
        Row("mastodon", "mastodon", "4.6.5", "glitch", branch="4.6", opened=True, approval=True, confirmation=True, rules=2, media="files.test", source=GLITCH, asked=OF_MASTODON),
    ),
    "glitch-soc of the main branch": (
        made.mastodon("4.7.0-alpha.2+glitch", source=GLITCH, enabled=False, approval=False),
        Row("mastodon", "mastodon", "4.7.0", "glitch", True, "4.7", approval=False, confirmation=True, rules=2, media="files.test", source=GLITCH, asked=OF_MASTODON),
    ),
    "hometown under Mastodon's name": (
        made.mastodon("4.2.10+hometown-1.1.1", source="https://github.com/hometown-fork/hometown", enabled=False, approval=False),
        Row("mastodon", "mastodon", "4.2.10", "hometown", branch="4.2", approval=False, confirmation=True, rules=2, media="files.test", source="https://github.com/hometown-fork/hometown", asked=OF_MASTODON),
    ),
    "hometown under its own name": (
        made.nodeinfo("hometown", "4.2.10+hometown-1.1.1"),
        Row("hometown", "mastodon", "4.2.10", "hometown", branch="4.2", confirmation=True, contact=NOT_SHOWN, rules=NOT_SHOWN, asked=(*OF_MASTODON, "/api/v1/instance")),
    ),
    "Mastodon before the second API": (
        made.nodeinfo("mastodon", "3.5.19") | {"/api/v1/instance": made.v1("3.5.19", approval_required=False, invites_enabled=True)},
        Row("mastodon", "mastodon", "3.5.19", branch="3.5", approval=False, confirmation=True, media="site.test", asked=(*OF_MASTODON, "/api/v1/instance")),
    ),
    "Mastodon, limited federation": (
        made.nodeinfo("mastodon", "4.7.3") | {"/api/v2/instance": answer({"error": "x"}, status=401), "/api/v1/instance/privacy_policy": answer({}, status=401)},
        Row("mastodon", "mastodon", "4.7.3", branch="4.7", approval=CLOSED, confirmation=True, contact=CLOSED, rules=CLOSED, asked=OF_MASTODON),
    ),
    "Mastodon that hides its version": (
        made.nodeinfo("mastodon", "unknown"),
        Row("mastodon", "mastodon", "", confirmation=True, contact=NOT_SHOWN, rules=NOT_SHOWN, asked=(*OF_MASTODON, "/api/v1/instance")),
    ),
    "Pleroma": (
        made.pleroma_like("pleroma", "2.10.2", "kocaptcha", approval_required=False, pleroma={"metadata": {"account_activation_required": True}}),
        Row("pleroma", "pleroma", "2.10.2", branch="2.10", approval=False, captcha=True, confirmation=True, source="https://git.test/pleroma", asked=OF_PLEROMA),
    ),
    "Akkoma between releases": (
        made.pleroma_like("akkoma", "3.21.0-12-gabcdef0-develop", "none", registrations=True, approval_required=True),
        Row("akkoma", "akkoma", "3.21.0", prerelease=True, branch="3.21", opened=True, approval=True, captcha=False, source="https://git.test/akkoma", asked=OF_PLEROMA),
    ),
    "Misskey": (
        made.misskey("misskey", "2026.9.1"),
        Row("misskey", "misskey", "2026.9.1", branch="2026.9", approval=False, captcha=True, confirmation=True, rules=3, media="files.test", source=made.MISSKEY_SOURCE, asked=META),
    ),
    "Misskey, a fork by its version": (
        made.misskey("misskey", "2025.4.1-io.13", "https://github.com/MisskeyIO/misskey", disableRegistration=False),
        Row("misskey", "misskey", "2025.4.1", "io", opened=True, approval=False, captcha=True, confirmation=True, rules=3, media="files.test", source="https://github.com/MisskeyIO/misskey", asked=META),
    ),
    "Misskey with the API closed": (
        made.nodeinfo("misskey", "2026.9.1", maintainer={"email": "admin@site.test"}, emailRequiredForSignup=True, disableRegistration=True) | {"/api/meta": answer("", status=403)},
        Row("misskey", "misskey", "2026.9.1", branch="2026.9", approval=CLOSED, captcha=CLOSED, confirmation=True, rules=CLOSED, asked=META),
    ),
    "Sharkey, with approval": (
        made.misskey("sharkey", "2025.4.6", "https://activitypub.software/TransFem-org/Sharkey", disableRegistration=False, approvalRequiredForSignup=True),
        Row("sharkey", "misskey", "", "sharkey", opened=True, approval=True, captcha=True, confirmation=True, rules=3, media="files.test", source="https://activitypub.software/TransFem-org/Sharkey", asked=META),
    ),
    "Iceshrimp.NET, Mastodon's API alone": (
        made.nodeinfo("iceshrimp.net", "2026.1-beta5") | {"/api/v1/instance": made.v1("4.2.1 (compatible; Iceshrimp.NET 2026.1-beta5)")},
        Row("iceshrimp.net", "misskey", "", "iceshrimp.net", True, media="site.test", asked=(*META, *V1_AND_V2)),
    ),
    "Pixelfed, curated": (
        made.pixelfed("pixelfed", "0.12.12"),
        Row("pixelfed", "pixelfed", "0.12.12", branch="0.12", opened=True, approval=True, rules=1, media="site.test", source="https://github.com/pixelfed/pixelfed", asked=V1_AND_V2),
    ),
    "Pixelfed of glitch": (
        made.pixelfed("pixelfed", "0.12.6+glitch.1.12.1"),
        Row("pixelfed", "pixelfed", "0.12.6", "glitch", branch="0.12", opened=True, approval=True, rules=1, media="site.test", source="https://github.com/pixelfed/pixelfed", asked=V1_AND_V2),
    ),
    "pixelfed-brasil": (
        made.pixelfed("pixelfed-brasil", "0.12.4"),
        Row("pixelfed-brasil", "pixelfed", "", "pixelfed-brasil", opened=True, approval=True, rules=1, media="site.test", source="https://github.com/pixelfed/pixelfed", asked=V1_AND_V2),
    ),
    "GoToSocial": (
        made.gotosocial("0.22.1+git-57cb4fe"),
        Row("gotosocial", "gotosocial", "0.22.1", branch="0.22", approval=True, contact=None, source=CODEBERG, asked=V1_AND_V2),
    ),
    "GoToSocial that pretends to be Mastodon": (
        made.gotosocial("0.19.2", "3.5.3+0.19.2"),
        Row("gotosocial", "gotosocial", "0.19.2", approval=True, contact=None, source=CODEBERG, asked=V1_AND_V2),
    ),
    "Friendica": (
        made.friendica("2026.05-1600"),
        Row("friendica", "friendica", "2026.05", branch="2026.05", opened=True, approval=True, rules=1, media="site.test", asked=V1_AND_V2),
    ),
    "Friendica, candidate": (
        made.friendica("2026.12-rc-1600"),
        Row("friendica", "friendica", "2026.12", prerelease=True, opened=True, approval=True, rules=1, media="site.test", asked=V1_AND_V2),
    ),
    "Lemmy": (
        made.lemmy("0.19.20", "RequireApplication"),
        Row("lemmy", "lemmy", "0.19.20", branch="0.19", opened=True, approval=True, captcha=True, confirmation=True, contact=NOT_SHOWN, rules=NOT_SHOWN, media="site.test", asked=("/api/v3/site",)),
    ),
    "Lemmy, closed": (
        made.lemmy("0.19.20", "Closed"),
        Row("lemmy", "lemmy", "0.19.20", branch="0.19", approval=False, captcha=True, confirmation=True, contact=NOT_SHOWN, rules=NOT_SHOWN, media="site.test", asked=("/api/v3/site",)),
    ),
    "Lemmy of the next API": (
        made.lemmy("1.0.0-beta.1", "require_application", api="/api/v4/site"),
        Row("lemmy", "lemmy", "1.0.0", prerelease=True, opened=True, approval=True, captcha=True, confirmation=True, contact=NOT_SHOWN, rules=NOT_SHOWN, media="site.test", asked=("/api/v3/site", "/api/v4/site")),
    ),
    "PeerTube": (
        made.peertube("8.1.6"),
        Row("peertube", "peertube", "8.1.6", branch="8.1", opened=True, approval=True, confirmation=True, contact=NOT_SHOWN, rules=1, media="site.test", asked=("/api/v1/config", "/api/v1/config/about")),
    ),
}  # fmt: skip


def look(table: dict[str, Page], host: str = "site.test") -> tuple[Software, InstanceInfo, Recorded]:
    answers: dict[str, Page | ProbeError] = {**table}
    client = Recorded(host, answers)
    found = {type(fact): fact for fact in asyncio.run(facts_of(client))}
    software, info = found[Software], found[InstanceInfo]
    assert isinstance(software, Software) and isinstance(info, InstanceInfo)
    return software, info, client


def shown(value: object) -> object:
    """A Missing by its reason in words."""
    if isinstance(value, Missing):
        return {Reason.NOT_ASKED: NOT_SHOWN, Reason.WITHHELD: CLOSED}[value.reason]
    return value


def branch_of(software: Software) -> str:
    known = releases().get(software.family)
    names = [branch.name for branch in known.branches] if known else []
    return next(
        (n for n in names if software.base_version in {n} or software.base_version.startswith(n + ".")), ""
    )


@pytest.mark.parametrize("name", TABLE)
def test_a_server_is_recognised_and_read(name: str) -> None:
    table, row = TABLE[name]
    software, info, client = look(table)
    assert (software.name, software.family, software.base_version, software.fork, software.prerelease) == (
        row.name, row.family, row.base, row.fork, row.prerelease)  # fmt: skip
    assert branch_of(software) == row.branch and software.via == "nodeinfo"
    assert software.source_url == row.source
    assert shown(info.registrations_open) == row.opened
    assert shown(info.approval_required) == row.approval
    assert shown(info.captcha) == row.captcha
    assert shown(info.email_confirmation) == row.confirmation
    assert shown(info.contact_email) == row.contact
    rules = info.rules if isinstance(info.rules, Missing) else len(info.rules)
    assert shown(rules) == row.rules
    assert (urlsplit(info.media_urls[0]).hostname if info.media_urls else "") == row.media
    assert client.asked[0] == WELL_KNOWN
    assert sorted(client.asked[2:]) == sorted(row.asked), "no more is asked than this family has"


def test_every_family_and_every_fork_of_the_table_has_a_row() -> None:
    assert {row.family for _, row in TABLE.values()} == set(families())
    assert len(families()) == 9


@pytest.mark.parametrize("name", forks())
def test_a_fork_by_its_name_is_of_its_family_and_has_no_upstream_version(name: str) -> None:
    software, _, _ = look(made.nodeinfo(name, "2024.1.1"))
    assert (software.family, software.fork, software.base_version) == (forks()[name], name, "")


HIDDEN = {
    "mastodon": ("4.7.3", "instance_v2"),
    "akkoma": ("3.21.0-12-gabcdef0-develop", "instance_v1"),
    "pleroma": ("2.10.2", "instance_v1"),
    "misskey": ("2026.9.1", "meta"),
    "sharkey": ("2025.4.6", "meta"),
    "iceshrimp.net": ("2026.1-beta5", "instance_v1"),
    "pixelfed": ("0.12.12", "instance_v2"),
    "pixelfed-brasil": ("0.12.4", "instance_v2"),
    "gotosocial": ("0.22.1+git-57cb4fe", "instance_v2"),
    "friendica": ("2026.05-1600", "instance_v1"),
    "lemmy": ("0.19.20", "site"),
    "peertube": ("8.1.6", "config"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_without_nodeinfo_the_apis_tell(name: str) -> None:
    table = dict(next(t for t, row in TABLE.values() if row.name == name))
    del table[WELL_KNOWN]
    software, _, client = look(table)
    assert (software.name, software.version, software.via) == (name, *HIDDEN[name])
    assert len(client.asked) <= 6


def test_a_pretended_mastodon_is_no_mastodon_without_nodeinfo() -> None:
    table = made.gotosocial("0.19.2", "3.5.3+0.19.2")
    del table[WELL_KNOWN]
    software, _, _ = look(table)
    assert (software.name, software.base_version) == ("gotosocial", "0.19.2")
    table |= {"/api/v2/instance": answer("", status=404), "/api/v1/instance": made.v1("3.5.3+0.19.2")}
    with pytest.raises(MissingFact):
        look(table)


def test_the_settings_of_a_split_domain_are_read_where_the_software_is() -> None:
    """Handles end in @site.test, NodeInfo is redirected to social.test: so is the API."""

    class Split(Recorded):
        async def get(self, url: str, **more: object) -> Page:
            self.host = urlsplit(url).hostname or ""
            if self.host == "site.test":
                self.asked.append(url)
                to = url.replace("site.test", "social.test")
                return Page(url, 301, (("location", to),), "")
            return await super().get(url)

    found = made.mastodon("4.7.3", source=MASTODON, enabled=True, approval=True)
    moved: dict[str, Page | ProbeError] = {}
    for path, page in found.items():
        body = page.body.replace("https://site.test/nodeinfo", "https://social.test/nodeinfo")
        moved[path] = Page(f"https://social.test{path}", page.status, page.headers, body)
    facts = {type(f): f for f in asyncio.run(facts_of(Split("site.test", moved)))}
    info = facts[InstanceInfo]
    assert isinstance(info, InstanceInfo)
    assert (info.registrations_open, info.approval_required) == (True, True)
    assert ApiPage not in facts, "headers of another host say nothing of this one"


def test_an_unfinished_lemmy_says_so() -> None:
    _, info, _ = look(made.lemmy("0.19.20", "Open", site_setup=False))
    assert info.setup_open is True


@pytest.mark.parametrize(
    ("text", "default"), [("No terms for now.", True), ("Ours", False), ("", Missing(Reason.NOT_ASKED, ""))]
)
def test_the_terms_that_peertube_ships_are_told_from_own_ones(text: str, default: object) -> None:
    table = made.peertube("8.1.6")
    table["/api/v1/config/about"] = answer({"instance": {"terms": text}})
    _, info, _ = look(table)
    assert shown(info.terms_default) == shown(default)
    assert info.terms_url == ("/about/instance" if text else None) and info.rules == ()


def test_staff_in_nodeinfo_is_an_actor_to_ask_for() -> None:
    _, info, _ = look(made.pleroma_like("akkoma", "3.21.0", "native"))
    assert info.actor_url == "https://site.test/users/boss"


@pytest.mark.parametrize(
    ("path", "is_upload"),
    [
        ("/avatars/original/missing.png", False),
        ("/packs/media/images/preview-1a2b.png", False),
        ("/vite/assets/preview-1a2b.png", False),
        ("/images/avi.png", False),
        ("/instance/thumbnail.jpeg", False),
        ("/static-assets/splash.png", False),
        ("/client-assets/about-icon.png", False),
        ("/storage/avatars/default.jpg", False),
        ("/img/pixelfed-icon-color.png", False),
        ("/assets/default_avatars/GoToSocial_icon1.webp", False),
        ("/system/accounts/avatars/000/000/001/original/a.png", True),
        ("/media/0a1b.png", True),
        ("/files/0a1b", True),
        ("/storage/avatars/000/1/a.jpg", True),
        ("/fileserver/01ABC/avatar/original/a.webp", True),
        ("/photo/avatar/1.png", True),
        ("/pictrs/image/0a1b.webp", True),
        ("/lazy-static/avatars/a.png", True),
    ],
)
def test_files_of_the_software_are_no_uploads(path: str, is_upload: bool) -> None:
    url = f"https://site.test{path}"
    assert uploads(url, None, "http://site.test/a.png", url) == ((url,) if is_upload else ())


def test_an_admin_without_a_picture_shows_no_place_of_uploads() -> None:
    table = made.mastodon("4.7.3", source=MASTODON, enabled=False, approval=False)
    body = table["/api/v2/instance"].body.replace(
        "https://files.test/a/1.png", "https://site.test/avatars/original/missing.png"
    )
    table["/api/v2/instance"] = answer(body)
    _, info, _ = look(table)
    assert info.media_urls == ()
