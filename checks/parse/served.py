"""What a body proves to be: secrets, panels and listings are recognised by their content, never by a status,
since some software answers 200 and a page of its own to every path.  Only the proof leaves this module."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX = 65536
_ENV_LINE = re.compile(r"^(?:export )?([A-Z][A-Z0-9_]{2,60})=", re.MULTILINE)
_ENV_KNOWN = re.compile(
    r"^(?:export )?(SECRET_KEY_BASE|OTP_SECRET|VAPID_PRIVATE_KEY|DB_PASS(?:WORD)?|DB_HOST|REDIS_PASSWORD|"
    r"REDIS_HOST|APP_KEY|APP_ENV|LOCAL_DOMAIN|DATABASE_URL|SMTP_PASSWORD|POSTGRES_PASSWORD|AWS_SECRET_ACCESS_KEY)=",
    re.MULTILINE,
)
_GIT = re.compile(r"^\[core\]\s*$", re.MULTILINE)
_GIT_MORE = re.compile(r"^\s*(repositoryformatversion|filemode|bare)\s*=", re.MULTILINE)
_PROMETHEUS = re.compile(r"^# (?:HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]{0,80}) ", re.MULTILINE)
_LARAVEL = re.compile(
    r"^\[\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\]]{0,20}\] \w+\.(?:ERROR|INFO|DEBUG|WARNING)", re.MULTILINE
)
_PHP_KEY = re.compile(r"'(?:database|password)'\s*=>")
_DUMP = re.compile(r"^-- (?:PostgreSQL|MySQL|MariaDB) (?:database )?dump", re.MULTILINE)

# Words that only the panel's own page holds, and words that make it a sign-in page instead.
_PANELS = tuple(
    (name, re.compile(title, re.IGNORECASE), re.compile(inside, re.IGNORECASE))
    for name, title, inside in (
        ("sidekiq", r"<title>[^<]{0,80}Sidekiq</title>", "Busy|Enqueued"),
        ("pghero", r"<title>[^<]{0,80}PgHero", "Queries|Overview"),
        ("bull board", r"<title>Bull (?:Dashboard|Board)</title>", "queue"),
        ("horizon", r"<title>[^<]{0,80}Horizon</title>", "horizon"),
        ("telescope", r"<title>[^<]{0,80}Telescope", "telescope"),
        ("live dashboard", r"Phoenix LiveDashboard", "phx-|csrf"),
        ("oban", r"<title>[^<]{0,40}Oban", "queue|jobs"),
        ("pprof", r"<title>/debug/pprof/</title>", "goroutine"),
        ("installer", r"<title>[^<]{0,80}(?:install|setup)", "database"),
    )
)
_LISTINGS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("bucket listing", r"<(?:\w{1,9}:)?(?:ListBucketResult|ListAllMyBucketsResult|EnumerationResults)\b"),
        ("bucket listing", r"<container name="),
        ("folder index", r"<title>\s{0,20}(?:Index of|Directory listing for) /"),
        (
            "folder index",
            r"\A\s{0,9}\[\s{0,9}\{\s{0,9}\"name\":[^,]{1,300},\s{0,9}\"type\":\s?\"(?:file|directory)\"",
        ),
    )
)
# Marks of first-run pages that no finished page holds, in whatever language they are shown.
_INSTALLERS = tuple(
    (name, re.compile(mark, re.IGNORECASE))
    for name, mark in (
        ("Friendica", r"/view/install/style\.css|name=[\"']config-php_path[\"']"),
        ("Pixelfed", r"<title>\s{0,20}Pixelfed Installer\s{0,20}</title>"),
    )
)
_SIGN_IN = re.compile(r"type=[\"']?password", re.IGNORECASE)
_HEALTH = re.compile(r'"(?:pool_size|active|idle|memory_used)"\s*:')


@dataclass(frozen=True, slots=True)
class Found:
    """What was recognised, and which words of the grammar proved it (names, never values)."""

    kind: str
    proof: str


def secret_in(body: str) -> Found | None:
    """A file of the operator: environment file, git configuration, dump, log, PHP configuration."""
    text = body[:_MAX]
    if _looks_like_html(text):
        return None
    known = sorted(set(_ENV_KNOWN.findall(text)))
    names = sorted(set(_ENV_LINE.findall(text)))
    if known or len(names) >= 3:
        # Names that are not known might be a part of a value.
        proof = ", ".join(f"{n}=" for n in known[:4]) or f"{len(names)} × NAME="
        return Found("environment file", proof)
    if _GIT.search(text) and _GIT_MORE.search(text):
        return Found("git configuration", "[core] …")
    if _DUMP.search(text):
        return Found("database dump", "-- … dump")
    if _LARAVEL.search(text):
        return Found("log file", "[date] channel.LEVEL")
    if text.lstrip().startswith("<?php") and _PHP_KEY.search(text):
        return Found("configuration file", "'database' =>")
    return None


def panel_in(body: str) -> Found | None:
    """An admin panel, metrics or a debug page that shows itself without a sign-in."""
    text = body[:_MAX]
    metrics = sorted(set(_PROMETHEUS.findall(text)))
    if len(metrics) >= 2 and not _looks_like_html(text):
        return Found("metrics", ", ".join(metrics[:3]))
    if text.lstrip().startswith("{") and len(_HEALTH.findall(text)) >= 2:
        return Found("health details", "pool_size, memory_used …")
    if installer := installer_in(text):
        return installer
    if _SIGN_IN.search(text):
        return None
    for name, title, inside in _PANELS:
        match = title.search(text)
        if match and inside.search(text):
            return Found(name, re.sub(r"<[^>]*>", "", match[0])[:80])
    return None


def installer_in(body: str) -> Found | None:
    """The page of a set-up that has not been run: it asks for passwords, and is no sign-in for that."""
    text = body[:_MAX]
    for name, mark in _INSTALLERS:
        if mark.search(text):
            return Found("installer", f"set-up page of {name}")
    return None


def listing_in(body: str) -> Found | None:
    """A listing of a bucket or folder: S3 and its likes, Azure, Swift; nginx (HTML, JSON), Apache, Python."""
    head = body[:2000]
    for kind, pattern in _LISTINGS:
        if match := pattern.search(head):
            return Found(kind, re.sub(r"\s+", " ", match[0])[:40])
    return None


def _looks_like_html(text: str) -> bool:
    head = text[:2000].lstrip("\ufeff \t\r\n").lower()
    return head.startswith(("<!doctype html", "<html", "<head", "<body", "<h1"))
