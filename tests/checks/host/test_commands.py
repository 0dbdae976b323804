"""The commands that the items on host, systemd, SSH, firewall and edge tell an admin to paste."""

from __future__ import annotations

import subprocess

import pytest

from checks.items import all_items
from checks.model import Item
from tests.checks.test_texts import commands

MINE = [i for i in all_items().values() if i.topic in {"host", "systemd", "ssh", "firewall", "edge"}]


@pytest.mark.parametrize("item", MINE, ids=lambda item: item.id)
def test_what_verifies_is_shell(item: Item) -> None:
    script = "\n".join(commands(item.verify.en))
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_who_helps_debian_helps_the_rhel_family() -> None:
    for item in MINE:
        tabs = [name for name, _ in item.fix.variants]
        if any(name.startswith("Debian") for name in tabs):
            assert any(name.startswith("RHEL") for name in tabs), item.id


@pytest.mark.parametrize("item", [i for i in MINE if i.topic == "systemd"], ids=lambda item: item.id)
def test_a_unit_is_changed_by_a_drop_in_and_read_from_the_manager(item: Item) -> None:
    assert "systemctl edit UNIT" in item.fix.text.en
    assert "systemctl show UNIT -p " in item.verify.en
