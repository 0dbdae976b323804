"""In front of the server, seen from inside: firewall for requests, tunnel, ways out; and visitors' addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.edge import DirectAnswer, OriginExposure
from checks.facts.http import FrontPage, Page
from checks.facts.inside import Inside, Section
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.facts.software import Software
from checks.model import Status
from checks.parse.host.egress import parse_egress
from checks.parse.host.proxy import parse_proxy
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE, MANUAL = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL,
)  # fmt: skip
SAMPLES = Path(__file__).parent / "samples" / "edge"
WAF, EGRESS = (SAMPLES / "waf-on.txt").read_text(), (SAMPLES / "egress.txt").read_text()
PLAIN = Addresses("a.test", ("93.184.215.14",), ())
BEHIND_CDN = Addresses("a.test", ("104.16.1.1",), ())
FASTLY = Addresses("a.test", ("151.101.1.1",), ())
ORIGIN = "93.184.215.14"


def front(**headers: str) -> FrontPage:
    return FrontPage(Page("https://a.test/", 200, tuple(headers.items()), ""))


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def waf(*pairs: tuple[str, str]) -> dict[str, str]:
    return {"waf": changed(WAF, *pairs)}


OUTSIDE = (PLAIN, front(server="nginx"))
OFF = ("modsecurity on;\nmodsecurity_rules_file /etc/nginx/modsec/main.conf;\n", "")


def loads(*engines: str) -> tuple[str, str]:
    """The file that nginx names was followed."""
    shown = "".join(f"/etc/nginx/modsec/{n}.conf:{engine}\n" for n, engine in enumerate(engines))
    return ("== apache\n", f"== loaded /etc/nginx/modsec/main.conf\n{shown}== apache\n")


WAF_CASES = [
    Case("edge.waf", PASS, "server", waf(), "inside: nginx: on, SecRuleEngine on", facts=OUTSIDE),
    Case("edge.waf", PASS, "server", waf(), facts=(FASTLY, front())),
    # Inside alone is enough where the outside saw nothing at all.
    Case("edge.waf", PASS, "server", waf()),
    # What outside proves stays as it was.
    Case("edge.waf", PASS, "cdn", waf(OFF), facts=(BEHIND_CDN,)),
    Case("edge.waf", PASS, "firewall", {"waf": ""}, facts=(PLAIN, front(server="bunkerweb"))),
    Case("edge.waf", WARN, "cdn_plan", {"waf": "== nginx\n== apache"}, facts=(FASTLY, front())),
    Case("edge.waf", MANUAL, "nothing_seen", {"waf": "== nginx\n== apache"}, facts=OUTSIDE),
    Case("edge.waf", WARN, "detection_only", waf(("main.conf:SecRuleEngine On", "main.conf:SecRuleEngine DetectionOnly")), facts=OUTSIDE),
    Case("edge.waf", WARN, "no_rules", waf(("/etc/modsecurity/crs/crs-setup.conf\n/usr/share/modsecurity-crs/rules\n", "")), facts=OUTSIDE),
    Case("edge.waf", WARN, "switched_off", waf(OFF), facts=OUTSIDE),
    Case("edge.waf", WARN, "switched_off", waf(("SecRuleEngine On", "SecRuleEngine Off")), facts=OUTSIDE),
    Case("edge.waf", WARN, "not_reloaded", waf(("Result=success\n\n", "Result=success\nReloadResult=exit-code\n\n")), facts=OUTSIDE),
    Case("edge.waf", WARN, "not_reloaded", waf(("ActiveState=active", "ActiveState=failed")), facts=OUTSIDE),
    # Two files that disagree, and neither is the one that nginx names.
    Case("edge.waf", UNKNOWN, "engine_unseen", waf(("modsecurity_rules_file /etc/nginx/modsec/main", "modsecurity_rules_file /etc/nginx/modsec")), facts=OUTSIDE),
    # What the file that nginx names ends with counts, not what lies beside it or stands further up.
    Case("edge.waf", WARN, "detection_only", waf(loads("SecRuleEngine On", "SecRuleEngine DetectionOnly")), facts=OUTSIDE),
    Case("edge.waf", PASS, "server", waf(loads("SecRuleEngine DetectionOnly", "SecRuleEngine On"), ("modsec/main.conf:SecRuleEngine On", "modsec/main.conf:SecRuleEngine Off")), facts=OUTSIDE),
    Case("edge.waf", UNKNOWN, "engine_unseen", waf(loads("SecRuleEngine On"), ("== apache", "denied /etc/nginx/modsec/more.conf\n== apache")), facts=OUTSIDE),
    Case("edge.waf", UNKNOWN, "engine_unseen", waf(loads(), ("modsec/main.conf:SecRuleEngine On", "x.conf:SecRuleEngine On")), facts=OUTSIDE),
    Case("edge.waf", UNKNOWN, "engine_unseen", waf(loads("SecRuleEngine other")), facts=OUTSIDE),
    Case("edge.waf", UNKNOWN, "engine_unseen", waf(loads("SecRuleEngine On"), ("modsecurity on;", "modsecurity on;\nrules SecRuleEngine DetectionOnly")), facts=OUTSIDE),
    Case("edge.waf", UNKNOWN, "engine_unseen", waf((OFF[0], "denied /etc/nginx/sites-enabled/default\n")), reason=Reason.DENIED, facts=OUTSIDE),
    Case("edge.waf", WARN, "detection_only", {"waf": "== nginx absent\n== apache\n/etc/apache2/mods-enabled/security2.load:LoadModule security2_module x.so\n"
         "== loaded /etc/apache2/mods-enabled/security2.conf\n/etc/apache2/mods-enabled/security2.conf:SecRuleEngine On\n/etc/modsecurity/modsecurity.conf:SecRuleEngine DetectionOnly\n"
         "== engine\n== crs\n== unit\nId=apache2.service\nActiveState=active"}, facts=OUTSIDE),
    Case("edge.waf", PASS, "server", {"waf": "== nginx absent\n== apache\n/etc/apache2/mods-enabled/security2.load:LoadModule security2_module x.so\n"
         "/etc/apache2/mods-enabled/security2.conf:  SecRuleEngine On\n== engine\n== crs\n/usr/share/modsecurity-crs/owasp-crs.load\n== unit\nId=apache2.service\nActiveState=active"}, facts=OUTSIDE),
]  # fmt: skip


def egress(*pairs: tuple[str, str], **more: str) -> dict[str, str]:
    return {"egress": changed(EGRESS, *pairs), "app_config": "", **more}


def unit(name: str, state: str = "active") -> tuple[str, str]:
    return ("== links\n", f"\nId={name}.service\nLoadState=loaded\nActiveState={state}\n== links\n")


def origin(*states: tuple[int, PortState | Missing], cdn: str = "Cloudflare") -> OpenPorts:
    return OpenPorts((AddressPorts(ORIGIN, tuple(PortSeen(port, state) for port, state in states)),), cdn)


TUNNEL = unit("cloudflared")
SHUT, OPEN, LOST = PortState.FILTERED, PortState.OPEN, Missing(Reason.TIMEOUT)
TUNNEL_CASES = [
    Case("edge.tunnel", PASS, "only_way", egress(TUNNEL), "outside: TCP", facts=(BEHIND_CDN, origin((22, OPEN), (80, PortState.CLOSED), (443, SHUT)))),
    Case("edge.tunnel", WARN, "open_beside", egress(TUNNEL), data={"port": 443}, facts=(BEHIND_CDN, origin((80, SHUT), (443, OPEN)))),
    Case("edge.tunnel", WARN, "open_beside", egress(TUNNEL), "past the CDN", facts=(BEHIND_CDN, OriginExposure("Cloudflare", (DirectAnswer(ORIGIN, "MX mail.a.test", 200, True),)))),
    Case("edge.tunnel", MANUAL, "origin_unseen", egress(TUNNEL), "cloudflared: active", facts=(BEHIND_CDN,)),
    Case("edge.tunnel", MANUAL, "origin_unseen", egress(TUNNEL), facts=(BEHIND_CDN, origin((80, SHUT), (443, LOST)))),
    # Without a CDN the ports are those of whatever stands in front, perhaps the far end of the tunnel.
    Case("edge.tunnel", MANUAL, "origin_unseen", egress(TUNNEL), facts=(PLAIN, origin((80, SHUT), (443, SHUT), cdn=""))),
    Case("edge.tunnel", PASS, "only_way", egress(unit("frpc@web")), data={"unit": "frpc@web"}, facts=(BEHIND_CDN, origin((80, SHUT), (443, SHUT)))),
    Case("edge.tunnel", WARN, "down", egress(unit("cloudflared", "failed")), data={"state": "failed"}, facts=(BEHIND_CDN,)),
    Case("edge.tunnel", MANUAL, "behind_cdn", egress(), facts=(BEHIND_CDN,)),
    Case("edge.tunnel", MANUAL, "no_cdn", egress(unit("wg-quick@wg0")), "inside: VPN that is up: wg-quick@wg0", facts=(PLAIN,)),
]  # fmt: skip

V4, V6 = ("10.66.1.1 dev eth0", "10.66.1.1 dev wg0"), ("fe80::1 dev eth0", "fe80::1 dev wg0")
MASTODON = "== mastodon /home/mastodon/live/.env.production\nLOCAL_DOMAIN=a.test\n"
MASKED_CASES = [
    Case("edge.egress_masked", PASS, "proxy", egress(app_config=MASTODON + "http_proxy=set"), "http_proxy is set"),
    Case("edge.egress_masked", PASS, "warp", egress(("== warp absent", "== warp\nStatus update: Connected\nNetwork: healthy"))),
    Case("edge.egress_masked", FAIL, "direct", egress(("== warp absent", "== warp\nStatus update: Disconnected\nReason: Manual")), facts=(BEHIND_CDN,)),
    Case("edge.egress_masked", PASS, "default_route", egress(V4, V6), "default dev wg0"),
    Case("edge.egress_masked", WARN, "one_family", egress(V4), data={"link": "wg0", "other": "eth0"}),
    Case("edge.egress_masked", MANUAL, "vpn_up", egress(unit("wg-quick@wg0")), facts=(BEHIND_CDN,)),
    Case("edge.egress_masked", MANUAL, "vpn_up", egress(("docker0 UP", "tun0 UNKNOWN")), data={"sign": "tun0"}, facts=(BEHIND_CDN,)),
    Case("edge.egress_masked", NOT_APPLICABLE, "not_hidden", egress(), facts=(PLAIN,)),
    Case("edge.egress_masked", FAIL, "direct", egress(app_config=MASTODON), "default dev eth0", facts=(BEHIND_CDN,)),
    Case("edge.egress_masked", FAIL, "direct", egress(TUNNEL), data={"cdn": "cloudflared"}, facts=(PLAIN,)),
    Case("edge.egress_masked", UNKNOWN, "denied", egress(app_config="denied /home/mastodon"), reason=Reason.DENIED, facts=(BEHIND_CDN,)),
    Case("edge.egress_masked", UNKNOWN, "no_routes", {"egress": "== units\n== links absent\n== routes absent", "app_config": ""}, facts=(BEHIND_CDN,)),
]  # fmt: skip

NGINX = "# configuration file /etc/nginx/nginx.conf:\nlisten 443 ssl;\n"
REAL_IP = NGINX + "set_real_ip_from 173.245.48.0/20;\nreal_ip_header CF-Connecting-IP;\n"
PROXIES = "app.trusted_proxies_set"


def proxies(family: str, *values: str, nginx: str = NGINX, more: str = EGRESS) -> dict[str, str]:
    text = "\n".join((f"== {family} /opt/app/config", "LOCAL_DOMAIN=a.test", *values))
    return {"app_config": text, "proxy": nginx, "egress": more}


def misskey(version: str) -> Software:
    return Software("misskey", "misskey", version, version)


PROXY_CASES = [
    Case(PROXIES, PASS, "local", proxies("mastodon"), "TRUSTED_PROXY_IP: not set", facts=(PLAIN,)),
    Case(PROXIES, PASS, "nginx", proxies("mastodon", nginx=REAL_IP), "CF-Connecting-IP", facts=(BEHIND_CDN,)),
    Case(PROXIES, PASS, "tunnel", proxies("mastodon", more=changed(EGRESS, TUNNEL)), data={"unit": "cloudflared"}, facts=(BEHIND_CDN,)),
    Case(PROXIES, FAIL, "all_alike", proxies("mastodon"), "no set_real_ip_from", facts=(BEHIND_CDN,)),
    Case(PROXIES, UNKNOWN, "nginx_denied", proxies("mastodon", nginx=NGINX + "denied /etc/nginx/sites-enabled/a"), facts=(BEHIND_CDN,)),
    Case(PROXIES, UNKNOWN, "nginx_denied", proxies("mastodon", nginx="== nginx absent"), facts=(BEHIND_CDN,)),
    Case(PROXIES, PASS, "listed", proxies("mastodon", "TRUSTED_PROXY_IP=127.0.0.1,10.0.0.2")),
    Case(PROXIES, FAIL, "everyone", proxies("mastodon", "TRUSTED_PROXY_IP=127.0.0.1, 0.0.0.0/0"), "0.0.0.0/0"),
    Case(PROXIES, FAIL, "everyone", proxies("mastodon", nginx=REAL_IP + "set_real_ip_from 0.0.0.0/0;"), "inside: nginx"),
    Case(PROXIES, FAIL, "everyone", proxies("misskey", "trustProxy=true")),
    Case(PROXIES, PASS, "listed", proxies("misskey", "trustProxy=127.0.0.1")),
    Case(PROXIES, WARN, "off", proxies("misskey", "trustProxy=false")),
    Case(PROXIES, PASS, "local", proxies("misskey"), facts=(PLAIN, misskey("2025.12.0"))),
    Case(PROXIES, UNKNOWN, "old_default", proxies("misskey"), facts=(PLAIN, misskey("2025.9.0"))),
    Case(PROXIES, UNKNOWN, "old_default", proxies("misskey"), facts=(PLAIN, misskey(""))),
    Case(PROXIES, UNKNOWN, "old_default", proxies("pixelfed"), facts=(PLAIN,)),
    Case(PROXIES, WARN, "any_peer", proxies("pixelfed", "TRUST_PROXIES=*"), "TRUST_PROXIES=*"),
    Case(PROXIES, FAIL, "everyone", proxies("pixelfed", "TRUST_PROXIES=**")),
    Case(PROXIES, UNKNOWN, "list_hidden", proxies("gotosocial", "trusted-proxies=[list]")),
    Case(PROXIES, FAIL, "off", proxies("akkoma", "Pleroma.Web.Plugs.RemoteIp.enabled=false")),
    Case(PROXIES, PASS, "listed", proxies("akkoma", "Pleroma.Web.Plugs.RemoteIp.proxies=set")),
    Case(PROXIES, PASS, "local", proxies("pleroma"), facts=(PLAIN,)),
    Case(PROXIES, UNKNOWN, "in_database", proxies("pleroma", "configurable_from_database=true")),
    Case(PROXIES, NOT_APPLICABLE, "no_setting", proxies("lemmy")),
    Case(PROXIES, UNKNOWN, "denied", {"app_config": "denied /home/mastodon", "proxy": NGINX, "egress": EGRESS}, reason=Reason.DENIED),
    Case(PROXIES, UNKNOWN, "no_file", {"app_config": "", "proxy": NGINX, "egress": EGRESS}),
]  # fmt: skip


def origin_sections(
    sockets: str, docker: str = "== docker absent", units: tuple[str, str] = TUNNEL
) -> dict[str, str]:
    return {"egress": changed(EGRESS, units), "sockets": sockets, "docker": docker}


LOCAL_WEB = "tcp LISTEN 0 511 127.0.0.1:443 0.0.0.0:* ino:1 sk:1 cgroup:/system.slice/nginx.service <->\n"
SSH = "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* ino:2 sk:2 cgroup:/system.slice/ssh.service <->"
UNTRIED = (OriginExposure("Cloudflare"),)
SILENT = (OriginExposure("Cloudflare", (DirectAnswer(ORIGIN, "admin", LOST),)),)
ORIGIN_CASES = [
    Case("edge.origin_hidden", PASS, "only_tunnel", origin_sections(LOCAL_WEB + SSH), "0.0.0.0:22", facts=UNTRIED),
    Case("edge.origin_hidden", PASS, "only_tunnel", origin_sections(SSH), facts=SILENT),
    Case("edge.origin_hidden", NOT_APPLICABLE, "origin_unknown", origin_sections((LOCAL_WEB + SSH).replace("127.0.0.1:443", "0.0.0.0:443")), facts=UNTRIED),
    Case("edge.origin_hidden", NOT_APPLICABLE, "origin_unknown", origin_sections(SSH, docker="== ps\n1\tweb\tnginx\t0.0.0.0:443->443/tcp\tUp"), facts=UNTRIED),
    Case("edge.origin_hidden", NOT_APPLICABLE, "origin_unknown", origin_sections(SSH, docker="== ps denied"), facts=UNTRIED),
    Case("edge.origin_hidden", NOT_APPLICABLE, "origin_unknown", origin_sections(SSH, units=unit("cloudflared", "failed")), facts=UNTRIED),
    Case("edge.origin_hidden", NOT_APPLICABLE, "origin_unknown", origin_sections(""), facts=UNTRIED),
    # What outside saw stands, whatever inside says.
    Case("edge.origin_hidden", WARN, "answers", origin_sections(SSH), facts=(OriginExposure("Cloudflare", (DirectAnswer(ORIGIN, "admin", 200, True),)),)),
    Case("edge.origin_hidden", FAIL, "leaks", origin_sections(SSH), facts=(OriginExposure("Cloudflare", (DirectAnswer(ORIGIN, "MX m.a.test", 200, True),)),)),
    Case("edge.origin_hidden", PASS, "refuses", origin_sections(SSH), facts=(OriginExposure("Cloudflare", (DirectAnswer(ORIGIN, "admin", 404),)),)),
    Case("edge.origin_hidden", NOT_APPLICABLE, "no_cdn", origin_sections(SSH), facts=(OriginExposure(""),)),
]  # fmt: skip

CASES = [*ORIGIN_CASES, *WAF_CASES, *TUNNEL_CASES, *MASKED_CASES, *PROXY_CASES]
ITEMS = {case.item for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    assert uncovered(CASES, ITEMS) == set()


@pytest.mark.parametrize("item_id", sorted(ITEMS))
def test_nothing_is_said_of_a_server_that_is_not_connected(item_id: str) -> None:
    verdict = judge(item_named(item_id), Facts(missing={Inside: Missing(Reason.NOT_CONNECTED)}))
    assert verdict.status is UNKNOWN


@pytest.mark.parametrize("item_id", ["edge.egress_masked", PROXIES])
def test_silence_is_no_verdict(item_id: str) -> None:
    sections = dict.fromkeys(("app_config", "egress", "proxy"), "")
    assert judge(item_named(item_id), Facts().with_facts(report(**sections), BEHIND_CDN)).status is UNKNOWN


@pytest.mark.parametrize(("item_id", "name"), [("edge.waf", "waf"), ("edge.tunnel", "egress")])
@pytest.mark.parametrize("facts", [OUTSIDE, (BEHIND_CDN, front()), (FASTLY, front())])
def test_without_its_section_outside_judges_as_ever(item_id: str, name: str, facts: tuple[Fact, ...]) -> None:
    """No report, a section that ran out of time, one that is empty: the verdict stays that of outside."""
    item = item_named(item_id)
    alone = judge(item, Facts().with_facts(*facts))
    late = Inside(1, 0, report().seen_at, (Section(name, (), 124),))
    if alone.status is not Status.WARN:  # the server may know of something better
        assert alone == judge(item, Facts().with_facts(late, *facts))
    assert alone == judge(item, Facts().with_facts(report(**{name: ""}), *facts))


def test_a_default_needs_to_know_what_stands_in_front() -> None:
    verdict = judge(item_named(PROXIES), Facts().with_facts(report(**proxies("mastodon"))))
    assert (verdict.status, verdict.code) == (UNKNOWN, "")


def test_links_that_are_down_or_missing_units_are_left_out() -> None:
    ways = parse_egress(tuple(EGRESS.split("\n")))
    assert ways.links == ("lo", "docker0", "vethc78ed5e", "eth0")
    assert (ways.tunnels, ways.vpn_signs, ways.routes) == ((), (), ("eth0", "eth0"))


def test_nginx_is_whole_only_where_all_of_it_was_read() -> None:
    assert parse_proxy(tuple(NGINX.split("\n"))).whole
    assert not parse_proxy(("== nginx absent",)).whole
    assert not parse_proxy((*NGINX.split("\n"), "denied /etc/nginx/conf.d/a.conf")).whole
