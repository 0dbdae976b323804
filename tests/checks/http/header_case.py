"""One case of the table of headers: what a server sends, byte for byte, and what follows by specification.

`remark` names a well-known scanner that is known to judge the case otherwise: "mdn" is MDN's HTTP Observatory,
"internet.nl" the test of that name.  The lines of a case are sent by a real server and read by the real client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.facts import Fact
from checks.model import Status

PASS, WARN, FAIL, UNKNOWN, NA = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
HTML = b"Content-Type: text/html"


@dataclass(frozen=True)
class HeaderCase:
    name: str
    item: str
    lines: tuple[bytes, ...]  # header lines as sent, in this order
    status: Status
    code: str
    spec: str  # the rule that the verdict follows from
    remark: str = ""
    at: str = "front"  # the answer that carries the lines: front sign_in api media
    body: bytes = b"<!DOCTYPE html><html><head></head></html>"
    beside: tuple[Fact, ...] = ()  # other facts of the same look
    http_status: int = 200
    host: str = "site.example"


Row = tuple[str, tuple[str, ...], Status, str, str, str]


def rows_of(item: str, header: str, rows: Sequence[Row], **more: object) -> Iterator[HeaderCase]:
    for name, values, status, code, spec, remark in rows:
        lines = tuple(f"{header}: {value}".encode("latin-1") for value in values)
        yield HeaderCase(name, item, (HTML, *lines), status, code, spec, remark, **more)  # type: ignore[arg-type]
