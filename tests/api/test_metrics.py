"""Figures for Prometheus: right, only what the token's person sees, and all that the dashboard and the rules ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from fedisec.accounts.models import User
from fedisec.alerts.models import Delivery
from fedisec.api import metrics
from fedisec.checklist import daily
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState, Pulse, Scan
from fedisec.watch.models import Source
from tests.api.conftest import MakeProgram, Program
from tests.factories import an_instance

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
DASHBOARD, RULES = ROOT / "deploy" / "grafana-dashboard.json", ROOT / "deploy" / "prometheus-rules.yml"
# Of Prometheus itself, and functions and words of its language.
NAME = re.compile(r"\bfedisec_[a-z_]+\b")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    metrics._kept.clear()


@pytest.fixture
def meter(ann: User, program_of: MakeProgram) -> Program:
    return program_of(ann, ("metrics",), days=None)


@pytest.fixture
def operators_meter(ann: User, meter: Program) -> Program:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    return meter


def families(program: Program) -> dict[str, Metric]:
    answer = program.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    return {one.name: one for one in text_string_to_metric_families(answer.content.decode())}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    (one,) = [s.value for s in found[name].samples if labels.items() <= s.labels.items()]
    return one


def test_where_each_server_stands(meter: Program, instance: Instance) -> None:
    now = timezone.now().replace(microsecond=0)
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now - timedelta(hours=1))
    Scan.objects.create(instance=instance, state="done", reason="item", only=["x.y"], finished_at=now)
    ItemState.objects.create(instance=instance, item_id="mail.spf", status="fail", since=now, seen_at=now)
    ItemState.objects.create(
        instance=instance, item_id="tls.certificate_valid", status="pass", since=now, seen_at=now
    )
    daily.note(instance, now)
    an_instance()
    found = families(meter)
    mine = {"domain": "social.example", "team": str(instance.team_id)}
    assert [s.labels for s in found["fedisec_required_not_met"].samples] == [mine]
    assert value(found, "fedisec_required_not_met", **mine) == 1
    assert value(found, "fedisec_items_met", level="required", **mine) == 1
    assert value(found, "fedisec_items_applicable", level="required", **mine) > 10
    assert (
        value(found, "fedisec_last_scan_timestamp_seconds", **mine) == (now - timedelta(hours=1)).timestamp()
    )
    assert (value(found, "fedisec_unreachable", **mine), value(found, "fedisec_paused", **mine)) == (0, 0)
    assert value(found, "fedisec_instances") == 1


def test_how_the_installation_does_is_the_operators_alone(operators_meter: Program, ann: User) -> None:
    found = families(operators_meter)
    assert {"fedisec_scans", "fedisec_deliveries"} <= set(found)
    User.objects.filter(pk=ann.pk).update(is_superuser=False)
    metrics._kept.clear()
    assert not {"fedisec_scans", "fedisec_deliveries", "fedisec_feed_failures"} & set(
        families(operators_meter)
    )


def test_how_the_installation_does(operators_meter: Program, instance: Instance, ann: User) -> None:
    fill(instance, ann)
    found = families(operators_meter)
    assert [value(found, "fedisec_scans", state=s) for s in ("queued", "due", "running")] == [1, 1, 0]
    assert 600 <= value(found, "fedisec_scan_wait_seconds") < 700
    assert value(found, "fedisec_last_scan_failed") == 1
    assert value(found, "fedisec_deliveries", state="failed") == 1
    assert value(found, "fedisec_feed_failures", feed="w") == 2
    assert timezone.now().timestamp() - value(found, "fedisec_clock_timestamp_seconds") < 60
    assert value(found, "fedisec_build_info") == 1


def fill(instance: Instance, ann: User) -> None:
    """One of each thing that is counted."""
    now = timezone.now()
    Scan.objects.create(instance=instance, state="done", reason="first", finished_at=now)
    Scan.objects.create(instance=instance, state="failed", reason="manual", finished_at=now)
    Scan.objects.create(instance=instance, reason="manual", due_at=now - timedelta(minutes=10))
    Delivery.objects.create(kind="regression", about="x", user=ann, message_id="<1@x>", state="failed")
    Source.objects.filter(enabled=True).update(enabled=False)
    Source.objects.create(slug="w", kind="warnings", title="W", failures=2, last_ok_at=now, next_fetch_at=now)
    Pulse.objects.create(boot="b", at=now, uptime_s=1)


def test_no_other_token_reads_them(program: Program) -> None:
    assert program.get("/metrics").status_code == 403
    assert program.ask("POST", "/metrics").status_code == 405
    assert program.ask("GET", "/metrics", token="").status_code == 401


def test_two_who_ask_cost_one_count(
    meter: Program, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = families(meter)
    Instance.objects.update(paused=True)
    assert value(families(meter), "fedisec_paused") == value(before, "fedisec_paused")
    monkeypatch.setattr(metrics, "KEPT_S", 0)
    assert value(families(meter), "fedisec_paused") == 1


def test_the_queries_do_not_grow_with_the_servers(operators_meter: Program, instance: Instance) -> None:
    def queries() -> int:
        metrics._kept.clear()
        with CaptureQueriesContext(connection) as found:
            operators_meter.get("/metrics")
        return len(found)

    queries()
    few = queries()
    for number in range(5):
        daily.note(Instance.objects.create(team=instance.team, domain=f"more{number}.example"))
    assert queries() == few


def test_a_label_holds_whatever_a_name_may_be(meter: Program, instance: Instance) -> None:
    Instance.objects.update(domain='a"b\\c\nd.example')
    assert value(families(meter), "fedisec_paused", domain='a"b\\c\nd.example') == 0


def queries_of_the_dashboard(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        if isinstance(node.get("query"), str):
            yield node["query"]
        for part in node.values():
            yield from queries_of_the_dashboard(part)
    elif isinstance(node, list):
        for part in node:
            yield from queries_of_the_dashboard(part)


def test_dashboard_and_rules_ask_for_what_there_is(
    operators_meter: Program, instance: Instance, ann: User
) -> None:
    fill(instance, ann)
    daily.note(instance)
    there = {sample.name for one in families(operators_meter).values() for sample in one.samples}
    shown = [q for q in queries_of_the_dashboard(json.loads(DASHBOARD.read_text())) if q != "prometheus"]
    rules = [rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    for asked in (shown, rules):
        named = {name for query in asked for name in NAME.findall(query)}
        assert named and named <= there, named - there
    assert {name for query in shown for name in NAME.findall(query)} == there, "what nobody sees"


def test_rules_say_what_to_do(operators_meter: Program) -> None:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"]["summary"]
