"""Whatever a receiver repeats of an address, in whatever form: nothing of it is told."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from fedisec.alerts.channels.hiding import ANSWER_MAX, answered, told

HOST = "hooks.example.org"
TOKENS = st.text("abcXYZ0189-_.~", min_size=4, max_size=40).filter(lambda text: text not in HOST)
PLACES = ("https://{h}/{t}", "https://{h}/in/{t}/out?x=1", "https://{h}/?token={t}", "https://{h}/?{t}", "https://{h}/?{t}=",
          "ntfys://user:{t}@{h}/topic", "ntfys://{t}@{h}/topic", "https://{h}/#{t}", "https://{h}/a;{t}")  # fmt: skip
FORMS = (
    str,
    str.upper,
    str.lower,
    quote,
    lambda t: quote(t, safe=""),
    quote_plus,
    lambda t: base64.b64encode(t.encode()).decode(),
)


@given(TOKENS, st.sampled_from(PLACES), st.sampled_from(FORMS))
def test_no_form_of_a_token_comes_through(token: str, place: str, form: object) -> None:
    assert callable(form)
    address = place.format(h=HOST, t=token)
    said = told(f"before >{form(token)}< after {address} {HOST}", address, HOST)
    between = said.partition(">")[2].partition("<")[0]
    assert between.rstrip("=") == "…", said
    assert said.startswith("before >") and said.endswith(f" {HOST}")


@given(st.binary(max_size=5000), st.integers(100, 999))
def test_any_answer_becomes_one_clean_line(body: bytes, status: int) -> None:
    said = answered(status, body, f"https://{HOST}/secret", HOST)
    assert said.startswith(str(status)) and len(said) <= ANSWER_MAX and "\n" not in said
    assert not any(ord(character) < 32 for character in said)


def test_names_of_a_query_and_short_words_stay_readable() -> None:
    address = f"https://{HOST}/api/v1/deadbeef?token=deadbeef&redirect=yes"
    assert told("api v1: token deadbeef, redirect", address, HOST) == "api v1: token …, redirect"
    assert (
        answered(307, b"", address, HOST) == "307 Temporary Redirect" and answered(799, b"", "", "") == "799"
    )
