"""The library's face: `python -m checks scan | judge | items | collector`.

Exit codes: 0 no required item fails · 1 some fail · 2 usage · 3 the target could not be reached at all
· 4 none of those, but the login that was asked for brought no report.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from checks import CHECKS_VERSION
from checks.clean import clean
from checks.cli_login import NOT_REACHED, LoginError, access_of, add_login_options, why_not_inside
from checks.codec import CodecError, decode_facts, encode_facts
from checks.data.dns import root_anchors
from checks.data.rdap import bootstrap
from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.http import FrontPage, PlainHttp
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts, PortState
from checks.facts.ssh import SshService
from checks.items import all_items
from checks.model import Item, Level, Status, Verdict
from checks.parse.dkim_message import MAX_MESSAGE, MessageError, read_message, selectors_to_watch
from checks.probes import gather
from checks.probes.addresses import parse_networks
from checks.probes.collector import collector_script, collector_sha256
from checks.probes.dns import parse_server
from checks.probes.http_dial import verifying_context
from checks.report import Report, as_json, as_lines
from checks.target import Target, TargetError, Vantage, parse_domain

EXIT_OK, EXIT_FAILS, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_NOT_INSIDE = 0, 1, 2, 3, 4

_TARGET_ERRORS = {
    "empty": "a domain is needed, for example mastodon.example",
    "too_long": "a domain has 253 characters at most",
    "control": "the domain holds control characters",
    "address": "give the domain, not an address",
    "local": "this name exists only inside a network",
    "single_label": "a domain has at least two parts, for example mastodon.example",
    "bad_name": "this is not a valid domain name",
}

_MESSAGE_ERRORS = {
    "empty": "the mail is empty",
    "too_large": "the mail is larger than 1 MiB; give its headers alone",
    "no_headers": "this is no mail source: it must begin with header lines such as “From: …”",
    "too_many": "the mail has more headers or signatures than any real one",
    "no_signature": "there is no DKIM-Signature header in it",
    "no_from": "there is no From header with an address in it",
    "several_from": "there is more than one From header in it",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except UsageError as error:
        _say(f"checks: {error}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:
        # Whoever read has seen enough; what is left must not fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


class UsageError(Exception):
    """Something on the command line that argparse cannot see."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m checks", description="Security checks for fediverse servers"
    )
    parser.add_argument("--version", action="version", version=CHECKS_VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    scan = commands.add_parser(
        "scan", help="look at a server, from outside or from inside as well, and judge it"
    )
    scan.set_defaults(run=_scan)
    scan.add_argument("domain")
    scan.add_argument("--resolver", default="", metavar="IP[:PORT]", help="a validating resolver you trust")
    scan.add_argument("--trust-ca", type=Path, metavar="FILE", help="extra trusted roots, PEM")
    scan.add_argument("--allow-network", action="append", default=[], metavar="CIDR")
    scan.add_argument("--mail-from", default="", metavar="DOMAIN", help="domain of the From address")
    scan.add_argument("--dkim-selector", action="append", default=[], metavar="S")
    scan.add_argument(
        "--dkim-message",
        metavar="FILE",
        help="a mail of the server, or its headers, to verify (- reads stdin)",
    )
    scan.add_argument("--origin", action="append", default=[], metavar="IP", help="address behind a CDN")
    scan.add_argument("--ssh-port", type=_port, default=22, metavar="PORT")
    scan.add_argument(
        "--dnssec-names", nargs=2, metavar=("SECURE", "BOGUS"), help="names for the resolver's self-test"
    )
    scan.add_argument("--dnssec-anchor", type=Path, metavar="FILE", help="the root's keys, as DS or DNSKEY")
    scan.add_argument(
        "--rdap-bootstrap", type=Path, metavar="FILE", help="RDAP services, in the form of IANA's dns.json"
    )
    add_login_options(scan)
    scan.add_argument("--facts-out", type=Path, metavar="FILE", help="save what was seen")
    judge = commands.add_parser("judge", help="judge saved facts again, without network")
    judge.set_defaults(run=_judge)
    judge.add_argument("facts", type=Path)
    items = commands.add_parser("items", help="list the checklist")
    items.set_defaults(run=_items)
    for command in (scan, judge, items):
        command.add_argument("--json", action="store_true")
        command.add_argument("--lang", choices=("en", "ja"), default="en")
    for command in (scan, judge):
        command.add_argument("--only", default="", metavar="ID,…", help="only these items")
    collector = commands.add_parser("collector", help="print the read-only script for the inside")
    collector.set_defaults(run=_collector)
    collector.add_argument("--sha256", action="store_true", help="print its SHA-256 instead")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"no port: {text}")
    return int(text)


def _scan(given: argparse.Namespace) -> int:
    chosen = _chosen(given.only)
    target, vantage = _target(given), _vantage(given)
    if given.facts_out:
        _must_be_writable(given.facts_out)
    started, clock = datetime.now(UTC), time.monotonic()
    gathered = asyncio.run(gather(target, vantage, progress=_show_progress))
    seconds = time.monotonic() - clock
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    if given.facts_out:
        given.facts_out.write_text(json.dumps(encode_facts(gathered.facts), indent=1))
    report = Report(target.domain, started, seconds, gathered.connections, evaluate(gathered.facts, chosen))
    _print(report, given)
    why = why_not_inside(gathered.facts, target.access, given.lang) if target.access else ""
    if why:
        print(f"checks: {why}", file=sys.stderr)
    if _unreachable(gathered.facts):
        print(f"checks: {NOT_REACHED.filled(given.lang, {'domain': target.domain})}", file=sys.stderr)
        return EXIT_UNREACHABLE
    return _exit_code(report.verdicts) or (EXIT_NOT_INSIDE if why else EXIT_OK)


def _must_be_writable(path: Path) -> None:
    """Said before the scan, not after it."""
    try:
        path.open("a").close()
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _judge(given: argparse.Namespace) -> int:
    chosen = _chosen(given.only)
    try:
        facts = decode_facts(json.loads(given.facts.read_text()))
    except OSError as error:
        raise UsageError(f"cannot read {given.facts}: {error.strerror}") from error
    except (CodecError, ValueError, RecursionError) as error:
        raise UsageError(f"{given.facts} is no facts file: {error}") from error
    addresses = facts.maybe(Addresses)
    domain = addresses.host if addresses else str(given.facts)
    report = Report(domain, datetime.now(UTC), 0.0, {}, evaluate(facts, chosen))
    _print(report, given)
    return _exit_code(report.verdicts)


def _items(given: argparse.Namespace) -> int:
    if given.json:
        print(
            json.dumps(
                [_described(item, given.lang) for item in all_items().values()], indent=1, ensure_ascii=False
            )
        )
        return EXIT_OK
    for item in all_items().values():
        print(
            f"{item.id:34} {item.level:12} {','.join(item.settles):10} {item.title.in_language(given.lang)}"
        )
    return EXIT_OK


def _described(item: Item, language: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "level": item.level.value,
        "settles": [s.value for s in item.settles],
        "title": item.title.in_language(language),
        "sources": [{"text": s.text, "section": s.section, "url": s.url} for s in item.sources],
        "references": [{"title": r.title, "url": r.url} for r in item.references],
    }


def _collector(given: argparse.Namespace) -> int:
    print(collector_sha256() if given.sha256 else collector_script(), end="\n" if given.sha256 else "")
    return EXIT_OK


def _target(given: argparse.Namespace) -> Target:
    try:
        domain = parse_domain(given.domain)
        mail_from = parse_domain(given.mail_from) if given.mail_from else ""
    except TargetError as error:
        raise UsageError(_TARGET_ERRORS[error.code]) from error
    try:
        for address in given.origin:
            ipaddress.ip_address(address)
    except ValueError as error:
        raise UsageError(f"--origin: {error}") from error
    mail, selectors = _mail(given.dkim_message, mail_from or domain)
    named = tuple(dict.fromkeys((*given.dkim_selector, *selectors)))
    try:
        access = access_of(given)
    except LoginError as error:
        raise UsageError(error.in_language(given.lang)) from None
    return Target(domain, mail_from, named, tuple(given.origin), given.ssh_port, message=mail, access=access)


def _mail(path: str | None, mail_domain: str) -> tuple[bytes, tuple[str, ...]]:
    """A mail of the server, and the selectors that it names."""
    if path is None:
        return b"", ()
    try:
        with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
            raw = file.read(MAX_MESSAGE + 1)
        mail = read_message(raw)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except MessageError as error:
        raise UsageError(f"--dkim-message: {_MESSAGE_ERRORS[error.code]}") from error
    if mail.from_domain != mail_domain:
        raise UsageError(
            f"--dkim-message: the mail is from {mail.from_domain}, but {mail_domain} is looked at; "
            f"if the server sends as that, add --mail-from {mail.from_domain}"
        )
    return raw, selectors_to_watch(mail, mail_domain)


def _vantage(given: argparse.Namespace) -> Vantage:
    try:
        parse_networks(given.allow_network)
    except ValueError as error:
        raise UsageError(f"--allow-network: {error}") from error
    try:
        if given.resolver:
            parse_server(given.resolver)
    except ValueError as error:
        raise UsageError(f"--resolver: {error}") from error
    pem = _roots(given.trust_ca) if given.trust_ca else ""
    names = (
        {}
        if not given.dnssec_names
        else dict(zip(("secure_name", "bogus_name"), given.dnssec_names, strict=True))
    )
    services, anchors = _rdap_bootstrap(given.rdap_bootstrap), _anchors(given.dnssec_anchor)
    networks = tuple(given.allow_network)
    return Vantage(given.resolver, pem, networks, anchors=anchors, rdap_bootstrap=services, **names)


def _roots(path: Path) -> str:
    """The text of a file of trusted roots that TLS can really use."""
    try:
        pem = path.read_bytes().decode("ascii", "ignore")  # OpenSSL takes no more, not even in comments
        verifying_context(pem or "empty")
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(f"--trust-ca: {path} holds no certificates in PEM") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return pem


def _rdap_bootstrap(path: Path | None) -> str:
    try:
        bootstrap(str(path or ""))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--rdap-bootstrap: {path}: {error}") from error
    return str(path or "")


def _anchors(path: Path | None) -> tuple[str, ...]:
    try:
        return root_anchors(str(path or ""))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--dnssec-anchor: {path}: {error}") from error


def _chosen(only: str) -> list[Item] | None:
    if not only:
        return None
    try:
        return [all_items()[key.strip()] for key in only.split(",") if key.strip()]
    except KeyError as error:
        raise UsageError(f"--only: there is no item {error}") from error


def _print(report: Report, given: argparse.Namespace) -> None:
    if given.json:
        _say(json.dumps(as_json(report, given.lang), indent=1, ensure_ascii=False))
        return
    for line in as_lines(report, given.lang):
        _say(line)


def _say(text: str, *, file: TextIO | None = None) -> None:
    """To a terminal, which obeys control characters: saved facts may be anybody's."""
    print(clean(text, len(text)), file=file)


def _show_progress(phase: str, done: int, all_of_it: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{phase} {done}/{all_of_it}", end="", file=sys.stderr, flush=True)


def _exit_code(verdicts: Mapping[str, Verdict]) -> int:
    fails = any(
        v.status is Status.FAIL and all_items()[key].level is Level.REQUIRED for key, v in verdicts.items()
    )
    return EXIT_FAILS if fails else EXIT_OK


def _unreachable(facts: Facts) -> bool:
    """True when not even the addresses of the target are known, or none of them answered anything."""
    if Inside in facts.found:
        return False
    gap = facts.missing.get(Addresses)
    if isinstance(gap, Missing):
        return gap.reason is not Reason.NOT_ASKED
    web, ports, ssh = facts.maybe(PlainHttp), facts.maybe(OpenPorts), facts.maybe(SshService)
    states = [port.state for one in (ports.addresses if ports else ()) for port in one.ports]
    states += [one.state for one in (ssh.endpoints if ssh else ())]
    answered = FrontPage in facts.found or (web is not None and not web.closed)
    return not answered and PortState.OPEN not in states
