"""docs/api.md: its examples work as they stand there, and every cause has its line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from fedisec.api import tokens
from fedisec.api.problems import TITLES
from fedisec.checklist import daily
from fedisec.scans.models import ItemState, Scan
from tests.api.conftest import ALL, with_factor
from tests.factories import a_user, an_instance

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BLOCKS = re.findall(r"^```(sh|json)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)


def test_every_cause_has_its_line() -> None:
    assert set(re.findall(r'<a id="(\w+)"></a>`\w+`', PAGE.read_text())) == set(TITLES)


def lacks(shown: Any, given: Any, where: str = "") -> list[str]:
    """What the example has and the answer has not; values may differ, names and kinds may not."""
    if isinstance(shown, dict):
        if not isinstance(given, dict):
            return [where]
        found = [f"{where}.{name}" for name in shown if name not in given]
        return found + [
            x for name in set(shown) & set(given) for x in lacks(shown[name], given[name], f"{where}.{name}")
        ]
    if isinstance(shown, list):
        if not isinstance(given, list) or bool(shown) > bool(given):
            return [where]
        return lacks(shown[0], given[0], f"{where}[]") if shown else []
    return [] if type(shown) is type(given) or shown is None or given is None else [where]


def test_the_comparison_sees_what_is_missing() -> None:
    assert lacks({"a": [{"b": 1}]}, {"a": [{"b": 2, "c": 3}]}) == []
    assert lacks({"a": [{"b": 1}]}, {"a": [{"c": 3}]}) == [".a[].b"]
    assert lacks({"a": "x"}, {"a": 1}) == [".a"]
    assert lacks({"a": [1]}, {"a": []}) == [".a"]


@pytest.mark.django_db(transaction=True)
def test_the_examples_work(live_server: LiveServer) -> None:
    curl = shutil.which("curl")
    assert curl, "the examples are for curl"
    person = with_factor(a_user(email="ann@example.org"))
    instance, now = an_instance(person, domain="social.example"), timezone.now()
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    ItemState.objects.create(
        instance=instance, item_id="mail.spf", status="fail", code="open_end", since=now, seen_at=now,
        evidence=[["TXT social.example", "v=spf1 mx"]],
    )  # fmt: skip
    daily.note(instance, now)
    env = {
        "PATH": os.environ["PATH"],
        "FEDISEC": live_server.url,
        "INSTANCE": str(instance.pk),
        "TOKEN": tokens.make(person, "an example", ALL, None, 90),
        "METRICS_TOKEN": tokens.make(person, "prometheus", ("metrics",), None, None),
    }
    said = ""
    for kind, text in BLOCKS:
        if kind == "sh":
            ran = subprocess.run(["sh", "-euc", text], env=env, capture_output=True, text=True, timeout=30)
            assert ran.returncode == 0, f"{text}\n{ran.stderr}"
            said = ran.stdout
        elif '"cause"' not in text:
            assert lacks(json.loads(text), json.loads(said)) == [], said[:2000]
