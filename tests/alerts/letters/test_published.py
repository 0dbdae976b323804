"""What others published in a week, in the digest."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from fedisec.alerts.letters.page import Points
from fedisec.alerts.letters.published import published

NEWS = {
    "warnings": 9,
    "titles": [
        {"": ["Redis の脆弱性", "https://jvndb.example/1"], "en": ["A flaw in Redis", "https://jvndb.example/en/1"]},
        {"": ["nginx の脆弱性", "javascript:alert(1)"]},
    ],
    "release": ["Mastodon", "4.7.3", "https://github.com/mastodon/mastodon/releases/tag/v4.7.3", True],
    "repairs": 2,
}  # fmt: skip


def test_release_repairs_and_warnings_stand_in_the_readers_language() -> None:
    with override("en"):
        (section,) = published(NEWS, "first.example")
    points, rest = section.blocks
    assert isinstance(points, Points)
    assert [(one.text, one.url.partition("://")[2]) for one in points.points][2:] == [
        ("A flaw in Redis", "jvndb.example/en/1"),
        ("nginx の脆弱性", ""),
    ]
    assert points.points[0].text == "Mastodon 4.7.3 is out (urgent)"
    assert points.points[1].text == "Updates of installed packages repair 2 known flaws"
    assert points.points[1].url.endswith("/instances/first.example/news/") and "7 " in str(rest)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"titles": 5}, {"titles": [None, {"": 3}, {"": ["x"]}]}, {"release": "x", "repairs": "2"},
     {"release": [1, 2]}, {"warnings": 3}],
)  # fmt: skip
def test_nothing_that_can_be_said_is_nothing(data: Any) -> None:
    assert published(data, "first.example") == []
