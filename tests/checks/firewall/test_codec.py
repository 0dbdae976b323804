"""Facts about ports, SSH and origins survive being stored."""

from __future__ import annotations

import json

from checks.codec import decode_facts, encode_facts
from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.edge import DirectAnswer, OriginExposure
from checks.facts.ports import Access, AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.ssh import SshAlgorithms, SshEndpoint, SshService


def test_what_was_seen_comes_back_equal() -> None:
    gap = Missing(Reason.BANNED, "x")
    lists = SshAlgorithms(("a",), ("b",), ("c", "d"), ())
    facts = Facts().with_facts(
        OpenPorts(
            (AddressPorts("::1", (PortSeen(80, PortState.OPEN, "http", Access.OPEN, "x"), PortSeen(81, gap))),)
        ),
        SshService(
            "root", 22,
            (
                SshEndpoint("::1", 22, PortState.OPEN, "SSH-2.0-x", lists, ("publickey",)),
                SshEndpoint("::1", 23, PortState.OPEN, "SSH-2.0-x", gap, gap),
                SshEndpoint("::1", 24, gap),
            ),
        ),
        OriginExposure("x", (DirectAnswer("::1", "admin", None), DirectAnswer("::1", "MX x", 200, True), DirectAnswer("::1", "y", gap))),
    )  # fmt: skip
    assert decode_facts(json.loads(json.dumps(encode_facts(facts)))) == facts
