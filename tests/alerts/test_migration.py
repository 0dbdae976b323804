"""Mails of before 0002 keep what they are about."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.factories import a_running_scan, an_instance


@pytest.mark.django_db(transaction=True)
def test_old_mails_are_about_their_scan() -> None:
    instance = an_instance()
    scan = a_running_scan(instance)
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    try:
        old = executor.migrate([("alerts", "0001_initial")]).apps.get_model("alerts", "Delivery")
        old.objects.create(
            instance_id=instance.pk, scan_id=scan.pk, user_id=instance.created_by_id, message_id="<scan-1@x>",
            next_try_at=timezone.now(),
        )  # fmt: skip
    finally:
        executor = MigrationExecutor(connection)
        new = executor.migrate(newest).apps.get_model("alerts", "Delivery")
    mail = new.objects.get()
    assert (mail.kind, mail.about, mail.message_id) == ("regression", str(scan.pk), "<scan-1@x>")
