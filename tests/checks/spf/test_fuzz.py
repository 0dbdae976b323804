"""Whatever stands in a record: a ParseError at most, soon; and the walk knows of every permanent error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from checks.errors import ParseError
from checks.facts import Missing
from checks.facts.dns import Lookup, Outcome
from checks.parse.spf import parse_spf
from checks.parse.spf_eval import Mail, Result, check_stored
from checks.parse.spf_macro import fill_explanation
from checks.parse.spf_walk import walk

LIMIT_S = 0.05
SIZE = 8192
PIECES = st.sampled_from(
    "a mx ptr all include exists ip4 ip6 redirect exp x v=spf1 : = / // . - + ~ ? % %% %_ %- { } %{ %{d} %{d0} "
    "%{i2r.-} %{p} %{l} 0 1 32 33 128 1.2.3.4 ::1 ::ffff:1.2.3.4 b.test _ @ \\ \x7f \xe9 \ufffd".split(" ")
)
WORDS = st.lists(PIECES, min_size=1, max_size=12).map("".join)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=12).map(" ".join))


@given(TEXTS)
def test_any_record_is_read_or_refused(text: str) -> None:
    for record in (text, f"v=spf1 {text}"):
        try:
            parse_spf(record)
        except ParseError as error:
            assert len(str(error)) < 1000


@settings(max_examples=60, deadline=None)
@given(st.one_of(WORDS, st.text(min_size=1, max_size=12)), st.sampled_from(["", " ", "."]))
def test_eight_kibibytes_are_read_soon(word: str, between: str) -> None:
    record = f"v=spf1 {(word + between) * SIZE}"[:SIZE]
    assert min(_cpu_s(record), _cpu_s(record)) < LIMIT_S


def _cpu_s(record: str) -> float:
    begun = time.process_time()
    for read in (parse_spf, lambda text: fill_explanation(text, {"d": "a.test", "l": "x"})):
        with suppress(ParseError):
            read(record)
    return time.process_time() - begun


# Zones of a few names, in which every mail host and the client have an address and a name; b.test is nowhere.
NAMES = ("a.test", "c.test", "d.test")
TERMS = st.one_of(
    st.sampled_from("a mx ptr ip4:192.0.2.1 ip4:192.0.2.9 -ip4:192.0.2.0/24 ~all -all ?all exp=b.test".split()),
    st.builds("{}:{}".format, st.sampled_from(["a", "mx", "exists", "include", "?include", "-a"]), st.sampled_from([*NAMES, "b.test"])),
    st.builds("redirect={}".format, st.sampled_from([*NAMES, "b.test"])),
    st.sampled_from(["a:", "a:test", "ip4:1.2.3", "all:", "foo"]),
)  # fmt: skip
RECORDS = st.lists(TERMS, max_size=7).map(lambda terms: " ".join(["v=spf1", *terms]))
ZONES = st.fixed_dictionaries({name: st.lists(RECORDS, max_size=2, min_size=1) for name in NAMES})


def answers(zone: dict[str, list[str]]) -> Mapping[tuple[str, str], Lookup | Missing]:
    found: dict[tuple[str, str], tuple[str, ...]] = {("1.2.0.192.in-addr.arpa", "PTR"): ("a.test",)}
    for name, records in zone.items():
        found |= {(name, "TXT"): tuple(records), (name, "A"): ("192.0.2.7",), (name, "MX"): ("10 a.test",)}
    absent = {("b.test", rdtype) for rdtype in ("TXT", "A", "AAAA", "MX")}
    return {key: Lookup(*key, Outcome.FOUND, records) for key, records in found.items()} | {
        key: Lookup(*key, Outcome.NO_NAME) for key in absent
    }


@settings(max_examples=400)
@given(ZONES)
def test_what_is_a_permanent_error_for_one_mail_is_a_problem_of_the_tree(zone: dict[str, list[str]]) -> None:
    known = answers(zone)
    checked = check_stored(Mail("192.0.2.1", "a.test"), known)
    assert checked.result is not Result.TEMPERROR
    if checked.result is Result.PERMERROR:
        assert {note.code for note in walk("a.test", known).problems} - {"plus_all"}, checked.cause
