"""What to do next: by level, by how exposed the gap is, and by what mending it costs."""

from __future__ import annotations

from collections.abc import Iterable

from checks.model import Item, Level
from fedisec.checklist.board import Row
from fedisec.checklist.state import State

SHOWN = 5

# Exposure: 3 anybody on the internet can use the gap; 2 it takes another step (a reader's browser, a forged
# mail, a stolen password); 1 it matters after a break-in, or for good order.
# Effort: 1 minutes, for a setting or a record; 2 about an hour; 3 half a day or more, or help from others.
_TABLE: dict[str, tuple[int, int]] = {
    "plan.hosting_considered": (1, 1),
    "plan.audience_decided": (1, 1),
    "plan.contact_reachable": (1, 1),
    "plan.moderation_ready": (1, 2),
    "plan.outgoing_mail": (1, 2),
    "plan.hosting_place_chosen": (1, 1),
    "plan.software_fits": (1, 1),
    "domain.caa": (2, 1),
    "domain.dnssec": (2, 2),
    "domain.permanent": (2, 3),
    "domain.registration_lasts": (3, 1),
    "domain.contact_mailbox": (1, 1),
    "domain.nameservers": (1, 2),
    "domain.whois_private": (1, 1),
    "legal.jurisdiction_known": (1, 1),
    "legal.source_published": (1, 2),
    "legal.privacy_policy": (1, 2),
    "legal.telecom_filing": (1, 2),
    "legal.terms_prohibit": (1, 2),
    "host.auto_updates": (2, 1),
    "host.os_supported": (2, 3),
    "host.provider_account_secured": (3, 1),
    "host.security_updates_applied": (2, 1),
    "host.admin_logins_clean": (2, 1),
    "host.disk_space": (1, 2),
    "host.docker_socket_closed": (3, 1),
    "host.fail2ban": (2, 2),
    "host.mandatory_access_control": (1, 3),
    "host.no_reboot_pending": (2, 1),
    "host.crowdsec": (2, 2),
    "host.endpoint_detection": (1, 3),
    "host.time_synchronised": (1, 1),
    "mail.dkim": (2, 2),
    "mail.provider_contract_known": (1, 1),
    "mail.spf": (2, 1),
    "mail.dmarc": (2, 1),
    "mail.mx_sane": (1, 1),
    "mail.dane": (1, 2),
    "mail.dmarc_reports": (1, 1),
    "mail.mta_sts": (1, 2),
    "mail.starttls": (2, 2),
    "tls.certificate_lasts": (3, 1),
    "tls.certificate_valid": (3, 2),
    "tls.expiry_alert": (1, 1),
    "tls.ciphers": (2, 1),
    "tls.rating": (2, 2),
    "tls.renewal_automated": (1, 2),
    "tls.v1_3": (1, 1),
    "tls.versions": (2, 1),
    "tls.no_key_pinning": (1, 1),
    "tls.origin_strong": (2, 2),
    "tls.post_quantum": (1, 2),
    "http.content_type_options": (2, 1),
    "http.cookies": (2, 1),
    "http.csp": (2, 2),
    "http.frame_options": (2, 1),
    "http.hsts": (2, 1),
    "http.https_redirect": (2, 1),
    "http.permitted_cross_domain": (1, 1),
    "http.referrer_policy": (1, 1),
    "http.xss_protection_off": (1, 1),
    "http.cors": (2, 1),
    "http.hsts_preload": (1, 1),
    "http.security_txt": (1, 1),
    "data.database_backup": (1, 2),
    "data.postgres_password": (2, 1),
    "data.redis_password": (2, 1),
    "data.backup_offsite": (1, 2),
    "data.restore_tested": (1, 3),
    "firewall.databases_closed": (3, 1),
    "firewall.host_enabled": (3, 1),
    "firewall.open_ports": (3, 1),
    "firewall.docker_respects": (3, 1),
    "firewall.cloud_ssh": (2, 2),
    "firewall.egress_restricted": (1, 2),
    "edge.origin_hidden": (2, 2),
    "edge.cdn": (1, 3),
    "edge.egress_masked": (1, 2),
    "edge.tunnel": (1, 3),
    "edge.waf": (1, 3),
    "ssh.password_login_off": (3, 1),
    "ssh.public_key_login": (2, 1),
    "ssh.algorithms": (2, 1),
    "ssh.root_login_off": (3, 1),
    "ssh.bastion": (1, 3),
    "ssh.login_notice": (1, 2),
    "ssh.port_changed": (1, 1),
    "ssh.source_restricted": (2, 2),
    "updates.inventory_known": (1, 1),
    "updates.releases_followed": (1, 1),
    "updates.software_current": (3, 2),
    "updates.sources_followed": (1, 1),
    "updates.stack_supported": (2, 3),
    "accounts.admin_password_strong": (3, 1),
    "accounts.admin_password_unique": (3, 1),
    "accounts.admin_separate": (2, 1),
    "accounts.admin_two_factor": (3, 1),
    "accounts.password_manager": (2, 2),
    "signup.approval": (2, 1),
    "signup.captcha": (2, 1),
    "signup.closed": (2, 1),
    "signup.email_blocklist_known": (1, 1),
    "signup.email_verified": (2, 1),
    "signup.rate_limited": (2, 1),
    "app.panels_closed": (3, 1),
    "app.secrets_not_served": (3, 1),
    "app.setup_finished": (3, 1),
    "app.bucket_not_listable": (3, 1),
    "app.dangerous_switches_off": (2, 1),
    "app.http_security": (2, 1),
    "app.local_bind": (3, 1),
    "app.media_domain": (2, 3),
    "app.secrets_private": (1, 1),
    "app.secure_cookie": (2, 1),
    "app.spam_protection": (2, 1),
    "app.trusted_proxies_set": (2, 1),
    "app.signed_fetch": (1, 1),
    "systemd.capability_bounding_set": (1, 1),
    "systemd.no_new_privileges": (1, 1),
    "systemd.private_devices": (1, 1),
    "systemd.private_tmp": (1, 1),
    "systemd.protect_home": (1, 1),
    "systemd.protect_system": (1, 1),
    "incident.recovery_plan": (1, 2),
}
_OWN = (2, 2)  # an item that a team has added: nobody has told

# Per thousand, so that weights are whole numbers and pages sort alike everywhere.
_LEVEL = {Level.REQUIRED: 1000, Level.RECOMMENDED: 420, Level.OPTIONAL: 160}
_STATE = {State.NOT_MET: 1000, State.WARNING: 700, State.NEEDS_YOU: 480}
_EXPOSURE = {3: 1000, 2: 820, 1: 660}
_EFFORT = {1: 1000, 2: 880, 3: 760}
_WAITS_FOR_SSH = 450  # one connection settles all of these, so none of them stands for the rest


def exposure_and_effort(item: Item) -> tuple[int, int]:
    """(1 to 3, 1 to 3): how near the gap is to a stranger, and what mending it costs."""
    return _TABLE.get(item.id, _OWN)


def weight(row: Row) -> int:
    """How soon this wants doing, up to 1000; 0 where there is nothing to do."""
    state = _STATE.get(row.state.state, 0)
    if not state:
        return 0
    exposure, effort = exposure_and_effort(row.item)
    factors = (_LEVEL[row.item.level], state, _EXPOSURE[exposure], _EFFORT[effort])
    product = 1000 if not row.waits_for_ssh else _WAITS_FOR_SSH
    for factor in factors:
        product = product * factor // 1000
    return product


def next_actions(rows: Iterable[Row], count: int = SHOWN) -> list[tuple[int, Row]]:
    """The weightiest, with their weights; alike ones in the order of their ids."""
    weighed = sorted(((weight(row), row) for row in rows), key=lambda found: (-found[0], found[1].item.id))
    return [(heavy, row) for heavy, row in weighed[:count] if heavy]
