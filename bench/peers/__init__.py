"""The other TLS scanners of the matrix: how each is asked, and what its report says, in the truth's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.checks.tls.matrix.truth import Facts


@dataclass(frozen=True, slots=True)
class Ask:
    """One server to look at.  `report`: the file that the tool writes."""

    address: str
    port: int
    host: str
    ca_file: Path
    report: Path


Read = Callable[[str, datetime], Facts]


@dataclass(frozen=True, slots=True)
class Peer:
    """`read` gets the report and the moment of the scan.  It names only facts that the report states; what it
    raises for a report without any (ValueError and its like) means that the tool saw nothing."""

    name: str
    program: Path
    version: tuple[str, ...]  # what makes it print its version
    command: Callable[[Ask], tuple[str, ...]]  # arguments
    read: Read
