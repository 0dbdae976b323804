"""What a newcomer may meet: each obstacle is one clear line and an exit code, never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.smtp import free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "only for tests " * 5
POSTGRES = "postgres://user:hunter2@127.0.0.1:1/name"


def run(
    argv: Sequence[str | Path], folder: Path = ROOT, env: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    foreign = ("FEDISEC", "DJANGO", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "MAKE", "MFLAGS")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return subprocess.run(
        [str(part) for part in argv], cwd=folder, env={**clean, **env}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that was said, without the program's name."""
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert done.returncode == 1, lines
    assert len(lines) == 1, lines
    assert lines[0].startswith("fedisec: ")
    return lines[0].removeprefix("fedisec: ")


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def python_where(path: Path, change: str) -> Path:
    """A Python that takes `-c CODE` and in which something is different."""
    return program(path, f"""exec "{sys.executable}" -c 'import sys; {change}; exec(sys.argv[2])' "$@" """)


def environment(folder: Path, *, pip_exit: int = 0) -> Path:
    """Looks like a finished environment; notes in `asked` what its pip was asked for."""
    python = folder / "bin/python"
    program(python, f'[ "$1" = -c ] && exit 0\necho "$@" >{folder}/asked\nexit {pip_exit}')
    return folder


# tools/setup.sh


def setup(python: str | Path, folder: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    return run(["sh", "tools/setup.sh", python, folder, requirements])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sys.version_info = (3, 9, 18)", "Python 3.9 is too old: 3.11 or newer is needed"),
        ("sys.version_info = (3, 10, 0)", "Python 3.10 is too old"),
        ('sys.modules["ensurepip"] = None', "has no venv module: apt install python3-venv"),
        ('sys.modules["venv"] = None', "has no venv module: apt install python3-venv"),
        ("sys.exit(127)", "does not run"),
    ],
)
def test_a_python_that_will_not_do_is_named(tmp_path: Path, change: str, said: str) -> None:
    python = python_where(tmp_path / "python", change)
    assert said in refusal(setup(python, tmp_path / "env", tmp_path / "list.txt"))
    assert not (tmp_path / "env").exists()


def test_a_missing_python_is_named(tmp_path: Path) -> None:
    said = refusal(setup("python3-of-nowhere", tmp_path / "env", tmp_path / "list.txt"))
    assert said.startswith("python3-of-nowhere is missing: apt install python3 python3-venv")


def test_packages_come_from_the_locked_list(tmp_path: Path) -> None:
    folder = environment(tmp_path / "env")
    assert setup(sys.executable, folder, tmp_path / "list.txt").returncode == 0
    asked = (folder / "asked").read_text().split()
    assert "--require-hashes" in asked
    assert asked[-2:] == ["-r", str(tmp_path / "list.txt")]


def test_a_finished_environment_needs_no_other_python(tmp_path: Path) -> None:
    folder = environment(tmp_path / "env")
    assert setup("python3-of-nowhere", folder, tmp_path / "list.txt").returncode == 0


def test_an_index_out_of_reach_is_said(tmp_path: Path) -> None:
    done = setup(sys.executable, environment(tmp_path / "env", pip_exit=1), tmp_path / "list.txt")
    assert done.returncode == 1
    assert "could not install the packages" in done.stderr


def test_an_unfinished_environment_is_made_anew(tmp_path: Path) -> None:
    program(tmp_path / "env/bin/python", "exit 1")
    (tmp_path / "env/leftover").touch()
    (tmp_path / "list.txt").write_text("# nothing\n")
    done = setup(sys.executable, tmp_path / "env", tmp_path / "list.txt")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "env/leftover").exists()
    assert run([tmp_path / "env/bin/python", "-c", "import pip"]).returncode == 0


# make


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What `make setup` reads, in a folder with a space in its name, with an environment that is up to date."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    folder = tmp_path / "my fedisec"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    program(folder / ".venv/bin/python", "exit 0")
    (folder / ".venv/.run").touch()
    return folder


def test_a_second_start_installs_nothing(copy: Path) -> None:
    done = run(["make", "setup", "PYTHON=python3-of-nowhere"], copy)
    assert done.returncode == 0
    assert "installing" not in done.stdout


def test_an_environment_of_a_python_that_is_gone_is_made_anew(copy: Path) -> None:
    (copy / ".venv/bin/python").unlink()
    done = run(["make", "setup", "PYTHON=python3-of-nowhere"], copy)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("fedisec: python3-of-nowhere is missing")


# manage.py


def manage(data: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    given = {"PORT": str(free_port()), "FEDISEC_DATA": str(data), **env}
    return run([sys.executable, "manage.py", *arguments], env=given)


def test_manage_py_without_its_packages_says_what_to_do() -> None:
    assert "run `make setup`" in refusal(run([sys.executable, "-S", "manage.py", "up"]))


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "0"}, "PORT must be a whole number from 1 to 65535, not '0'"),
        ({"PORT": "８０００"}, "PORT must be a whole number"),
        ({"FEDISEC_URL": "fedisec.example"}, "FEDISEC_URL must be an http or https address"),
        ({"FEDISEC_URL": "http://["}, "FEDISEC_URL must be"),
        ({"FEDISEC_URL": "https://fedisec.example:x"}, "FEDISEC_URL must be"),
        ({"FEDISEC_HOSTS": "*"}, "FEDISEC_HOSTS must name hosts"),
        ({"FEDISEC_DEBUG": "yes"}, "FEDISEC_DEBUG must be True or False"),
        ({"FEDISEC_SECRET_KEY": "hunter2"}, "FEDISEC_SECRET_KEY must have 50 characters or more"),
        ({"FEDISEC_SECRET_KEY_FILE": "/nowhere"}, "FEDISEC_SECRET_KEY_FILE: cannot read /nowhere"),
        ({"DATABASE_URL": POSTGRES}, "DATABASE_URL needs FEDISEC_SECRET_KEY"),
        ({"DATABASE_URL": POSTGRES, "FEDISEC_SECRET_KEY": KEY}, "the database does not answer"),
        ({"DATABASE_URL": "hunter2", "FEDISEC_SECRET_KEY": KEY}, "DATABASE_URL must be postgres://"),
        (
            {"DATABASE_URL": "sqlite:///hunter2", "FEDISEC_SECRET_KEY": KEY},
            "DATABASE_URL must be postgres://",
        ),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL needs DATABASE_URL"),
        ({"EMAIL_URL": "smtp://user:hunter2@mail.example:x"}, "EMAIL_URL must be like smtp+tls://"),
        ({"EMAIL_URL": "pigeon://hunter2"}, "EMAIL_URL must be"),
        ({"EMAIL_URL": "smtp://"}, "EMAIL_URL must be"),
        ({"TZ": "Mars/Base"}, "TZ must be a time zone such as Asia/Tokyo"),
        ({"FEDISEC_RESOLVER": "dns.example"}, "FEDISEC_RESOLVER must be ADDRESS or ADDRESS:PORT"),
        ({"FEDISEC_ALLOW_NETWORKS": "10.0.0.0/99"}, "FEDISEC_ALLOW_NETWORKS must be networks"),
        ({"FEDISEC_TRUST_CA": str(ROOT / "README.md")}, "holds no certificate in PEM form"),
    ],
)
def test_a_setting_that_does_not_parse_is_one_line(tmp_path: Path, env: dict[str, str], said: str) -> None:
    line = refusal(manage(tmp_path / "var", "up", **env))
    assert said in line
    assert "hunter2" not in line


def test_a_file_in_the_place_of_the_data_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    assert refusal(manage(tmp_path / "var", "up")).startswith(f"cannot write the data folder {tmp_path}/var:")


def test_an_empty_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch()
    assert "secret.key holds no key" in refusal(manage(tmp_path, "up"))


def test_a_data_folder_may_have_spaces_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "the data of フェディ"
    done = manage(folder, "prepare")
    assert done.returncode == 0, done.stderr
    assert {"secret.key", "fedisec.sqlite3", "static"} <= {path.name for path in folder.iterdir()}
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
