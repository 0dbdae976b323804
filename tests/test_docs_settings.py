"""docs/settings.md names every variable that the settings read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READS = re.compile(r'\b(?:text|flag|number|words|parsed)\(\s*"([A-Z_]+)"')
# Read by tests and tools, or set by `up` for its own children.
NOT_FOR_OPERATORS = {"FEDISEC_LISTEN_FD"}


def test_the_settings_page_is_complete() -> None:
    used = set()
    for path in (ROOT / "fedisec").rglob("*.py"):
        used |= set(READS.findall(path.read_text()))
    page = (ROOT / "docs" / "settings.md").read_text()
    named = set()
    for line in page.splitlines():
        if line.startswith("| `"):
            named |= set(re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1]))
    assert used - NOT_FOR_OPERATORS == named
