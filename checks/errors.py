"""Why something could not be seen.

ProbeError            a reason (closed set, translated) and a technical detail
├── TimedOut          no answer within the time allowed
│   └── Starved       we woke too late ourselves to tell whether one came
├── Refused           the far side answered with a TCP reset to our SYN
├── ConnectionLost    reset or end of stream in the middle of an exchange
├── Unreachable       no route, or our own network is down
├── ForbiddenAddress  the address rule refuses to dial it
├── BudgetSpent       the manners of the scan allow no further look
├── TooLarge          more bytes than the cap
├── Malformed         an answer that does not follow its protocol
├── NoSuchName        the name does not exist in the DNS (a definite answer)
├── ResolverFailed    SERVFAIL, REFUSED or garbage from the resolver
└── Withheld          answered, but not for us: 401, 403, 429, 5xx, a challenge page
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The closed set of reasons for `unknown`; each has a sentence in `checks.reasons`."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    CONNECTION_LOST = "connection_lost"
    UNREACHABLE = "unreachable"
    FORBIDDEN_ADDRESS = "forbidden_address"
    BUDGET = "budget"
    BUSY = "busy"  # fedisec's own machine did not keep up
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NO_SUCH_NAME = "no_such_name"
    RESOLVER_FAILED = "resolver_failed"
    WITHHELD = "withheld"
    NOT_VALIDATING = "not_validating"  # our own resolver does not validate DNSSEC
    NO_IPV6 = "no_ipv6"  # fedisec itself has no IPv6
    PORT_BLOCKED = "port_blocked"  # our own way out is closed (port 25)
    BANNED = "banned"  # the target stopped answering us in mid-scan
    NOT_CONNECTED = "not_connected"  # no SSH access was set up
    DENIED = "denied"  # the account on the server may not read this
    NO_SHELL = "no_shell"  # the account on the server has no shell to run anything
    KEY_REFUSED = "key_refused"  # the server does not let our SSH key in
    HOST_KEY_CHANGED = "host_key_changed"  # another host key than the one that was confirmed
    NO_TOOL = "no_tool"  # the command that would tell is not on the server
    NOT_BUILT = "not_built"  # this version has no check for it yet
    NOT_ASKED = "not_asked"  # left out of this scan (--only, or nothing to ask for)
    DASHBOARD_ONLY = "dashboard_only"  # only the dashboard can answer
    BUG = "bug"


class ProbeError(Exception):
    """Base of everything a probe may raise.  `reason` is for code, `detail` for the evidence line."""

    reason: Reason = Reason.BUG

    def __init__(self, detail: str = "", *, reason: Reason | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if reason is not None:
            self.reason = reason


class TimedOut(ProbeError):
    reason = Reason.TIMEOUT


class Starved(TimedOut):
    reason = Reason.BUSY


class Refused(ProbeError):
    reason = Reason.REFUSED


class ConnectionLost(ProbeError):
    reason = Reason.CONNECTION_LOST


class Unreachable(ProbeError):
    reason = Reason.UNREACHABLE


class ForbiddenAddress(ProbeError):
    reason = Reason.FORBIDDEN_ADDRESS


class BudgetSpent(ProbeError):
    reason = Reason.BUDGET


class TooLarge(ProbeError):
    reason = Reason.TOO_LARGE


class Malformed(ProbeError):
    reason = Reason.MALFORMED


class NoSuchName(ProbeError):
    reason = Reason.NO_SUCH_NAME


class ResolverFailed(ProbeError):
    reason = Reason.RESOLVER_FAILED


class Withheld(ProbeError):
    reason = Reason.WITHHELD


class ParseError(ValueError):
    """Text that does not follow its grammar.  The only exception a function of `checks.parse` may raise."""
