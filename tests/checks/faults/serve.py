"""The hostile worlds in a process of their own, so that their time and memory are not the scan's.

    python -m tests.checks.faults.serve CHAIN KEY

takes one command a line on standard input ("settle NUMBER CASE", "leave NUMBER"), answers each with a line of JSON,
and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.checks.faults.table import cases
from tests.checks.faults.world import Faults, World, open_ports


class Worlds:
    """The face of that process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._one_at_a_time = asyncio.Lock()

    async def settle(self, number: int, case: str) -> str:
        """Opens world `number` with the faults of a case ("" for none); the address of its resolver."""
        return str(await self._command(f"settle {number} {case}"))

    async def leave(self, number: int) -> dict[str, int]:
        """Closes it; how many connections each of its ports saw."""
        return dict(await self._command(f"leave {number}"))

    async def _command(self, line: str) -> Any:
        commands, answers = self._process.stdin, self._process.stdout
        assert commands is not None and answers is not None
        async with self._one_at_a_time:
            commands.write(line.encode() + b"\n")
            await commands.drain()
            return json.loads(await answers.readline())


@asynccontextmanager
async def hostile_worlds(chain: Path, key: Path) -> AsyncIterator[Worlds]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.checks.faults.serve", str(chain), str(key),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Worlds(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def serve(chain: Path, key: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    by_id = {"": Faults(), **{case.id: case.faults for case in cases()}}
    honest = open_ports()
    standing: dict[int, World] = {}
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := (await commands.readline()).decode():
        order, number, case = line[:-1].split(" ", 2) if line.startswith("settle") else (*line.split(), "")
        if order == "settle":
            world = standing[int(number)] = World(int(number), by_id[case], honest, tls)
            await world.start()
            print(json.dumps(world.resolver), flush=True)
        else:
            world = standing.pop(int(number))
            await world.stop()
            met = {f"{address} {port}": count for (address, port), count in world.met.items()}
            print(json.dumps(met), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
