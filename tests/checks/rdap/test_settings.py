"""A list of services that cannot be read is said at the start, not in a scan."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from checks.cli import main
from fedisec.lib.vantage import vantage


def test_the_setting_reaches_the_scan(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "dns.json"
    file.write_text('{"services": []}')
    settings.RDAP_BOOTSTRAP = str(file)
    assert vantage().rdap_bootstrap == str(file)


@pytest.mark.parametrize("content", [None, "", "[]", '{"services": 7}'])
def test_a_broken_list_stops_the_start(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "dns.json"
    if content is not None:
        file.write_text(content)
    settings.RDAP_BOOTSTRAP = str(file)
    with pytest.raises(ImproperlyConfigured, match="FEDISEC_RDAP_BOOTSTRAP"):
        vantage()
    assert main(["scan", "a.test", "--rdap-bootstrap", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
