"""What servers of the nine families and their forks answer, shortened to what is read.  Host: site.test."""

from __future__ import annotations

from typing import Any

from checks.facts.http import Page
from tests.checks.instance.samples import answer

HOST = "https://site.test"
MISSKEY_SOURCE = "https://github.com/misskey-dev/misskey"


def nodeinfo(
    name: str,
    version: str,
    *,
    path: str = "/nodeinfo/2.0",
    opened: bool = False,
    repository: str = "",
    users: int = 7,
    **metadata: Any,
) -> dict[str, Page]:
    """Well-known document and NodeInfo; several schemas are linked as Friendica does, the wanted one among them."""
    schema = "2.1" if repository else "2.0"
    namespace = "http://nodeinfo.diaspora.software/ns/schema/"
    links = [
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/1.0", "href": f"{HOST}/nodeinfo/1.0"},
        {"rel": "https://www.w3.org/ns/activitystreams#Application", "href": f"{HOST}/actor"},
        {"rel": namespace + schema, "href": HOST + path},
    ]
    software = {"name": name, "version": version} | ({"repository": repository} if repository else {})
    doc = {
        "version": schema,
        "software": software,
        "protocols": ["activitypub"],
        "openRegistrations": opened,
        "usage": {"users": {"total": users}},
        "metadata": metadata,
    }
    return {"/.well-known/nodeinfo": answer({"links": links}), path: answer(doc)}


def mastodon(version: str, *, source: str, enabled: bool, approval: bool) -> dict[str, Page]:
    v2 = {
        "domain": "site.test",
        "version": version,
        "source_url": source,
        "registrations": {"enabled": enabled, "approval_required": approval, "min_age": None},
        "contact": {
            "email": "admin@site.test",
            "account": {
                "acct": "admin",
                "uri": f"{HOST}/users/admin",
                "avatar": "https://files.test/a/1.png",
            },
        },
        "rules": [{"id": "1", "text": "Be kind"}, {"id": "2", "text": "No spam"}],
        "configuration": {"urls": {"privacy_policy": f"{HOST}/privacy-policy", "terms_of_service": None}},
        "api_versions": {"mastodon": 6},
    }
    privacy = {"updated_at": "2026-02-01T00:00:00Z", "content": "<p>What we keep</p>"}
    # openRegistrations is true also where each account waits for a person.
    found = nodeinfo("mastodon", version, opened=enabled)
    return found | {"/api/v2/instance": answer(v2), "/api/v1/instance/privacy_policy": answer(privacy)}


def v1(version: str, **more: Any) -> Page:
    """/api/v1/instance as others imitate it."""
    account = {
        "acct": "admin",
        "url": f"{HOST}/@admin",
        "avatar": f"{HOST}/media/a.png",
    }
    doc = {"uri": "site.test", "version": version, "email": "admin@site.test", "contact_account": account}
    return answer(doc | {"registrations": False, "rules": []} | more)


def pleroma_like(name: str, version: str, captcha: str, **more: Any) -> dict[str, Page]:
    compatible = f"2.7.2 (compatible; {name.capitalize()} {version})"
    staff = nodeinfo(
        name,
        version,
        path="/nodeinfo/2.1.json",
        repository=f"https://git.test/{name}",
        staffAccounts=[f"{HOST}/users/boss"],
        invitesEnabled=True,
    )
    return staff | {
        "/api/v1/instance": v1(compatible, contact_account=None, **more),
        "/api/v1/pleroma/captcha": answer({"type": captcha}),
        "/static/terms-of-service.html": answer("<h2>Our own terms</h2>", media_type="text/html"),
    }


def misskey(name: str, version: str, source: str = MISSKEY_SOURCE, **more: Any) -> dict[str, Page]:
    meta = {
        "version": version,
        "disableRegistration": True,
        "emailRequiredForSignup": True,
        "enableHcaptcha": False,
        "enableMcaptcha": False,
        "enableRecaptcha": False,
        "enableTurnstile": True,
        "enableTestcaptcha": False,
        "serverRules": ["1", "2", "3"],
        "maintainerEmail": "admin@site.test",
        "tosUrl": f"{HOST}/tos",
        "privacyPolicyUrl": None,
        "repositoryUrl": source,
        "iconUrl": "https://files.test/icon.png",
        "requireSetup": False,
    }
    return nodeinfo(name, version, path="/nodeinfo/2.1") | {"/api/meta": answer(meta | more)}


def pixelfed(
    name: str, version: str, source: str = "https://github.com/pixelfed/pixelfed"
) -> dict[str, Page]:
    shown = "Pixelfed" if name == "pixelfed" else name
    v2 = {
        "version": f"3.5.3 (compatible; {shown} {version})",
        "source_url": source,
    }
    return nodeinfo(name, version, path="/api/nodeinfo/2.0.json") | {
        "/api/v1/instance": v1(v2["version"], registrations=True, approval_required=True, rules=[{"id": "1", "text": "x"}]),
        "/api/v2/instance": answer(v2),
    }  # fmt: skip


def gotosocial(version: str, shown: str = "") -> dict[str, Page]:
    v2 = {
        "version": shown or version,
        "source_url": "https://codeberg.org/superseriousbusiness/gotosocial",
        "registrations": {"enabled": False, "approval_required": True},
        "contact": {"email": "", "account": None},
        "rules": [],
        "terms": "",
    }
    source = "https://codeberg.org/superseriousbusiness/gotosocial"
    return nodeinfo("gotosocial", version, path="/nodeinfo/2.1", repository=source) | {
        "/api/v1/instance": v1(shown or version, approval_required=True, email="", contact_account=None),
        "/api/v2/instance": answer(v2),
    }


def friendica(version: str) -> dict[str, Page]:
    shown = f"2.8.0 (compatible; Friendica {version})"
    more = {"registrations": True, "approval_required": True, "rules": [{"id": 1, "text": "Be kind"}]}
    return nodeinfo("friendica", version) | {"/api/v1/instance": v1(shown, **more)}


def lemmy(version: str, mode: str, *, api: str = "/api/v3/site", **more: Any) -> dict[str, Page]:
    local = {
        "registration_mode": mode,
        "captcha_enabled": True,
        "require_email_verification": True,
        "legal_information": "Our terms",
        "site_setup": True,
    }
    person = {"name": "boss", "actor_id": f"{HOST}/u/boss", "avatar": f"{HOST}/pictrs/image/a.webp"}
    site = {
        "version": version,
        "site_view": {"local_site": local | more, "site": {}},
        "admins": [{"person": person}],
    }
    return nodeinfo("lemmy", version, path="/nodeinfo/2.1") | {api: answer(site)}


def peertube(version: str) -> dict[str, Page]:
    config = {
        "serverVersion": version,
        "signup": {"allowed": True, "requiresApproval": True, "requiresEmailVerification": True},
    }
    about = {"instance": {
        "name": "Tube", "terms": "Our terms", "codeOfConduct": "Be kind",
        "avatars": [{"path": "/lazy-static/a.png", "fileUrl": f"{HOST}/lazy-static/avatars/a.png"}],
    }}  # fmt: skip
    return nodeinfo("peertube", version, path="/nodeinfo/2.0.json") | {
        "/api/v1/config": answer(config),
        "/api/v1/config/about": answer(about),
    }
