"""Rings for every scan that is due: what the clock does, in settings under test."""

from __future__ import annotations

import django

if __name__ == "__main__":
    django.setup()
    from fedisec.scans.models import Scan
    from fedisec.scans.queue import ring_scans

    ring_scans(Scan.objects.filter(state="queued"))
