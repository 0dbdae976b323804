"""Published flaws in the forms that their sources document, made up by the tests: the words are ours, the fields
theirs."""

from __future__ import annotations

import json
from typing import Any

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def osv_entry(
    name: str, *ranges: tuple[str, str], package: str = "mastodon", ecosystem: str = "Bitnami", **more: Any
) -> dict[str, Any]:
    """One entry; `ranges`: (introduced, fixed)."""
    events = [event for low, fixed in ranges for event in ({"introduced": low}, {"fixed": fixed})]
    return {
        "schema_version": "1.6.2",
        "id": name,
        "summary": f"Something in {package}",
        "details": "More about it.",
        "modified": "2026-11-21T06:18:57.499Z",
        "published": "2026-11-20T05:55:23.341Z",
        "aliases": [],
        "affected": [
            {
                "package": {
                    "ecosystem": ecosystem,
                    "name": package,
                    "purl": f"pkg:{ecosystem.lower()}/{package}",
                },
                "severity": [{"type": "CVSS_V3", "score": VECTOR}],
                "ranges": [{"type": "SEMVER", "events": events}],
            }
        ],
        "references": [{"type": "WEB", "url": "https://example.org/"}],
        "database_specific": {"severity": "Critical"},
        **more,
    }


def osv(*entries: dict[str, Any], token: str = "") -> str:
    return json.dumps({"vulns": list(entries)} | ({"next_page_token": token} if token else {}))


def osv_entry_text(entry: dict[str, Any]) -> str:
    """As it is answered by its name."""
    return json.dumps(entry)


def github_entry(name: str, *ranges: str, package: str = "mastodon", **more: Any) -> dict[str, Any]:
    """One repository advisory; `ranges`: as makers write them."""
    return {
        "ghsa_id": name,
        "cve_id": None,
        "url": f"https://api.github.com/repos/mastodon/mastodon/security-advisories/{name}",
        "html_url": f"https://github.com/mastodon/mastodon/security/advisories/{name}",
        "summary": f"Something in {package}",
        "description": "### Impact\nMore about it.",
        "severity": "high",
        "state": "published",
        "published_at": "2026-11-20T12:00:00Z",
        "updated_at": "2026-11-21T12:00:00Z",
        "withdrawn_at": None,
        "vulnerabilities": [
            {
                "package": {"ecosystem": "other", "name": package},
                "vulnerable_version_range": text,
                "patched_versions": "",
                "vulnerable_functions": [],
            }
            for text in ranges
        ],
        "cvss": {"vector_string": None, "score": None},
        "cvss_severities": {"cvss_v3": {"vector_string": None}, "cvss_v4": None},
        **more,
    }


def github(*entries: dict[str, Any]) -> str:
    return json.dumps(list(entries))


def offers(*rows: tuple[str, bool, str]) -> str:
    """The update check's answer; rows: (version, urgent, type)."""
    found = [
        {
            "version": version,
            "urgent": urgent,
            "type": kind,
            "releaseNotes": f"https://example.org/v{version}",
        }
        for version, urgent, kind in rows
    ]
    return json.dumps({"updatesAvailable": found})
