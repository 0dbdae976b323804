"""Whatever a stranger sends: a parser gives a result or ParseError, and nothing else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.errors import ParseError
from tests.checks.parsers import NOT_FOREIGN, WRAPPED, Reader, hostile_bytes, hostile_texts, readers

ALL = list(readers())
TEXTS = [(name, read) for name, takes_bytes, read in ALL if not takes_bytes]
BYTES = [(name, read) for name, takes_bytes, read in ALL if takes_bytes]

_WORDS = st.sampled_from(
    ["v=spf1", "include:", "redirect=", "%{", "}", "v=DMARC1", "p=", "max-age", "=", ";", ",", " ", "\n", '"', "'none'",
     "script-src", "nonce-", "{", "[", "]", ":", "null", "true", "1e999", "-1", "\x00", "\u202e", "mailto:", "https://",
     "@", ".", "..", "a", "\\", "Expires:", "2026-99-99T", "+", "0x", "é", "💥", "<meta", ">", "[core]", "KEY="]
)  # fmt: skip
_texts = st.text(max_size=200) | st.lists(_WORDS | st.text(max_size=5), max_size=60).map("".join)


@pytest.mark.parametrize(("name", "read"), TEXTS, ids=[name for name, _ in TEXTS])
def test_any_text_is_read_or_refused(name: str, read: Reader) -> None:
    @given(_texts)
    def check(text: str) -> None:
        with suppress(ParseError):
            read(text)

    check()


@pytest.mark.parametrize(("name", "read"), BYTES, ids=[name for name, _ in BYTES])
def test_any_bytes_are_read_or_refused(name: str, read: Reader) -> None:
    @given(st.binary(max_size=300))
    def check(data: bytes) -> None:
        with suppress(ParseError):
            read(data)

    check()


@pytest.mark.parametrize(("name", "takes_bytes", "read"), ALL, ids=[name for name, *_ in ALL])
def test_the_shapes_that_parsers_trip_over(name: str, takes_bytes: bool, read: Reader) -> None:
    """How long each takes is a matter of `make bench-parsers`."""
    for hostile in hostile_bytes() if takes_bytes else hostile_texts():
        with suppress(ParseError):
            read(hostile)


def test_the_list_is_whole() -> None:
    """A renamed or removed parser does not leave the table silently smaller."""
    names = {name for name, *_ in ALL}
    assert set(WRAPPED) <= names
    assert not NOT_FOREIGN & names
    assert len(names) >= 70
