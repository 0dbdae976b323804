"""Jobs of this app, for Celery workers and for `manage.py runner` alike."""

from __future__ import annotations

from celery import shared_task

from fedisec.watch.fetching import FETCH_FEED, fetch_source


@shared_task(name=FETCH_FEED)
def fetch(source_id: int) -> None:
    fetch_source(source_id)
