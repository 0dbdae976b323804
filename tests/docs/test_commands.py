"""Every command of the pages does what its page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.commands import NOT_RUN, lines_of, reader, why_not
from tests.docs.pages import ENGLISH_ALONE, OF_BOTH, ROOT, Page, written

# In the order in which somebody would read them; what the first ones make, the later ones use.
ORDER = [
    "first-hour.md",
    "enrolment.md",
    "scaling.md",
    "upgrading.md",
    "backup.md",
    "secrets.md",
    "troubleshooting.md",
    "channels.md",
    "adding-an-item.md",
]
# Pages whose commands other tests run, in worlds of their own.
ELSEWHERE = {"api.md": "tests/api"}
# Who is named in the pages has an account by then.
ACCOUNT = (
    ".venv/bin/python -c \"import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'fedisec.settings';"
    " django.setup(); from fedisec.accounts.models import User; User.objects.create_user('you@example.org')\""
)
_LOOKS_LIKE_A_COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:make|manage\.py|docker|sudo|git|curl|pip|python|\.venv/)\b"
)


def english_pages() -> list[Page]:
    return [
        page
        for page in written().values()
        if not page.is_japanese and page.name not in ENGLISH_ALONE | OF_BOTH
    ]


def test_every_page_with_commands_is_run() -> None:
    assert {page.name for page in english_pages() if lines_of(page)} == set(ORDER) | set(ELSEWHERE)
    for name, folder in ELSEWHERE.items():
        assert any(name in path.read_text("utf-8") for path in (ROOT / folder).glob("*.py")), folder


def test_commands_are_marked_as_such() -> None:
    """What a reader would paste into a terminal stands in a block that is run."""
    for page in english_pages():
        for language, text in page.fences:
            assert language in {"", "sh", "json", "python", "ini", "toml", "yaml", "nginx"}, (
                page.name,
                language,
            )
            assert language == "sh" or not _LOOKS_LIKE_A_COMMAND.match(text), (page.name, text)


def test_nothing_is_left_out_without_need() -> None:
    lines = [line for name in ORDER for line in lines_of(written()[name])]
    assert [pattern for pattern in NOT_RUN if not any(re.fullmatch(pattern, line) for line in lines)] == []
    assert sum(not why_not(line) for line in lines) > len(lines) / 2


@pytest.mark.timeout(1200)
def test_the_commands_do_what_the_pages_say(tmp_path: Path) -> None:
    """Real processes from the first start on: about half a minute where the machine is at rest."""
    said: dict[str, str] = {}
    with reader(tmp_path) as somebody:
        for name in ORDER:
            for line in lines_of(written()[name]):
                if "unlock" in line:
                    somebody.types(ACCOUNT)
                if not why_not(line):
                    said[line] = somebody.types(line) or said.get(line, "")
    assert "Open this link within 24 hours" in said["make run"]
    assert "as demo@example.org, password" in said["make demo"]
    assert said[".venv/bin/python -m checks collector"].startswith("#!/bin/sh\n")
    assert "a new key was made" in said[".venv/bin/python manage.py rotate_keys"]
    assert "may try again" in said[".venv/bin/python manage.py unlock you@example.org"]
    assert list((tmp_path / "srv" / "fedisec-backups").glob("*.sqlite3"))
    assert (tmp_path / "fedisec" / "var-before" / "fedisec.sqlite3").is_file()
