"""From files on a machine to verdicts: the collector looks, the items judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.evaluate import judge
from checks.facts import Facts
from checks.facts.dns import Addresses
from tests.checks.inside.host_cases import item_named
from tests.checks.inside.shells import AS_NOBODY, Planted, run_on_machine

HOME = "/home/mastodon/live/.env.production"
NGINX = "/etc/nginx/nginx.conf"
SYSTEMCTL = "/usr/local/sbin/systemctl"
UNITS = (Path(__file__).parent / "samples" / "app" / "units.txt").read_text().split("== process")[0]

# systemctl as far as the collector asks it: one running unit, or the state of nginx.
ANSWERS = """#!/bin/sh
case "$*" in
    *Version*) echo Version=252 ;;
    list-*) echo 'akkoma.service loaded active running Akkoma' ;;
    *PrivateTmp*) cat <<'SHOWN'
{units}SHOWN
    ;;
    *nginx.service*) printf 'Id=nginx.service\\nLoadState=loaded\\nActiveState=active\\nResult=success\\n' ;;
    *cloudflared.service*) printf 'Id=cloudflared.service\\nLoadState=not-found\\nActiveState=inactive\\n' ;;
esac
"""
RULES = "/etc/nginx/modsec/main.conf"
WITH_WAF = f"""# comment
http {{
    server {{ listen 443 ssl; modsecurity on; modsecurity_rules_file {RULES};
        set_real_ip_from 173.245.48.0/20; real_ip_header CF-Connecting-IP; }}
}}
"""
GOOD: dict[str, Planted | Path] = {
    SYSTEMCTL: Planted(ANSWERS.format(units=UNITS), 0o755),
    HOME: Planted(
        "LOCAL_DOMAIN=a.test\nDB_PASS='q7Zr#x!9' # no sample\nSMTP_SERVER=smtp.relay.test\n"
        "SMTP_ENABLE_STARTTLS=always\nSMTP_PASSWORD=q7Zr2\nHCAPTCHA_SITE_KEY=\n",
        0o640,
    ),
    NGINX: Planted(WITH_WAF),
    RULES: Planted("SecRuleEngine On\n"),
    "/etc/modsecurity/crs/crs-setup.conf": Planted("# rules\n"),
    "/etc/opendkim.conf": Planted("Domain a.test\nSelector fedi2026\nKeyFile /etc/dkimkeys/x\n"),
}
BAD: dict[str, Planted | Path] = {
    SYSTEMCTL: Planted(ANSWERS.format(units=UNITS.replace("PrivateTmp=yes", "PrivateTmp=no")), 0o755),
    HOME: Planted(
        "LOCAL_DOMAIN=a.test\nDB_PASS=changeme\nSMTP_SERVER=smtp.relay.test\n"
        "SMTP_OPENSSL_VERIFY_MODE=none\nTRUSTED_PROXY_IP=0.0.0.0/0\n",
        0o644,
    ),
    NGINX: Planted(WITH_WAF.replace("set_real_ip_from 173.245.48.0/20; ", "")),
    RULES: Planted("SecRuleEngine DetectionOnly\n"),
}
# Of each item: the good machine and the bad one as root, the good one as somebody who may not read its settings.
EXPECTED = {
    "systemd.private_tmp": ("pass on", "fail off", "pass on"),
    "systemd.protect_system": ("pass on", "pass on", "pass on"),
    "app.secrets_private": ("pass private", "fail open", "pass private"),
    "app.dangerous_switches_off": ("pass off", "fail sample", "unknown denied"),
    "app.trusted_proxies_set": ("pass nginx", "fail everyone", "unknown denied"),
    "plan.outgoing_mail": ("pass verified", "fail unverified", "unknown denied"),
    "edge.waf": ("pass server", "warn detection_only", "pass server"),
}
BEHIND_CDN = Addresses("a.test", ("151.101.1.1",), ())


@pytest.mark.parametrize(
    ("planted", "before", "column"),
    [(GOOD, (), 0), (BAD, (), 1), (GOOD, AS_NOBODY, 2), (BAD, AS_NOBODY, 1)],
    ids=["good", "bad", "good as a user", "bad as a user"],
)
def test_a_machine_is_judged(
    tmp_path: Path, planted: dict[str, Planted | Path], before: tuple[str, ...], column: int
) -> None:
    report = run_on_machine(tmp_path, planted, (*before, "dash", "-s")).ran.report
    verdicts = {name: judge(item_named(name), Facts().with_facts(report, BEHIND_CDN)) for name in EXPECTED}
    said = {name: f"{verdict.status.value} {verdict.code}" for name, verdict in verdicts.items()}
    assert said == {name: codes[column] for name, codes in EXPECTED.items()}
    shown = "\n".join(one.text for verdict in verdicts.values() for one in verdict.evidence)
    assert not [secret for secret in ("q7Zr", "changeme") if secret in shown]
