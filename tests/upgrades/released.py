"""Every schema that somebody may have, and how a database of it is filled.

A schema is the last migration of each app.  Until there is a release they are stations of the main branch; with a
release comes one more line, named by its version: a test compares them with CHANGELOG.md.  What is filled is what the
models of that version, as the migrations know them, can hold; see tests/faults/upgrade.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.faults.upgrade import SCHEMAS as STATIONS

ROOT = Path(__file__).resolve().parents[2]
_RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", re.MULTILINE)

SCHEMAS: Mapping[str, Mapping[str, str]] = STATIONS


def releases() -> list[str]:
    """The versions that are released, by the headings of CHANGELOG.md; "(unreleased)" is none."""
    return _RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
