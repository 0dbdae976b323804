"""The root's keys: shipped, or from the operator's file; a file without them is said at the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from checks.cli import main
from checks.data.dns import root_anchors
from checks.parse.dnssec import parse_anchors
from fedisec.lib.vantage import vantage
from tests.checks.dns.signing import Key


def test_both_keys_of_the_root_are_shipped() -> None:
    """KSK-2017 and KSK-2024, which took over on 2026-10-11."""
    assert [ds.key_tag for ds in parse_anchors("\n".join(root_anchors()))] == [20326, 38696]
    assert vantage().anchors == root_anchors()


def test_the_setting_reaches_the_scan(settings: Settings, tmp_path: Path) -> None:
    file, ds = tmp_path / "root.key", Key().ds(".")
    file.write_text(f"; ours\n. IN DS {ds.to_text()}\n")
    settings.DNSSEC_ANCHOR = str(file)
    assert parse_anchors("\n".join(vantage().anchors)) == (ds,)


@pytest.mark.parametrize("content", [None, "", "test. IN DS 1 2 3 00", ". IN DS x", "caf\u00e9"])
def test_a_file_without_keys_stops_the_start(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "root.key"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    settings.DNSSEC_ANCHOR = str(file)
    with pytest.raises(ImproperlyConfigured, match="FEDISEC_DNSSEC_ANCHOR"):
        vantage()
    assert main(["scan", "a.test", "--dnssec-anchor", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
