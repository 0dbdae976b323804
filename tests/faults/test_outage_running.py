"""fedisec's own outage (R16) with all its processes running: they wait, say so, and go on by themselves."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from urllib.parse import urlencode

import pytest

from tests.faults import fleet as fleets
from tests.faults.fleet import ANCHORS, NETWORKS, RESOLVER, NoWall, Wall
from tests.faults.table import fault, full
from tests.lab import netns
from tests.running.conftest import MakeWorld
from tests.running.world import World, wait_for

pytestmark = [full, pytest.mark.timeout(400)]

PASSWORD = "correct horse battery staple"


@pytest.fixture
def wall() -> Iterator[Wall]:
    if not netns.inside():
        pytest.skip("the wall needs a network namespace: python -m tests.lab.netns pytest …")
    try:
        built = Wall()
    except NoWall as error:
        pytest.skip(str(error))
    with fleets.listening():
        yield built
    built.close()


def signed_in(world: World, email: str) -> Callable[[], str]:
    """What gives the overview, as somebody who has signed in sees it."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    form = browser.open(f"{world.url}/account/login/", timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token is not None
    data = {"csrfmiddlewaretoken": token[1], "login": email, "password": PASSWORD}
    request = urllib.request.Request(f"{world.url}/account/login/", urlencode(data).encode())
    browser.open(request, timeout=20).read()
    return lambda: str(browser.open(world.url, timeout=20).read().decode())


@fault("R16", "its own network is down, processes running", "no look meanwhile; a banner; one notice after")
def test_processes_wait_and_tell(
    mode: str, make_world: MakeWorld, wall: Wall, seen: Callable[[str], None]
) -> None:
    world = make_world(
        mode,
        FEDISEC_ANCHORS=",".join(f"{anchor}:53" for anchor in ANCHORS),
        FEDISEC_RESOLVER=RESOLVER,
        FEDISEC_ALLOW_NETWORKS=",".join(NETWORKS),
    )
    world.up()
    world.tool("add", "3", "n0.example", "n1.example")
    email = world.one("SELECT email FROM accounts_user")
    world.manage("shell", "-c", make_operator(email))
    wait_for(lambda: len(world.looks()) >= 2, 60, "the first looks")
    page = signed_in(world, email)
    assert "Sign out" in page() and "has had no network" not in page()
    wall.cut(*NETWORKS)
    offline = "SELECT COUNT(*) FROM scans_outlook WHERE offline_since IS NOT NULL"
    wait_for(lambda: world.one(offline) == 1, 120, "somebody to ask the anchors")
    wait_for(lambda: not running(world), 30, "the looks under way to end")
    # Another process may still believe an answer of the last minute.
    wait_for(lambda: is_quiet(world), 120, "no look to begin")
    before = len(world.looks())
    assert world.one("SELECT COUNT(*) FROM alerts_notice") == 0
    wait_for(lambda: "fedisec itself has had no network since" in page(), 60, "the banner")
    assert len(world.looks()) == before
    wall.heal()
    wait_for(lambda: len(world.looks()) >= before + 2, 180, "looks to go on")
    assert world.one(offline) == 0
    assert world.one("SELECT COUNT(*) FROM alerts_notice WHERE kind = 'outage'") == 1
    assert world.one("SELECT MAX(attempt) FROM scans_scan") == 1
    seen(f"{mode}: no look while down, the banner on the page, 1 notice, looks again by themselves")


def make_operator(email: str) -> str:
    return (
        "from fedisec.accounts.models import User; "
        f"u = User.objects.get(email={email!r}); u.is_superuser = True; u.set_password({PASSWORD!r}); u.save()"
    )


def running(world: World) -> bool:
    return bool(world.one("SELECT COUNT(*) FROM scans_scan WHERE state = 'running'"))


def is_quiet(world: World) -> bool:
    """Both servers wait to be looked at, for ten seconds by now, and nobody does it."""
    old = (
        "now() - interval '10 s'"
        if world.mode == "grown"
        else "strftime('%Y-%m-%d %H:%M:%f', 'now', '-10 seconds')"
    )
    waits = f"SELECT COUNT(*) FROM scans_scan WHERE state = 'queued' AND due_at < {old}"
    return bool(world.one(waits) == 2)
