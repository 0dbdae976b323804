"""The address rule a second time, written without `ipaddress`, and the comparison of the two.

    python second_opinion.py ADDRESSES.PY TABLE COUNT SEED

needs the standard library alone, so that every Python here can run it.  Prints {"python", "table", "random",
"public", "faults"} as JSON."""

from __future__ import annotations

import importlib.util
import json
import platform
import random
import socket
import sys
from typing import Any

FAULTS_SHOWN = 10


def bits(packed: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in packed)


def v4(first: int, second: int = -1, third: int = -1, *, of_last: int = 8) -> str:
    """The beginning of an IPv4 address as bits; `of_last`: how many of the last number given."""
    numbers = [n for n in (first, second, third) if n >= 0]
    text = "".join(f"{n:08b}" for n in numbers)
    return text[: len(text) - 8 + of_last]


CLOSED_V4: tuple[str, ...] = (
    v4(0), v4(10), v4(100, 64, of_last=2), v4(127), v4(169, 254), v4(172, 16, of_last=4), v4(192, 0, 0),
    v4(192, 0, 2), v4(192, 88, 99), v4(192, 168), v4(198, 18, of_last=7), v4(198, 51, 100), v4(203, 0, 113),
    "111",  # 224.0.0.0 and all above
)  # fmt: skip


def v6(text: str, length: int) -> str:
    return bits(socket.inet_pton(socket.AF_INET6, text))[:length]


CLOSED_V6: tuple[str, ...] = (
    v6("2001::", 23),
    v6("2001:db8::", 32),
    v6("3fff::", 20),
    v6("2620:4f:8000::", 48),
)
# Where an IPv4 address stands in an IPv6 one: (beginning, bit of its first).
WRAPPINGS = (
    (v6("::", 96), 96),
    (v6("::ffff:0:0", 96), 96),
    (v6("64:ff9b::", 96), 96),
    (v6("2002::", 16), 16),
)


def open_v4(address: str) -> bool:
    return not address.startswith(CLOSED_V4)


def is_public(packed: bytes) -> bool:
    """The rule on the bytes of an address."""
    address = bits(packed)
    if len(packed) == 4:
        return open_v4(address)
    for beginning, place in WRAPPINGS:
        if address.startswith(beginning):
            return open_v4(address[place : place + 32])
    return address.startswith("001") and not address.startswith(CLOSED_V6)


def spread(rng: random.Random, count: int) -> list[bytes]:
    """Half of each family; a third of them anywhere, the others within a few bits of a special block."""
    found = []
    for number in range(count):
        if number % 2:
            length, near = 32, CLOSED_V4
        else:
            length, near = (
                128,
                (*CLOSED_V6, *(b for b, _ in WRAPPINGS), "001", v6("fe80::", 10), v6("fc00::", 7)),
            )
        value = rng.getrandbits(length)
        if number % 3:
            beginning = rng.choice(near)
            beginning += rng.choice(("", rng.choice(CLOSED_V4))) if length == 128 else ""
            value = int((beginning + f"{value:0{length}b}")[:length], 2)
            if rng.random() < 0.3:
                value ^= 1 << rng.randrange(max(0, length - len(beginning)), length)
        found.append(value.to_bytes(length // 8, "big"))
    return found


def shown(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("addresses", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return [(line[0], line[1]) for line in lines]


def faults_of_table(rule: Any, table: list[tuple[str, str]]) -> list[str]:
    found = []
    for address, wanted in table:
        if rule.may_dial(address, ()) is not (wanted == "yes"):
            found.append(f"{address}: {wanted} in the table")
        try:
            packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
        except (OSError, ValueError):
            continue  # with a zone, or no address at all
        if wanted == "bad" or is_public(packed) is not (wanted == "yes"):
            found.append(f"{address}: the second opinion disagrees with the table")
    return found


def main(path: str, table_path: str, count: int, seed: int) -> dict[str, Any]:
    rule, table, public = load(path), rows(table_path), 0
    faults = faults_of_table(rule, table)
    for packed in spread(random.Random(seed), count):
        text, wanted = shown(packed), is_public(packed)
        public += wanted
        if rule.may_dial(text, ()) is not wanted:
            faults.append(f"{text}: {'public' if wanted else 'not public'} by the second opinion")
    return {
        "python": platform.python_version(),
        "table": len(table),
        "random": count,
        "public": public,
        "faults": faults[:FAULTS_SHOWN],
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
