"""The good instance on the web: a Mastodon of today, its media host, and the MTA-STS policy."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from tests.lab import places as at
from tests.lab.ca import LabCa
from tests.lab.nginx import file_location, headers, location, server, tls

ANSWERS = Path(__file__).with_name("answers")
JSON = "application/json; charset=utf-8"
# A one-pixel PNG.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364"
    "f80f00010501012718e3660000000049454e44ae426082"
)
_HOST, _FILES = f"https://{at.GOOD}", f"https://{at.MEDIA}"
_HSTS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
_APP = {
    **_HSTS,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Permissions-Policy": "browsing-topics=()",
    "X-Request-Id": "$request_id",
}
_CSP = {
    "base-uri": "'none'",
    "default-src": "'none'",
    "frame-ancestors": "'none'",
    "font-src": f"'self' {_HOST}",
    "img-src": f"'self' data: blob: {_HOST} {_FILES}",
    "media-src": f"'self' data: {_HOST} {_FILES}",
    "manifest-src": f"'self' {_HOST}",
    "form-action": "'none'",
    "child-src": f"'self' blob: {_HOST}",
    "worker-src": f"'self' blob: {_HOST}",
    "connect-src": f"'self' data: blob: {_HOST} {_FILES} wss://{at.GOOD}",
    "script-src": f"'self' {_HOST} 'wasm-unsafe-eval'",
    "frame-src": "'self' https:",
    "style-src": f"'self' {_HOST} 'nonce-$request_id'",
}
_HTML = {
    **_APP,
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _CSP.items()),
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language, Cookie",
}
_API = {
    **_APP,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; form-action 'none'",
    "Cache-Control": "private, no-store",
    "Access-Control-Allow-Origin": "$cors_any",  # only when an Origin was sent
    "Vary": "Origin",
    "X-RateLimit-Limit": "300",
    "X-RateLimit-Remaining": "299",
}
_MEDIA = {
    **_HSTS,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; form-action 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=315576000, immutable",
}
_SESSION = {"Set-Cookie": "_mastodon_session=lab-$request_id; path=/; secure; HttpOnly; SameSite=Lax"}
_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>Good</title>
<style nonce="<!--# echo var="request_id" -->">body{margin:0}</style>
<script src="/packs/assets/application.js" type="module" crossorigin="anonymous"></script>
<link href="https://files.good-media.test/site_uploads/files/1/@1x/thumbnail.png" rel="icon">
</head><body class="app-body"><div id="mastodon">@BODY@</div></body></html>
"""
_JSON_PATHS = {
    "/.well-known/nodeinfo": "nodeinfo",
    "/.well-known/oauth-authorization-server": "oauth",
    "/nodeinfo/2.0": "nodeinfo-2.0",
    "/api/v2/instance": "instance-v2",
    "/api/v1/instance": "instance-v1",
    "/api/v1/instance/rules": "rules",
    "/api/v1/instance/privacy_policy": "privacy_policy",
    "/api/v1/instance/terms_of_service": "terms_of_service",
    "/api/v1/instance/extended_description": "extended_description",
    "/api/v1/accounts/lookup": "account",
}
_CLOSED = ("/api/v1/instance/peers", "/api/v1/instance/domain_blocks", "/api/v1/timelines/public")
MAPS = [
    'map $http_origin $cors_any { default "*"; "" ""; }',
    "map $http_accept $wants_activity { default 0; ~application/(activity|ld)\\+json 1; }",
]


def good_blocks(folder: Path, ca: LabCa, http2: tuple[str, str]) -> list[str]:
    """Server blocks of everything that is right; files go to `folder`."""
    in_listen, in_server = http2
    site = [
        in_server,
        *tls(ca.issue(at.GOOD)),
        *_pages(folder),
        *_protocols(folder),
        *_api(),
        *_misses(folder),
    ]
    media = [in_server, *tls(ca.issue(at.MEDIA, at.MEDIA_SUB)), *_media(folder)]
    policy = [in_server, *tls(ca.issue(at.MTA_STS)), *_policy(folder)]
    return [
        "server_tokens off;",
        *MAPS,
        *_host(at.GOOD_IP, at.GOOD_IP6, at.GOOD, site, in_listen),
        *_host(at.MEDIA_IP, at.MEDIA_IP6, f"{at.MEDIA} {at.MEDIA_SUB}", media, in_listen),
        *_host(at.MTA_STS_IP, at.MTA_STS_IP6, at.MTA_STS, policy, in_listen),
    ]


def _host(four: str, six: str, names: str, lines: list[str], in_listen: str) -> list[str]:
    plain = (f"{four}:80", f"[{six}]:80")
    secure = (f"{four}:443 ssl{in_listen}", f"[{six}]:443 ssl{in_listen}")
    to_https = location("/", "return 301 https://$host$request_uri;")
    return [*server(plain, names, *to_https), *server(secure, names, *lines)]


def _pages(folder: Path) -> list[str]:
    lines: list[str] = []
    for path, body in {"/": "", "/about": "Good について", "/explore": "", "/@admin": "管理人"}.items():
        lines += file_location(
            f"= {path}", _page(folder, body), "text/html; charset=utf-8", _HTML, "ssi on;", "ssi_types *;"
        )
    for path in ("/privacy-policy", "/terms-of-service"):
        lines += file_location(
            f"= {path}", _page(folder, path[1:]), "text/html; charset=utf-8", _HTML, "ssi on;", "ssi_types *;"
        )
    form = _page(folder, '<form action="/auth/sign_in" method="post"><input name="user[email]"></form>')
    for path in ("/auth/sign_in", "/auth/password/new"):
        values = {**_HTML, **_SESSION, "Content-Security-Policy": _HTML["Content-Security-Policy"].replace(
            "form-action 'none'", "form-action 'self'")}  # fmt: skip
        lines += file_location(
            f"= {path}", form, "text/html; charset=utf-8", values, "ssi on;", "ssi_types *;"
        )
    # Registrations are closed: Mastodon sends the visitor home.
    lines += location("= /auth/sign_up", "return 302 /;", *headers(_HTML))
    script = folder / "application.js"
    script.write_text("document.documentElement.dataset.ready = 'yes';\n")
    static = {
        **_HSTS,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=2419200, immutable",
    }
    lines += file_location("= /packs/assets/application.js", script, "text/javascript", static)
    pixel = folder / "pixel.png"
    pixel.write_bytes(PIXEL)
    return lines + file_location("= /packs/assets/android-chrome-192x192.png", pixel, "image/png", static)


def _page(folder: Path, body: str) -> Path:
    file = folder / f"page-{len(list(folder.glob('page-*')))}.html"
    file.write_text(_PAGE.replace("@BODY@", body))
    return file


def _protocols(folder: Path) -> list[str]:
    """What other servers and programs ask for."""
    host_meta = folder / "host-meta.xml"
    template = f"{_HOST}/.well-known/webfinger?resource={{uri}}"
    host_meta.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{template}"/>\n</XRD>\n'
    )
    security = folder / "security.txt"
    security.write_text(security_txt())
    robots = folder / "robots.txt"
    robots.write_text(
        "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow: /media_proxy/\nDisallow: /interact/\n"
    )
    webfinger = ANSWERS / "good" / "webfinger.json"
    asked = f"if ($arg_resource !~* ^(acct:|acct%3a)admin(@|%40){at.GOOD}$) {{ return 404; }}"
    actor = ANSWERS / "good" / "actor.json"
    unsigned = ["default_type application/json;", *headers({**_API, "Vary": "Accept, Signature"})]
    refuse = 'return 401 \'{"error":"Request not signed"}\';'
    return [
        *file_location("= /.well-known/host-meta", host_meta, "application/xrd+xml; charset=utf-8", _API),
        *file_location(
            "= /.well-known/webfinger", webfinger, "application/jrd+json; charset=utf-8", _API, asked
        ),
        *file_location("= /.well-known/security.txt", security, "text/plain; charset=utf-8", _APP),
        *location("= /.well-known/change-password", "return 302 /auth/edit;", *headers(_HTML)),
        *file_location("= /robots.txt", robots, "text/plain", _HSTS),
        *file_location("= /actor", actor, "application/activity+json; charset=utf-8", _API),
        *location(
            "~ ^/users/admin(/.*)?$", "if ($wants_activity = 0) { return 302 /@admin; }", refuse, *unsigned
        ),
        *location("= /inbox", "if ($request_method != POST) { return 404; }", refuse, *unsigned),
        *location("= /health", "default_type text/plain;", "return 200 OK;", *headers(_APP)),
        *location(
            "= /api/v1/streaming/health", "default_type text/plain;", "return 200 OK;", *headers(_HSTS)
        ),
    ]


def security_txt() -> str:
    """RFC 9116, valid for half a year."""
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=180)
    return (
        f"Contact: mailto:admin@{at.GOOD}\nExpires: {expires:%Y-%m-%dT%H:%M:%SZ}\n"
        f"Preferred-Languages: ja, en\nCanonical: {_HOST}/.well-known/security.txt\n"
    )


def _api() -> list[str]:
    lines: list[str] = []
    for path, answer in _JSON_PATHS.items():
        file = ANSWERS / "good" / f"{answer}.json"
        json.loads(file.read_text())  # a broken answer must not look like a broken scanner
        lines += file_location(f"= {path}", file, JSON, _API)
    refuse = 'return 401 \'{"error":"This method requires an authenticated user"}\';'
    for path in _CLOSED:
        lines += location(f"= {path}", f'default_type "{JSON}";', refuse, *headers(_API))
    missing = 'return 404 \'{"error":"Record not found"}\';'
    return lines + location("/api/", f'default_type "{JSON}";', missing, *headers(_API))


def _misses(folder: Path) -> list[str]:
    """Everything else, by whatever method, is Mastodon's page for 404."""
    page = folder / "404.html"
    page.write_text(
        '<!DOCTYPE html>\n<html lang="ja"><head><meta charset="utf-8"><title>404</title></head></html>\n'
    )
    return [
        *location("/", "return 404;"),
        "error_page 404 /404.html;",
        "error_page 405 =404 /404.html;",
        *file_location("= /404.html", page, "text/html; charset=utf-8", {**_HTML, "Cache-Control": "no-cache"},
                       "internal;"),
    ]  # fmt: skip


def _media(folder: Path) -> list[str]:
    types = "types { image/png png; }"
    lines: list[str] = []
    for path in ("accounts/avatars/1/original/avatar.png", "accounts/headers/1/original/header.png",
                 "site_uploads/files/1/@1x/thumbnail.png"):  # fmt: skip
        file = folder / "media" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PIXEL)
    lines += location("/", f'root "{folder}/media";', types, "limit_except GET { deny all; }",
                      "try_files $uri =404;", *headers(_MEDIA))  # fmt: skip
    return lines


def _policy(folder: Path) -> list[str]:
    policy = folder / "mta-sts.txt"
    policy.write_text(f"version: STSv1\r\nmode: enforce\r\nmx: {at.MX}\r\nmax_age: 1209600\r\n", newline="")
    path = "= /.well-known/mta-sts.txt"
    return [*file_location(path, policy, "text/plain", _HSTS), *location("/", "return 404;", *headers(_HSTS))]
