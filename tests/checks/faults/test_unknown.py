"""Unknown is unknown: a fault in any service that a scan asks makes its items unknown, never pass, warn or fail."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest

from checks.items import all_items
from checks.model import Settles, Status, Verdict
from tests.checks.faults.scans import AT_ONCE, LIMITS, Scans, reasons, scan_all
from tests.checks.faults.table import Case, among, cases
from tests.lab.lab import Lab

pytest_plugins = ("tests.lab.fixtures",)  # by name, so that a run has one lab only
pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CASES = list(cases())
# Every ninth of them in `make test`; all where somebody asks for it (`make test-wide`).
CHOSEN = CASES if os.environ.get("FEDISEC_WIDE") == "all" else CASES[::9]
# Told by the name itself, or (no CDN in front) by its addresses; only the resolver can hide that.
NEEDS_NO_SERVICE = {"domain.permanent", "edge.origin_hidden", "edge.tunnel"}
# The lab shows nothing that would settle these (no shield, no registry, nobody who would hear of an expiry), so the
# table cannot prove that a fault unsettles them; their own tests do.
NEVER_SETTLED_HERE = {
    "edge.waf", "firewall.cloud_ssh", "tls.expiry_alert", "domain.registration_lasts", "domain.whois_private",
    "tls.origin_strong", "tls.renewal_automated",  # by a login alone
}  # fmt: skip
_SILENT = frozenset({Status.UNKNOWN, Status.MANUAL})


@pytest.fixture(scope="module")
def scans(lab: Lab, request: pytest.FixtureRequest) -> Scans:
    """Of the whole table, or of the cases that -k left."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = [call.params["case"] for call in calls if call is not None and "case" in call.params]
    return scan_all(lab, [case for case in CASES if case in chosen])


def broken_promises(case: Case, sound: Mapping[str, Verdict], seen: Mapping[str, Verdict]) -> Iterator[str]:
    """What a scan claims although the fault hid it."""
    for item, verdict in seen.items():
        as_before = verdict.status is sound[item].status
        if among(item, case.silenced) and not among(item, case.elsewhere):
            good = verdict.status in _SILENT or (among(item, case.decided) and as_before)
        elif among(item, case.elsewhere):
            good = verdict.status is not Status.ERROR
        else:
            good = verdict.status in _SILENT or as_before
        if not good:
            yield f"{item}: {verdict.status} ({verdict.code}), in the sound world {sound[item].status}"


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.id)
def test_what_a_fault_hides_is_unknown_and_nothing_else_changes(scans: Scans, case: Case) -> None:
    seen = scans.by_case[case.id]
    assert list(broken_promises(case, scans.sound[case.target].verdicts, seen.verdicts)) == []


def test_a_scan_ends_within_its_time_whatever_happens(scans: Scans) -> None:
    late = {key: seen.seconds for key, seen in scans.by_case.items() if seen.seconds > LIMITS.wall_s + 1}
    assert late == {}


def test_no_fault_is_taken_for_a_bug_of_ours(scans: Scans) -> None:
    assert [key for key, seen in scans.by_case.items() if "bug" in reasons(seen.facts)] == []
    assert scans.complaints == []


def test_no_fault_makes_a_scan_ask_more_than_its_manners_allow(scans: Scans) -> None:
    per_address = {"tls", "tcp", "ssh", "smtp"}
    for key, seen in scans.by_case.items():
        for kind, allowed in LIMITS.budget.items():
            most = allowed * (5 if kind in per_address else 1)
            assert seen.used.get(kind, 0) <= most, (key, kind)
        assert max(seen.met.values(), default=0) <= 60, (key, seen.met)


def test_no_fault_makes_the_process_swell(scans: Scans) -> None:
    assert scans.grown < AT_ONCE * 10 << 20


def test_the_sound_world_settles_what_the_table_silences(scans: Scans) -> None:
    """Otherwise "unknown" would prove nothing."""
    silenced = {i for i in all_items() if any(among(i, c.silenced) for c in CASES if "*" not in c.silenced)}
    judged = {i for i in silenced if all_items()[i].check_function is not None} - NEVER_SETTLED_HERE
    undecided = {
        i for i in judged if all(seen.verdicts[i].status in _SILENT for seen in scans.sound.values())
    }
    assert undecided == set()


def test_every_item_that_looks_outside_is_silenced_by_a_fault_of_its_own_service() -> None:
    outside = {
        item.id
        for item in all_items().values()
        if item.check_function is not None and Settles.OUTSIDE in item.settles
    }
    covered = {i for i in outside if any(among(i, c.silenced) for c in CASES if "*" not in c.silenced)}
    assert outside - covered - NEEDS_NO_SERVICE - NEVER_SETTLED_HERE == set()


def test_the_table_itself_notices_a_verdict_without_evidence(scans: Scans) -> None:
    """A scan that would answer as if nothing were broken is caught in every case that silences something."""
    for case in CASES:
        sound = scans.sound[case.target].verdicts
        settled = {
            i for i, v in sound.items()
            if v.status not in _SILENT and among(i, case.silenced) and not among(i, (*case.elsewhere, *case.decided))
        }  # fmt: skip
        assert len(list(broken_promises(case, sound, sound))) == len(settled)
        assert settled or not case.silenced, case.id
