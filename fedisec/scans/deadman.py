"""A sign of life to somebody else's watch (healthchecks and its like), who calls when it does not come."""

from __future__ import annotations

import logging
import threading
import time
from urllib.parse import urlsplit

from django.conf import settings

from checks.errors import ProbeError
from checks.probes.http_dial import WEB_PORTS
from fedisec.lib import fetch

log = logging.getLogger(__name__)

EVERY_S = 60.0
WITHIN_S = 10.0


class DeadMan:
    """To be told of each round of the clock that went well; the sign is given by a thread, at most once a
    minute, so that no answer delays the clock."""

    def __init__(self) -> None:
        self._next = 0.0
        self._thread: threading.Thread | None = None
        self._heard = True

    def alive(self) -> None:
        """Never blocks, never raises."""
        if not settings.DEADMAN_URL or time.monotonic() < self._next:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._next = time.monotonic() + EVERY_S
        self._thread = threading.Thread(target=self._give_sign, name="sign of life", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits for the sign that is on its way."""
        if self._thread is not None:
            self._thread.join()

    def _give_sign(self) -> None:
        """The address is a secret of sorts: whoever knows it can give the sign in our place."""
        url = settings.DEADMAN_URL
        try:
            ports = frozenset({urlsplit(url).port or 443, *WEB_PORTS})  # the operator chose it
            status = fetch.request("GET", url, deadline_s=WITHIN_S, limit=4096, cut=True, ports=ports).status
            problem = "" if 200 <= status < 300 else f"status {status}"
        except ProbeError as error:
            problem = error.reason.value
        if problem and self._heard:
            log.warning("the sign of life to FEDISEC_DEADMAN_URL was not taken: %s", problem)
        elif not problem and not self._heard:
            log.warning("the sign of life to FEDISEC_DEADMAN_URL is taken again")
        self._heard = not problem
