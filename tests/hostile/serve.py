"""The hostile worlds of one child, in a process of their own, so that their time and memory are not the scan's.

    python -m tests.hostile.serve NUMBER CHAIN KEY FOLDER

takes one command a line on standard input ("settle NAME", "leave"), answers each with a line of JSON, and ends
when its input ends.  An empty NAME is the sound world.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import sys
from pathlib import Path
from typing import Any

from tests.checks.faults.world import open_ports
from tests.hostile.model import World
from tests.hostile.registry import behaviour as of_name
from tests.hostile.world import Standing


class Host:
    """What the commands act on."""

    def __init__(self, number: int, chain: Path, key: Path, folder: Path) -> None:
        self._number, self._folder = number, folder
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(chain, key)
        self._honest = open_ports()
        self._standing: Standing | None = None

    async def settle(self, name: str) -> dict[str, Any]:
        world = of_name(name).world if name else World()
        folder = self._folder / "world"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._standing = Standing(self._number, world, self._honest, self._tls, folder)
        await self._standing.start()
        return {"folder": str(folder), "told": self._standing.place.told}

    async def leave(self) -> dict[str, Any]:
        standing, self._standing = self._standing, None
        return await standing.stop() if standing is not None else {}


async def serve(number: int, chain: Path, key: Path, folder: Path) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # a client that goes is nobody's error
    host = Host(number, chain, key, folder)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode():
        order, _, name = line[:-1].partition(" ")
        print(json.dumps(await (host.settle(name) if order == "settle" else host.leave())), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *(Path(arg) for arg in sys.argv[2:5])))
