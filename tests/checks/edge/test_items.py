"""What the items make of addresses, headers and direct answers."""

from __future__ import annotations

import ipaddress

import pytest

from checks.data.network import cdn_of_address, cdn_of_alias, cdns
from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.edge import DirectAnswer, OriginExposure
from checks.facts.http import FrontPage, Page
from checks.facts.ports import AddressPorts, OpenPorts, PortSeen, PortState
from checks.items import all_items
from checks.model import Status, Verdict

HOST, PLAIN, CLOUDFLARE, CLOUDFLARE6 = "instance.example", "93.184.215.14", "104.16.1.1", "2606:4700::1"
SILENT = Missing(Reason.TIMEOUT)


def name(*v4: str, v6: tuple[str, ...] = (), aliases: tuple[str, ...] = ()) -> Addresses:
    return Addresses(HOST, v4, v6, aliases)


def front(**headers: str) -> FrontPage:
    pairs = tuple((key.replace("_", "-"), value) for key, value in headers.items())
    return FrontPage(Page(f"https://{HOST}/", 200, pairs, ""))


def verdict(item_id: str, *facts: Addresses | FrontPage | OriginExposure | OpenPorts) -> Verdict:
    return judge(all_items()[item_id], Facts().with_facts(*facts))


@pytest.mark.parametrize(
    ("addresses", "page", "status", "code"),
    [
        (name(CLOUDFLARE, v6=(CLOUDFLARE6,)), None, Status.PASS, "ranges"),
        (name(CLOUDFLARE, v6=("2a01:4f8::1",)), None, Status.WARN, "partly"),
        (name(PLAIN, aliases=("x.b-cdn.net.",)), None, Status.PASS, "signs"),
        (name(PLAIN), front(server="BunnyCDN-DE1-723"), Status.PASS, "signs"),
        (name(PLAIN), front(cf_ray="8a"), Status.PASS, "signs"),
        (name(PLAIN), front(server="nginx"), Status.FAIL, "none"),
        (name(PLAIN, aliases=("notfastly.network.",)), front(), Status.FAIL, "none"),
        (name(PLAIN), None, Status.UNKNOWN, ""),
    ],
)
def test_cdn(addresses: Addresses, page: FrontPage | None, status: Status, code: str) -> None:
    found = verdict("edge.cdn", addresses, *((page,) if page else ()))
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("addresses", "page", "status", "code"),
    [
        (name(CLOUDFLARE), None, Status.PASS, "cdn"),
        (name("151.101.1.1"), None, Status.WARN, "cdn_plan"),
        (name(PLAIN), front(x_sucuri_id="1"), Status.PASS, "cdn"),
        (name(PLAIN), front(x_amzn_waf_action="challenge"), Status.PASS, "firewall"),
        (name(PLAIN), front(server="nginx"), Status.MANUAL, "nothing_seen"),
        (name(PLAIN), None, Status.UNKNOWN, ""),
    ],
)
def test_waf(addresses: Addresses, page: FrontPage | None, status: Status, code: str) -> None:
    found = verdict("edge.waf", addresses, *((page,) if page else ()))
    assert (found.status, found.code) == (status, code)


@pytest.mark.parametrize(
    ("addresses", "code", "data"),
    [
        (name(CLOUDFLARE), "behind_cdn", {"cdn": "Cloudflare"}),
        (name(PLAIN), "no_cdn", {"address": PLAIN}),
    ],
)
def test_a_tunnel_stays_a_question(addresses: Addresses, code: str, data: dict[str, str]) -> None:
    found = verdict("edge.tunnel", addresses)
    assert (found.status, found.code, dict(found.data)) == (Status.MANUAL, code, data)
    assert found.evidence[0].text == addresses.v4[0]


def asked(*answers: DirectAnswer) -> OriginExposure:
    return OriginExposure("Cloudflare", answers)


ALIVE = OpenPorts((AddressPorts(PLAIN, (PortSeen(22, PortState.OPEN),)),), "Cloudflare")


@pytest.mark.parametrize(
    ("exposure", "ports", "status", "code"),
    [
        (OriginExposure(""), None, Status.NOT_APPLICABLE, "no_cdn"),
        (asked(), None, Status.NOT_APPLICABLE, "origin_unknown"),
        (asked(DirectAnswer(PLAIN, "MX mail.instance.example", 200, True)), None, Status.FAIL, "leaks"),
        (
            asked(DirectAnswer(PLAIN, "MX mail.instance.example", 404)),
            None,
            Status.NOT_APPLICABLE,
            "origin_unknown",
        ),
        (asked(DirectAnswer(PLAIN, "MX mail.instance.example", SILENT)), None, Status.UNKNOWN, ""),
        (asked(DirectAnswer(PLAIN, "admin", 200, True)), None, Status.WARN, "answers"),
        (asked(DirectAnswer(PLAIN, "admin", 200)), None, Status.PASS, "refuses"),
        (asked(DirectAnswer(PLAIN, "admin", None)), None, Status.PASS, "refuses"),
        (asked(DirectAnswer(PLAIN, "admin", SILENT)), None, Status.UNKNOWN, ""),
        (asked(DirectAnswer(PLAIN, "admin", SILENT)), ALIVE, Status.PASS, "refuses"),
        (
            asked(DirectAnswer(PLAIN, "admin", None), DirectAnswer("93.184.215.15", "SPF x", 200, True)),
            None, Status.FAIL, "leaks",
        ),
    ],
)  # fmt: skip
def test_origin_hidden(exposure: OriginExposure, ports: OpenPorts | None, status: Status, code: str) -> None:
    found = verdict("edge.origin_hidden", exposure, *((ports,) if ports else ()))
    assert (found.status, found.code) == (status, code)


def test_the_ranges_of_the_table_do_not_overlap() -> None:
    owners = [(network, cdn.name) for cdn in cdns() for network in cdn.networks]
    for i, (one, owner) in enumerate(owners):
        for other, rival in owners[i + 1 :]:
            if isinstance(one, ipaddress.IPv4Network) and isinstance(other, ipaddress.IPv4Network):
                assert not one.overlaps(other), (one, other)
            elif isinstance(one, ipaddress.IPv6Network) and isinstance(other, ipaddress.IPv6Network):
                assert not one.overlaps(other), (owner, rival)


def test_neighbours_of_a_range_do_not_belong_to_it() -> None:
    inside, outside = cdn_of_address("104.27.255.255"), cdn_of_address("104.28.0.0")
    assert inside is not None and inside.name == "Cloudflare" and outside is None
    assert cdn_of_address("::1") is None and cdn_of_alias(()) is None
