"""The pages speak both languages: nothing untranslated, nothing stale, the compiled file current."""

from __future__ import annotations

import os
import shutil
import string
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "locale" / "ja" / "LC_MESSAGES"


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def key(entry: polib.POEntry) -> tuple[str | None, str]:
    return entry.msgctxt, entry.msgid


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def test_everything_is_translated(catalogue: polib.POFile) -> None:
    assert [e.msgid for e in catalogue if not all(translations(e)) or e.fuzzy or e.obsolete] == []


def test_placeholders_survive_translation(catalogue: polib.POFile) -> None:
    for entry in catalogue:
        for text in translations(entry):
            wanted = entry.msgid_plural or entry.msgid
            assert names(text) <= names(wanted) | names(entry.msgid), entry.msgid
            missing = names(entry.msgid) - names(text)
            assert missing <= {"count", "n"} - names(entry.msgid_plural or ""), entry.msgid


def names(text: str) -> set[str]:
    """The named %-placeholders of a text."""
    found = set()
    for part in text.split("%(")[1:]:
        found.add(part.split(")")[0])
    assert not [name for name in found if set(name) - set(string.ascii_letters + "_")]
    return found


def test_the_compiled_file_is_current(catalogue: polib.POFile) -> None:
    compiled = polib.mofile(str(FOLDER / "django.mo"))
    assert {key(e): translations(e) for e in compiled} == {key(e): translations(e) for e in catalogue}


def test_every_text_of_the_pages_is_in_the_catalogue(catalogue: polib.POFile, tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is not installed (apt install gettext)")
    for folder in ("fedisec", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "locale").mkdir()
    shutil.copy(ROOT / "manage.py", tmp_path)
    shutil.copytree(ROOT / "checks", tmp_path / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        **os.environ,
        "FEDISEC_SECRET_KEY": "only for tests " * 5,
        "DJANGO_SETTINGS_MODULE": "fedisec.settings",
    }
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "-l", "ja", "--no-location", "-i", "checks"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    fresh = polib.pofile(str(tmp_path / "locale" / "ja" / "LC_MESSAGES" / "django.po"))
    assert {key(e) for e in fresh} == {key(e) for e in catalogue}
