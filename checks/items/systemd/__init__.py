"""What the items about the app's systemd units share: which units are judged, and when nothing can be said."""

from __future__ import annotations

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import Text, Verdict, failed, not_applicable, passed, unknown, warned
from checks.parse.host.units import AppUnits, parse_units

LABEL = "inside: systemctl show"

# The sentences of `unjudged` and `outdated`.
SHARED = {
    "not_restarted": Text(
        "{unit} was changed after it was started: the running process may still be without it.",
        "{unit} は起動後に設定が変更されています。動作中のプロセスには反映されていない可能性があります。",
    ),
    "no_unit": Text(
        "None of the units that fedisec knows runs here, as with containers. A unit with a name of its own can be named to the collector.",
        "fedisec の知るユニットは動いていません（コンテナで動かしている場合など）。独自の名前のユニットは、収集スクリプトの設定に登録できます。",
    ),
    "no_systemd": Text("This server does not run systemd.", "このサーバでは systemd が動いていません。"),
    "not_seen": Text(
        "systemd did not show this setting of the app's units.",
        "アプリのユニットのこの設定を systemd から読み取れませんでした。",
    ),
}


def app_units(facts: Facts) -> AppUnits:
    return parse_units(facts.get(Inside).lines("units"))


def unjudged(units: AppUnits) -> Verdict | None:
    """Why no unit can be judged at all."""
    if units.no_systemd:
        return not_applicable("no_systemd")
    if not units.listed:
        return unknown("not_seen", Reason.NO_TOOL)
    return None if units.running else not_applicable("no_unit")


def outdated(units: AppUnits) -> Verdict | None:
    """The loaded settings say all is well, but a process is older than they are."""
    if units.changed is None:
        return None
    name = units.changed.name
    return warned("not_restarted", unit=name).seen(LABEL, f"{name}: changed after its start")


def values_of(units: AppUnits, setting: str) -> tuple[dict[str, str | None], str]:
    """The setting of each running unit (None: systemd does not know it), and all of them as evidence."""
    values = {unit.name: unit.value(setting) for unit in units.running}
    return values, "\n".join(f"{name}: {setting}={value}" for name, value in values.items())


def on_or_off(facts: Facts, setting: str, *good: str) -> Verdict:
    """A setting that has a good value in every running unit, or else is off."""
    units = app_units(facts)
    if (gap := unjudged(units)) is not None:
        return gap
    values, shown = values_of(units, setting)
    weak = next((name for name, value in values.items() if value is not None and value not in good), None)
    if weak is not None:
        return failed("off", unit=weak).seen(LABEL, shown)
    if None in values.values():
        return unknown("not_seen", Reason.NO_TOOL)
    return outdated(units) or passed("on", count=len(values)).seen(LABEL, shown)
