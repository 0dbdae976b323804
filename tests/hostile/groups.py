"""Items by what they rest on, for `Allows`."""

from __future__ import annotations

from tests.checks.faults.table import _API, _HEADERS, _PATHS, _PORTS, _SSH, _ZONE

API, HEADERS, PATHS = _API, _HEADERS, _PATHS
SITE = (*API, *HEADERS, *PATHS)
SSH, ZONE, PORTS = _SSH, _ZONE, _PORTS
TLS = ("tls.*", "edge.cdn")
HOST = (*SITE, *SSH, "tls.*", "http.https_redirect", "ssh.source_restricted", "ssh.port_changed")
"""All that needs the instance's own address."""
MAIL = ("mail.*", "plan.contact_reachable")
EVERYTHING = ("*",)
NAME = {"domain.permanent": "pass unknown"}
"""Told by the name itself."""
