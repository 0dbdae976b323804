"""Secrets, backups, the version, and settings that leave a door open."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from fedisec.lib import canary
from fedisec.lib.listen import CannotStart
from fedisec.lib.models import Backup
from fedisec.system.line import Line, State

BACKUP_OLD = timedelta(days=2)
BACKUP_VERY_OLD = timedelta(days=14)


def keys(now: datetime) -> Line:
    """The key file is the one of this database, and nobody else's to read."""
    try:
        canary.look()
    except CannotStart as error:
        return Line("keys", State.BROKEN, "wrong", {"why": str(error)})
    return Line("keys", State.OK, "right" if canary.stands() else "new")


def backup(now: datetime) -> Line:
    """The newest that `manage.py backup` wrote and read back.  What other tools make is not seen."""
    newest = Backup.objects.order_by("-at").first()
    if newest is None:
        return Line("backup", State.UNKNOWN, "none")
    data = {"days": (now - newest.at).days, "name": newest.name}
    if now - newest.at > BACKUP_OLD:
        state = State.BROKEN if now - newest.at > BACKUP_VERY_OLD else State.ATTENTION
        return Line("backup", state, "old", data, newest.at)
    return Line("backup", State.OK, "fresh", data, newest.at)


def version(now: datetime) -> Line:
    """Nothing that fedisec reads names versions or advisories of fedisec itself, so this says no more than
    what runs."""
    return Line("version", State.UNKNOWN, "no_feed", {"version": settings.VERSION})


def secure_settings(now: datetime) -> Line:
    """What would let others read passwords, or see the inside of the program."""
    if settings.DEBUG:
        return Line("settings", State.BROKEN, "debug")
    if not settings.HTTPS and not _is_this_machine(str(urlsplit(settings.PUBLIC_URL).hostname)):
        return Line("settings", State.BROKEN, "no_https", {"url": settings.PUBLIC_URL})
    if settings.HTTPS and not settings.SECURE_PROXY_SSL_HEADER:
        return Line("settings", State.ATTENTION, "no_proxy", {"url": settings.PUBLIC_URL})
    return Line("settings", State.OK, "closed")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
