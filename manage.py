#!/usr/bin/env python3
"""The command line of the dashboard."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")
    os.umask(0o077)
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from fedisec.lib import env
    except ImportError as error:
        print(
            f"fedisec: {error.name} is not installed for this Python: run `make setup`,"
            " then .venv/bin/python manage.py",
            file=sys.stderr,
        )
        return 1
    try:
        env.prepare(Path(__file__).resolve().parent)
        execute_from_command_line(sys.argv)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"fedisec: {said}", file=sys.stderr)
        return 1
    except ImproperlyConfigured as error:
        print(f"fedisec: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
