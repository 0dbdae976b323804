"""Two people who send their answers in the same moment, each with a connection of their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from fedisec.accounts.models import AuditEvent, User
from fedisec.checklist.models import Attestation
from fedisec.instances.models import Instance
from tests.dashboard.test_answers import ANSWER, ITEM, make_editor


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_in_one_moment_one_stands_and_one_is_told(
    as_alice: Client, as_bob: Client, instance: Instance, bob: User
) -> None:
    make_editor(bob, instance)
    for round_ in range(3):
        live = Attestation.objects.filter(ended_at=None).values_list("pk", flat=True)
        basis = f"{live.first() or 0}.0"
        start = threading.Barrier(2)

        def send(client: Client, met: str, basis: str = basis, start: threading.Barrier = start) -> int:
            start.wait(10)
            try:
                return client.post(f"{ITEM}answer/", ANSWER | {"met": met, "basis": basis}).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as people:
            answers = [people.submit(send, as_alice, "yes"), people.submit(send, as_bob, "no")]
            assert sorted(answer.result(30) for answer in answers) == [302, 422]
        assert Attestation.objects.filter(ended_at=None).count() == 1
        assert Attestation.objects.count() == AuditEvent.objects.count() == round_ + 1
