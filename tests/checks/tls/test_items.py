"""The verdicts on TLS, from facts made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts, Missing
from checks.facts.fedisec import CertificateWatch
from checks.facts.tls import (
    KeyKind,
    Negotiated,
    Revocation,
    Staple,
    SuiteFamily,
    TrustProblem,
    UnseenEndpoint,
)
from checks.items import all_items
from checks.model import Status, Verdict
from tests.checks.tls.made import (
    ADDRESS,
    NOW,
    SECOND,
    V,
    certificate,
    endpoint,
    facts,
    families,
    front,
    offer,
    older,
    only_13,
    versions,
    web,
)

SILENT = Missing(Reason.TIMEOUT, "no answer")
UNSEEN = UnseenEndpoint(SECOND, SILENT)
ELSEWHERE = Missing(Reason.NOT_ASKED)
PASS, WARN, FAIL, UNKNOWN, NA = Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE
CBC, RSA_GCM = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256"
REVOKED = Staple(Revocation.REVOKED, NOW, NOW, NOW, True)
INCOMPLETE: dict[str, Any] = {"trusted": False, "problem": TrustProblem.INCOMPLETE}


def verdict_of(item_id: str, found: Facts) -> Verdict:
    verdict = judge(all_items()[item_id], found)
    assert verdict.evidence or verdict.status not in {PASS, WARN, FAIL}
    for language in ("en", "ja"):
        if verdict.code:
            assert "…" not in all_items()[item_id].codes[verdict.code].filled(language, verdict.data)
    return verdict


def brief(address: str = SECOND, **changes: Any) -> Any:
    """An address that was looked at briefly."""
    answers = tuple(a for a in versions(V.TLS12, V.TLS13) if a.version not in {V.SSL3, V.TLS11})
    made = endpoint(address, versions=answers, suites=(), dh_bits=ELSEWHERE, post_quantum=ELSEWHERE)
    return replace(made, **{"older": older(last_resort=ELSEWHERE), **changes})


TLS_CASES: list[tuple[str, tuple[Any, ...], Status, str]] = [
    ("versions", (endpoint(),), PASS, "modern"),
    ("versions", (only_13(),), PASS, "modern"),
    ("versions", (endpoint(), brief()), PASS, "modern"),
    ("versions", (endpoint(), UNSEEN), PASS, "modern_partly"),
    ("versions", (endpoint(versions=versions(V.TLS10, V.TLS12, V.TLS13)),), FAIL, "old"),
    ("versions", (endpoint(versions=versions(V.SSL3)),), FAIL, "old"),
    ("versions", (endpoint(versions=versions(V.SSL2, V.TLS12, V.TLS13)),), FAIL, "old"),
    ("versions", (endpoint(versions=versions(V.TLS12, V.TLS13, unseen={V.SSL2: SILENT})),), UNKNOWN, ""),
    ("versions", (endpoint(versions=versions(V.TLS12, V.TLS13)[1:]),), PASS, "modern"),
    ("versions", (endpoint(), brief(versions=versions(V.TLS10, V.TLS12))), FAIL, "old"),
    ("versions", (endpoint(versions=versions(V.TLS12)),), WARN, "no_13"),
    ("versions", (endpoint(versions=versions(V.TLS12, V.TLS13, unseen={V.TLS10: SILENT})),), UNKNOWN, ""),
    ("versions", (endpoint(versions=versions(V.TLS12, unseen={V.TLS13: SILENT})),), UNKNOWN, ""),
    ("versions", (endpoint(versions=versions(V.TLS11, V.TLS12, unseen={V.TLS10: SILENT})),), FAIL, "old"),
    ("versions", (UNSEEN,), UNKNOWN, ""),
    ("v1_3", (endpoint(),), PASS, "offered"),
    ("v1_3", (endpoint(), UNSEEN), PASS, "offered_partly"),
    ("v1_3", (endpoint(), brief(versions=versions(V.TLS12))), WARN, "some"),
    ("v1_3", (endpoint(versions=versions(V.TLS12)),), FAIL, "absent"),
    ("v1_3", (endpoint(versions=versions(V.TLS12, unseen={V.TLS13: SILENT})),), UNKNOWN, ""),
    ("v1_3", (UNSEEN,), UNKNOWN, ""),
    ("post_quantum", (endpoint(),), PASS, "accepted"),
    ("post_quantum", (endpoint(), brief()), PASS, "accepted"),
    ("post_quantum", (endpoint(post_quantum=False),), WARN, "classic"),
    ("post_quantum", (endpoint(post_quantum=SILENT),), UNKNOWN, ""),
    ("post_quantum", (endpoint(versions=versions(V.TLS12), post_quantum=None),), NA, "no_13"),
    ("post_quantum", (UNSEEN,), UNKNOWN, ""),
    ("ciphers", (endpoint(),), PASS, "sound"),
    ("ciphers", (endpoint(), brief()), PASS, "sound"),
    ("ciphers", (endpoint(), UNSEEN), PASS, "sound_partly"),
    ("ciphers", (only_13(),), NA, "only_13"),
    ("ciphers", (endpoint(ssl2_ciphers=("SSL_CK_DES_64_CBC_WITH_MD5",)),), FAIL, "broken"),
    ("ciphers", (endpoint(suites=families(NULL="TLS_RSA_WITH_NULL_SHA")),), FAIL, "broken"),
    ("ciphers", (endpoint(suites=families(ANONYMOUS="TLS_DH_anon_WITH_AES_128_CBC_SHA")),), FAIL, "broken"),
    ("ciphers", (endpoint(suites=families(TRIPLE_DES="TLS_RSA_WITH_3DES_EDE_CBC_SHA")),), FAIL, "broken"),
    ("ciphers", (endpoint(suites=families(RC4="TLS_RSA_WITH_RC4_128_MD5", CBC=SILENT)),), FAIL, "broken"),
    ("ciphers", (endpoint(dh_bits=1024, suites=families(DHE="TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")),), FAIL, "small_dh"),
    ("ciphers", (endpoint(dh_bits=2048, suites=families(DHE="TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")),), WARN, "aged"),
    ("ciphers", (endpoint(suites=families(CBC=CBC)),), WARN, "aged"),
    ("ciphers", (endpoint(suites=families(RSA=RSA_GCM)),), WARN, "aged"),
    ("ciphers", (endpoint(suites=families(CBC=CBC), older=older(preferred=CBC)),), FAIL, "preferred"),
    ("ciphers", (endpoint(suites=families(RSA=RSA_GCM), older=older(preferred=RSA_GCM)),), FAIL, "preferred"),
    ("ciphers", (endpoint(), brief(older=older(preferred=CBC))), FAIL, "preferred"),
    ("ciphers", (endpoint(older=older(compression=True)),), FAIL, "compression"),
    ("ciphers", (endpoint(older=older(secure_renegotiation=False)),), FAIL, "renegotiation"),
    ("ciphers", (endpoint(older=older(extended_master_secret=False)),), WARN, "no_master_secret"),
    ("ciphers", (endpoint(suites=families(EXPORT=SILENT)),), UNKNOWN, ""),
    ("ciphers", (endpoint(older=SILENT),), UNKNOWN, ""),
    ("ciphers", (UNSEEN,), UNKNOWN, ""),
    ("rating", (endpoint(),), PASS, "good"),
    ("rating", (only_13(),), PASS, "good"),
    ("rating", (endpoint(), brief()), PASS, "good"),
    ("rating", (endpoint(), UNSEEN), PASS, "good_partly"),
    ("rating", (endpoint(versions=versions(V.TLS12)),), WARN, "minus"),
    ("rating", (endpoint(versions=versions(V.TLS10, V.TLS12, V.TLS13)),), FAIL, "low"),
    ("rating", (endpoint(suites=families(EXPORT=SILENT)),), UNKNOWN, ""),
    ("rating", (UNSEEN,), UNKNOWN, ""),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "endpoints", "status", "code"), TLS_CASES)
def test_an_offer_is_judged(slug: str, endpoints: tuple[Any, ...], status: Status, code: str) -> None:
    verdict = verdict_of(f"tls.{slug}", facts(offer(*endpoints), web(certificate(), certificate())))
    assert (verdict.status, verdict.code) == (status, code)


CERTIFICATE_CASES: list[tuple[tuple[Any, ...], Status, str]] = [
    ((certificate(),), PASS, "valid"),
    ((certificate(), certificate()), PASS, "valid"),
    ((certificate(), SILENT), PASS, "valid_partly"),
    ((certificate(key_kind=KeyKind.RSA, key_bits=2048),), PASS, "valid"),
    ((certificate(key_kind=KeyKind.ED25519, key_bits=0, signature_hash=""),), PASS, "valid"),
    ((certificate(left=-1),), FAIL, "expired"),
    ((certificate(left=91),), FAIL, "not_yet"),
    ((certificate(name_matches=False),), FAIL, "other_name"),
    ((certificate(names=(), name_matches=False),), FAIL, "no_name"),
    ((certificate(trusted=False, problem=TrustProblem.SELF_SIGNED, self_signed=True),), FAIL, "self_signed"),
    ((certificate(trusted=False, problem=TrustProblem.UNKNOWN_AUTHORITY),), FAIL, "unknown_authority"),
    ((certificate(trusted=False, problem=TrustProblem.BROKEN, trust_detail="no EKU"),), FAIL, "broken"),
    ((certificate(**INCOMPLETE),), WARN, "incomplete"),
    ((certificate(trusted=SILENT, problem=TrustProblem.UNKNOWN_AUTHORITY),), UNKNOWN, ""),
    ((certificate(key_kind=KeyKind.RSA, key_bits=1024),), FAIL, "weak_key"),
    ((certificate(key_bits=224),), FAIL, "weak_key"),
    ((certificate(key_kind=KeyKind.DSA, key_bits=2048),), FAIL, "weak_key"),
    ((certificate(signature_hash="sha1"),), FAIL, "weak_signature"),
    ((certificate(left=300, life=399),), FAIL, "life_too_long"),
    ((certificate(left=100, life=398),), PASS, "valid"),
    ((certificate(left=200, life=201),), WARN, "life_long"),
    ((certificate(), certificate(left=-1)), FAIL, "expired"),
    ((certificate(**INCOMPLETE), certificate(name_matches=False)), FAIL, "other_name"),
    ((SILENT,), UNKNOWN, ""),
]


@pytest.mark.parametrize(("shown", "status", "code"), CERTIFICATE_CASES)
def test_a_certificate_is_judged(shown: tuple[Any, ...], status: Status, code: str) -> None:
    verdict = verdict_of("tls.certificate_valid", facts(web(*shown)))
    assert (verdict.status, verdict.code) == (status, code)


def test_a_www_name_without_cover_is_a_warning() -> None:
    found = web(www_points_here=True, www_matches=False)
    assert verdict_of("tls.certificate_valid", facts(found)).code == "www"
    elsewhere = web(www_points_here=False, www_matches=False)
    assert verdict_of("tls.certificate_valid", facts(elsewhere)).status is PASS
    unknown = web(www_points_here=SILENT, www_matches=False)
    assert verdict_of("tls.certificate_valid", facts(unknown)).status is PASS


@pytest.mark.parametrize(
    ("life", "left", "status", "code"),
    [
        (398, 31, PASS, "fresh"),
        (398, 29, WARN, "due"),
        (398, 6.9, FAIL, "late"),
        (90, 22.6, PASS, "fresh"),
        (90, 22.4, WARN, "due"),
        (90, 7.1, WARN, "due"),
        (90, 6.9, FAIL, "late"),
        (60, 59, PASS, "fresh"),
        (47, 11.8, PASS, "fresh"),
        (47, 11.7, WARN, "due"),
        (47, 4.6, FAIL, "late"),
        (6.67, 41 / 24, PASS, "fresh"),
        (6.67, 39 / 24, WARN, "due"),
        (6.67, 15 / 24, FAIL, "late"),
        (90, -0.1, FAIL, "expired"),
        (90, 90.1, FAIL, "not_yet"),
    ],
)
def test_the_life_left_is_measured_by_its_share(life: float, left: float, status: Status, code: str) -> None:
    verdict = verdict_of("tls.certificate_lasts", facts(web(certificate(left, life))))
    assert (verdict.status, verdict.code) == (status, code)


def test_the_certificate_that_ends_first_by_its_share_decides() -> None:
    verdict = verdict_of("tls.certificate_lasts", facts(web(certificate(3, 6.67), certificate(5, 90))))
    assert (verdict.code, verdict.evidence[0].label) == ("late", f"Certificate {SECOND}")
    partly = verdict_of("tls.certificate_lasts", facts(web(certificate(), SILENT)))
    assert (partly.status, partly.code) == (PASS, "fresh_partly")
    assert verdict_of("tls.certificate_lasts", facts(web(SILENT))).reason is Reason.TIMEOUT


def test_clocks_that_differ_matter_only_where_they_change_the_answer() -> None:
    ahead = front(date="Sat, 28 Nov 2026 12:00:00 GMT")
    assert verdict_of("tls.certificate_lasts", facts(web(certificate(5)), ahead)).status is UNKNOWN
    assert verdict_of("tls.certificate_lasts", facts(web(certificate(60)), ahead)).status is PASS
    nonsense = front(date="yesterday")
    assert verdict_of("tls.certificate_lasts", facts(web(certificate(5)), nonsense)).status is FAIL


PIN = 'pin-sha256="d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM="'
SECOND_PIN = PIN.replace("d6q", "E9C")


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        (None, PASS, "absent"),
        (f"{PIN}; {SECOND_PIN}; max-age=5184000", WARN, "present"),
        (f"{PIN}; max-age=5184000", FAIL, "one_pin"),
        (f"{PIN}; {PIN}; max-age=5184000", FAIL, "one_pin"),
        (f"{PIN}; {SECOND_PIN}; max-age=31536000", FAIL, "outlives"),
        (f"{PIN}; {SECOND_PIN}; max-age=abc", WARN, "present"),
        ("nonsense", FAIL, "one_pin"),
    ],
)
def test_key_pinning_is_obsolete(value: str | None, status: Status, code: str) -> None:
    page = front() if value is None else front(public_key_pins=value)
    verdict = verdict_of("tls.no_key_pinning", facts(page))
    assert (verdict.status, verdict.code) == (status, code)


def test_a_challenge_page_says_nothing_about_pins() -> None:
    page = front()
    blocked = replace(page, page=replace(page.page, status=403))
    assert verdict_of("tls.no_key_pinning", facts(blocked)).reason is Reason.WITHHELD


@pytest.mark.parametrize(
    ("watching", "recipients", "status", "code"),
    [(True, 1, PASS, "watched"), (True, 0, FAIL, "nobody"), (False, 3, FAIL, "not_watched")],
)
def test_the_watch_needs_somebody_who_hears(
    watching: bool, recipients: int, status: Status, code: str
) -> None:
    verdict = verdict_of("tls.expiry_alert", Facts().with_facts(CertificateWatch(watching, recipients)))
    assert (verdict.status, verdict.code) == (status, code)


def test_without_the_dashboard_nobody_knows_of_the_watch() -> None:
    assert verdict_of("tls.expiry_alert", Facts()).reason is Reason.DASHBOARD_ONLY


@pytest.mark.parametrize(
    ("changes", "shown", "hsts", "grade"),
    [
        ({}, certificate(), True, "A+"),
        ({}, certificate(), False, "A"),
        ({"versions": versions(V.TLS12)}, certificate(), True, "A-"),
        ({"versions": versions(V.TLS11, V.TLS12, V.TLS13)}, certificate(), True, "B"),
        ({"versions": versions(V.TLS10)}, certificate(), True, "C"),
        ({"versions": versions(V.SSL3, V.TLS12, V.TLS13)}, certificate(), True, "C"),
        ({"versions": versions(V.SSL2, V.TLS12, V.TLS13)}, certificate(), True, "F"),
        ({"versions": versions(V.SSL3)}, certificate(), True, "F"),
        ({"versions": versions(V.SSL3, V.TLS10)}, certificate(), True, "C"),
        ({"dh_bits": 1024}, certificate(), True, "B"),
        ({"dh_bits": 768}, certificate(), True, "F"),
        ({"suites": families(NULL="TLS_RSA_WITH_NULL_SHA")}, certificate(), True, "F"),
        ({"suites": families(EXPORT="TLS_RSA_EXPORT_WITH_RC4_40_MD5")}, certificate(), True, "F"),
        ({"suites": families(RC4="TLS_RSA_WITH_RC4_128_SHA")}, certificate(), True, "C"),
        ({"suites": families(TRIPLE_DES="TLS_RSA_WITH_3DES_EDE_CBC_SHA")}, certificate(), True, "C"),
        ({"older": older(compression=True)}, certificate(), True, "C"),
        ({"older": older(secure_renegotiation=False)}, certificate(), True, "A-"),
        ({"suites": families(CBC=CBC, RSA=RSA_GCM)}, certificate(), True, "A+"),
        ({}, certificate(key_kind=KeyKind.RSA, key_bits=1024), True, "B"),
        ({}, certificate(signature_hash="md5"), True, "F"),
        ({}, certificate(signature_hash="sha1"), True, "T"),
        ({}, certificate(key_bits=192), True, "B"),
        ({}, certificate(key_kind=KeyKind.ED25519, key_bits=0, signature_hash=""), True, "A+"),
        ({}, certificate(staple=REVOKED), True, "T"),
        ({"suites": families(DES="TLS_RSA_WITH_DES_CBC_SHA")}, certificate(), True, "F"),
        ({"suites": families(DES="TLS_RSA_WITH_IDEA_CBC_SHA")}, certificate(), True, "C"),
        ({}, certificate(left=-1), True, "T"),
        ({}, certificate(trusted=False, problem=TrustProblem.SELF_SIGNED), True, "T"),
        ({}, certificate(**INCOMPLETE), True, "B"),
        ({}, certificate(name_matches=False), True, "M"),
    ],
)
def test_the_grade_follows_the_guide(changes: dict[str, Any], shown: Any, hsts: bool, grade: str) -> None:
    page = front(strict_transport_security="max-age=15552000") if hsts else front()
    verdict = verdict_of("tls.rating", facts(offer(endpoint(**changes)), web(shown), page))
    assert verdict.data["grade"] == grade


def test_rc4_alone_is_an_f_and_in_old_versions_a_b() -> None:
    rc4 = "TLS_RSA_WITH_RC4_128_SHA"
    alone = endpoint(
        versions=versions(V.TLS12), suite13=None, group13=None, suites=families(AEAD=SILENT, RC4=rc4),
        older=older(preferred=rc4, last_resort=rc4),
    )  # fmt: skip
    assert verdict_of("tls.rating", facts(offer(alone))).data["grade"] == "F"
    old = [
        replace(a, chosen=Negotiated(V.TLS10, rc4)) if a.family is SuiteFamily.RC4 else a for a in families()
    ]
    verdict = verdict_of("tls.rating", facts(offer(endpoint(suites=tuple(old)))))
    assert verdict.data["grade"] == "B"


@pytest.mark.parametrize(
    ("value", "grade"),
    [("max-age=15552000", "A+"), ("max-age=15551999", "A"), ("max-age=0", "A-"), ("max-age=abc", "A-")],
)
def test_hsts_is_part_of_the_grade(value: str, grade: str) -> None:
    verdict = verdict_of("tls.rating", facts(front(strict_transport_security=value)))
    assert verdict.data["grade"] == grade


def test_the_inputs_of_a_grade_are_shown() -> None:
    verdict = verdict_of("tls.rating", facts(offer(endpoint(versions=versions(V.TLS10, V.TLS12, V.TLS13)))))
    text = verdict.evidence[0].text
    assert "protocols: TLSv1.0 to TLSv1.3: 95" in text
    assert "key exchange: EC key, worth 3072 bits of RSA: 90" in text
    assert "ciphers: 256 to 256 bits: 100" in text
    assert "score: 30 % of 95 + 30 % of 90 + 40 % of 100 = 96" in text
    assert "at most B: TLSv1.0 is offered (guide 2009q)" in text


def test_a_certificate_nobody_can_judge_leaves_the_grade_open() -> None:
    open_ = certificate(trusted=SILENT, problem=TrustProblem.UNKNOWN_AUTHORITY)
    assert verdict_of("tls.rating", facts(web(open_))).reason is Reason.TIMEOUT


def test_without_forward_secrecy_or_aead_the_grade_is_b_at_best() -> None:
    only_cbc: dict[str, Any] = {
        "suites": families(AEAD=SILENT, CBC=CBC),
        "older": older(preferred=CBC, last_resort=CBC),
    }
    static: dict[str, Any] = {
        "suites": families(AEAD=SILENT, RSA=RSA_GCM),
        "older": older(preferred=RSA_GCM, last_resort=RSA_GCM),
    }
    for changes in (only_cbc, static):
        at = endpoint(versions=versions(V.TLS12), suite13=None, group13=None, **changes)
        verdict = verdict_of("tls.rating", facts(offer(at)))
        assert (verdict.status, verdict.data["grade"]) == (FAIL, "B")


def test_the_worst_address_gives_the_grade() -> None:
    bad = endpoint(SECOND, versions=versions(V.TLS10, V.TLS12))
    verdict = verdict_of("tls.rating", facts(offer(endpoint(), bad), web(certificate(), certificate())))
    assert (verdict.status, verdict.data["address"]) == (FAIL, SECOND)


def test_evidence_names_address_and_seen_versions() -> None:
    verdict = verdict_of("tls.versions", facts(offer(endpoint(versions=versions(V.TLS10, V.TLS12)))))
    (evidence,) = verdict.evidence
    assert evidence.label == f"TLS {ADDRESS}"
    assert "TLSv1.0: offered" in evidence.text
    assert "TLSv1.1: not offered" in evidence.text
