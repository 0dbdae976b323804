"""What is refused before anybody looks at it, whom to believe, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from fedisec.instances.models import Instance
from fedisec.lib import errors, middleware
from fedisec.lib.proxies import behind
from fedisec.scans.models import Scan

pytestmark = pytest.mark.django_db
INSIDE = re.compile(
    r"Traceback|/fedisec/|\.py|Django Version|waitress|fedisec \d|Exception|sqlite|psycopg", re.IGNORECASE
)
OTHERS = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]


@pytest.mark.parametrize("headers", OTHERS)
def test_another_site_changes_nothing(as_alice: Client, instance: Instance, headers: dict[str, str]) -> None:
    path = f"/instances/{instance.domain}/scan/"
    answer = as_alice.post(path, headers={**headers, "Sec-Fetch-Mode": "navigate"})
    assert answer.status_code == 403 and not Scan.objects.exists()
    assert as_alice.post(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302
    assert Scan.objects.count() == 1


@pytest.mark.parametrize("headers", OTHERS)
def test_another_site_opens_a_page_as_a_whole_or_not_at_all(
    as_alice: Client, instance: Instance, headers: dict[str, str]
) -> None:
    path = f"/instances/{instance.domain}/"
    opened = headers | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert as_alice.get(path, headers=opened).status_code == 200
    for how in ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"}):
        assert as_alice.get(path, headers=opened | how).status_code == 403
    assert as_alice.get(path, headers={"Sec-Fetch-Site": "none"}).status_code == 200
    open_to_all = as_alice.get("/healthz", headers=headers | {"Sec-Fetch-Mode": "cors"})
    assert open_to_all.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/instances/a%00b/", "/instances/a%0ab/", "/instances/a%7fb/", "/instances/%1b[31m/",
        "/" + "a" * middleware.PATH_MAX, "/?q=a%00b", "/?q=" + "a" * middleware.QUERY_MAX,
        "/?" + "&".join(f"a{n}[b][c]=1" for n in range(600)),
    ],
)  # fmt: skip
def test_odd_addresses_end_at_the_door(as_alice: Client, path: str) -> None:
    answer = as_alice.get(path)
    assert answer.status_code in (400, 413)
    assert_tells_nothing(answer)


def assert_tells_nothing(answer: Any) -> None:
    text = answer.content.decode()
    assert not INSIDE.search(text), INSIDE.search(text)
    assert answer.headers["Cache-Control"] == "no-store" and "Content-Security-Policy" in answer.headers


def test_pages_of_errors_speak_both_languages_and_tell_nothing(
    client: Client, as_bob: Client, instance: Instance
) -> None:
    for status in (400, 403, 413):
        page = errors.page(status).content.decode()
        assert 'lang="ja"' in page and not INSIDE.search(page)
    for language, word in (("en", "Not found"), ("ja", "見つかりません")):
        answer = client.get("/nowhere/", headers={"Accept-Language": language})
        assert answer.status_code == 404 and word in answer.content.decode()
        assert_tells_nothing(answer)
    assert as_bob.post(f"/instances/{instance.domain}/scan/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    for language, word in (("en", "Please try again"), ("ja", "もう一度")):
        answer = strict.post("/account/login/", headers={"Accept-Language": language})
        assert answer.status_code == 403 and word in answer.content.decode()
        assert_tells_nothing(answer)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("a=" + "b" * 1024 * 1024, "application/x-www-form-urlencoded"),
        ("&".join(f"a{n}=1" for n in range(501)), "application/x-www-form-urlencoded"),
        (
            "".join(f'--x\r\nContent-Disposition: form-data; name="a{n}"\r\n\r\n1\r\n' for n in range(501))
            + "--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            "".join(
                f'--x\r\nContent-Disposition: form-data; name="a{n}"; filename="f"\r\n\r\n1\r\n' for n in range(6)
            )
            + "--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            '--x\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n' + "1" * 2**20 + "\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        ("--x\r\n" * 20_000, "multipart/form-data; boundary=x"),
        ("no multipart", "multipart/form-data; boundary=" + "x" * 300),
        ("a=%ff%fe&%00=%00", "application/x-www-form-urlencoded; charset=utf-7"),
    ],
    ids=["body", "fields", "parts", "files", "large-file", "empty-parts", "boundary", "charset"],
)  # fmt: skip
def test_a_body_that_is_too_much_is_refused(
    as_alice: Client, instance: Instance, body: str, kind: str
) -> None:
    for path in (f"/instances/{instance.domain}/settings/", "/instances/add/"):
        answer = as_alice.generic("POST", path, body, kind)
        assert answer.status_code in (200, 400, 413, 422, 302), answer.status_code
        if answer.status_code in (400, 413):
            assert_tells_nothing(answer)
    assert Instance.objects.count() == 1


# Whom to believe.


def heard(environ: dict[str, Any], *proxies: str) -> dict[str, Any]:
    """What of a request's surroundings reaches Django."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: object) -> list[bytes]:
        seen.update(environ)
        return []

    behind(application, proxies)({**RequestFactory().get("/").environ, **environ}, print)
    return seen


FORGED = {
    "HTTP_X_FORWARDED_FOR": "9.9.9.9, 198.51.100.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_FORWARDED": "for=9.9.9.9;proto=https;host=evil.example",
    "HTTP_X_REAL_IP": "9.9.9.9",
}


@pytest.mark.parametrize("proxies", [(), ("10.0.0.0/8",)])
def test_a_stranger_is_not_believed(proxies: tuple[str, ...]) -> None:
    seen = heard({"REMOTE_ADDR": "203.0.113.5", **FORGED}, *proxies)
    assert seen["REMOTE_ADDR"] == "203.0.113.5" and seen["wsgi.url_scheme"] == "http"
    assert not any(name in seen for name in FORGED)


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_the_proxy_alone_is_believed(peer: str) -> None:
    seen = heard({"REMOTE_ADDR": peer, **FORGED}, "10.0.0.0/8")
    assert seen["REMOTE_ADDR"] == "198.51.100.7", "what the client claimed stands further left"
    assert seen["wsgi.url_scheme"] == seen["HTTP_X_FORWARDED_PROTO"] == "https"
    assert not {"HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"} & set(
        seen
    )


@pytest.mark.parametrize(
    ("told", "client"),
    [("", "10.0.0.1"), ("unknown", "10.0.0.1"), ("[2001:db8::7]:99", "2001:db8::7"), ("1.2.3.4:5", "1.2.3.4"),
     ("1.2.3.4, <script>", "10.0.0.1"), ("::ffff:1.2.3.4", "1.2.3.4"), (",", "10.0.0.1")],
)  # fmt: skip
def test_what_a_proxy_says_is_an_address_or_nothing(told: str, client: str) -> None:
    seen = heard({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": told}, "10.0.0.0/8")
    assert seen["REMOTE_ADDR"] == client


# Every answer.


def patterns(within: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in within.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, before + str(one.pattern))
        else:
            yield before + str(one.pattern), one


def filled(route: str, domain: str) -> str:
    values = {"domain": domain, "item_id": "http.hsts", "item": "http.hsts"}
    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", "1", route).replace("^", "").replace("$", "").replace("\\Z", "")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values.get(m[1], "1"), route)


def test_nothing_but_static_files_is_kept_by_caches(as_alice: Client, scanned: Instance) -> None:
    stranger, asked = Client(), 0
    for route, _ in patterns(get_resolver()):
        if route == "api/v1/openapi.json":
            continue  # a static file but in name: the same for everybody
        for ask in (stranger.get, stranger.post, as_alice.get):
            answer = ask(filled(route, scanned.domain))
            assert answer.status_code < 500, route
            assert "no-store" in answer.headers["Cache-Control"], route
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "Content-Security-Policy" in answer.headers
            asked += 1
    assert asked > 200
