"""The read-only script that runs on a server, as it is delivered."""

from __future__ import annotations

import hashlib
from importlib.resources import files


def collector_script() -> str:
    """The script's text.  It needs no file on the server: `sh -s` takes it from its input."""
    return _raw().decode("utf-8")


def collector_sha256() -> str:
    """Its SHA-256 in hexadecimal, to compare with `sha256sum` of the installed file."""
    return hashlib.sha256(_raw()).hexdigest()


def _raw() -> bytes:
    return files("checks.probes").joinpath("collector.sh").read_bytes()
