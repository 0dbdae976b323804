"""The Celery application.  The broker is only a doorbell: what is to be done stands in the database."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")

app = Celery("fedisec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
