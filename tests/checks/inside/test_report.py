"""The frame of the collector's answer: whole reports are read, everything else is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.clean import clean
from checks.errors import ParseError, Reason
from checks.facts import MissingFact
from checks.facts.inside import Inside
from checks.parse.collector import parse_report

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WHOLE = """@fedisec 1
@sec meta
 uid 0
 =rc 0
@end meta ms=4
@sec sockets
 tcp LISTEN 0 511 0.0.0.0:80
 @end sockets ms=1
 =rc 7

 =rc 1
@end sockets ms=12
@sec slow
 half
 =rc 124
@end slow ms=8000
@sec long
 x
 =rc 0 cut
@end long ms=3
@sec broken
 x
@end broken ms=3
@done 0
"""


def read(text: str) -> Inside:
    return parse_report(text.encode(), NOW)


def test_a_whole_report_is_read_and_its_content_forges_no_frame() -> None:
    text = WHOLE.replace("\n\n", "\n \n")
    found = read("Last login: today\nYour sshrc says hello\n" + text)
    assert (found.protocol, found.uid, found.as_root, found.seen_at) == (1, 0, True, NOW)
    assert [section.name for section in found.sections] == ["meta", "sockets", "slow", "long", "broken"]
    sockets = found.section("sockets")
    assert sockets.lines == ("tcp LISTEN 0 511 0.0.0.0:80", "@end sockets ms=1", "=rc 7")
    assert (sockets.code, sockets.took_ms) == (1, 12)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("slow", Reason.TIMEOUT),
        ("long", Reason.TOO_LARGE),
        ("broken", Reason.TOO_LARGE),
        ("absent", Reason.NOT_ASKED),
    ],
)
def test_a_section_that_is_not_whole_is_missing(name: str, reason: Reason) -> None:
    with pytest.raises(MissingFact) as caught:
        read(WHOLE.replace("\n\n", "\n \n")).lines(name)
    assert caught.value.missing.reason is reason


def test_tabs_stay_and_json_keeps_its_one_long_line() -> None:
    json = '{"nftables": [' + "1, " * 5000 + "1]}"
    text = f"@fedisec 1\n@sec docker\n a\tb\x1b\n =rc 0\n@end docker ms=1\n@sec nft\n {json}\n =rc 0\n@end nft ms=1\n"
    found = read(text + f"@sec ps\n {json}\n =rc 0\n@end ps ms=1\n@done 0\n")
    assert found.lines("docker") == ("a\tb\ufffd",)
    assert found.lines("nft") == (json,)
    assert len(found.lines("ps")[0]) == 4096


GOOD = "@fedisec 1\n@sec a\n =rc 0\n@end a ms=1\n@done 1000\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "@fedisec 2\n@done 0\n",
        "@fedisec 1\n",
        GOOD.replace("@done 1000\n", ""),
        GOOD.replace("@done 1000", "@done root"),
        GOOD.replace("@end a ms=1\n", ""),
        GOOD.replace("@end a", "@end b"),
        GOOD.replace("@sec a", "@sec A"),
        GOOD.replace(" =rc 0", "=rc 0"),
        GOOD.replace("@done", "@sec a\n =rc 0\n@end a ms=1\n@done"),
        "@fedisec 1\n" + "".join(f"@sec a{n}\n =rc 0\n@end a{n} ms=1\n" for n in range(101)) + "@done 0\n",
        "@fedisec 1\n" + " x" * (1 << 20),
    ],
)
def test_anything_odd_is_no_report(text: str) -> None:
    with pytest.raises(ParseError):
        read(text)
    assert read(GOOD).uid == 1000


FRAMES = [
    "@fedisec 1",
    "@sec a",
    "@sec zz",
    "@end a ms=1",
    "@done 0",
    "=rc 0",
    " =rc 0",
    "=rc 0 cut",
    " @done 0",
    "\r",
    "@0",
    "@1",
]
CONTENT = st.lists(
    st.sampled_from(FRAMES) | st.text(max_size=12).map(lambda text: text.replace("\n", "")), max_size=8
)


def framed(sections: list[list[str]]) -> str:
    """What the collector makes of these contents."""
    text = "@fedisec 1\n"
    for n, lines in enumerate(sections):
        body = "".join(f" {line}\n" for line in lines)
        text += f"@sec s{n}\n{body} =rc {n}\n@end s{n} ms=1\n"
    return text + "@done 1000\n"


@given(st.lists(CONTENT, max_size=4))
def test_no_content_forges_a_frame(sections: list[list[str]]) -> None:
    found = read(framed(sections))
    assert [(one.name, one.code, one.cut) for one in found.sections] == [
        (f"s{n}", n, False) for n in range(len(sections))
    ]
    assert found.uid == 1000
    for lines, one in zip(sections, found.sections, strict=True):
        kept = [clean(line, 4096) for line in lines]
        while kept and not kept[-1]:
            kept.pop()
        assert one.lines == tuple(kept)


@given(st.lists(CONTENT, min_size=1, max_size=3), st.data())
def test_no_beginning_of_a_report_is_a_report(sections: list[list[str]], data: st.DataObject) -> None:
    """A collector that died on the way, or a connection that did: whatever came through, the end is missing."""
    raw = framed(sections).encode()
    cut = data.draw(st.integers(0, len(raw) - 1) | st.integers(len(raw) - 12, len(raw) - 1))
    with pytest.raises(ParseError):
        parse_report(raw[:cut], NOW)


@given(st.lists(st.sampled_from(GOOD.split("\n")) | st.text(max_size=20), max_size=12))
def test_only_parse_errors_come_out(lines: list[str]) -> None:
    with suppress(ParseError):
        read("\n".join(["@fedisec 1", *lines]))


def test_a_hundred_thousand_empty_lines_are_read_at_once() -> None:
    """Taken off one by one they took a minute, in which no other scan of the process went on."""
    assert read(framed([["kept", *[""] * 100_000]])).sections[0].lines == ("kept",)


def test_a_section_that_no_collector_makes_is_no_report() -> None:
    """The collector passes on 64 KiB of one; what is longer would only keep those busy who read it."""
    with pytest.raises(ParseError, match="longer than a collector makes it"):
        read(framed([[""] * 140_000]))
    assert read(framed([["x" * 4000] * 16])).sections[0].code == 0
