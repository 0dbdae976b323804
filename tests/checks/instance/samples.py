"""Answers of real servers, one file per path, and a client that gives them instead of the network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from checks.errors import ProbeError
from checks.facts import Fact
from checks.facts.http import Page
from checks.probes.http import HttpClient
from checks.probes.http_client import BODY_BYTES
from checks.probes.instance import gather_instance
from checks.probes.look import Look
from checks.probes.net import Net
from checks.target import Limits, Target, Vantage
from tests.checks.http.server import Names

ANSWERS = Path(__file__).with_name("answers")


class Recorded(HttpClient):
    """Answers from a table of path -> Page or error; 404 for every other path.  `asked` are the paths."""

    def __init__(self, host: str, table: dict[str, Page | ProbeError]) -> None:
        super().__init__(Net(Vantage(), Limits()), Names())
        self.host, self.table, self.asked = host, table, list[str]()

    async def get(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        max_body: int = BODY_BYTES,
        address: str | None = None,
        verify: bool = False,
        kind: str = "http",
    ) -> Page:
        parts = urlsplit(url)
        assert parts.hostname == self.host, f"{url} is another host"
        self.asked.append(parts.path)
        found = self.table.get(parts.path, Page(url, 404, (), "not found"))
        if isinstance(found, ProbeError):
            raise found
        return found


def sample(name: str, url: str) -> Page:
    """A recorded answer: status line and headers, a blank line, the body."""
    text = (ANSWERS / f"{name}.txt").read_text()
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.split("\n")
    headers = tuple((k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines))
    return Page(url, int(status.split()[1]), headers, body)


def answer(doc: object, *, status: int = 200, media_type: str = "application/json") -> Page:
    body = doc if isinstance(doc, str) else json.dumps(doc)
    return Page("https://site.test/x", status, (("content-type", media_type),), body)


async def facts_of(client: Recorded) -> list[Fact]:
    """What the instance probe finds behind `client`; its exceptions come through."""
    look = Look(Target(client.host), Vantage(), Net(Vantage(), Limits()), cast("object", Names()), client)  # type: ignore[arg-type]
    return list(await gather_instance(look))
