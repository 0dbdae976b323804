"""A fedisec that knows an OpenID provider, in a process of its own, as apps are chosen when it starts; and the
provider, a real one on loopback.  Prints what became of each sign-in as JSON."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt


class Provider(BaseHTTPRequestHandler):
    """Knows one person at a time, and checks the client, its secret and PKCE's verifier."""

    person: dict[str, Any] = {}
    asked: dict[str, str] = {}
    breaks = ""

    def log_message(self, *args: Any) -> None:
        pass

    def _say(self, status: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if self.path.startswith("/.well-known/"):
            if self.breaks == "discovery":
                return self._say(200, b"<html>")
            return self._say(200, {
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token", "userinfo_endpoint": f"{ISSUER}/userinfo",
                "jwks_uri": f"{ISSUER}/keys", "token_endpoint_auth_methods_supported": ["client_secret_post"],
            })  # fmt: skip
        return self._say(200, self.person)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = (
            sent["client_secret"] == ["a-secret"] and sent["code"] == ["a-code"] and "code_verifier" in sent
        )
        if self.breaks == "token" or not right:
            return self._say(400, {"error": "invalid_grant"})
        now = int(time.time())
        audience = "somebody-else" if self.breaks == "audience" else "fedisec"
        claims = {**self.person, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + 60}
        token = jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": "1"})
        return self._say(200, {"access_token": "x", "token_type": "Bearer", "id_token": token})


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
ISSUER = f"http://127.0.0.1:{SERVER.server_port}"


def main() -> None:
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.settings", "FEDISEC_OIDC_ISSUER": ISSUER,
        "FEDISEC_OIDC_CLIENT_ID": "fedisec", "FEDISEC_OIDC_CLIENT_SECRET": "a-secret",
    }  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    setup_test_environment()
    call_command("migrate", verbosity=0)
    print(json.dumps(outcomes()))
    sys.stdout.flush()


def outcomes() -> dict[str, str]:
    from allauth.mfa.models import Authenticator

    from fedisec.accounts.models import User
    from tests.factories import a_user

    ann = a_user(email="ann@example.org", password="a sentence nobody guesses")
    found = {"page": _page()}
    known = {"sub": "1", "email": "Ann@example.org", "email_verified": True}
    found["known"] = sign_in(known)
    found["unverified"] = sign_in({**known, "email_verified": False})
    found["verified as a word"] = sign_in({**known, "email_verified": "true"})
    found["no address"] = sign_in({"sub": "1"})
    found["stranger"] = sign_in({"sub": "2", "email": "stranger@example.org", "email_verified": True})
    found["another state"] = sign_in(known, state="made-up")
    for breaks in ("discovery", "token", "audience"):
        found[breaks] = sign_in(known, breaks=breaks)
    Authenticator.objects.create(user=ann, type="webauthn", data={"name": "x", "credential": {}})
    found["second factor"] = sign_in(known)
    ann.is_active = False
    ann.save()
    found["switched off"] = sign_in(known)
    SERVER.shutdown()
    SERVER.server_close()
    found["away"] = sign_in(known)
    found["accounts"] = str(User.objects.count())
    return found


def _page() -> str:
    from django.test import Client

    return str("/account/oidc/sign-in/" in Client().get("/account/login/").content.decode())


def sign_in(person: dict[str, Any], state: str = "", breaks: str = "") -> str:
    """Where somebody is who went there and back: "in", or the page he was led to."""
    from django.test import Client

    Provider.person, Provider.breaks = person, breaks
    client = Client()
    away = client.get("/account/oidc/sign-in/")
    if not away["Location"].startswith(ISSUER):
        return str(away["Location"])
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert asked["redirect_uri"] == ["http://testserver/account/oidc/sign-in/callback/"], asked
    assert asked["code_challenge_method"] == ["S256"]
    back = {"code": "a-code", "state": state or asked["state"][0]}
    answer = client.get("/account/oidc/sign-in/callback/", back)
    return "in" if client.get("/account/profile/").status_code == 200 else str(answer["Location"])


if __name__ == "__main__":
    main()
