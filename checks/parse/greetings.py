"""Which service speaks on a port, told by the first bytes it answers; never by what it stores."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.clean import clean
from checks.facts.ports import Access

_MAX = 16384
_SHOWN = 160
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]{0,100})?\r?\n")
_SERVER = re.compile(rb"^server:[ \t]*([^\r\n]{1,100})", re.IGNORECASE | re.MULTILINE)
_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{1,200})", re.IGNORECASE)
_MARIADB = re.compile(rb"[\x20-\x7e]{3,80}")
# Words in the title of a page that belongs to an operator alone.
_PANELS = (
    "phpmyadmin", "adminer", "portainer", "traefik", "cadvisor", "webmin", "jenkins", "pgadmin", "sidekiq",
    "cockpit", "grafana", "prometheus", "netdata", "minio console", "redis commander", "kibana", "rabbitmq",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Greeting:
    """A recognised service; `proof` is the piece of its answer that shows it, cleaned."""

    service: str
    access: Access
    proof: str


def _shown(data: bytes) -> str:
    return clean(data.split(b"\n", 1)[0].rstrip(b"\r"), _SHOWN, newlines=False)


def redis(data: bytes) -> Greeting | None:
    """The answer to PING.  A server with an ACL may answer PONG before the login."""
    if data.startswith(b"+PONG"):
        return Greeting("redis", Access.OPEN, _shown(data))
    if data.startswith((b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted")):
        return Greeting("redis", Access.LOGIN, _shown(data))
    if data.startswith((b"-DENIED", b"-ERR max number of clients", b"-LOADING")):
        return Greeting("redis", Access.TURNED_AWAY, _shown(data))
    return None


def postgresql(data: bytes) -> Greeting | None:
    """The answer to SSLRequest: one byte, or an error message of the protocol."""
    if data in {b"S", b"N"}:
        word = "accepts TLS" if data == b"S" else "no TLS"
        return Greeting("postgresql", Access.UNKNOWN, f"SSLRequest: {data.decode('ascii')} ({word})")
    if data[:1] == b"E" and b"SFATAL" in data[:64]:
        return Greeting("postgresql", Access.TURNED_AWAY, "SSLRequest: FATAL")
    return None


def mysql(data: bytes) -> Greeting | None:
    """The packet with which MySQL and MariaDB greet, or turn away."""
    if len(data) < 7 or data[3] not in (0, 1):
        return None
    body = data[4:]
    if body[0] == 0x0A:
        version, end, _ = body[1:101].partition(b"\0")
        if end and _MARIADB.fullmatch(version):
            return Greeting("mysql", Access.LOGIN, clean(version, _SHOWN, newlines=False))
    if body[0] == 0xFF and len(body) > 3 and int.from_bytes(body[1:3], "little") in {1040, 1129, 1130}:
        return Greeting("mysql", Access.TURNED_AWAY, clean(body[3:], _SHOWN, newlines=False))
    return None


def memcached(data: bytes) -> Greeting | None:
    """The answer to `version`."""
    return Greeting("memcached", Access.OPEN, _shown(data)) if data.startswith(b"VERSION ") else None


def mongodb(data: bytes) -> Greeting | None:
    """The answer to `hello`, which needs no login."""
    if len(data) < 16 or int.from_bytes(data[12:16], "little") != 2013:
        return None
    if b"isWritablePrimary" in data[:_MAX] or b"maxWireVersion" in data[:_MAX]:
        return Greeting("mongodb", Access.UNKNOWN, "hello: isWritablePrimary")
    return None


def epmd(data: bytes) -> Greeting | None:
    """The answer to NAMES_REQ begins with the mapper's own port; the names behind it are not kept."""
    return Greeting("epmd", Access.OPEN, "NAMES_REQ answered") if data[:4] == b"\0\0\x11\x11" else None


def http(data: bytes) -> Greeting | None:
    """Any HTTP answer; a few services are known by their words."""
    data = data[:_MAX]
    match = _STATUS.match(data)
    if match is None:
        return None
    status = int(match[1])
    server, title = _SERVER.search(data), _TITLE.search(data)
    proof = _shown(data)
    if server:
        proof += f", Server: {clean(server[1], 100, newlines=False)}"
    if title:
        proof += f", title: {clean(title[1].strip(), 100, newlines=False)}"
    return Greeting(_http_service(data, title[1] if title else b""), _http_access(status), proof)


def http_status(data: bytes) -> int:
    """The status of an HTTP/1 answer; 0 where there is none."""
    match = _STATUS.match(data[:_MAX])
    return int(match[1]) if match else 0


def docker(data: bytes) -> Greeting | None:
    """The answer to GET /_ping: the Docker API, or something else over HTTP."""
    found = http(data)
    if found is not None and (b"\r\napi-version:" in data[:4096].lower() or found.proof.find("Docker/") > 0):
        return Greeting("docker", found.access, found.proof)
    return found


def greeting(data: bytes) -> Greeting | None:
    """Services that speak first."""
    for begin, service in (
        (b"SSH-", "ssh"), (b"@RSYNCD:", "rsync"), (b"RFB ", "vnc"), (b"220", "ftp"),
        (b"CONNECTED <sonic-server", "sonic"),
    ):  # fmt: skip
        if data.startswith(begin):
            return Greeting(service, Access.UNKNOWN, _shown(data))
    return None


def _http_service(data: bytes, title: bytes) -> str:
    words = title.decode("utf-8", "replace").lower()
    if any(panel in words for panel in _PANELS):
        return "panel"
    if b"You Know, for Search" in data or b"The OpenSearch Project" in data:
        return "elasticsearch"
    if b'Basic realm="security"' in data or b"ApiKey" in data and b"security_exception" in data:
        return "elasticsearch"
    if b"Meilisearch is running" in data or "meilisearch" in words:
        return "meilisearch"
    return "http"


def _http_access(status: int) -> Access:
    if status in {401, 407}:
        return Access.LOGIN
    if status in {403, 421, 429} or status >= 500:
        return Access.TURNED_AWAY
    return Access.OPEN if 200 <= status < 300 else Access.UNKNOWN
