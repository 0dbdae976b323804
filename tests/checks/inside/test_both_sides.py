"""Items that outside and inside both settle: the verdict says who decided, and what the inside no longer shows
is "cannot be verified", never worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Fact, Facts, Missing
from checks.facts.inside import Inside, Section
from checks.items import all_items
from checks.model import Settles, Status, Verdict
from tests.checks.inside.host_cases import Case, report

BOTH = {
    item.id: item for item in all_items().values() if {Settles.OUTSIDE, Settles.INSIDE} <= set(item.settles)
}
DEFINITE = (Status.PASS, Status.WARN, Status.FAIL)

# The codes that the inside decides, alone or against what outside saw; of the others outside does.  A code of
# EITHER is decided by whoever saw it.
INSIDE: dict[str, set[str]] = {
    "mail.dkim": set(),
    "firewall.databases_closed": {"untried", "listens", "filtered_inside", "local_only"},
    "firewall.open_ports": {"untried", "filtered_inside", "listening"},
    "edge.origin_hidden": {"only_tunnel"},
    "edge.tunnel": {"down"},
    "edge.waf": {"server", "detection_only", "no_rules", "switched_off", "not_reloaded"},
    "ssh.password_login_off": {"off_inside", "on_inside", "pam_asks", "match_opens", "differs"},
    "ssh.public_key_login": {"allowed", "switched_off"},
    "ssh.port_changed": {"listens_elsewhere", "kept_from_22", "listens_on_22"},
    "ssh.source_restricted": {"by_rules", "by_address", "by_users"},
    "updates.software_current": set(),
    "signup.captcha": {"no_keys"},
    "signup.email_verified": {"by_smtp", "no_smtp"},
    "app.local_bind": {"listens_open", "listens_wide", "loopback", "closed_but_listening"},
    "app.media_domain": {"configured", "configured_near"},
    "app.secure_cookie": {"flag_on", "flag_off"},
    "app.signed_fetch": {"set"},
}
EITHER = {"updates.software_current"}


SUITES = ("app", "edge", "firewall", "inside", "mail", "signup", "ssh", "updates")


def looks(key: str) -> list[Facts]:
    """What every row of every table of these suites gives to the item, in whatever form it stands there."""
    return [Facts().with_facts(*facts) for one, facts in ROWS if one == key]


def _rows() -> Iterator[tuple[str, tuple[Fact, ...]]]:
    for suite in SUITES:
        package = import_module(f"tests.checks.{suite}")
        for module in iter_modules(package.__path__):
            name = f"{package.__name__}.{module.name}"
            if module.name.startswith("test_") and name != __name__:
                for slug, row in _tables(import_module(name)):
                    yield from _row(slug, row)


def _tables(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Rows of tables, and of those that stand at a test named after its item (then with its name)."""
    for name, value in vars(module).items():
        if isinstance(value, list | tuple):
            yield from (("", row) for row in value)
        for mark in getattr(value, "pytestmark", ()) if name.startswith("test_") else ():
            if mark.name == "parametrize" and mark.args[0] == ("facts", "status", "code"):
                yield from ((name.removeprefix("test_"), row) for row in mark.args[1])


def _row(slug: str, row: Any) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    key: Any
    facts: Any
    if isinstance(row, Case):
        key, facts = row.item, (report(**row.sections), *row.facts)
    elif isinstance(row, tuple) and len(row) > 2:
        key = next((key for key in BOTH if key.endswith(f".{slug}")), "") if slug else row[0]
        facts = row[0] if slug else row[1]
    else:
        return
    known = isinstance(key, str) and key in BOTH and isinstance(facts, tuple)
    if known and all(isinstance(fact, Fact) for fact in facts):
        yield key, facts


ROWS = list(_rows())


def decided_by(verdict: Verdict) -> Settles:
    """The side of the first piece of evidence."""
    return Settles.INSIDE if verdict.evidence[0].label.startswith("inside") else Settles.OUTSIDE


def test_the_table_is_whole() -> None:
    assert set(INSIDE) == set(BOTH)
    for key, codes in INSIDE.items():
        assert codes <= set(BOTH[key].codes), key
    inside = {key for key, facts in ROWS if any(isinstance(fact, Inside) for fact in facts)}
    assert set(BOTH) - inside <= {"mail.dkim", "updates.software_current"}  # whose verdicts lie outside


@pytest.mark.parametrize("key", sorted(BOTH))
def test_the_first_evidence_is_of_the_side_that_decided(key: str) -> None:
    seen = set()
    for facts in looks(key):
        verdict = judge(BOTH[key], facts)
        if verdict.status in DEFINITE and key not in EITHER:
            wanted = Settles.INSIDE if verdict.code in INSIDE[key] else Settles.OUTSIDE
            assert decided_by(verdict) is wanted, verdict
            seen.add(verdict.code)
    assert INSIDE[key] <= seen


GAPS = (
    Missing(Reason.KEY_REFUSED, "user x"),
    Missing(Reason.HOST_KEY_CHANGED, "now ssh-ed25519 SHA256:x"),
    Missing(Reason.TIMEOUT, "collector"),
    Missing(Reason.NOT_CONNECTED, "cannot read the key file /keys"),
)


def unreadable(inside: Inside) -> Iterator[Inside | Missing]:
    """The same server when a section, or all of it, can be read no more."""
    for place, section in enumerate(inside.sections):
        refused: list[Section] = [
            replace(section, code=124),
            replace(section, cut=True),
            replace(section, code=None),
        ]
        if section.name in {"nft", "iptables", "docker"}:  # whose tools refuse in a sentence
            refused.append(replace(section, lines=("Operation not permitted (you must be root)",), code=1))
        for changed in refused:
            sections = list(inside.sections)
            sections[place] = changed
            yield replace(inside, sections=tuple(sections))
    yield from GAPS


@pytest.mark.parametrize("key", sorted(BOTH))
def test_what_turns_unreadable_is_no_fall(key: str) -> None:
    """A pass of the inside may become unknown, or a pass of outside; never a warning or a failure."""
    for facts in looks(key):
        inside, before = facts.maybe(Inside), judge(BOTH[key], facts)
        if inside is None or before.status is not Status.PASS:
            continue
        for later in unreadable(inside):
            after = judge(BOTH[key], _changed(facts, later))
            assert after.status not in {Status.WARN, Status.FAIL, Status.ERROR}, (before, later, after)


def _changed(facts: Facts, later: Inside | Missing) -> Facts:
    if isinstance(later, Inside):
        return facts.with_facts(later)
    return Facts({kind: fact for kind, fact in facts.found.items() if kind is not Inside}, {Inside: later})
