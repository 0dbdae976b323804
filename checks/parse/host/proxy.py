"""Whom nginx believes the header with the visitor's address."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import denied


@dataclass(frozen=True, slots=True)
class NginxProxy:
    """`whole`: nginx is there and every file of its configuration could be read."""

    whole: bool
    real_ip_from: tuple[str, ...]  # whom it believes the header with the visitor's address
    real_ip_header: str


def parse_proxy(lines: tuple[str, ...]) -> NginxProxy:
    """The section "proxy": single settings of the enabled configuration, and the names of its files."""
    settings = [line.rstrip("; \t").split() for line in lines if line.rstrip().endswith(";")]
    values: dict[str, list[list[str]]] = {}
    for words in settings:
        if words:
            values.setdefault(words[0].lower(), []).append(words[1:])
    seen = any(line.startswith("# configuration file ") for line in lines)
    return NginxProxy(
        seen and not denied(lines) and not any(line.startswith("denied /") for line in lines),
        tuple(words[0] for words in values.get("set_real_ip_from", ()) if words),
        next((words[0] for words in values.get("real_ip_header", ()) if words), ""),
    )
