"""Jobs of this app, for Celery workers and for `manage.py runner` alike."""

from __future__ import annotations

from celery import shared_task

from fedisec.alerts.send import send_mail
from fedisec.scans.bell import SEND_MAIL


@shared_task(name=SEND_MAIL)
def send(delivery_id: int) -> None:
    send_mail(delivery_id)
