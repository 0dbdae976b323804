"""Every way to the network that the code takes is known: `checks.probes.net`, and a short list with reasons."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Whoever imports one of these can reach the network by it.
MODULES = frozenset(
    {
        "aiohttp", "dns.asyncquery", "dns.asyncresolver", "dns.query", "dns.resolver", "dns.zone", "ftplib",
        "http.client", "httpcore", "httpx", "imaplib", "multiprocessing.connection", "paramiko", "poplib",
        "requests", "smtplib", "socket", "socketserver", "subprocess", "telnetlib", "urllib.request", "urllib3",
        "xmlrpc.client",
    }
)  # fmt: skip
# And these reach it from modules that everybody may import.
CALLS = frozenset(
    {
        "create_connection", "create_datagram_endpoint", "create_subprocess_exec", "create_subprocess_shell",
        "getaddrinfo", "gethostbyname", "open_connection", "open_unix_connection", "sock_connect", "system",
        "popen", "urlopen",
    }
)  # fmt: skip

ALLOWED = {
    # The dialler itself, and how it waits.
    "checks/probes/net.py": {"socket", "create_connection", "open_connection"},
    "checks/probes/connecting.py": {"socket"},
    # Asks the kernel for a way by connecting a UDP socket; sends nothing.
    "checks/probes/addresses.py": {"socket"},
    # The resolver that the operator named, and name servers at addresses that the dialler vetted.
    "checks/probes/dns_wire.py": {"socket", "open_connection"},
    # Speak over connections that the dialler made: a pool with a backend of ours, a socket that is handed in.
    "checks/probes/http_dial.py": {"httpcore", "httpx"},
    "checks/probes/http_client.py": {"httpcore", "httpx"},
    "checks/probes/ssh_client.py": {"socket", "paramiko"},
    "checks/probes/ssh_session.py": {"socket", "paramiko"},
    "checks/probes/ssh_trial.py": {"socket", "paramiko"},
    "fedisec/enrolment/trial.py": {"socket"},
    # The operator's own mail server, which may stand in a private network; what is denied is refused there too.
    "fedisec/alerts/dialogue.py": {"smtplib", "socket", "getaddrinfo"},
    # Names of exceptions, for what is said about a mail that did not go.
    "fedisec/alerts/send.py": {"smtplib"},
    "fedisec/alerts/server_words.py": {"smtplib", "socket"},
    # Apprise in a process of its own, under a hook that asks the same rule.
    "fedisec/alerts/channels/apprise_way.py": {"subprocess"},
    "fedisec/alerts/channels/apprise_child.py": {
        "socket",
        "getaddrinfo",
        "requests",
        "urllib3",
        "dns.resolver",
    },
    # The provider of sign-ins that the operator named, which may stand in a private network.
    "fedisec/accounts/oidc.py": {"requests"},
    # Listens, and is handed on.
    "fedisec/lib/listen.py": {"socket"},
    "fedisec/lib/serving.py": {"socket"},
    "fedisec/lib/management/commands/up.py": {"socket"},
    "fedisec/lib/supervisor.py": {"subprocess"},
    "fedisec/lib/copies.py": {"subprocess"},
    # The host's name.
    "fedisec/scans/outlook.py": {"socket"},
    # pg_dump and pg_restore, at the installation's own database.
    "fedisec/moving/backup.py": {"subprocess"},
    "fedisec/moving/restore.py": {"subprocess"},
    # Names of our own: a page, and the part of a list.
    "fedisec/system/urls.py": {"system"},
    "fedisec/watch/inventory.py": {"system"},
    # WeasyPrint in a process of its own, which fetches nothing.
    "fedisec/share/pdf.py": {"subprocess"},
}


def ways_out(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute):  # called, or handed on to be called
            names = [node.attr] if node.attr in CALLS else []
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0] if node.args else None
            names = [called] if called in CALLS else []
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                names.append(str(first.value))
        else:
            continue
        for name in names:
            if name in CALLS:
                yield name
            parts = name.split(".")
            yield from {".".join(parts[:n]) for n in range(1, len(parts) + 1)} & MODULES


def test_nothing_reaches_the_network_past_the_dialler() -> None:
    found: dict[str, set[str]] = {}
    for folder in ("checks", "fedisec"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            ways = set(ways_out(path.read_text()))
            if ways:
                found[str(path.relative_to(ROOT))] = ways
    new = {path: ways - ALLOWED.get(path, set()) for path, ways in found.items()}
    assert not {path: ways for path, ways in new.items() if ways}, (
        "use checks.probes.net or fedisec.lib.fetch"
    )
    assert not set(ALLOWED) - set(found), "allowed, and no longer needed"


def test_the_search_sees_every_way() -> None:
    for source, way in (
        ("import httpx", "httpx"),
        ("from urllib import request", "urllib.request"),
        ("from urllib.request import urlopen as o", "urllib.request"),
        ("import http.client", "http.client"),
        ("async def f():\n await asyncio.open_connection('a', 1)", "open_connection"),
        ("importlib.import_module('requests')", "requests"),
        ("os.system('curl')", "system"),
        ("from dns import resolver", "dns.resolver"),
        ("to_thread(socket.create_connection, where)", "create_connection"),
    ):
        assert way in set(ways_out(source)), source
    assert not set(ways_out("from urllib.parse import urlsplit\nimport asyncio, http, dns.name"))
