"""The application's systemd units: six settings, each judged for every running unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.model import Status
from checks.parse.host.units import parse_moment, parse_units
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE,
)  # fmt: skip
# One running unit with all six settings, one that is not there, and one that waits for its timer without any.
UNITS = (Path(__file__).parent / "samples" / "app" / "units.txt").read_text()
STALE = "1795247600"  # after the start
SETTINGS = {
    "systemd.private_tmp": "PrivateTmp",
    "systemd.private_devices": "PrivateDevices",
    "systemd.protect_home": "ProtectHome",
    "systemd.protect_system": "ProtectSystem",
    "systemd.no_new_privileges": "NoNewPrivileges",
    "systemd.capability_bounding_set": "CapabilityBoundingSet",
}
GOOD = {item: "out" if item.endswith("set") else "on" for item in SETTINGS}
NONE = "== files"
BROKEN = "== units\nSystem has not been booted with systemd as init system (PID 1). Can't operate."


def units(old: str = "", new: str = "", more: str = "") -> dict[str, str]:
    """The sample with the first `old` (the running unit's) replaced, and blocks of other units in front."""
    assert old in UNITS
    return {"units": more + UNITS.replace(old, new, 1), "app_config": ""}


def unit(name: str, setting: str) -> str:
    """Another running unit, with all settings but one."""
    block = UNITS.split("\n\n")[0].replace("akkoma.service", name).replace("MainPID=812", "MainPID=4000")
    key = setting.partition("=")[0]
    lines = [setting if line.startswith(f"{key}=") else line for line in block.split("\n")]
    return "\n".join(lines) + "\n\n"


def without(setting: str) -> dict[str, str]:
    """As an older systemd shows it, which does not know the setting."""
    lines = [line for line in UNITS.split("\n") if not line.startswith(f"{setting}=")]
    return {"units": "\n".join(lines), "app_config": ""}


CASES = [
    *(Case(item, PASS, GOOD[item], units(), "akkoma.service", data={"count": 1}) for item in SETTINGS),
    *(Case(item, WARN, "not_restarted", units("1795240100", STALE), "akkoma.service") for item in SETTINGS),
    *(Case(item, WARN, "not_restarted", units("NeedDaemonReload=no", "NeedDaemonReload=yes")) for item in SETTINGS),
    *(Case(item, NOT_APPLICABLE, "no_unit", {"units": NONE}) for item in SETTINGS),
    *(Case(item, NOT_APPLICABLE, "no_unit", units("ActiveState=active", "ActiveState=failed")) for item in SETTINGS),
    *(Case(item, NOT_APPLICABLE, "no_systemd", {"units": BROKEN}) for item in SETTINGS),
    *(Case(item, NOT_APPLICABLE, "no_systemd", {"units": "== units absent"}) for item in SETTINGS),
    *(Case(item, UNKNOWN, "not_seen", without(setting)) for item, setting in SETTINGS.items()),
    Case("systemd.private_tmp", PASS, "on", units("PrivateTmp=yes", "PrivateTmp=disconnected")),
    Case("systemd.private_tmp", FAIL, "off", units("PrivateTmp=yes", "PrivateTmp=no"), "PrivateTmp=no"),
    # One unit of several decides, and is named.
    Case("systemd.private_tmp", FAIL, "off", units(more=unit("akkoma-b.service", "PrivateTmp=no")), data={"unit": "akkoma-b.service"}),
    Case("systemd.private_devices", FAIL, "off", units("PrivateDevices=yes", "PrivateDevices=no")),
    Case("systemd.protect_system", PASS, "on", units("ProtectSystem=full", "ProtectSystem=strict")),
    Case("systemd.protect_system", WARN, "etc_open", units("ProtectSystem=full", "ProtectSystem=yes")),
    Case("systemd.protect_system", FAIL, "off", units("ProtectSystem=full", "ProtectSystem=no")),
    Case("systemd.protect_system", FAIL, "off", units("ProtectSystem=full", "ProtectSystem=yes", unit("b.service", "ProtectSystem=no"))),
    Case("systemd.no_new_privileges", FAIL, "off", units("Privileges=yes", "Privileges=no") | {"units": UNITS.replace("Privileges=yes", "Privileges=no").replace("NoNewPrivs:\t1", "NoNewPrivs:\t0")}),
    Case("systemd.no_new_privileges", WARN, "process_only", units("Privileges=yes", "Privileges=no"), "NoNewPrivs: 1"),
    Case("systemd.no_new_privileges", WARN, "not_restarted", units("NoNewPrivs:\t1", "NoNewPrivs:\t0"), "NoNewPrivs: 0"),
    Case("systemd.capability_bounding_set", PASS, "out", units(more=unit("b.service", "CapabilityBoundingSet=")), "b.service: (empty)"),
    Case("systemd.capability_bounding_set", FAIL, "holds", {"units": UNITS.replace("cap_sys_pacct", "cap_sys_pacct cap_sys_admin", 1).replace("ffffdfffff", "ffffffffff")}),
    Case("systemd.capability_bounding_set", FAIL, "holds", {"units": UNITS.replace("cap_sys_pacct", "cap_sys_pacct cap_sys_admin", 1).replace("CapBnd", "Cap")}),
    Case("systemd.capability_bounding_set", WARN, "process_only", units("cap_sys_pacct", "cap_sys_admin"), "without bit 21"),
    Case("systemd.capability_bounding_set", WARN, "not_restarted", units("ffffdfffff", "ffffffffff"), "with bit 21"),
    Case("systemd.protect_home", PASS, "on", units("ProtectHome=yes", "ProtectHome=tmpfs")),
    Case("systemd.protect_home", PASS, "lives_there", units("ProtectHome=yes", "ProtectHome=no") | {"app_config": "== akkoma /home/akkoma/akkoma/config/prod.secret.exs denied"}),
    Case("systemd.protect_home", FAIL, "off", units("ProtectHome=yes", "ProtectHome=no") | {"app_config": "== akkoma /etc/akkoma/config.exs"}, "ProtectHome=no"),
    Case("systemd.protect_home", WARN, "place_unknown", units("ProtectHome=yes", "ProtectHome=no") | {"app_config": "== mastodon /home/mastodon/live/.env.production"}),
    Case("systemd.protect_home", FAIL, "off", units("ProtectHome=yes", "ProtectHome=no", unit("mastodon-web.service", "ProtectHome=no"))
         | {"app_config": "== akkoma /etc/akkoma/config.exs\n== mastodon /home/mastodon/live/.env.production"}, data={"unit": "akkoma.service"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, set(SETTINGS)) == set()


@pytest.mark.parametrize("item_id", sorted(SETTINGS))
def test_nothing_is_said_of_a_server_that_is_not_connected(item_id: str) -> None:
    verdict = judge(item_named(item_id), Facts(missing={Inside: Missing(Reason.NOT_CONNECTED)}))
    assert (verdict.status, verdict.reason) == (UNKNOWN, Reason.NOT_CONNECTED)


@pytest.mark.parametrize("item_id", sorted(SETTINGS))
@pytest.mark.parametrize("text", ["", "Failed to list units: Connection timed out"])
def test_silence_and_errors_are_no_verdict(item_id: str, text: str) -> None:
    verdict = judge(item_named(item_id), Facts().with_facts(report(units=text, app_config="")))
    assert verdict.status is UNKNOWN


def test_a_unit_that_is_not_there_is_left_out() -> None:
    found = parse_units(tuple(UNITS.split("\n")))
    assert [one.name for one in found.loaded] == ["akkoma.service", "mastodon-media-remove.service"]
    assert [one.name for one in found.running] == ["akkoma.service"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [("Sat 2026-11-21 07:52:11 UTC", 1795247531), ("Sat 2026-11-21 16:52:11 JST", None), ("n/a", None), ("", None)],
)  # fmt: skip
def test_moments(text: str, moment: int | None) -> None:
    assert parse_moment(text) == moment
