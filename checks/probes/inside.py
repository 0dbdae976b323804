"""Probe of the inside phase: one login over SSH, one run of the collector, one report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from checks.clean import clean
from checks.errors import ParseError, ProbeError, Reason
from checks.facts import Fact, Missing
from checks.facts.inside import Inside
from checks.parse.collector import parse_report
from checks.probes.collector import collector_script
from checks.probes.look import Look, Probe
from checks.probes.ssh import ssh_address
from checks.probes.ssh_session import WALL_S, Answer, Login, read_access, run_command
from checks.target import Access

FORCED_COMMAND = "fedisec-collect"  # what is asked for; sshd runs the command of the key's own line instead
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # POSIX, 2.8.2 of the shell's chapter
_NO_LOGIN = "account is currently not available"  # nologin(8)
_EXPIRED = "Password change required"  # OpenSSH
_SAID_MAX = 200


async def gather_inside(look: Look) -> Iterable[Fact]:
    """The report of the server on itself.  Missing as NOT_CONNECTED where fedisec has no access."""
    access = look.target.access
    if access is None:
        raise ProbeError(reason=Reason.NOT_CONNECTED)
    login = read_access(access)
    address = (await look.dns.addresses_of(access.host))[0] if access.host else await ssh_address(look)
    where = f"{access.user}@{address} port {access.port}"
    answer = await _ask(look, access, login, address, where)
    try:
        return (parse_report(answer.output, datetime.now(UTC)),)
    except ParseError as error:
        gap = why_no_report(answer, str(error), access)
        raise ProbeError(f"{where}: {gap.detail}", reason=gap.reason) from None


async def _ask(look: Look, access: Access, login: Login, address: str, where: str) -> Answer:
    ends = time.monotonic() + WALL_S
    connected = await look.net.connect_socket(address, access.port, "ssh_in")
    try:
        wall_s = min(ends - time.monotonic(), look.net.remaining_s())
    except ProbeError:
        connected.close()
        raise
    command, script = (FORCED_COMMAND, "") if access.forced else ("sh -s", collector_script())
    try:
        return await asyncio.to_thread(run_command, connected, login, command, script.encode(), wall_s)
    except ProbeError as error:
        raise ProbeError(f"{where}: {error.detail}", reason=error.reason) from None


def why_no_report(answer: Answer, parse_error: str, access: Access) -> Missing:
    """The reason why what came back holds no report."""
    printed = clean(answer.output[:_SAID_MAX].strip(), _SAID_MAX, newlines=False)
    said = "; ".join(filter(None, (printed, answer.said)))
    if answer.trouble is not None:
        return answer.trouble
    if _NO_LOGIN in said:
        return Missing(Reason.NO_SHELL, f"user {access.user}: {said}")
    if _EXPIRED in said:
        return Missing(Reason.DENIED, f"the password of user {access.user} has expired: {said}")
    if answer.code == _NOT_FOUND:
        tool = FORCED_COMMAND if access.forced else "sh"
        return Missing(Reason.NO_TOOL, f"{tool} is not there: {said}")
    if answer.code == _NOT_EXECUTABLE:
        return Missing(Reason.DENIED, f"user {access.user} may not run the collector: {said}")
    status = "" if answer.code in (0, None) else f", exit status {answer.code}"
    return Missing(
        Reason.MALFORMED, f"{parse_error}{status}; the server said: {said}" if said else parse_error + status
    )


PROBES: tuple[Probe, ...] = (Probe("inside", "inside", (Inside,), gather_inside),)
