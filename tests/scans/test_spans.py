"""Only changes are stored, and from them the state at any scan can be told."""

from __future__ import annotations

import importlib
import re
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction
from django.utils import timezone

from checks.items import all_items
from fedisec.instances.models import Instance
from fedisec.scans import rejudge as judging
from fedisec.scans.models import ItemState, Scan, Span
from fedisec.scans.rejudge import last_scan, rejudge
from fedisec.scans.spans import MOVING, Said, steady
from tests.factories import a_recorded_scan, an_instance, put_otherwise
from tests.fakes import REQUIRED, facts, no_facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_items")]
LOCK = REQUIRED.id
START = timezone.now().replace(microsecond=0) - timedelta(days=5)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def spans(item_id: str = LOCK) -> list[tuple[str, int, bool]]:
    """(status, scan, rejudged) in the order they were stored."""
    found = Span.objects.filter(item_id=item_id).order_by("pk")
    return [(span.status, span.scan_id, span.rejudged) for span in found]


def test_a_scan_that_sees_the_same_stores_no_span() -> None:
    instance = an_instance()
    first = a_recorded_scan(instance, facts(lock="fail"), day(0))
    assert Span.objects.count() == len(all_items())
    a_recorded_scan(instance, facts("other evidence", lock="fail"), day(1))
    assert spans() == [("fail", first.pk, False)]
    assert Span.objects.count() == len(all_items())


def test_each_change_begins_a_span_with_what_was_seen() -> None:
    instance = an_instance()
    scans = [
        a_recorded_scan(instance, facts(lock=status), day(number))
        for number, status in enumerate(("pass", "fail", "fail", "pass"))
    ]
    assert spans() == [
        ("pass", scans[0].pk, False),
        ("fail", scans[1].pk, False),
        ("pass", scans[3].pk, False),
    ]
    second = Span.objects.filter(item_id=LOCK).order_by("pk")[1]
    assert (second.code, second.data, second.first_at) == ("bad", {"where": "social.example"}, day(1))
    assert second.evidence == [["GET https://social.example/", "what was seen"]]


def test_a_look_that_saw_nothing_is_a_change() -> None:
    instance = an_instance()
    a_recorded_scan(instance, facts(), day(0))
    a_recorded_scan(instance, no_facts(), day(1))
    span = Span.objects.filter(item_id=LOCK).latest("pk")
    assert (span.status, span.reason, span.rejudged) == ("unknown", "timeout", False)


def test_a_lost_token_stores_no_span() -> None:
    from checks.probes import Gathered
    from fedisec.scans.record import record
    from tests.factories import a_running_scan

    assert not record(a_running_scan(an_instance()), "another", Gathered(facts(), {}), day(0))
    assert not Span.objects.exists()


def test_a_difference_under_other_rules_is_marked() -> None:
    instance = an_instance()
    first = a_recorded_scan(instance, facts(lock="pass"), day(0))
    Scan.objects.update(checks_version="0")
    second = a_recorded_scan(instance, facts(lock="fail"), day(1))
    third = a_recorded_scan(instance, facts(lock="pass"), day(2))
    assert spans() == [("pass", first.pk, False), ("fail", second.pk, True), ("pass", third.pk, False)]


def _judged_otherwise(instance: Instance) -> Scan:
    """A scan with a lock that passed by the rules of its time and fails by those of today."""
    scan = a_recorded_scan(instance, facts(lock="fail"), day(0))
    ItemState.objects.filter(item_id=LOCK).update(
        status="pass", code="good", settled="pass", checks_version="0"
    )
    put_otherwise(Span.objects.filter(item_id=LOCK), status="pass", code="good")
    Scan.objects.update(checks_version="0")
    return scan


def test_stored_facts_judged_anew_begin_a_span_of_the_same_scan() -> None:
    instance = an_instance()
    scan = _judged_otherwise(instance)
    assert rejudge(scan) == 1
    assert spans() == [("pass", scan.pk, False), ("fail", scan.pk, True)]
    after = a_recorded_scan(instance, facts(lock="pass"), day(1))
    assert spans()[-1] == ("pass", after.pk, False)


def test_old_facts_are_not_judged_over_a_newer_look() -> None:
    instance = an_instance()
    old = _judged_otherwise(instance)
    a_recorded_scan(instance, facts(lock="pass"), day(1))
    assert rejudge(old) == 0
    assert ItemState.objects.get(item_id=LOCK).status == "pass"
    assert judging.last_scan(instance) != old
    assert Scan.objects.get(pk=old.pk).checks_version == "0"


def said(item_id: str, **values: object) -> Said:
    status, code, reason = (str(values.pop(key, "")) for key in ("status", "code", "reason"))
    state = ItemState(item_id=item_id, status=status or "pass", code=code, reason=reason, data=values)
    return Said.of(state)


@pytest.mark.parametrize(
    ("item_id", "one", "other"),
    [
        ("http.security_txt", {"days": 300}, {"days": 299}),
        ("tls.certificate_lasts", {"left": 30, "life": 90}, {"left": 29, "life": 90}),
        ("host.disk_space", {"mount": "/", "percent": 51}, {"mount": "/", "percent": 52}),
        ("data.database_backup", {"hours": 3, "ratio": 100}, {"hours": 5, "ratio": 101}),
        ("ssh.algorithms", {"status": "unknown", "reason": "timeout"}, {"status": "unknown", "reason": "refused"}),
    ],
)  # fmt: skip
def test_what_moves_by_itself_is_no_change(
    item_id: str, one: dict[str, object], other: dict[str, object]
) -> None:
    assert said(item_id, **one) == said(item_id, **other)


@pytest.mark.parametrize(
    ("item_id", "one", "other"),
    [
        ("http.hsts", {"days": 365}, {"days": 180}),  # a header that somebody has changed
        ("http.security_txt", {"code": "valid", "days": 31}, {"code": "soon", "days": 30}),
        ("tls.certificate_lasts", {"left": 30, "life": 90}, {"left": 30, "life": 47}),
        ("host.disk_space", {"mount": "/", "percent": 51}, {"mount": "/var", "percent": 51}),
        ("updates.software_current", {"version": "4.5.4"}, {"version": "4.5.5"}),
        ("ssh.algorithms", {"status": "unknown", "reason": "not_connected"}, {"status": "unknown", "reason": "denied"}),
        ("ssh.algorithms", {"status": "pass"}, {"status": "warn"}),
    ],
)  # fmt: skip
def test_what_somebody_did_is_a_change(
    item_id: str, one: dict[str, object], other: dict[str, object]
) -> None:
    assert said(item_id, **one) != said(item_id, **other)


# Keys that sound as if they moved by themselves.  An item that has one says here or in MOVING which it is.
_RESTLESS = frozenset(
    "days hours minutes seconds left ago age percent ratio size count stratum serials at as_of".split()
)
_STILL = {
    "accounts.admin_two_factor": {"count"}, "app.panels_closed": {"count"}, "app.secrets_not_served": {"count"},
    "domain.caa": {"count"}, "domain.dnssec": {"count"}, "domain.nameservers": {"count"},
    "firewall.databases_closed": {"count"}, "firewall.host_enabled": {"count"}, "firewall.open_ports": {"count"},
    "host.mandatory_access_control": {"count"}, "http.cookies": {"count"}, "http.hsts": {"count", "days", "seconds"},
    "http.hsts_preload": {"days"}, "legal.terms_prohibit": {"count"}, "mail.dane": {"count"}, "mail.mta_sts": {"days", "seconds"},
    "mail.mx_sane": {"count"}, "mail.spf": {"count", "size"}, "mail.starttls": {"count"},
    "systemd.capability_bounding_set": {"count"}, "systemd.no_new_privileges": {"count"}, "systemd.private_devices": {"count"},
    "systemd.private_tmp": {"count"}, "systemd.protect_home": {"count"}, "systemd.protect_system": {"count"},
    "tls.certificate_valid": {"days", "left"}, "tls.ciphers": {"left"}, "tls.expiry_alert": {"count"},
    "tls.no_key_pinning": {"days"}, "tls.rating": {"left"}, "tls.v1_3": {"left"}, "tls.versions": {"left"},
    "updates.software_current": {"count"}, "updates.stack_supported": {"count"},
}  # fmt: skip


def test_what_was_seen_is_not_rewritten() -> None:
    a_recorded_scan(an_instance(), facts(lock="fail"), day(0))
    with pytest.raises(DatabaseError, match="not rewritten"), transaction.atomic():
        Span.objects.filter(item_id=LOCK).update(status="pass")
    Instance.objects.all().delete()
    assert not Span.objects.exists(), "with its server it goes"


def test_every_restless_value_is_decided() -> None:
    for item_id, item in all_items().items():
        words = {name for text in item.codes.values() for name in re.findall(r"{(\w+)", text.en)}
        moving, still = MOVING.get(item_id, frozenset()), _STILL.get(item_id, set())
        open_ones = (words & _RESTLESS) - moving - still
        assert not open_ones, (
            f"say in fedisec/scans/spans.py whether {open_ones} of {item_id} move by themselves"
        )
        assert not moving & still
        assert moving <= words and still <= words, f"{item_id}: a key that no sentence of it has"


def test_what_is_said_to_move_belongs_to_an_item() -> None:
    assert set(MOVING) | set(_STILL) <= set(all_items())
    assert steady("http.security_txt", {"days": 1, "where": "x"}) == {"where": "x"}


def test_the_history_of_an_older_version_begins_with_what_it_knew() -> None:
    instance, blank = an_instance(), an_instance()
    scans = [a_recorded_scan(instance, facts(lock=s), day(n)) for n, s in enumerate(("pass", "fail", "fail"))]
    ItemState.objects.create(instance=blank, item_id=LOCK, status="pass", since=day(0), seen_at=day(0))
    Span.objects.all().delete()
    begin = importlib.import_module("fedisec.scans.migrations.0003_first_spans").begin
    begin(apps, None)
    assert spans() == [("fail", scans[1].pk, False)]
    assert spans("fake.bell") == [("pass", scans[0].pk, False)]
    assert last_scan(instance) == scans[2]
