"""Every command of docs/backup.md does what stands beside it, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.moving.test_backup import fails
from tests.moving.test_round import PHRASE, passphrase_file, told
from tests.running.conftest import MakeWorld
from tests.running.world import ROOT, World

PREFIX = ".venv/bin/python manage.py "
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(page: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]


def test_both_languages_have_the_same_commands() -> None:
    assert commands("backup.md") == commands("backup.ja.md")
    assert [line.split()[0] for line in commands("backup.md")] == [
        "backup", "restore", "forget_secrets", "export", "import",
    ]  # fmt: skip


@pytest.mark.wide
@pytest.mark.timeout(240)
def test_the_page_from_its_first_line_to_its_last(make_world: MakeWorld, tmp_path: Path) -> None:
    old, new = make_world("embedded", begin="prepared"), make_world("grown", begin="prepared")
    old.module("tests.secrets.planted")
    for name in ("fedisec-backups", "fedisec-keys"):
        (tmp_path / name).mkdir()
    backup, restore, forget, export, import_ = commands("backup.md")

    def run(world: World, line: str, *more: str) -> dict[str, object]:
        line = line.replace("/srv/", f"{tmp_path}/").replace("fedisec.export", f"{tmp_path}/fedisec.export")
        return told(world.manage(*shlex.split(line), *more))

    said = run(old, backup)
    assert Path(str(said["keys"])).read_text().strip() == (old.data / "keys").read_text().strip()
    named = re.sub(r"fedisec-\d+T\d+Z\.sqlite3", Path(str(said["file"])).name, restore)
    assert named != restore
    assert run(old, named)["trouble"] == ""
    assert "nobody is there to ask" not in old.manage(*forget.split())  # everything opens
    phrase = ("--passphrase-file", passphrase_file(tmp_path))
    assert len(PHRASE) >= 12
    rows = run(old, export, *phrase)["rows"]
    assert run(new, import_, *phrase)["rows"] == rows
    assert "in use" in fails(
        new, *shlex.split(import_.replace("fedisec.export", f"{tmp_path}/fedisec.export")), *phrase
    )
