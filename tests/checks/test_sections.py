"""The words for the collector's sections."""

from __future__ import annotations

import re

from checks.model import Text
from checks.probes.collector import collector_script
from checks.sections import SECTIONS, describe


def test_every_section_has_its_words_and_no_other() -> None:
    listed = re.search(r"SECTIONS='([^']*)'", collector_script())
    assert listed and set(SECTIONS) == set(listed[1].split())


def test_they_are_short_and_told_apart() -> None:
    for language in ("en", "ja"):
        words = [text.filled(language, {}) for text in SECTIONS.values()]
        assert len(set(words)) == len(words)
        assert all(0 < len(each) <= 45 and not each.endswith((".", "。")) for each in words)


def test_an_unknown_section_keeps_its_name() -> None:
    assert describe("sockets") is SECTIONS["sockets"]
    assert describe("brand_new") == Text("brand_new", "brand_new")
