"""The Celery application.  The broker is only a doorbell: what is to be done stands in the database."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_init

from fedisec.lib.limits import work_behind_pages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")

app = Celery("fedisec")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _begin(**_: Any) -> None:
    work_behind_pages()  # the children of the pool inherit it


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


app.steps["worker"].add(MindSchema)
