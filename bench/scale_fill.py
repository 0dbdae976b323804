"""Runs inside the settings of a benchmark: `python -m bench.scale_fill NUMBER DOMAIN INTERVAL`.

So many teams, each with an instance of the domain that is due now; an interval of 0 is a day.
"""

from __future__ import annotations

import sys

import django


def main(number: int, domain: str, interval_s: int) -> None:
    django.setup()
    from django.utils import timezone

    from fedisec.instances.models import Instance
    from tests.factories import a_user, an_instance

    now = timezone.now()
    for count in range(number):
        instance = an_instance(a_user(email=f"person{count}@example.org"), domain=domain)
        Instance.objects.filter(pk=instance.pk).update(next_scan_at=now, interval_s=interval_s or 86_400)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
