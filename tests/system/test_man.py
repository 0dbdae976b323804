"""The manual pages: no formatter complains, and they name the options that there are, no more and no less."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module

import pytest
from django.core.management import load_command_class

from checks import cli as checks_cli
from fedisec.system import cli
from tests.running.world import ROOT

PAGES = ROOT / "docs" / "man"
names = pytest.mark.parametrize("name", ["fedisec", "fedisec-checks"])


def parser_of(name: str) -> argparse.ArgumentParser:
    if name == "fedisec-checks":
        return checks_cli._parser()
    command = load_command_class("fedisec.system", "fedisec")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)  # type: ignore[arg-type]  # Django's parser adds options of its own to all commands
    return parser


def parsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def options(name: str) -> set[str]:
    every = [parser_of(name), *(one for _, one in parsers(parser_of(name)))]
    found = {text for one in every for action in one._actions for text in action.option_strings}
    return found - {"-h", "--help"}


def page(name: str) -> str:
    return (PAGES / f"{name}.1").read_text()


@names
def test_options_of_the_page_are_those_of_the_program(name: str) -> None:
    written = re.findall(r"^\.BI? (\\-\\-[\w\\-]+)", page(name).partition(".SH OPTIONS")[2], re.MULTILINE)
    assert {one.replace("\\", "") for one in written} == options(name)
    assert len(written) == len(set(written))


@names
def test_commands_of_the_page_are_those_of_the_program(name: str) -> None:
    described = page(name).partition(".SH DESCRIPTION")[2].partition(".SH")[0]
    assert set(re.findall(r"^\.TP\n\.B (\w+)$", described, re.MULTILINE)) == {
        one for one, _ in parsers(parser_of(name))
    }


@names
def test_every_option_of_a_command_stands_in_its_synopsis(name: str) -> None:
    """Of `fedisec`; the scan of the other one has too many."""
    if name != "fedisec":
        return
    synopsis = page(name).partition(".SH SYNOPSIS")[2].partition(".SH")[0].replace("\\", "").split(".br")
    for (command, parser), text in zip(parsers(parser_of(name)), synopsis, strict=True):
        assert f".B {command}\n" in text
        found = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
        assert set(re.findall(r"--[\w-]+", text)) == found


def test_exit_codes_are_those_of_the_program() -> None:
    written = {
        name: set(re.findall(r"^\.TP\n\.B (\d)$", page(name), re.MULTILINE))
        for name in ("fedisec", "fedisec-checks")
    }
    assert written["fedisec"] == {str(code) for code in (cli.OK, cli.NOT_WELL, 2, cli.NOT_FOUND_OUT)}
    assert written["fedisec-checks"] == {
        str(getattr(checks_cli, code)) for code in vars(checks_cli) if re.fullmatch("EXIT_[A-Z_]+", code)
    }


@names
@pytest.mark.skipif(
    not (shutil.which("mandoc") or shutil.which("groff")), reason="no formatter of manual pages is installed"
)
def test_no_formatter_complains(name: str) -> None:
    file = str(PAGES / f"{name}.1")
    formatter = (
        ["mandoc", "-T", "lint", "-W", "warning", file]
        if shutil.which("mandoc")
        else ["groff", "-man", "-ww", "-z", "-Tutf8", file]
    )
    done = subprocess.run(formatter, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_programs_can_be_called() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {"fedisec", "fedisec-checks"}
    for place in scripts.values():
        module, function = place.split(":")
        assert callable(getattr(import_module(module), function))
