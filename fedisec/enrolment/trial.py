"""One login to a server, in small: does the key open it, what does the report hold, what else may the key do?

Runs within the request of the person who waits for it, not as a job: nothing of it is worth a queue (it ends
after DEADLINE_S, and whoever gave up just asks again), and all that is stored is written at once when the
last connection is closed.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from checks.errors import ParseError, ProbeError, Reason, TimedOut
from checks.facts import Fact, Missing
from checks.facts.dns import Addresses
from checks.facts.inside import Inside
from checks.parse.collector import parse_report
from checks.probes import dns, gather
from checks.probes.collector import collector_script
from checks.probes.inside import why_no_report
from checks.probes.look import Look, Probe
from checks.probes.ssh import ssh_address
from checks.probes.ssh_session import Answer, Login, read_access, run_command
from checks.probes.ssh_trial import powers_of, shown_host_key
from checks.target import Access, Limits, Target, Vantage
from fedisec.enrolment.report import sections_of

DEADLINE_S = 20.0
LIMITS = Limits(wall_s=DEADLINE_S, dns_s=10.0, budget={"dns": 10, "ssh_in": 2})
_SPARE_S = 2.0  # to hang up and to tell, before the look as a whole is cut off
_ADDRESSES = next(probe for probe in dns.PROBES if Addresses in probe.gives)


@dataclass(frozen=True, slots=True)
class Trial(Fact):
    """What a login brought.  `reason` "" = a whole report came."""

    where: str = ""  # user, address and port, in words
    shown: str = ""  # host key, "TYPE BASE64", where it is not the confirmed one
    reason: str = ""  # a Reason
    detail: str = ""
    entered: bool = False  # the key was let in
    as_root: bool = False
    sections: tuple[tuple[str, str], ...] = ()  # name and a report.Sight
    powers: dict[str, bool | None] = field(default_factory=dict)  # command, terminal, forwarding, files

    @property
    def report(self) -> dict[str, Any]:
        """As it is stored."""
        kept = asdict(self)
        return {name: kept[name] for name in ("where", "reason", "detail", "entered", "as_root", "sections")}


def try_out(target: Target, access: Access, place: Vantage) -> Trial:
    """Looks at the host key where none is confirmed; logs in where one is.  DEADLINE_S at most."""

    async def run(look: Look) -> Iterable[Fact]:
        return (await _Attempt(look, access).result(),)

    probe = Probe("trial", "inside", (Trial,), run)
    facts = asyncio.run(gather(target, place, LIMITS, probes=(_ADDRESSES, probe))).facts
    trial = facts.maybe(Trial)
    if trial is not None:
        return trial
    gap = facts.missing.get(Trial, Missing(Reason.BUG))
    return Trial(where=f"{access.user}@{access.host or target.domain}", reason=gap.reason, detail=gap.detail)


class _Attempt:
    def __init__(self, look: Look, access: Access) -> None:
        self._look = look
        self._access = access
        self._address = ""

    @property
    def _where(self) -> str:
        return f"{self._access.user}@{self._address} port {self._access.port}"

    async def result(self) -> Trial:
        """At most two connections, one after the other."""
        look, access = self._look, self._access
        self._address = (
            (await look.dns.addresses_of(access.host))[0] if access.host else await ssh_address(look)
        )
        try:
            if not access.host_key:
                return Trial(self._where, await self._shown())
            return await self._logged_in(read_access(access))
        except ProbeError as error:
            shown = await self._other_key() if error.reason is Reason.HOST_KEY_CHANGED else ""
            return Trial(self._where, shown, error.reason, error.detail)

    async def _logged_in(self, login: Login) -> Trial:
        mark = f"other-command-{secrets.token_hex(8)}"
        answer = await self._answer(login, mark)
        if self._access.forced and mark.encode() in answer.output:
            return Trial(self._where, reason=Reason.NO_TOOL, entered=True, powers={"command": True})
        powers = await self._powers(login) if self._access.forced else {}
        try:
            report = parse_report(answer.output, datetime.now(UTC))
        except ParseError as error:
            gap = why_no_report(answer, str(error), self._access)
            return Trial(self._where, "", gap.reason, gap.detail, entered=True, powers=powers)
        return self._reported(report, powers)

    def _reported(self, report: Inside, powers: dict[str, bool | None]) -> Trial:
        sections = sections_of(report)
        return Trial(self._where, entered=True, as_root=report.as_root, sections=sections, powers=powers)

    async def _answer(self, login: Login, mark: str) -> Answer:
        """Where a command is forced, another one is asked for: the report must come all the same."""
        connected = await self._connected()
        command, script = (f"echo {mark}", "") if self._access.forced else ("sh -s", collector_script())
        return await asyncio.to_thread(
            run_command, connected, login, command, script.encode(), self._left_s()
        )

    async def _powers(self, login: Login) -> dict[str, bool | None]:
        """Beside the report; that it cannot be seen does not spoil the report."""
        try:
            connected = await self._connected()
            powers = await asyncio.to_thread(powers_of, connected, login, self._left_s())
        except ProbeError:
            return {"command": False, "terminal": None, "forwarding": None, "files": None}
        return {"command": False, **asdict(powers)}

    async def _other_key(self) -> str:
        """For the page; that there is another one is worth telling without it."""
        try:
            return await self._shown()
        except ProbeError:
            return ""

    async def _shown(self) -> str:
        connected = await self._connected()
        kind = self._access.host_key.partition(" ")[0]
        return await asyncio.to_thread(shown_host_key, connected, kind, self._left_s())

    async def _connected(self) -> socket.socket:
        """TimedOut where a connection would come too late to tell anything."""
        if self._look.net.remaining_s() < 2 * _SPARE_S:
            raise TimedOut("time of the test")
        return await self._look.net.connect_socket(
            self._address, self._access.port, "ssh_in", timeout_s=min(5.0, self._left_s())
        )

    def _left_s(self) -> float:
        return max(0.1, self._look.net.remaining_s() - _SPARE_S)
