#!/usr/bin/env python3
"""The command line of the dashboard."""

from __future__ import annotations

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")
    os.umask(0o077)
    try:
        from fedisec.console import run
    except ImportError as error:
        print(
            f"fedisec: {error.name} is not installed for this Python: run `make setup`,"
            " then .venv/bin/python manage.py",
            file=sys.stderr,
        )
        return 1
    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
