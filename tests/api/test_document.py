"""The OpenAPI document: current, valid, and kept by the application against whatever schemathesis makes up from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fedisec.api.gate import DOCUMENT


def test_the_kept_document_is_current() -> None:
    from fedisec.api.v1.document import document

    assert json.loads(DOCUMENT.read_text()) == document(), "run manage.py openapi"


def test_it_is_for_everybody(client: Any) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"] == "3.1.0"
    assert client.get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.post("/api/v1/openapi.json").status_code == 405


def test_nothing_of_it_is_in_memory_before_it_is_asked_for() -> None:
    """Workers make links for mails, and so load every address."""
    code = (
        "import django, sys; django.setup()\n"
        "from django.urls import reverse; reverse('overview'); reverse('tokens')\n"
        "import fedisec.celery, fedisec.api.gate\n"
        "print(sorted({'ninja', 'pydantic', 'pydantic_core', 'prometheus_client'} & set(sys.modules)))"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, timeout=60
    )
    assert (said.stdout.strip(), said.returncode) == ("[]", 0), said.stderr[-2000:]
