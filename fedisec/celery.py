"""The Celery application.  The broker is only a doorbell: what is to be done stands in the database."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_init

from fedisec.lib.limits import work_behind_pages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")

app = Celery("fedisec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_configure.connect
def _refuse(**_: Any) -> None:
    """Settings that do not parse end a worker with the sentence that `manage.py` says, and no traceback."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        settings.SECRET_KEY  # noqa: B018
    except ImproperlyConfigured as error:
        sys.exit(f"fedisec: {error}")


@worker_init.connect
def _begin(**_: Any) -> None:
    work_behind_pages()  # the children of the pool inherit it


class MindKeys(bootsteps.StartStopStep):
    """A worker starts with the key file of its database alone.  Who takes nothing but looks from outside
    opens no secret, and does without."""

    requires = ("celery.worker.components:Timer",)

    _entry: Any = None

    def create(self, worker: Any) -> Any:
        from fedisec.lib.canary import KeyWatch
        from fedisec.scans.bell import OUTSIDE_QUEUE

        self._watch = KeyWatch(may_lack=set(worker.app.amqp.queues.consume_from) == {OUTSIDE_QUEUE})
        self._look()
        return self

    def start(self, worker: Any) -> None:
        from fedisec.lib.schema import EVERY_S

        self._entry = worker.timer.call_repeatedly(EVERY_S, self._look)

    def stop(self, worker: Any) -> None:
        self._entry.cancel()

    def _look(self) -> None:
        from celery.worker import state
        from django.db import Error, connection

        from fedisec.lib.listen import CannotStart

        try:
            self._watch.mind()
        except CannotStart as error:
            sys.stderr.write(f"fedisec: {error}\n")
            if self._entry is None:
                sys.exit(1)  # nothing has begun yet
            state.should_stop = 1  # type: ignore[assignment]  # None or an exit code
        except Error:
            return  # away for now; the tasks say so
        finally:
            connection.close()


class MindSchema(bootsteps.StartStopStep):
    """The main process of a worker looks whether the database became newer than its code; then it ends what
    is under way and stops (a warm shutdown)."""

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        from fedisec.lib.schema import EVERY_S, SchemaWatch

        self._watch = SchemaWatch()
        self._look()
        self._entry = worker.timer.call_repeatedly(EVERY_S, self._look)

    def stop(self, worker: Any) -> None:
        self._entry.cancel()

    def _look(self) -> None:
        from celery.worker import state
        from django.db import Error, connection

        from fedisec.lib.schema import GAVE_WAY, say

        try:
            step = self._watch.newer()
        except Error:
            return  # away for now; the tasks say so
        finally:
            connection.close()
        if step and not state.should_stop:
            say(step)
            state.should_stop = GAVE_WAY  # type: ignore[assignment]  # None or an exit code


app.steps["worker"].add(MindKeys)
app.steps["worker"].add(MindSchema)
