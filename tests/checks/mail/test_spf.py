"""The SPF grammar of RFC 7208, valid and broken, and the walk through whole trees."""

from __future__ import annotations

import pytest

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf import expand, is_spf, parse_spf
from checks.parse.spf_walk import UNSEEN, SpfWalk, walk

VALID = """
v=spf1
V=SPF1 A MX -ALL
v=spf1  a   ~all
v=spf1 a/24//64 mx:ex.com/0 ptr ptr:ex.com
v=spf1 a//64 mx//0 a/0//128
v=spf1 ip4:1.2.3.4/0 ip4:1.2.3.4 ip6:::1 ip6:2001:db8::/32 ip6:::ffff:1.2.3.4/96
v=spf1 exists:%{i}.x.com include:%{d} ~all
v=spf1 moo.cow-far_out=man:dog/cat include=foo.com ~all
v=spf1 a:foo:8080.example.com/24 a:x.com. a:a-b.c-1 redirect=%{d2}.x.org
v=spf1 exists:%{l1r+-}.%{d}.%{ir}.x.com exp=%{d}.x.com x= y=%%%_%-
v=spf1 a:OOO.example.com exists:%{S}.%{D}.example.com
v=spf1 -all a mx
v=spf1 exp=nxdomain.com
v=spf1 a:example.xn--zckzah
v=spf1 default=pass -all
v=spf1 ?all
""".strip().split("\n")

BROKEN = """
v=spf1 a:
v=spf1 a:/24
v=spf1 a/33
v=spf1 a/024
v=spf1 a//129
v=spf1 a/24/
v=spf1 a/24/64
v=spf1 a:museum
v=spf1 a:museum.
v=spf1 a:111.222.33.44
v=spf1 a:x.com/33
v=spf1 a:foo.-com
v=spf1 a:foo.com-
v=spf1 a:abc.123
v=spf1 a:foo.com:8080
v=spf1 all:x
v=spf1 all/8
v=spf1 -all.
v=spf1 -=all
v=spf1 include
v=spf1 include:
v=spf1 include:foo
v=spf1 include:x.com/24
v=spf1 exists
v=spf1 exists:
v=spf1 exists:foo.com/24
v=spf1 mx:
v=spf1 mx:/24
v=spf1 mx/33
v=spf1 mx:x.com//129
v=spf1 ptr/0
v=spf1 ptr:
v=spf1 ptr:foo
v=spf1 ip4
v=spf1 ip4/24
v=spf1 ip4:1.2.3
v=spf1 ip4:1.2.3.4/33
v=spf1 ip4:1.2.3.4/032
v=spf1 ip4:1.2.3.4//32
v=spf1 ip4:1.2.3.4:80
v=spf1 ip4:1.2.3.4/
v=spf1 ip4:01.2.3.4
v=spf1 ip6:1.2.3.4
v=spf1 ip6:::1/129
v=spf1 ip6:::1//33
v=spf1 ip6::CAFE::BABE
v=spf1 ip6:fe80::1%eth0
v=spf1 redirect:foo.com
v=spf1 redirect=
v=spf1 redirect=foo
v=spf1 redirect=foo.com/24
v=spf1 redirect=a.com redirect=b.com
v=spf1 exp=
v=spf1 exp=a.com exp=a.com
v=spf1 =all
v=spf1 1up=foo
v=spf1 -x=foo
v=spf1 x=%
v=spf1 x=%abc
v=spf1 x=%{q}
v=spf1 x=%{d
v=spf1 a:%{d0}.com
v=spf1 a:%{c}.com
v=spf1 a:%{r}.com
v=spf1 exists:%(ir).sbl.example.com
v=spf1 a:%{d}com
v=spf1 a:%{d2}.-com
v=spf1 ip5:1.2.3.4
v=spf1 a:caf\xe9.com
v=spf1 \ufffd
v=spf1 moo
v=spf1 ++all
v=spf1 !all
v=spf1 all;
""".strip().split("\n")


@pytest.mark.parametrize("text", VALID)
def test_a_record_within_the_grammar_is_read(text: str) -> None:
    parse_spf(text)


@pytest.mark.parametrize("text", [*BROKEN, "v=spf1 a\tmx", "v=spf1 a\nmx", "v=spf1 a\x00"])
def test_a_record_that_breaks_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_spf(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v=spf1", True),
        ("v=spf1 -all", True),
        ("V=sPf1 a", True),
        ("v=spf10", False),
        ("v=spf1-all", False),
        (" v=spf1 -all", False),
        ("v=spf1\t-all", False),
        ("spf2.0/mfrom -all", False),
        ("", False),
    ],
)
def test_only_the_version_makes_a_txt_an_spf_record(text: str, wanted: bool) -> None:
    assert is_spf(text) is wanted


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("", "mail.ex.com"),
        ("a.b.com", "a.b.com"),
        ("%{d}", "mail.ex.com"),
        ("%{d2}.x.org", "ex.com.x.org"),
        ("%{dr}.x.org", "com.ex.mail.x.org"),
        ("%{d1r}.x.org", "mail.x.org"),
        ("%{o}.x.org", "sender.net.x.org"),
        ("%{D999}.x.org", "mail.ex.com.x.org"),
        ("%{i}.x.org", None),
        ("%{l}.%{d}", None),
        ("A.B.Com.", "a.b.com"),
    ],
)
def test_macros_of_the_domain_are_filled_and_others_left_open(spec: str, wanted: str | None) -> None:
    assert expand(spec, "mail.ex.com", "sender.net") == wanted


def tree(**records: str | tuple[str, ...]) -> dict[tuple[str, str], Lookup | Missing]:
    """Answers by "name_TYPE"; dots in names are written as they are."""
    answers: dict[tuple[str, str], Lookup | Missing] = {}
    for key, value in records.items():
        name, _, rdtype = key.rpartition("_")
        texts = (value,) if isinstance(value, str) else value
        answers[name.replace("_", "."), rdtype] = Lookup(name, rdtype, Outcome.FOUND, texts)
    return answers


def complete(answers: dict[tuple[str, str], Lookup | Missing]) -> SpfWalk:
    """Walks until nothing is needed; what is not in the table does not exist."""
    while (walked := walk("a.test", answers)).needed:
        for name, rdtype in walked.needed:
            answers[name, rdtype] = Lookup(name, rdtype, Outcome.NO_NAME)
    return walked


def codes(walked: SpfWalk) -> set[str]:
    return {note.code for note in walked.problems}


INCLUDES = " ".join(f"include:i{n}.test" for n in range(11))
ELEVEN = {f"i{n}_test_TXT": "v=spf1 -all" for n in range(11)}

TREES: list[tuple[dict[str, str | tuple[str, ...]], set[str], int]] = [
    ({"a_test_TXT": "v=spf1 ip4:192.0.2.1 -all"}, set(), 0),
    ({}, {"none"}, 0),
    ({"a_test_TXT": ("x", "v=spf10 -all")}, {"none"}, 0),
    ({"a_test_TXT": ("v=spf1 -all", "v=spf1 ~all")}, {"several"}, 0),
    ({"a_test_TXT": ("v=spf1 -all", "google-site-verification=x")}, set(), 0),
    ({"a_test_TXT": "v=spf1 foo -all"}, {"syntax"}, 0),
    ({"a_test_TXT": "v=spf1 -all foo"}, {"syntax"}, 0),
    ({"a_test_TXT": "v=spf1 include:b.test -all"}, {"include_none"}, 1),
    ({"a_test_TXT": "v=spf1 redirect=b.test"}, {"redirect_none"}, 1),
    ({"a_test_TXT": "v=spf1 include:b..test -all"}, {"include_none"}, 1),
    ({"a_test_TXT": "v=spf1 include:b.test -all", "b_test_TXT": "v=spf1 bad"}, {"syntax"}, 1),
    ({"a_test_TXT": "v=spf1 include:b.test -all", "b_test_TXT": ("v=spf1", "v=spf1 a")}, {"several"}, 1),
    ({"a_test_TXT": "v=spf1 include:b.test -all", "b_test_TXT": "v=spf1 include:a.test"}, {"loop"}, 2),
    ({"a_test_TXT": "v=spf1 include:a.test -all"}, {"loop"}, 1),
    ({"a_test_TXT": "v=spf1 redirect=a.test"}, {"loop"}, 1),
    ({"a_test_TXT": "v=spf1 -all redirect=nowhere.test"}, set(), 0),
    ({"a_test_TXT": "v=spf1 -all include:nowhere.test a:nowhere.test"}, set(), 0),
    ({"a_test_TXT": "v=spf1 +all"}, {"plus_all"}, 0),
    ({"a_test_TXT": "v=spf1 all"}, {"plus_all"}, 0),
    ({"a_test_TXT": "v=spf1 include:b.test -all", "b_test_TXT": "v=spf1 +all"}, {"plus_all"}, 1),
    ({"a_test_TXT": "v=spf1 -include:b.test -all", "b_test_TXT": "v=spf1 +all"}, set(), 1),
    ({"a_test_TXT": "v=spf1 redirect=b.test", "b_test_TXT": "v=spf1 +all"}, {"plus_all"}, 1),
    ({"a_test_TXT": f"v=spf1 {INCLUDES} -all", **ELEVEN}, {"lookups"}, 11),
    ({"a_test_TXT": "v=spf1 " + "a " * 11 + "-all", "a_test_A": "192.0.2.1"}, {"lookups"}, 11),
    ({"a_test_TXT": "v=spf1 a:x.test a:y.test a:z.test -all"}, {"voids"}, 3),
    ({"a_test_TXT": "v=spf1 a:x.test a:y.test -all"}, set(), 2),
    ({"a_test_TXT": "v=spf1 mx:x.test mx:y.test exists:z.test -all"}, {"voids"}, 3),
    ({"a_test_TXT": "v=spf1 mx -all", "a_test_MX": tuple(f"10 m{n}.test" for n in range(11))}, {"mx_many"}, 1),
    ({"a_test_TXT": "v=spf1 exists:%{i}.x.test -all"}, set(), 1),
]  # fmt: skip


@pytest.mark.parametrize(("records", "wanted", "lookups"), TREES)
def test_the_walk_finds_what_makes_a_tree_invalid(
    records: dict[str, str | tuple[str, ...]], wanted: set[str], lookups: int
) -> None:
    walked = complete(tree(**records))
    assert (codes(walked), walked.lookups) == (wanted, lookups)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("v=spf1 ip4:192.0.2.1", "open_end"),
        ("v=spf1 ?all", "open_end"),
        ("v=spf1 ptr -all", "ptr"),
        ("v=spf1 ip4:10.0.0.0/8 -all", "wide"),
        ("v=spf1 ip4:0.0.0.0/0 -all", "wide"),
        ("v=spf1 ip4:198.51.0.0/16 -all", "wide"),
        ("v=spf1 ip6:2001:db8::/32 -all", "wide"),
        ("v=spf1 " + "ip4:192.0.2.1 " * 40 + "-all", "long"),
        ("v=spf1 a a a a a a a a -all", "near_limit"),
        ("v=spf1 a:x..test -all", "bad_name"),
    ],
)
def test_what_is_valid_but_unwise_is_a_warning(text: str, warning: str) -> None:
    walked = complete({**tree(a_test_TXT=text, a_test_A="192.0.2.1")})
    assert not walked.problems
    assert warning in {note.code for note in walked.warnings}


def test_a_name_with_ipv6_alone_is_no_void_look_up() -> None:
    answers = tree(a_test_TXT="v=spf1 a -all", a_test_AAAA="2001:db8::1")
    answers["a.test", "A"] = Lookup("a.test", "A", Outcome.NO_DATA)
    assert complete(answers).voids == 0


def test_a_branch_that_was_not_seen_is_a_gap_and_no_problem() -> None:
    answers = tree(a_test_TXT="v=spf1 include:b.test redirect=c.test")
    answers["b.test", "TXT"] = Missing(Reason.RESOLVER_FAILED, "SERVFAIL")
    answers["c.test", "TXT"] = Missing(Reason.TIMEOUT)
    walked = walk("a.test", answers)
    assert not walked.problems
    assert walked.ending == UNSEEN
    assert [name for name, _ in walked.unseen] == ["TXT b.test", "TXT c.test"]


def test_the_walk_asks_for_a_whole_level_at_once() -> None:
    walked = walk("a.test", tree(a_test_TXT="v=spf1 include:b.test include:c.test mx a -all"))
    assert set(walked.needed) == {("b.test", "TXT"), ("c.test", "TXT"), ("a.test", "MX"), ("a.test", "A")}


def test_a_tree_that_branches_without_end_stops() -> None:
    answers = {
        (f"n{n}.test", "TXT"): " ".join(f"include:n{m}.test" for m in range(n + 1, n + 5)) for n in range(40)
    }
    found: dict[tuple[str, str], Lookup | Missing] = {
        key: Lookup(*key, Outcome.FOUND, (f"v=spf1 {text}",)) for key, text in answers.items()
    }
    walked = walk("n0.test", found)
    assert "lookups" in codes(walked)
    assert walked.lookups < 100
