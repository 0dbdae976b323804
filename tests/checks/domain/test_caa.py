"""domain.caa: may the authority in use renew?  Accounts, methods and wildcards, from hand-made facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.data.dns import authorities
from checks.errors import ParseError
from checks.facts.dns import Addresses, Asked, CaaClimb
from checks.parse.caa import Binding, binding_of, parse_caa
from tests.checks.dns.made import asked, nobody, short, verdict
from tests.checks.domain.test_items import caa, certificate

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/acme/acct/"
LE = certificate("Let's Encrypt")
WILD = certificate("Let's Encrypt", ("*.a.test",))
BOTH = certificate("Let's Encrypt", ("a.test", "*.a.test"))


def issue(parameters: str = "", tag: str = "issue", issuer: str = "letsencrypt.org") -> str:
    return f'0 {tag} "{issuer}{"; " if parameters else ""}{parameters}"'


@pytest.mark.parametrize(
    ("records", "wanted"),
    [
        ((issue("validationmethods=dns-01"),), "pass:bound"),
        ((issue("validationmethods=dns-01,http-01"),), "pass:bound"),
        ((issue(f"accounturi={ACCOUNT}7"),), "pass:bound"),
        ((issue(f"accounturi={ACCOUNT}7"), issue()), "pass:allows"),
        ((issue(f"accounturi={ACCOUNT}7; validationmethods=http-01"),), "pass:bound"),
        ((issue("accounturi=https://acme-v01.api.letsencrypt.org/acme/reg/7"),), "pass:bound"),
        ((issue("policy=ev"),), "pass:allows"),
        ((issue("validationmethods=tls-sni-01"),), "warn:method_missing"),
        ((issue("validationmethods=ca-dns-7"),), "warn:method_missing"),
        ((issue("validationmethods=tls-sni-01"), issue("validationmethods=dns-01")), "pass:bound"),
        ((issue(f"accounturi={STAGING}7"),), "warn:account_elsewhere"),
        ((issue("accounturi=mailto:me@a.test"),), "warn:account_elsewhere"),
        ((issue(f"accounturi={STAGING}7"), issue(f"accounturi={ACCOUNT}7")), "pass:bound"),
        ((issue(f"accounturi={ACCOUNT}7"), issue(f"accounturi={ACCOUNT}8")), "warn:several_accounts"),
        ((issue(f"accounturi={ACCOUNT}7"), issue(f"accounturi={ACCOUNT}7")), "pass:bound"),
        ((issue(f"accounturi={ACCOUNT}7; accounturi={ACCOUNT}8"),), "warn:unsatisfiable"),
        ((issue("validationmethods=dns-01; validationmethods=http-01"),), "warn:unsatisfiable"),
        ((issue("validationmethods="),), "warn:unsatisfiable"),
        ((issue("validationmethods=dns-01,"),), "warn:unsatisfiable"),
        ((issue("validationmethods=dns_01"),), "warn:unsatisfiable"),
        ((issue("accounturi="),), "warn:unsatisfiable"),
        ((issue("validationmethods=dns-01;"),), "fail:nobody"),
        ((issue("validationmethods"),), "fail:nobody"),
        ((issue("x-=1"),), "fail:nobody"),
    ],
)
def test_an_account_or_method_may_stop_renewal(records: tuple[str, ...], wanted: str) -> None:
    assert short(verdict("domain.caa", caa(*records), LE)) == wanted


@pytest.mark.parametrize(
    ("records", "facts", "wanted"),
    [
        ((issue("validationmethods=http-01"),), WILD, "warn:wildcard_method"),
        ((issue("validationmethods=http-01"),), BOTH, "warn:wildcard_method"),
        ((issue("validationmethods=http-01,dns-01"),), BOTH, "pass:bound"),
        ((issue("validationmethods=http-01"), issue(tag="issuewild")), BOTH, "pass:allows"),
        ((issue(issuer=";"), issue(tag="issuewild")), WILD, "pass:allows"),
        ((issue(issuer=";"), issue(tag="issuewild")), BOTH, "fail:nobody"),
        ((issue(tag="issuewild"),), WILD, "warn:no_issue"),
        ((issue(), issue(tag="issuewild", issuer=";")), WILD, "warn:other_authority"),
        ((issue(), issue(tag="issuewild", issuer="pki.goog")), BOTH, "warn:other_authority"),
        ((issue(), issue(tag="issuewild", issuer=";")), LE, "pass:allows"),
    ],
)
def test_wildcards_follow_their_own_lines(records: tuple[str, ...], facts: object, wanted: str) -> None:
    assert short(verdict("domain.caa", caa(*records), facts)) == wanted  # type: ignore[arg-type]


def test_without_a_certificate_the_lines_for_plain_names_decide() -> None:
    shut = caa(issue(issuer=";"), issue(tag="issuewild"))
    assert short(verdict("domain.caa", shut)) == "fail:nobody"
    assert short(verdict("domain.caa", caa(issue(), issue(tag="issuewild", issuer=";")))) == "pass:restricted"


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ('128 contactemail "a@b.test"', "warn:critical_rare"),
        ('1 contactemail "a@b.test"', "warn:critical_rare"),
        ('1 tbs "x"', "warn:critical_rare"),
        ('0 contactemail "a@b.test"', "pass:allows"),
        ('2 tbs "x"', "pass:allows"),
        ('128 issue "pki.goog"', "pass:allows"),
        ('1 iodef "mailto:a@b.test"', "pass:allows"),
        ('128 tbs "x"', "fail:critical"),
        ('255 TBS "x"', "fail:critical"),
    ],
)
def test_a_critical_tag_stops_those_who_do_not_know_it(record: str, wanted: str) -> None:
    assert short(verdict("domain.caa", caa(issue(), record), LE)) == wanted


def test_an_authority_that_is_not_known_to_heed_accounts_is_not_held_to_them() -> None:
    record = issue("accounturi=https://elsewhere.test/1; validationmethods=odd-01", issuer="sectigo.com")
    assert short(verdict("domain.caa", caa(record), certificate("ZeroSSL"))) == "pass:allows"


def test_a_name_that_does_not_exist_has_no_policy() -> None:
    climb = CaaClimb((Asked("a.test", "CAA", nobody("a.test", "CAA")), asked("test", "CAA")))
    assert short(verdict("domain.caa", climb)) == "unknown:no_name"
    assert short(verdict("domain.caa", climb, Addresses("a.test", ("192.0.2.1",), ()))) == "warn:none"


def test_bindings_are_read_as_rfc_8657_says() -> None:
    record = parse_caa('0 issue "a.test; accounturi=x:y=z;validationmethods = dns-01,http-01"')
    assert binding_of(record) == Binding("x:y=z", ("dns-01", "http-01"), True)
    assert binding_of(parse_caa('0 issue "a.test"')) == Binding()


def test_bytes_of_a_value_are_decoded() -> None:
    assert parse_caa('0 issue "letsencrypt.org\\059 accounturi=a\\"b"').given("accounturi") == ('a"b',)
    assert not parse_caa('0 issue "caf\\195\\169.test"').well_formed


@given(st.text(max_size=200) | st.text('0123 issuewld";=,.-\\', max_size=200))
def test_any_text_is_a_record_or_a_parse_error(text: str) -> None:
    try:
        record = parse_caa(text)
    except ParseError:
        return
    assert 0 <= record.flags <= 255
    assert record.critical is (record.flags >= 128)
    binding_of(record)


def test_the_table_of_authorities_is_sound() -> None:
    for authority in authorities():
        assert authority.domains and authority.organisations
        assert all(domain == domain.lower().strip(". ") for domain in authority.domains)
        assert all(uri.startswith("https://") and uri.endswith("/") for uri in authority.accounts)
        assert not authority.accounts or authority.methods
