"""The mail server on the machine: how it hands mail on, and which DKIM selectors it signs with."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts


@dataclass(frozen=True, slots=True)
class MailServer:
    """`tls_level`: Postfix's smtp_tls_security_level, "" where there is no Postfix or it sets none.
    `selectors`: (domain, selector); domain "" where the signer uses it for every domain."""

    has_postfix: bool
    tls_level: str
    relays: bool
    selectors: tuple[tuple[str, str], ...]

    def selectors_of(self, domain: str) -> tuple[str, ...]:
        """Selectors that mail of the domain is signed with."""
        wanted = ("", "*", domain.lower())
        return tuple(dict.fromkeys(name for of, name in self.selectors if of.lower() in wanted))


def parse_mail(lines: tuple[str, ...]) -> MailServer:
    """The section "mail"."""
    found = {part.label: part for part in parts(lines)}
    postfix = found.get("postfix")
    has_postfix = postfix is not None and not postfix.absent
    pairs = (line.partition("=") for line in postfix.lines) if postfix else ()
    settings = {name: value.strip() for name, _, value in pairs}
    opendkim = found["opendkim"].lines if "opendkim" in found else ()
    rspamd = found["rspamd"].lines if "rspamd" in found else ()
    return MailServer(
        has_postfix,
        settings.get("smtp_tls_security_level", "").lower(),
        settings.get("relayhost") == "set",
        (*_opendkim(opendkim), *_rspamd(rspamd)),
    )


def _opendkim(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """Selector and Domain lines belong together; a KeyTable line holds both.  A key that no line of a
    signing table can lead to is not told apart."""
    words = [line.split() for line in lines]
    table = [(line[1], line[2]) for line in words if line[:1] == ["KeyTable"] and len(line) == 3]
    single = {line[0].lower(): "".join(line[1:]) for line in words if len(line) > 1}
    if "selector" in single:
        table += [(domain, single["selector"]) for domain in single.get("domain", "").split(",")]
    return [("" if domain == "%" else domain, selector) for domain, selector in table]


def _rspamd(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """`selector = "NAME";` of dkim_signing.conf; the domains around it are not shown."""
    pairs = (line.partition("=") for line in lines if "=" in line)
    names = (value.strip(" \t;\"'") for key, _, value in pairs if key.strip() == "selector")
    return [("", name) for name in names if name]
