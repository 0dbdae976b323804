"""What is sealed opens for its own purpose and row, with the right file, and not otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from fedisec.lib import env, prepare
from fedisec.lib.secrets import CannotOpen, seal, unseal


def test_what_was_sealed_opens_again() -> None:
    sealed = seal("ssh key", "7", "the secret \N{KEY}")
    assert "secret" not in sealed
    assert unseal("ssh key", "7", sealed) == "the secret \N{KEY}"


@pytest.mark.parametrize(("purpose", "row"), [("ssh key", "8"), ("mail", "7"), ("ssh", "key 7")])
def test_a_text_of_another_row_or_purpose_does_not_open(purpose: str, row: str) -> None:
    sealed = seal("ssh key", "7", "x")
    with pytest.raises(CannotOpen, match="put back the key file"):
        unseal(purpose, row, sealed)


def test_a_changed_text_does_not_open() -> None:
    sealed = seal("ssh key", "7", "x")
    for broken in ("", "ü", sealed[:-4] + "AAA=", sealed[:40]):
        with pytest.raises(CannotOpen):
            unseal("ssh key", "7", broken)


def test_the_newest_key_seals_and_older_ones_open(key_file: Path) -> None:
    old = seal("ssh key", "7", "x")
    key_file.write_text(f"{'n' * 64}\n\n{'k' * 43}\n")
    assert unseal("ssh key", "7", old) == "x"
    new = seal("ssh key", "7", "y")
    key_file.write_text("n" * 64)
    assert unseal("ssh key", "7", new) == "y"
    with pytest.raises(CannotOpen):
        unseal("ssh key", "7", old)


@pytest.mark.parametrize("content", ["", "\n", "short", f"{'k' * 43}\nshort", "k" * 42 + " ", "é" * 50])
def test_a_file_without_keys_is_said(content: str, key_file: Path) -> None:
    key_file.write_text(content)
    with pytest.raises(CannotOpen, match="holds no keys: it needs one a line"):
        seal("ssh key", "7", "x")


def test_a_missing_file_is_said_with_its_cure(settings: Settings) -> None:
    settings.KEY_FILE = "/nowhere/keys"
    with pytest.raises(CannotOpen) as caught:
        seal("ssh key", "7", "x")
    assert str(caught.value) == (
        "cannot read the key file /nowhere/keys (No such file or directory): put it back from a backup, "
        "or name it with FEDISEC_KEY_FILE"
    )


def test_the_first_start_makes_a_file_that_stays(settings: Settings, tmp_path: Path) -> None:
    settings.DATA, settings.DATABASE_URL = tmp_path / "data", ""
    settings.KEY_FILE = str(tmp_path / "data" / env.KEY_FILE)
    prepare.make_key_file()
    made = Path(settings.KEY_FILE)
    first = made.read_text()
    assert made.stat().st_mode & 0o777 == 0o400
    assert [path.name for path in made.parent.iterdir()] == ["keys"]
    prepare.make_key_file()
    assert made.read_text() == first
    assert unseal("ssh key", "7", seal("ssh key", "7", "x")) == "x"


def test_no_file_is_made_where_several_machines_need_the_same(settings: Settings, tmp_path: Path) -> None:
    settings.DATA, settings.DATABASE_URL = tmp_path, "postgres://somewhere/x"
    settings.KEY_FILE = str(tmp_path / "nokeys")
    prepare.make_key_file()
    settings.DATABASE_URL = ""
    prepare.make_key_file()  # another file is named: the operator's business
    assert not Path(settings.KEY_FILE).exists()


def test_sources_are_what_sshd_takes() -> None:
    assert env.sources(" 192.0.2.7, 2001:DB8::/64 ,") == ("192.0.2.7", "2001:db8::/64")
    for wrong in ("192.0.2.7/24", "example.org", "1.2.3.4,x"):  # sshd refuses a key with bits behind the mask
        with pytest.raises(ValueError, match="."):
            env.sources(wrong)
