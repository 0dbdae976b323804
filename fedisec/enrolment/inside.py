"""What a scan needs of an access, and what it leaves behind."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from django.utils import timezone

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.inside import Inside
from checks.target import Access
from fedisec.enrolment.enrol import stop
from fedisec.enrolment.models import SshAccess
from fedisec.enrolment.report import sections_of
from fedisec.instances.models import Instance
from fedisec.lib.secrets import CannotOpen

log = logging.getLogger(__name__)
_NOW = re.compile(r"now (\S+ SHA256:\S+)")


@dataclass(frozen=True, slots=True)
class WayIn:
    """How one scan gets inside: with an Access, or not, and then why."""

    row: SshAccess | None = None
    access: Access | None = None
    gap: Missing | None = None

    def noted(self, facts: Facts) -> Facts:
        """`facts` with the reason why nobody went in; keeps on the row what the look inside brought."""
        if self.gap is not None:
            return Facts(facts.found, {**facts.missing, Inside: self.gap})
        if self.row is not None and self.access is not None:
            _keep(self.row, facts)
        return facts


def way_into(instance: Instance) -> WayIn:
    """Opens the sealed key: the result is for one scan, and for nothing that is stored."""
    row = SshAccess.objects.filter(instance=instance).first()
    if row is None:
        return WayIn()
    if row.is_stopped:
        return WayIn(row, gap=Missing(Reason.HOST_KEY_CHANGED, f"now {row.changed_to}"))
    if not row.is_confirmed:
        return WayIn(row, gap=Missing(Reason.NOT_CONNECTED, "host key not confirmed"))
    try:
        return WayIn(row, row.opened())
    except CannotOpen as error:
        log.error("no look inside instance %s: %s", instance.pk, error)
        return WayIn(row, gap=Missing(Reason.NOT_CONNECTED, str(error)))


def _keep(row: SshAccess, facts: Facts) -> None:
    """The page shows what the last login brought, whoever made it."""
    same = SshAccess.objects.filter(pk=row.pk, public_key=row.public_key, host_key=row.host_key)
    found = facts.maybe(Inside)
    kept = {
        "where": f"{row.user} port {row.port}",
        "reason": "",
        "detail": "",
        "as_root": False,
        "sections": [],
    }
    if found is not None:
        kept |= {"as_root": found.as_root, "sections": [list(pair) for pair in sections_of(found)]}
    else:
        gap = facts.missing.get(Inside, Missing(Reason.NOT_ASKED))
        kept |= {"reason": gap.reason.value, "detail": gap.detail}
        if gap.reason is Reason.HOST_KEY_CHANGED:
            shown = _NOW.search(gap.detail)
            stop(row, shown[1] if shown else gap.detail)
    same.update(report=kept, report_at=timezone.now())
