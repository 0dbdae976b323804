"""Plain looks at the lab from the standard library and dnspython, independent of the checks."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rdatatype

from tests.lab import places as at


def ask(name: str, kind: str, flags: int = 0) -> dns.message.Message:
    """The resolver's answer with DNSSEC asked for; `flags` such as dns.flags.CD are added."""
    query = dns.message.make_query(name, kind, want_dnssec=True)
    query.flags |= flags
    answer, _ = dns.query.udp_with_fallback(query, at.RESOLVER_IP, timeout=5)
    return answer


def texts(name: str, kind: str) -> list[str]:
    """The records of one type as text, sorted."""
    wanted = dns.rdatatype.from_text(kind)
    return sorted(
        record.to_text() for rrset in ask(name, kind).answer if rrset.rdtype == wanted for record in rrset
    )


class Fixed(HTTPSConnection):
    """HTTPS to a given address, with the name in SNI and Host."""

    def __init__(self, name: str, address: str, context: ssl.SSLContext) -> None:
        super().__init__(name, timeout=5)
        self._address, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, 443), timeout=5)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that was read to its end."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def fetch(connection: HTTPConnection, method: str, path: str, headers: dict[str, str]) -> Answer:
    """One request; the connection is closed afterwards."""
    with closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def get_https(
    ca_file: Path,
    path: str,
    name: str = at.GOOD,
    address: str = at.GOOD_IP,
    method: str = "GET",
    **headers: str,
) -> Answer:
    """One request to `address`; the certificate must verify strictly for `name`, the bad one's in spite of
    its short key."""
    context = ssl.create_default_context(cafile=str(ca_file))
    if name == at.BAD:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return fetch(Fixed(name, address, context), method, path, headers)


def get_http(name: str, address: str, path: str) -> Answer:
    """One request without TLS; redirects are not followed."""
    return fetch(HTTPConnection(address, timeout=5), "GET", path, {"Host": name})
