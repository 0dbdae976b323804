"""Facts that an older version has stored still load, and are judged as before."""

from __future__ import annotations

from typing import Any

from checks.codec import decode_facts, encode_facts
from checks.errors import Reason
from checks.facts import Missing
from checks.facts.tls import TlsOffer
from checks.model import Status
from tests.checks.tls.made import V, certificate, endpoint, facts, front, offer, versions, web
from tests.checks.tls.test_items import verdict_of

_LATER_FIELDS = {
    "TlsEndpoint": {"ssl2_ciphers"},
    "TlsOffer12": {"follows_client"},
    "WebCertificate": {"proven", "staple", "timestamps", "crl"},
    "WebCertificates": {"roots_from"},
}


def _as_stored_before(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_stored_before(item) for item in value]
    if not isinstance(value, dict):
        return value
    left_out = _LATER_FIELDS.get(str(value.get("$")), set())
    assert left_out <= value.keys()
    return {key: _as_stored_before(item) for key, item in value.items() if key not in left_out}


def test_facts_of_an_older_version_load_and_are_judged_the_same() -> None:
    asked = endpoint(versions=versions(V.TLS12, V.TLS13)[1:])  # nobody asked for SSL 2.0
    found = facts(offer(asked), web(certificate(must_staple=True)), front())
    again = decode_facts(_as_stored_before(encode_facts(found)))
    for slug in (
        "versions",
        "v1_3",
        "ciphers",
        "rating",
        "post_quantum",
        "certificate_valid",
        "certificate_lasts",
    ):
        assert verdict_of(f"tls.{slug}", again).status is Status.PASS, slug
    assert again.get(TlsOffer).seen[0].offers(V.SSL2) == Missing(Reason.NOT_ASKED)
