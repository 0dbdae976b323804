"""What the SSH server says before anybody has logged in."""

from __future__ import annotations

from dataclasses import dataclass

from checks.errors import Reason
from checks.facts import Fact, Missing
from checks.facts.ports import PortState


@dataclass(frozen=True, slots=True)
class SshAlgorithms:
    """The lists of SSH_MSG_KEXINIT (RFC 4253 7.1) in the server's order; both directions joined."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """One SSH port of one address.  The parts after `state` mean something only where it is OPEN."""

    address: str
    port: int
    state: PortState | Missing
    banner: str = ""  # identification string, "" where none came
    algorithms: SshAlgorithms | Missing | None = None  # None: not asked
    methods: tuple[str, ...] | Missing = ()  # offered to `user` before anything is proven
    lets_in: bool = False  # the user was accepted without any proof


@dataclass(frozen=True, slots=True)
class SshService(Fact):
    """The SSH ports of the first address (behind a CDN: of the named origin): the named port, and 22."""

    user: str
    named_port: int
    endpoints: tuple[SshEndpoint, ...]

    @property
    def speaking(self) -> tuple[SshEndpoint, ...]:
        """The endpoints that identified themselves as SSH."""
        return tuple(e for e in self.endpoints if e.banner)

    @property
    def unseen(self) -> Reason:
        """Why nothing can be said where nothing speaks SSH to us: the inside must tell."""
        states = [e.state for e in self.endpoints]
        return next((s.reason for s in states if isinstance(s, Missing)), Reason.NOT_CONNECTED)

    def on_port(self, port: int) -> SshEndpoint | None:
        return next((e for e in self.endpoints if e.port == port), None)
