"""The doorbell: tells a Celery worker to look into the database.  It may fail, and nothing is lost."""

from __future__ import annotations

import logging
from typing import Any, cast

import redis.exceptions
from celery import current_app
from django.conf import settings
from kombu.exceptions import ChannelError, KombuError

log = logging.getLogger(__name__)

RUN_SCAN, SEND_MAIL = "fedisec.run_scan", "fedisec.send_mail"  # names of the tasks
# What logs in to servers or to a relay needs the key file; a worker of the queue "outside" alone does not.
OUTSIDE_QUEUE, INSIDE_QUEUE, MAIL_QUEUE = "outside", "inside", "mail"
EXPIRES_S = 600  # an old ring wakes nobody; the clock rings again


def unheard(queue: str) -> int | None:
    """How many rings wait in the broker; None where it does not answer."""
    try:
        with current_app.connection_for_write() as connection, connection.channel() as channel:
            return int(cast(Any, channel).queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return 0  # an empty queue does not exist
    except (KombuError, redis.exceptions.RedisError, OSError):
        return None


def ring(task: str, pk: int, *, queue: str) -> bool:
    """Rings once, without retry; False where there is no broker, or it did not answer."""
    if not settings.REDIS_URL:
        return False
    try:
        current_app.send_task(task, args=(pk,), queue=queue, retry=False, expires=EXPIRES_S)
    except (KombuError, redis.exceptions.RedisError, OSError) as error:
        log.warning("the broker was not reached (%s); the job waits in the database", type(error).__name__)
        return False
    return True
