"""The bad instance on the web: an old Mastodon behind a careless nginx.  Each fault has a switch in `BadState`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab import places as at
from tests.lab.ca import LabCa, Leaf
from tests.lab.nginx import MODERN_TLS, file_location, headers, location, server, tls
from tests.lab.web_good import ANSWERS, JSON, PIXEL

_LEGACY_TLS = (
    "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;",
    "ssl_ciphers AES256-SHA:AES128-SHA:ALL:@SECLEVEL=0;",
    "ssl_prefer_server_ciphers on;",
)
_PINS = 'pin-sha256=\\"d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM=\\"; max-age=31536000'
APP_PORT = 3000  # Mastodon's web process
_HTML_TYPE = "text/html; charset=utf-8"
_JSON_PATHS = {
    "/.well-known/nodeinfo": "nodeinfo",
    "/nodeinfo/2.0": "nodeinfo-2.0",
    "/api/v2/instance": "instance-v2",
    "/api/v1/instance": "instance-v1",
    "/api/v1/instance/privacy_policy": "privacy_policy",
    "/api/v1/instance/peers": "peers",
    "/api/v1/timelines/public": "timeline",
    "/api/v1/accounts/lookup": "account",
    "/.well-known/webfinger": "webfinger",
}
# Planted: none of these opens anything.
_DOTENV = """# planted by the lab
LOCAL_DOMAIN=bad.fedi.test
SECRET_KEY_BASE=planted0000000000000000000000000000000000000000000000000000000000
OTP_SECRET=planted1111111111111111111111111111111111111111111111111111111111
DB_USER=mastodon
DB_PASS=planted-not-a-password
REDIS_HOST=127.0.0.1
"""
_GIT_CONFIG = """[core]
\trepositoryformatversion = 0
\tbare = false
[remote "origin"]
\turl = https://github.com/mastodon/mastodon.git
"""
_METRICS = """# HELP nodejs_version_info Node.js version info.
# TYPE nodejs_version_info gauge
nodejs_version_info{version="v20.19.2",major="20",minor="19",patch="2"} 1
# HELP connected_clients The number of clients connected to the streaming server
# TYPE connected_clients gauge
connected_clients{type="websocket"} 14
"""
_SECURITY_TXT = "Contact: mailto:root@bad.fedi.test\nExpires: 2024-01-01T00:00:00Z\n"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Bad</title>
<script>window.initialState = {"meta": {"domain": "bad.fedi.test"}};</script>
</head><body><img src="/media/avatar.png" alt=""><p>@BODY@</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class BadState:
    """How the bad server stands; the defaults are all wrong."""

    hsts: bool = False
    redirect: bool = False  # http to https
    redis_open: bool = True
    postgres_open: bool = True
    csp: bool = False
    nosniff: bool = False
    frame_options: bool = False
    secure_cookie: bool = False
    cors_echo: bool = True
    env_served: bool = True
    metrics_served: bool = True
    media_listing: bool = True
    legacy_tls: bool = True  # TLS 1.0, bad suites, a key of 1024 bits
    old_headers: bool = True  # X-XSS-Protection, Public-Key-Pins, X-Powered-By, Referrer-Policy: unsafe-url …
    registrations: bool = True  # open, without approval
    approval: bool = False
    version: str = "4.5.4+glitch"  # a fork, which links to the source of what it was forked from
    security_txt: bool = True  # one that has ended
    app_port_open: bool = True  # the application's own port answers everybody
    certificate_days: float = 3  # left of 90


def bad_blocks(folder: Path, ca: LabCa, state: BadState) -> list[str]:
    site = _site(folder, state)
    settings = _LEGACY_TLS if state.legacy_tls else MODERN_TLS
    # A header that belongs to https alone; a repaired server does not send it over plain http.
    over_http = _site(folder, replace(state, hsts=False))
    plain = location("/", "return 301 https://$host$request_uri;") if state.redirect else over_http
    application = server((f"{at.BAD_IP}:{APP_PORT}",), at.BAD, *_site(folder, state))
    return [
        *(application if state.app_port_open else []),
        *server((f"{at.BAD_IP}:80",), at.BAD, *plain),
        *server((f"{at.BAD_IP}:443 ssl",), at.BAD, *tls(_leaf(ca, state), settings), *site),
    ]


def _leaf(ca: LabCa, state: BadState) -> Leaf:
    # Only the legacy settings let OpenSSL serve so short a key.
    bits, days = 1024 if state.legacy_tls else 2048, state.certificate_days
    return ca.issue(at.BAD, age_days=90 - days, left_days=days, rsa_bits=bits)


def _values(state: BadState, *, html: bool) -> dict[str, str]:
    """The headers of every answer, or of pages."""
    values = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"} if state.hsts else {}
    if state.nosniff:
        values["X-Content-Type-Options"] = "nosniff"
    if state.cors_echo:
        values |= {"Access-Control-Allow-Origin": "$http_origin", "Access-Control-Allow-Credentials": "true"}
    if not html:
        return values
    if state.csp:
        values["Content-Security-Policy"] = (
            "default-src 'none'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    if state.frame_options:
        values["X-Frame-Options"] = "DENY"
    if state.old_headers:
        values |= {
            "X-XSS-Protection": "1; mode=block",
            "Public-Key-Pins": _PINS.replace("\\", ""),
            "Referrer-Policy": "unsafe-url",
            "X-Powered-By": "Phusion Passenger(R) 6.0.17",
            "X-Permitted-Cross-Domain-Policies": "all",
        }
    secure = "; secure; HttpOnly; SameSite=Lax" if state.secure_cookie else ""
    return values | {"Set-Cookie": f"_mastodon_session=lab-$request_id; path=/{secure}"}


def _site(folder: Path, state: BadState) -> list[str]:
    pages, plain = _values(state, html=True), _values(state, html=False)
    lines: list[str] = []
    for path in ("/", "/about", "/auth/sign_in", "/auth/sign_up", "/@root", "/privacy-policy"):
        page = _write(folder, f"page{path.replace('/', '-')}.html", _PAGE.replace("@BODY@", path))
        lines += file_location(f"= {path}", page, _HTML_TYPE, pages)
    for path, name in _JSON_PATHS.items():
        lines += file_location(f"= {path}", _answer(folder, name, state), JSON, plain)
    for path, name in {"/users/root": "user", "/actor": "actor"}.items():
        lines += file_location(f"= {path}", _answer(folder, name, state), "application/activity+json", plain)
    if state.env_served:
        lines += file_location(
            "= /.env", _write(folder, "dotenv", _DOTENV), "application/octet-stream", plain
        )
        lines += file_location("= /.git/config", _write(folder, "git", _GIT_CONFIG), "text/plain", plain)
    if state.metrics_served:
        metrics = _write(folder, "metrics", _METRICS)
        lines += file_location("= /metrics", metrics, "text/plain; version=0.0.4; charset=utf-8", plain)
    if state.security_txt:
        ended = _write(folder, "security.txt", _SECURITY_TXT)
        lines += file_location("= /.well-known/security.txt", ended, "text/plain; charset=utf-8", plain)
    lines += location("= /health", "default_type text/plain;", "return 200 OK;", *headers(plain))
    not_found = 'return 404 \'{"error":"Record not found"}\';'
    lines += location("/api/", f'default_type "{JSON}";', not_found, *headers(plain))
    return lines + _media(folder, state, plain) + location("/", "return 404;", *headers(pages))


def _media(folder: Path, state: BadState, plain: dict[str, str]) -> list[str]:
    media = folder / "root" / "media"
    for path in ("accounts/avatars/1/original", "accounts/headers/1/original", "site_uploads/files/1/@1x"):
        (media / path).mkdir(parents=True, exist_ok=True)
    for path in ("avatar.png", "accounts/avatars/1/original/avatar.png", "accounts/headers/1/original/header.png",
                 "site_uploads/files/1/@1x/thumbnail.png"):  # fmt: skip
        (media / path).write_bytes(PIXEL)
    (media / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>0</script></svg>\n')
    types = "types { image/png png; image/svg+xml svg; text/html html; }"
    listing = "autoindex on;" if state.media_listing else "autoindex off;"
    return location("/media/", f'root "{folder}/root";', types, listing, *headers(plain))


def _answer(folder: Path, name: str, state: BadState) -> Path:
    """The stored answer with what the switches say about registrations and version."""
    answer = json.loads((ANSWERS / "bad" / f"{name}.json").read_text())
    if name == "nodeinfo-2.0":
        answer["openRegistrations"] = state.registrations
        answer["software"]["version"] = state.version
    elif name == "instance-v1":
        answer |= {"registrations": state.registrations, "approval_required": state.approval}
        answer["version"] = state.version
    elif name == "instance-v2":
        answer["registrations"] |= {"enabled": state.registrations, "approval_required": state.approval}
        answer["version"] = state.version
    return _write(folder, f"{name}.json", json.dumps(answer, ensure_ascii=False))


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file
