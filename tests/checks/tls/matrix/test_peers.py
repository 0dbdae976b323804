"""The reading of the peers' reports, where a mistake would be ours and count as theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bench.peers.reports import NothingSeen, read_nmap, read_sslscan, read_sslyze, read_testssl
from bench.peers.suites import families_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("TLS_RSA_WITH_NULL_SHA256", "NULL"),
        ("TLS_ECDH_anon_WITH_NULL_SHA", "NULL"),
        ("TLS_DH_anon_WITH_RC4_128_MD5", "anon"),
        ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", "anon EXPORT"),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "EXPORT"),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "RC4"),
        ("TLS_RSA_WITH_DES_CBC_SHA", "RSA DES"),
        ("TLS_RSA_WITH_IDEA_CBC_SHA", "RSA DES"),
        ("TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", "DHE 3DES"),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", "RSA"),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE AEAD"),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "AEAD"),
        ("TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", "CBC"),
        ("TLS_AES_128_GCM_SHA256", ""),
    ],
)
def test_a_suite_is_of_the_families_that_its_name_says(name: str, families: str) -> None:
    assert families_of(name) == set(families.split())


SSLSCAN = """<?xml version="1.0"?><document><ssltest>
<protocol type="ssl" version="2" enabled="0" /><protocol type="ssl" version="3" enabled="0" />
<protocol type="tls" version="1.0" enabled="0" /><protocol type="tls" version="1.1" enabled="0" />
<protocol type="tls" version="1.2" enabled="1" /><protocol type="tls" version="1.3" enabled="1" />
<renegotiation supported="0" secure="0" />
<cipher sslversion="TLSv1.3" cipher="TLS_AES_128_GCM_SHA256" id="0x1301" />
<cipher sslversion="TLSv1.2" cipher="DHE-RSA-AES128-GCM-SHA256" id="0x009E" dhebits="1024" />
<certificates><certificate type="short"><signature-algorithm>ecdsa-with-SHA256</signature-algorithm>
<pk error="false" type="EC" curve_name="prime256v1" bits="128" /><self-signed>false</self-signed>
<not-valid-after>Feb 10 01:50:48 2027 GMT</not-valid-after><expired>false</expired></certificate></certificates>
</ssltest></document>"""


def test_sslscan_is_read_as_it_speaks() -> None:
    found = read_sslscan(SSLSCAN, NOW)
    assert (found["TLSv1.1"], found["TLSv1.2"], found["AEAD"], found["DHE"], found["CBC"]) == (
        False,
        True,
        True,
        True,
        False,
    )
    assert (found["dh_bits"], found["keys"], found["hash"], found["days_left"]) == (
        1024,
        "EC 256",
        "sha256",
        80,
    )
    assert "secure_renegotiation" not in found and "trusted" not in found


NMAP = """<nmaprun><host><ports><port><script id="ssl-enum-ciphers" output=""><table key="TLSv1.2"><table key="ciphers">
<table><elem key="kex_info">dh 2048</elem><elem key="name">TLS_DHE_RSA_WITH_AES_128_CBC_SHA</elem></table></table>
<table key="compressors"><elem>DEFLATE</elem><elem>NULL</elem></table><elem key="cipher preference">server</elem></table>
<elem key="least strength">A</elem></script></port></ports></host></nmaprun>"""


def test_nmap_is_read_as_it_speaks() -> None:
    found = read_nmap(NMAP, NOW)
    assert (found["TLSv1.2"], found["TLSv1.3"], found["SSLv2"]) == (True, False, False)
    assert (found["CBC"], found["dh_bits"], found["compression"], found["server_order"]) == (
        True,
        2048,
        True,
        True,
    )
    assert "keys" not in found and "http2" not in found


def test_testssl_is_read_as_it_speaks() -> None:
    said = {
        "SSLv2": "vulnerable with 7 ciphers", "SSLv3": "not offered", "TLS1_2": "offered", "TLS1_3": "not offered + downgraded",
        "cipher-tls1_2_x9e": "TLS 1.2 x9e DHE-RSA-AES128-GCM-SHA256 DH 2048 AESGCM 128 TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "cipher-ssl2_x010080": "SSLv2 x010080 RC4-MD5 RSA RC4 128 SSL_CK_RC4_128_WITH_MD5",
        "secure_renego": "supported", "CRIME_TLS": "not vulnerable", "cipher_order": "NOT a cipher order configured",
    }  # fmt: skip
    found = read_testssl(json.dumps([{"id": name, "finding": words} for name, words in said.items()]), NOW)
    assert (found["SSLv2"], found["SSLv3"], found["TLSv1.3"], found["RC4"], found["dh_bits"]) == (
        True,
        False,
        False,
        False,
        2048,
    )
    assert (found["secure_renegotiation"], found["compression"], found["server_order"]) == (
        True,
        False,
        False,
    )
    assert "TLSv1.0" not in found and "trusted" not in found


def test_a_report_without_a_word_is_no_claim() -> None:
    with pytest.raises(NothingSeen):
        read_nmap("<nmaprun/>", NOW)
    with pytest.raises(NothingSeen):
        read_testssl("[]", NOW)
    with pytest.raises(NothingSeen):
        read_sslyze('{"server_scan_results": [{"scan_status": "ERROR_NO_CONNECTIVITY"}]}', NOW)
