"""Macros and limits that the suite leaves out, seen by the questions that the evaluator asks."""

from __future__ import annotations

import asyncio

import pytest

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf_eval import Checked, Mail, Result, check_host, check_stored
from checks.parse.spf_macro import can_be_asked, fill_explanation, shorten

SENDER = "strong-bad@email.example.com"
Records = dict[tuple[str, str], tuple[str, ...] | Missing]


def judged(
    records: Records, address: str = "192.0.2.3", sender: str = SENDER, helo: str = "mx.example.com"
) -> tuple[Checked, list[tuple[str, str]]]:
    """The result over a table; what is not in it does not exist."""
    asked: list[tuple[str, str]] = []

    async def ask(name: str, rdtype: str) -> Lookup | Missing:
        asked.append((name, rdtype))
        found = records.get((name, rdtype), ())
        if isinstance(found, Missing):
            return found
        return Lookup(name, rdtype, Outcome.FOUND if found else Outcome.NO_NAME, found)

    checked = asyncio.run(check_host(Mail(address, helo, sender, "mx.receiver.test", 1_700_000_000), ask))
    return checked, asked


def own(text: str) -> Records:
    return {("email.example.com", "TXT"): (f"v=spf1 {text}",)}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("%{o}.x.test", "email.example.com.x.test"),
        ("%{d}.x.test", "email.example.com.x.test"),
        ("%{d4}.x.test", "email.example.com.x.test"),
        ("%{d3}.x.test", "email.example.com.x.test"),
        ("%{d2}.x.test", "example.com.x.test"),
        ("%{d1}.x.test", "com.x.test"),
        ("%{dr}.x.test", "com.example.email.x.test"),
        ("%{d2r}.x.test", "example.email.x.test"),
        ("%{l}.x.test", "strong-bad.x.test"),
        ("%{l-}.x.test", "strong.bad.x.test"),
        ("%{lr}.x.test", "strong-bad.x.test"),
        ("%{lr-}.x.test", "bad.strong.x.test"),
        ("%{l1r-}.x.test", "strong.x.test"),
        ("%{s}.x.test", "strong-bad@email.example.com.x.test"),
        ("%{S}.x.test", "strong-bad%40email.example.com.x.test"),
        ("%{h}.x.test", "mx.example.com.x.test"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net.", "example.com.trusted-domains.example.net"),
        ("%{p}.x.test", "unknown.x.test"),
        ("%%%_%-.x.test", "% %20.x.test"),
    ],
)
def test_a_macro_stands_for_the_name_that_is_asked(spec: str, name: str) -> None:
    _, asked = judged(own(f"exists:{spec} -all"))
    assert asked[-1] == (name, "A")


def test_an_ipv6_address_is_written_in_nibbles() -> None:
    _, asked = judged(own("exists:%{ir}.%{v}._spf.%{d2} -all"), "2001:db8::cb01")
    nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    assert asked[-1] == (f"{nibbles}.ip6._spf.example.com", "A")


def test_the_name_of_the_client_is_the_nearest_that_leads_back() -> None:
    records = own("exists:%{p}.x.test -all") | {
        ("3.2.0.192.in-addr.arpa", "PTR"): ("a.other.test", "b.email.example.com", "email.example.com"),
        ("a.other.test", "A"): ("192.0.2.3",),
        ("b.email.example.com", "A"): ("192.0.2.3",),
        ("email.example.com", "A"): ("192.0.2.4",),
    }
    assert judged(records)[1][-1] == ("b.email.example.com.x.test", "A")


def test_an_explanation_may_speak_of_the_receiver_and_the_time() -> None:
    records = own("-all exp=why.example.com") | {
        ("why.example.com", "TXT"): ("%{c} is not ours, says %{r} at %{t}: see x.test/%{S}%_%%",)
    }
    wanted = "192.0.2.3 is not ours, says mx.receiver.test at 1700000000: see x.test/strong-bad%40email.example.com %"
    assert judged(records)[0].explanation == wanted


@pytest.mark.parametrize("text", ["%{q}", "%", "100% sure", "caf\xe9", "%{d0}", "a\tb", "x" * 5000])
def test_an_explanation_that_breaks_the_rules_is_none(text: str) -> None:
    records = own("-all exp=why.example.com") | {("why.example.com", "TXT"): (text,)}
    assert judged(records)[0] == Checked(Result.FAIL, "", "-all")


def test_the_explanation_grammar_has_parse_errors_alone() -> None:
    with pytest.raises(ParseError):
        fill_explanation("%{x}", {})
    assert fill_explanation("by %{d}", {}) is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.test", "a.test"),
        ("b." * 200 + "test", "b." * 124 + "test"),
        ("x" * 300, ""),
        (f"a.{'x' * 251}", f"a.{'x' * 251}"),
        (f"a.{'x' * 252}", "x" * 252),
        (f"a.{'x' * 253}", "x" * 253),
        (f"a.{'x' * 254}", ""),
    ],
)
def test_a_name_that_is_too_long_loses_labels_on_the_left(name: str, wanted: str) -> None:
    assert shorten(name) == wanted


@pytest.mark.parametrize("name", ["", ".", "a..test", "x" * 64 + ".test", "caf\xe9.test", "a.test."])
def test_some_names_cannot_be_asked(name: str) -> None:
    assert not can_be_asked(name)


SLOW = Missing(Reason.TIMEOUT)
MX = ("email.example.com", "MX")

JUDGED: list[tuple[str, Records, str, str]] = [
    ("ip4:192.0.2.0/24 -all", {}, "192.0.2.3", "pass"),
    ("ip4:192.0.2.0/24 -all", {}, "::ffff:192.0.2.3", "pass"),
    ("ip6:2001:db8::/32 ~all", {}, "2001:db8::1", "pass"),
    ("ip6:2001:db8::/32 ~all", {}, "192.0.2.3", "softfail"),
    ("mx -all", {MX: ("10 m.test",), ("m.test", "A"): ("192.0.2.3",)}, "192.0.2.3", "pass"),
    ("mx/24 -all", {MX: ("10 m.test",), ("m.test", "A"): ("192.0.2.99",)}, "192.0.2.3", "pass"),
    ("mx//64 -all", {MX: ("10 m.test",), ("m.test", "AAAA"): ("2001:db8::9",)}, "2001:db8::1", "pass"),
    ("mx -all", {MX: ("0 .",)}, "192.0.2.3", "fail"),
    ("mx -all", {MX: SLOW}, "192.0.2.3", "temperror"),
    ("mx -all", {MX: ("10 m.test",), ("m.test", "A"): SLOW}, "192.0.2.3", "temperror"),
    ("mx -all", {MX: tuple(f"10 m{n}.test" for n in range(10))}, "192.0.2.3", "fail"),
    ("mx -all", {MX: tuple(f"10 m{n}.test" for n in range(11))}, "192.0.2.3", "permerror"),
    ("ip4:192.0.2.3 mx -all", {MX: tuple(f"10 m{n}.test" for n in range(11))}, "192.0.2.3", "pass"),
    ("include:b.test -all", {("b.test", "TXT"): SLOW}, "192.0.2.3", "temperror"),
    ("include:b.test -all", {("b.test", "TXT"): ("v=spf1 ip4:192.0.2.3",)}, "192.0.2.3", "pass"),
    ("include:b.test -all", {("b.test", "TXT"): ("v=spf1", "v=spf1")}, "192.0.2.3", "permerror"),
    ("include:b.test -all", {("b.test", "TXT"): ("v=spf1 " + "x" * 5000,)}, "192.0.2.3", "temperror"),
    ("redirect=b.test", {("b.test", "TXT"): ("v=spf1 ~all",)}, "192.0.2.3", "softfail"),
    ("redirect=%{h}", {}, "192.0.2.3", "permerror"),
    ("ptr -all", {("3.2.0.192.in-addr.arpa", "PTR"): SLOW}, "192.0.2.3", "fail"),
    ("a:x.test a:y.test a:z.test -all", {}, "192.0.2.3", "permerror"),
    ("a:x.test a:x.test exists:x.test -all", {}, "192.0.2.3", "permerror"),
    ("a:x.test exists:y.test -all", {}, "192.0.2.3", "fail"),
    ("exists:%{l}.x.test -all", {}, "192.0.2.3", "fail"),
    # The client has no name: the macro counts nowhere, the mechanism does.
    ("a:%{p}.x.test a:y.test a:z.test -all", {("unknown.x.test", "A"): ("192.0.2.4",)}, "192.0.2.3", "fail"),
    ("ptr a:y.test a:z.test -all", {}, "192.0.2.3", "permerror"),
    ("-all foo", {}, "192.0.2.3", "permerror"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "more", "address", "wanted"), JUDGED)
def test_a_mail_is_judged(text: str, more: Records, address: str, wanted: str) -> None:
    assert judged(own(text) | more, address)[0].result == wanted


def test_a_temperror_names_the_answer_that_is_missing() -> None:
    checked, _ = judged({("email.example.com", "TXT"): SLOW})
    assert (checked.missing, checked.cause) == (SLOW, "TXT email.example.com")


def test_a_mailbox_beyond_ascii_fits_no_name() -> None:
    checked, asked = judged(own("exists:%{l}.x.test -all"), sender="\u7ba1\u7406@email.example.com")
    assert checked.result is Result.FAIL
    assert asked == [("email.example.com", "TXT")]


def test_equal_questions_are_asked_once() -> None:
    records = own("a mx a mx ptr ptr exists:%{p}.x.test -all") | {
        ("email.example.com", "A"): ("192.0.2.9",),
        ("email.example.com", "MX"): ("10 email.example.com",),
    }
    _, asked = judged(records)
    assert len(asked) == len(set(asked))


def test_an_address_that_is_none_is_a_parse_error() -> None:
    with pytest.raises(ParseError):
        judged(own("-all"), "localhost")


def test_stored_answers_can_be_judged_again() -> None:
    text = "v=spf1 a include:b.test -all"
    stored: dict[tuple[str, str], Lookup | Missing] = {
        ("a.test", "TXT"): Lookup("a.test", "TXT", Outcome.FOUND, (text,)),
        ("a.test", "A"): Lookup("a.test", "A", Outcome.FOUND, ("192.0.2.3",)),
    }
    assert check_stored(Mail("192.0.2.3", "a.test"), stored).result is Result.PASS
    unknown = check_stored(Mail("192.0.2.4", "a.test"), stored)
    assert unknown.missing == Missing(Reason.NOT_ASKED, "TXT b.test")
