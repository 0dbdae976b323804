"""Signing in by an OpenID provider: who has an account, by a verified address, and nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fedisec.lib import env

LOGIN = "/account/login/"


def test_who_gets_in_by_a_provider(tmp_path: Path) -> None:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("FEDISEC_", "DJANGO_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.accounts.signin.oidc_child"],
        env={**clean, "FEDISEC_DATA": str(tmp_path), "FEDISEC_URL": "http://testserver"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "page": "True",
        "known": "in",
        "unverified": LOGIN,
        "verified as a word": LOGIN,
        "no address": LOGIN,
        "stranger": LOGIN,
        "another state": LOGIN,
        "discovery": LOGIN,
        "token": LOGIN,
        "audience": LOGIN,
        "second factor": "/account/2fa/authenticate/",
        "switched off": LOGIN,
        "away": LOGIN,
        "accounts": "1",
    }


@pytest.mark.parametrize("wrong", ["http://id.example", "ftp://id.example", "id.example", "https://"])
def test_a_provider_in_clear_text_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        env.issuer(wrong)


def test_one_on_this_machine_may_be() -> None:
    assert env.issuer("http://127.0.0.1:8080/realms/x/") == "http://127.0.0.1:8080/realms/x"
    assert env.issuer("") == ""
