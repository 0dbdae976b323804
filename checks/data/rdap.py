"""The RDAP services of the registries: IANA's list as shipped, or the operator's own file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from checks.parse.rdap_bootstrap import Bootstrap, parse_bootstrap


@cache
def bootstrap(path: str = "") -> Bootstrap:
    """The list at `path`, or the shipped one for "".  Read once; raises OSError, ValueError."""
    if path:
        return parse_bootstrap(Path(path).read_text(encoding="utf-8"))
    return parse_bootstrap(files(__package__).joinpath("rdap_bootstrap.json").read_text(encoding="utf-8"))
