"""Whatever schemathesis makes up from the document, every answer is one that it announces, and none is a 5xx."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from schemathesis import checks as known
from schemathesis.specs.openapi import checks as specific

from fedisec.api.gate import DOCUMENT
from fedisec.instances.models import Instance
from fedisec.scans.models import Scan
from tests.api.conftest import Program
from tests.share.conftest import furnish

# Of each operation; FEDISEC_API_TRIES=500 looks longer.
TRIES = int(os.environ.get("FEDISEC_API_TRIES", "10"))
CHECKS: list[Any] = [
    known.not_a_server_error,
    specific.status_code_conformance,
    specific.content_type_conformance,
    specific.response_headers_conformance,
    specific.response_schema_conformance,
]
ITEMS = ("data.restore_tested", "http.hsts", "mail.spf")
SCHEMA = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}  # type: ignore[union-attr]  # all are


@pytest.fixture
def there(
    program: Program, instance: Instance, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[dict[str, int]]:
    """What is there to be asked for; the requests of a test share its connection, as with Django's own client."""
    settings.API_RATE = 10**9
    monkeypatch.setattr("fedisec.scans.keeping.refusal", lambda domain: "")
    assert instance.created_by is not None
    furnish(instance, instance.created_by)
    scan = Scan.objects.create(
        instance=instance,
        state="done",
        reason="first",
        finished_at=timezone.now(),
        counts={"required": {"pass": 1}},
    )
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"instance": instance.pk, "scan": scan.pk}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("label", list(OPERATIONS))
def test_the_document_holds(label: str, program: Program, there: dict[str, int]) -> None:
    operation = OPERATIONS[label]
    application = get_wsgi_application()
    asked = 0

    @given(case=operation.as_strategy())
    @hypothesis_settings(
        max_examples=TRIES,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        derandomize="FEDISEC_API_TRIES" not in os.environ,
    )
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        # Mostly something that is there: nearly all that could be made up is not.
        if asked % 4:
            case.path_parameters.update({k: v for k, v in there.items() if k in case.path_parameters})
            if "item_id" in case.path_parameters:
                case.path_parameters["item_id"] = ITEMS[asked % len(ITEMS)]
        answer = case.call(app=application, headers={"Authorization": f"Bearer {program.token}"})
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert asked >= min(TRIES, 1)
