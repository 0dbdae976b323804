"""A program of its own that tells one thing to one service of Apprise: what it is told stands on standard
input as JSON, what came of it goes to standard output as JSON.  It knows no Django, and none of our secrets.

An address may be anything that a person typed, and some services would read files or start programs for
it.  From before the address is looked at, an audit hook refuses all that a message over HTTPS does not need.
It guards against addresses and answers, not against the code of Apprise, which runs beside it.
"""

from __future__ import annotations

import importlib
import importlib.util
import ipaddress
import json
import os
import re
import resource
import socket
import sys
import sysconfig
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ANSWER_BYTES = 4096  # of what the service said
READ_MAX = 256 * 1024  # bytes of one answer; what is longer is no answer of these services
CPU_S, MEMORY_BYTES, FILES = 20, 2 * 1024**3, 64
DNS_S = 5.0
# What no message needs, by the beginning of the event (docs.python.org/3/library/audit_events.html).
_NEVER = (
    "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.system", "os.startfile", "pty.",
    "ctypes.", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.chflags", "os.kill", "os.setxattr", "shutil.", "tempfile.",
    "socket.bind", "socket.gethostby", "socket.getnameinfo", "socket.sethostname", "socket.getaddrinfo",
    "sqlite3.", "syslog.", "smtplib.", "ftplib.", "imaplib.", "poplib.", "nntplib.", "telnetlib.",
    "webbrowser.", "pickle.", "signal.pthread_kill", "sys.settrace", "sys.setprofile",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_READABLE = ("/etc/ssl/", "/usr/share/zoneinfo/", "/usr/lib/ssl/", "/dev/urandom", "/etc/mime.types")


class Forbidden(PermissionError):
    """The hook refused it.  An OSError, as what uses the network expects one."""


class Guard:
    """The hook, and the way to a name's addresses that it allows.

    `addresses`: the module of the address rule.  `allowed`, `denied`: networks that the operator allows and
    denies; `own`: those that fedisec is known by.  `resolver`: (address, port) of the only one who is asked
    for names."""

    def __init__(
        self,
        addresses: Any,
        allowed: list[str],
        resolver: tuple[str, int],
        denied: Sequence[str] = (),
        own: Sequence[str] = (),
    ) -> None:
        self._rule, self._allowed = addresses, addresses.parse_networks(allowed)
        self._denied, self._own = addresses.parse_networks(denied), addresses.parse_networks(own)
        self._resolver = resolver
        self._asking = threading.local()
        self._deciding = threading.local()
        paths = sysconfig.get_paths()
        libraries = {str(Path(paths[name]).resolve()) for name in ("stdlib", "platstdlib", "purelib")}
        self._readable = (*(f"{path}/" for path in libraries), *_READABLE)
        self.refused = ""

    def put_up(self, readable: str = "") -> None:
        """For good: a hook cannot be taken away.  `readable`: one more file."""
        self._readable = (*self._readable, *((readable,) if readable else ()))
        socket.getaddrinfo = self.addresses_of
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if getattr(self._deciding, "now", False):
            return
        self._deciding.now = True
        try:
            why = self._objection(event, args)
        finally:
            self._deciding.now = False
        if why:
            self.refused = self.refused or why
            raise Forbidden(why)

    def _objection(self, event: str, args: tuple[Any, ...]) -> str:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            return "" if self._may_dial(args[-1]) else "address"
        if event == "open":
            return "" if self._may_open(*args) else "file"
        return event if event.startswith(_NEVER) else ""

    def _may_dial(self, where: Any) -> bool:
        if not isinstance(where, tuple) or not isinstance(where[0], str):
            return False
        if getattr(self._asking, "now", False) and where[:2] == self._resolver:
            return True
        return self._allows(where[0])

    def _allows(self, address: str) -> bool:
        if not self._rule.may_dial(address, self._allowed, self._denied, self._own):
            return False
        return self._rule.is_within(address, self._allowed) or not self._rule.is_this_machine(address)

    def _may_open(self, path: Any, mode: Any, flags: Any) -> bool:
        if isinstance(path, int):
            return True  # it was opened before
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (flags or 0) & _WRITES:
            return False
        return os.path.realpath(os.fsdecode(path)).startswith(self._readable)

    def addresses_of(self, host: Any, port: Any, family: int = 0, *_: Any, **__: Any) -> list[Any]:
        """In the place of socket.getaddrinfo, for TCP: every address is vetted, and a name with one that is
        refused is refused as a whole."""
        name = host.decode("ascii") if isinstance(host, bytes) else str(host or "")
        found = []
        for address in [name] if _is_literal(name) else self._ask(name):
            if not self._allows(address):
                self.refused = self.refused or "address"
                raise Forbidden("address")
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            if family in (0, kind):
                rest = (int(port or 0), 0, 0) if kind == socket.AF_INET6 else (int(port or 0),)
                found.append((kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, *rest)))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return found

    def _ask(self, name: str) -> list[str]:
        import dns.exception
        import dns.resolver

        asker = dns.resolver.Resolver(configure=False)
        asker.nameservers, asker.port = [self._resolver[0]], self._resolver[1]
        asker.lifetime = asker.timeout = DNS_S
        found: list[str] = []
        self._asking.now = True
        try:
            for kind in ("A", "AAAA"):
                answer = asker.resolve(name.rstrip(".") + ".", kind, raise_on_no_answer=False)
                found += [record.address for record in answer.rrset or ()]
        except (dns.resolver.NXDOMAIN, dns.exception.DNSException):
            raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
        finally:
            self._asking.now = False
        return found


class Wire:
    """What requests may send, and what was heard last."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.said = b""
        self.pause = ""
        self.trouble = ""

    def put_up(self) -> None:
        """HTTPS alone, certificates verified, no redirect followed, no answer without an end."""
        requests: Any = importlib.import_module("requests")
        broken: Any = importlib.import_module("urllib3.exceptions").HTTPError
        send, wire = requests.adapters.HTTPAdapter.send, self

        def capped(adapter: Any, request: Any, **options: Any) -> Any:
            if not str(request.url).lower().startswith("https://"):
                wire.trouble = "plain"
                raise requests.exceptions.InvalidSchema("https only")
            options |= {"stream": True, "verify": options.get("verify") or True, "proxies": {}}
            try:
                answer = send(adapter, request, **options)
                answer._content = answer.raw.read(READ_MAX, decode_content=True)
            except requests.exceptions.SSLError as error:
                wire.trouble = "certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "tls"
                raise
            except requests.exceptions.RequestException as error:
                wire.trouble = _trouble(error)
                raise
            except broken as error:  # of the body, which requests reads later and tells of in its own way
                wire.trouble = "timeout" if "timed out" in str(error) else "connection_lost"
                raise requests.exceptions.ConnectionError("broken answer") from error
            answer._content_consumed = True
            answer.close()
            wire.status, wire.said, wire.trouble = answer.status_code, answer._content[:ANSWER_BYTES], ""
            wire.pause = answer.headers.get("Retry-After", "")[:100]
            return answer

        requests.adapters.HTTPAdapter.send = capped
        requests.sessions.SessionRedirectMixin.get_redirect_target = lambda *_: None


def _trouble(error: Exception) -> str:
    requests: Any = importlib.import_module("requests")
    if isinstance(error, requests.exceptions.Timeout):
        return "timeout"
    text = str(error)
    if "NameResolutionError" in text or "no such name" in text:
        return "no_such_name"
    return "refused" if "refused" in text else "connection_lost"


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def main(told: dict[str, Any], addresses: Any) -> dict[str, Any]:
    """`told`: address, module, service (a class in it), title, body, allowed, resolver, bundle (of
    certificates, "" for the usual one); only_check: nothing is sent."""
    module = importlib.import_module(told["module"])
    import dns.resolver  # noqa: F401 - before the hook, as with all that is imported here
    import requests  # noqa: F401

    closed = (told.get("denied", ()), told.get("own", ()))
    guard, wire = Guard(addresses, told["allowed"], tuple(told["resolver"]), *closed), Wire()
    wire.put_up()
    guard.put_up(told["bundle"])
    service = getattr(module, told["service"])
    try:
        parsed = service.parse_url(told["address"])
        plugin = service(**parsed) if parsed else None
    except (TypeError, ValueError, AttributeError, KeyError, OSError):
        plugin = None
    if plugin is None:
        return {"taken": False, "trouble": "address"}
    if not plugin.verify_certificate:
        return {"taken": False, "trouble": "verify"}
    if told.get("only_check"):
        return {"taken": True, "trouble": ""}
    try:
        taken = plugin.notify(body=told["body"], title=told["title"], overflow="truncate") is True
    except (TypeError, ValueError, AttributeError, KeyError, OSError) as error:
        taken, wire.trouble = False, wire.trouble or f"fault {type(error).__name__}"
    trouble = "" if taken else "forbidden" if guard.refused == "address" else wire.trouble
    return {
        "taken": taken,
        "trouble": trouble or (f"blocked {guard.refused}" if guard.refused and not taken else ""),
        "status": wire.status,
        "said": wire.said.decode("utf-8", "replace"),
        "pause": re.sub(r"[^ -~]", "", wire.pause),
    }


def _load(path: str) -> Any:
    """The module of the address rule, without the package that it stands in."""
    spec = importlib.util.spec_from_file_location("addresses", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    for limit, value in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    came = main(json.load(sys.stdin), _load(sys.argv[1]))
    sys.stdout.write(json.dumps(came))
