"""What `manage.py` and the program `fedisec` begin with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from fedisec.lib import env


def run(arguments: Sequence[str]) -> int:
    """One management command; what cannot start is said in one line.  Returns the exit code."""
    try:
        env.prepare(Path(__file__).resolve().parent.parent)
        execute_from_command_line(list(arguments))
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sys.stderr.write(f"fedisec: {said}\n")
        return 1
    except ImproperlyConfigured as error:
        sys.stderr.write(f"fedisec: {error}\n")
        return 1
    return 0


def main() -> int:
    """`fedisec COMMAND …`, the same as `manage.py fedisec COMMAND …`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")
    os.umask(0o077)
    return run(["fedisec", "fedisec", *sys.argv[1:]])
