"""The whole tls phase against a real nginx, through `gather`, and the verdicts that come of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import cast

import pytest

from checks.codec import decode_facts, encode_facts
from checks.errors import Reason
from checks.evaluate import evaluate
from checks.facts import Fact, Facts, Missing
from checks.facts.dns import Addresses, Lookup, Outcome
from checks.facts.tls import TlsEndpoint, TlsOffer, TlsVersion, UnseenEndpoint, WebCertificates
from checks.items import all_items
from checks.probes import Gathered, gather, tls
from checks.probes.look import Look, Probe
from checks.target import Limits, Target, Vantage
from tests.checks.tls.servers import HOST, TlsLab, free_port

# Nobody answers at this resolver: the name is given, and www stays unknown.
NOWHERE = "127.77.255.1:53"


def scan(lab: TlsLab, monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int = 0) -> Gathered:
    async def give(look: Look) -> Iterable[Fact]:
        return (Addresses(HOST, tuple(lab.addresses.get(a, a) for a in addresses), ()),)

    monkeypatch.setattr(tls, "PORT", port or lab.port)
    vantage = Vantage(resolver=NOWHERE, trust_pem=lab.trust_pem, allow_networks=("127.0.0.0/8",))
    given = Probe("given", "dns", (Addresses,), give)
    return asyncio.run(gather(Target(HOST), vantage, Limits(), probes=(given, *tls.PROBES)))


def judged(facts: Facts) -> dict[str, str]:
    items = [item for item in all_items().values() if item.topic == "tls"]
    return {
        item_id.partition(".")[2]: v.code or str(v.reason) for item_id, v in evaluate(facts, items).items()
    }


EXPECTED: dict[str, dict[str, str]] = {
    "modern": {"versions": "modern", "v1_3": "offered", "ciphers": "sound", "certificate_valid": "valid",
               "certificate_lasts": "fresh", "post_quantum": "classic", "rating": "good"},
    "tls13_only": {"versions": "modern", "ciphers": "only_13", "rating": "good"},
    "tls12_only": {"versions": "no_13", "v1_3": "absent", "post_quantum": "no_13", "rating": "minus"},
    "old": {"versions": "old", "ciphers": "broken", "rating": "low"},
    "rsa_kx": {"ciphers": "preferred", "rating": "low"},
    "cbc": {"ciphers": "preferred", "rating": "low"},
    "cbc_first": {"ciphers": "preferred"},
    "cbc_last": {"ciphers": "aged", "rating": "good"},
    "dhe_1024": {"ciphers": "small_dh", "rating": "low"},
    "dhe_2048": {"ciphers": "aged"},
    "null_anon": {"ciphers": "broken", "rating": "low"},
    "expired": {"certificate_valid": "expired", "certificate_lasts": "expired", "rating": "low"},
    "wrong_host": {"certificate_valid": "other_name", "rating": "low"},
    "self_signed": {"certificate_valid": "self_signed"},
    "no_intermediate": {"certificate_valid": "unknown_authority"},
    "rsa_1024": {"certificate_valid": "weak_key"},
    "dual": {"certificate_valid": "valid"},
    "refuses": {"versions": "withheld", "ciphers": "withheld", "certificate_valid": "withheld", "rating": "withheld"},
}  # fmt: skip


@pytest.mark.parametrize("case", EXPECTED)
def test_a_server_is_judged_as_it_was_built(
    tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    found = judged(scan(tls_lab, monkeypatch, case).facts)
    assert {name: found[name] for name in EXPECTED[case]} == EXPECTED[case]


def test_every_address_is_looked_at_and_the_worst_decides(
    tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered = scan(tls_lab, monkeypatch, "modern", "old", "expired")
    offer = gathered.facts.get(TlsOffer)
    assert [e.address for e in offer.endpoints] == [
        tls_lab.addresses[a] for a in ("modern", "old", "expired")
    ]
    found = judged(gathered.facts)
    assert (found["versions"], found["certificate_valid"], found["v1_3"]) == ("old", "expired", "some")
    assert gathered.connections["tls"] == 12 + 4 + 4


def test_a_dead_address_beside_a_good_one_is_a_note(tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = scan(tls_lab, monkeypatch, "modern", "127.77.255.9")
    kinds = [type(e) for e in gathered.facts.get(TlsOffer).endpoints]
    assert kinds == [TlsEndpoint, UnseenEndpoint]
    found = judged(gathered.facts)
    assert found["versions"] == "modern_partly"
    assert found["certificate_valid"] == "valid_partly"
    assert found["certificate_lasts"] == "fresh_partly"


def test_where_nobody_listens_all_is_unknown(tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = scan(tls_lab, monkeypatch, "127.77.255.9", port=free_port()).facts
    assert facts.get(WebCertificates).gaps[0].reason is Reason.REFUSED
    found = judged(facts)
    assert {found[name] for name in ("versions", "v1_3", "ciphers", "rating", "certificate_valid")} == {
        "refused"
    }


def test_the_phase_is_quick_on_a_good_server(tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.perf_counter()
    gathered = scan(tls_lab, monkeypatch, "modern")
    assert gathered.connections["tls"] == 12
    assert time.perf_counter() - began < 3


def test_the_facts_survive_their_json(tls_lab: TlsLab, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = scan(tls_lab, monkeypatch, "dual").facts
    again = decode_facts(json.loads(json.dumps(encode_facts(facts))))
    assert again.get(WebCertificates) == facts.get(WebCertificates)
    assert again.get(TlsOffer) == facts.get(TlsOffer)
    assert again.get(TlsOffer).seen[0].offers(TlsVersion.TLS13) is True


FOUND4, FOUND6 = ("192.0.2.1",), ("2001:db8::1",)


@pytest.mark.parametrize(
    ("a", "aaaa", "expected", "asked"),
    [
        (FOUND4, (), True, ["A"]),
        ((), FOUND6, True, ["A", "AAAA"]),
        (("192.0.2.9",), ("2001:db8::9",), False, ["A", "AAAA"]),
        ((), (), False, ["A", "AAAA"]),
        (None, FOUND6, Missing(Reason.TIMEOUT), ["A"]),
        ((), None, Missing(Reason.TIMEOUT), ["A", "AAAA"]),
    ],
)
def test_www_leads_here_by_either_family(
    a: tuple[str, ...] | None, aaaa: tuple[str, ...] | None, expected: bool | Missing, asked: list[str]
) -> None:
    heard: list[str] = []

    async def ask(name: str, kind: str) -> Lookup | Missing:
        assert name == f"www.{HOST}"
        heard.append(kind)
        records = {"A": a, "AAAA": aaaa}[kind]
        if records is None:
            return Missing(Reason.TIMEOUT)
        return Lookup(name, kind, Outcome.FOUND if records else Outcome.NO_DATA, records)

    look = cast(Look, SimpleNamespace(dns=SimpleNamespace(ask=ask)))
    assert asyncio.run(tls._www_points_here(look, Addresses(HOST, FOUND4, FOUND6))) == expected
    assert heard == asked
