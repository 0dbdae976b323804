"""What the peers' reports say, in the words of the matrix: what stands there, nothing concluded for them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as Xml
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bench.peers.suites import families, is_real_dhe
from checks.data.tls_suites import name_of
from tests.checks.tls.matrix.truth import VERSIONS, Facts

_OLDER = frozenset(VERSIONS[1:5])  # those whose suites are told by family


class NothingSeen(ValueError):
    """The report tells nothing of the server."""


# sslyze: JSON


def read_sslyze(report: str, now: datetime) -> Facts:
    (scan,) = json.loads(report)["server_scan_results"]
    if scan["scan_status"] != "COMPLETED":
        raise NothingSeen(scan["scan_status"])
    results = scan["scan_result"]
    found: Facts = {}
    taken: list[dict[str, Any]] = []
    whole = True
    for name, version in zip(_SSLYZE_VERSIONS, VERSIONS, strict=True):
        result = results[f"{name}_cipher_suites"]["result"]
        if result is None:
            whole = False
            continue
        found[version] = bool(result["accepted_cipher_suites"])
        taken += result["accepted_cipher_suites"] if version in _OLDER else []
    if whole:
        found |= families(one["cipher_suite"]["name"] for one in taken)
        sizes = [
            one["ephemeral_key"]["size"]
            for one in taken
            if one["ephemeral_key"] and is_real_dhe(one["cipher_suite"]["name"])
        ]
        found["dh_bits"] = min(sizes, default=0)
    for part, key, fact in _SSLYZE_FACTS:
        if result := results[part]["result"]:
            found[fact] = result[key]
    if result := results["certificate_info"]["result"]:
        found |= _sslyze_certificates(result["certificate_deployments"], now)
    return found


_SSLYZE_VERSIONS = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3")
_SSLYZE_FACTS = (
    ("tls_compression", "supports_compression", "compression"),
    ("session_renegotiation", "supports_secure_renegotiation", "secure_renegotiation"),
    ("tls_extended_master_secret", "supports_ems_extension", "extended_master_secret"),
)
_KINDS = {"RSAPublicKey": "RSA", "ECPublicKey": "EC", "Ed25519PublicKey": "Ed25519"}


def _sslyze_certificates(deployments: list[dict[str, Any]], now: datetime) -> Facts:
    leaves = [one["received_certificate_chain"][0] for one in deployments]
    ends = [datetime.fromisoformat(leaf["not_valid_after"]) for leaf in leaves]
    found: Facts = {
        **_dates(ends, now),
        **_keys((_KINDS[x["algorithm"]], x["key_size"] or 0) for x in (y["public_key"] for y in leaves)),
        "hash": " ".join(
            sorted({(leaf["signature_hash_algorithm"] or {"name": ""})["name"] for leaf in leaves})
        ),
        "must_staple": any(one["leaf_certificate_has_must_staple_extension"] for one in deployments),
        "stapled": all(one["ocsp_response"] is not None for one in deployments),
        "revoked": any(
            (one["ocsp_response"] or {}).get("certificate_status") == "REVOKED" for one in deployments
        ),
        "sent": max(len(one["received_certificate_chain"]) for one in deployments),
    }
    logs = [one["leaf_certificate_signed_certificate_timestamps_count"] for one in deployments]
    if None not in logs:
        found["logs"] = min(logs)
    verdicts = [
        result
        for one in deployments
        for result in one["path_validation_results"]
        if result["trust_store"]["name"] == "Supplied CA file"
    ]
    reasons = " ".join(str(result["validation_error"]) for result in verdicts)
    # Its one verdict holds dates and name as well: where it names those, the path itself was not judged.
    if "no matching subjectAltName" in reasons:
        found["name_matches"] = False
    elif "not valid at validation time" not in reasons:
        found["trusted"] = all(result["was_validation_successful"] for result in verdicts)
        if found["trusted"]:
            found["name_matches"] = True
    return found


# sslscan: XML


def read_sslscan(report: str, now: datetime) -> Facts:
    test = Xml.fromstring(report).find("ssltest")  # noqa: S314  (written by a tool of ours)
    if test is None:
        raise NothingSeen("no <ssltest>")
    found: Facts = {}
    for protocol in test.iter("protocol"):
        found[_SSLSCAN_VERSIONS[protocol.attrib["type"] + protocol.attrib["version"]]] = (
            protocol.get("enabled") == "1"
        )
    if not any(found.values()):
        raise NothingSeen("no version")
    ciphers = [c for c in test.iter("cipher") if c.attrib["sslversion"] in _OLDER]
    names = {name_of(int(c.attrib["id"], 16)): c for c in ciphers}
    found |= families(names)
    sizes = [int(c.get("dhebits", 0)) for name, c in names.items() if is_real_dhe(name)]
    if all(sizes):
        found["dh_bits"] = min(sizes, default=0)
    compression, renegotiation = test.find("compression"), test.find("renegotiation")
    if compression is not None:
        found["compression"] = compression.get("supported") == "1"
    # Where it could not renegotiate (TLS 1.3), its "secure" says nothing.
    if renegotiation is not None and renegotiation.get("supported") == "1":
        found["secure_renegotiation"] = renegotiation.get("secure") == "1"
    certificates = [c for c in test.iter("certificate") if c.find("pk") is not None]
    if certificates:
        found |= _sslscan_certificates(certificates, now)
    return found


_SSLSCAN_VERSIONS = dict(zip(("ssl2", "ssl3", "tls1.0", "tls1.1", "tls1.2", "tls1.3"), VERSIONS, strict=True))
_CURVES = {"prime256v1": 256, "secp384r1": 384, "secp521r1": 521}


def _sslscan_certificates(certificates: list[Xml.Element], now: datetime) -> Facts:
    keys = []
    for certificate in certificates:
        key = certificate.find("pk")
        assert key is not None
        # Of an EC key it gives the strength; the size is in the curve's name.
        bits = _CURVES.get(key.get("curve_name", ""), int(key.get("bits", 0)))
        keys.append((key.attrib["type"], bits))
    ends = [datetime.strptime(_text(c, "not-valid-after"), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
            for c in certificates]  # fmt: skip
    return {
        **_dates(ends, now),
        "expired": any(_text(c, "expired") == "true" for c in certificates),
        "self_signed": any(_text(c, "self-signed") == "true" for c in certificates),
        **_keys(keys),
        "hash": " ".join(sorted({_hash(_text(c, "signature-algorithm")) for c in certificates})),
    }


# nmap: XML


def read_nmap(report: str, now: datetime) -> Facts:
    scripts = {s.attrib["id"]: s for s in Xml.fromstring(report).iter("script")}  # noqa: S314
    suites, ssl2 = scripts.get("ssl-enum-ciphers"), scripts.get("sslv2")
    if suites is None and ssl2 is None:
        raise NothingSeen("no script had an answer")
    tables = {t.attrib["key"]: t for t in suites or () if t.tag == "table"}
    found: Facts = {version: version in tables for version in VERSIONS[1:]}
    found["SSLv2"] = ssl2 is not None and "SSLv2 supported" in ssl2.attrib["output"]
    older = [table for version, table in tables.items() if version in _OLDER]
    taken = [cipher for table in older for part in table.iterfind("table[@key='ciphers']") for cipher in part]
    found |= families(_elem(cipher, "name") for cipher in taken)
    sizes = [int(_elem(c, "kex_info").split()[-1]) for c in taken if is_real_dhe(_elem(c, "name"))]
    found["dh_bits"] = min(sizes, default=0)
    found["compression"] = any(
        (e.text or "") != "NULL" for table in older for e in table.iterfind("table[@key='compressors']/elem")
    )
    preferences = {_elem(table, "cipher preference") for table in older} - {"indeterminate"}
    if len(preferences) == 1:
        found["server_order"] = preferences == {"server"}
    if (alpn := scripts.get("tls-alpn")) is not None:
        found["http2"] = any(e.text == "h2" for e in alpn.iter("elem"))
    if (certificate := scripts.get("ssl-cert")) is not None:
        found |= _nmap_certificate(certificate, now)
    return found


def _nmap_certificate(certificate: Xml.Element, now: datetime) -> Facts:
    key = certificate.find("table[@key='pubkey']")
    end = certificate.findtext("table[@key='validity']/elem[@key='notAfter']")
    assert key is not None and end is not None
    # It knows no other verdict on a certificate: what it shows for reading counts as said.
    return {
        **_dates([datetime.fromisoformat(end).replace(tzinfo=UTC)], now),
        **_keys([(_elem(key, "type"), int(_elem(key, "bits") or 0))]),
        "hash": _hash(_elem(certificate, "sig_algo")),
    }


# testssl.sh: JSON


def read_testssl(report: str, now: datetime) -> Facts:
    said = {entry["id"]: entry["finding"] for entry in json.loads(report)}
    found: Facts = {}
    for name, version in zip(_TESTSSL_VERSIONS, VERSIONS, strict=True):
        words = said.get(name, "")
        if words.startswith(("offered", "vulnerable", "supported")):
            found[version] = True
        elif words.startswith("not offered"):
            found[version] = False
    if not any(found.values()):
        raise NothingSeen("no version")
    taken = {
        words.split()[-1]: words
        for name, words in said.items()
        if (m := re.match(r"cipher-(\w+)_x[0-9a-f]+$", name)) and m[1] in {"ssl3", "tls1", "tls1_1", "tls1_2"}
    }
    found |= families(taken)
    sizes = [re.search(r" DH (\d+)", words) for name, words in taken.items() if is_real_dhe(name)]
    if all(sizes):
        found["dh_bits"] = min((int(size[1]) for size in sizes if size), default=0)
    if "ALPN" in said or "ALPN_HTTP2" in said:
        found["http2"] = "ALPN_HTTP2" in said
    if extensions := said.get("TLS_extensions"):
        found["extended_master_secret"] = "extended master secret" in extensions
    for name, fact, yes, no in _TESTSSL_FACTS:
        words = said.get(name, "")
        if words.startswith((yes, no)):
            found[fact] = words.startswith(yes)
    return found | _testssl_certificates(said, now)


_TESTSSL_VERSIONS = ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")
_TESTSSL_FACTS = (
    ("cipher_order", "server_order", "server", "NOT"),
    ("secure_renego", "secure_renegotiation", "supported", "VULNERABLE"),
    ("CRIME_TLS", "compression", "VULNERABLE", "not vulnerable"),
)


def _testssl_certificates(said: dict[str, str], now: datetime) -> Facts:
    def all_of(name: str) -> list[str]:
        """With two certificates each finding is there twice, as "name <cert#1>"."""
        return [words for key, words in said.items() if key.partition(" ")[0] == name]

    if not all_of("cert_keySize"):
        return {}
    ends = [
        datetime.strptime(words, "%Y-%m-%d %H:%M").replace(tzinfo=UTC) for words in all_of("cert_notAfter")
    ]
    sizes = [re.search(r"(\w+) (\d+) bits", words) for words in all_of("cert_keySize")]
    trust, names = " ".join(all_of("cert_chain_of_trust")), " ".join(all_of("cert_trust"))
    found: Facts = {
        **_dates(ends, now),
        "expired": any("expired" in words for words in all_of("cert_expirationStatus")),
        **_keys((size[1], int(size[2])) for size in sizes if size),
        "hash": " ".join(sorted({_hash(words) for words in all_of("cert_signatureAlgorithm")})),
        "self_signed": "self signed" in trust or "self-signed" in trust,
        "name_matches": "not match" not in names,
        "stapled": all(words.startswith("offered") for words in all_of("OCSP_stapling")),
        "must_staple": any("--" not in words for words in all_of("cert_mustStapleExtension")),
        "sent": max((int(words) for words in all_of("certs_countServer")), default=0),
    }
    if "expired" not in trust:
        found["trusted"] = "failed" not in trust
    return found


# What all have in common


def _dates(ends: list[datetime], now: datetime) -> Facts:
    return {"days_left": min((end - now).days for end in ends), "expired": any(end < now for end in ends)}


def _keys(keys: Iterable[tuple[str, int]]) -> Facts:
    """Nothing, where there is a key whose kind the tool does not know."""
    kinds = {"rsa": "RSA", "ec": "EC", "ecdsa": "EC", "ed25519": "Ed25519", "eddsa": "Ed25519"}
    named = [(kinds.get(kind.lower(), ""), bits) for kind, bits in keys]
    if not named or not all(kind for kind, _ in named):
        return {}
    return {"keys": ", ".join(sorted(f"{kind} {0 if kind == 'Ed25519' else bits}" for kind, bits in named))}


def _hash(algorithm: str) -> str:
    found = re.search(r"sha-?(\d+)", algorithm, re.IGNORECASE)
    return f"sha{found[1]}" if found else ""


def _text(parent: Xml.Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def _elem(table: Xml.Element, key: str) -> str:
    return (table.findtext(f"elem[@key='{key}']") or "").strip()
