"""What becomes of each table and column in an export; a column that looks like a secret is decided here.

`LEFT` travels never.  `WITHOUT` says what a file without secrets holds in the place of them; `NO_SECRET`
names the columns that look like one and are none.  Tests hold both against the models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps as installed
from django.db.models import Model

LEFT: Mapping[str, str] = {
    "django_content_type": "made by the tables of each installation",
    "auth_permission": "made by the tables of each installation, and used by nobody",
    "auth_group": "fedisec knows teams, not groups",
    "auth_group_permissions": "fedisec knows teams, not groups",
    "accounts_user_groups": "fedisec knows teams, not groups",
    "accounts_user_user_permissions": "fedisec knows roles in teams, not permissions",
    "django_session": "everybody signs in anew at another place",
    "accounts_opensession": "tells of the sessions, which stay behind",
    "account_emailconfirmation": "fedisec's links for that are made from a key and stand in no table",
    "accounts_setuplink": "makes the first account of one installation",
    "accounts_bucket": "how often somebody guessed, counted for minutes",
    "scans_pulse": "when the clock of one machine ticked",
    "scans_outlook": "whether one machine had a network",
    "lib_canary": "tells which key file is the one of a database",
    "lib_backup": "tells of files on one machine",
}
# What `prepare` puts into a new database, and an import in its place.
PREPARED = frozenset({"watch_source"})

# table -> None (no row of it) or column -> what stands there.
WITHOUT: Mapping[str, Mapping[str, Any] | None] = {
    "accounts_user": {"password": "!"},
    "accounts_recoverycode": None,
    "accounts_device": None,
    "accounts_invitation": None,
    "mfa_authenticator": None,
    "api_token": None,
    "enrolment_sshaccess": None,
    "share_share": None,
    "alerts_channel": {
        "sealed_address": "", "sealed_secret": "", "sealed_secret_before": "", "secret_made_at": None,
        "enabled": False,
    },
    "alerts_mailserver": {"sealed_password": ""},
}  # fmt: skip

LOOKS_SECRET = re.compile(r"password|passphrase|token|secret|sealed|hash|salt|private|credential|(^|_)key")
NO_SECRET: Mapping[str, str] = {
    "scans_scan.token": "fences one scan that runs; worth nothing to who has no database",
    "scans_scan.needs_key": "whether the scan logs in",
    "watch_source.token": "fences one fetch that runs",
}


def models() -> Iterator[type[Model]]:
    """Of every table that travels, in the order of their names."""
    found = (model for model in installed.get_models(include_auto_created=True) if model._meta.managed)
    yield from sorted(
        (m for m in found if m._meta.db_table not in LEFT and not m._meta.proxy),
        key=lambda model: model._meta.db_table,
    )
