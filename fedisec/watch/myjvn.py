"""MyJVN's getVulnOverviewList: which pages to ask for, and what one answers.  Pure.

The answer is JVNRSS with a `status:Status` beside its items; errors stand in that too, under HTTP 200.  Left
out, each of the three ranges means the last week, so all three are always sent.
Format: https://jvndb.jvn.jp/apis/getVulnOverviewList_api_hnd.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from checks.clean import clean
from checks.errors import ParseError
from fedisec.watch.parsing import FeedEntry, entries_of, read_xml

PAGE = 50  # the most that it gives at once
AT_ONCE = 10  # products of one question
HISTORY = timedelta(days=365)  # how far back a product that is new here is looked up
PAGES_MAX = 40  # of one question: no answer keeps us asking
_STATUS = "{http://jvndb.jvn.jp/myjvn/Status}Status"
_WEEK, _MONTH = timedelta(days=6), timedelta(days=27)  # with room for a late round


class Refusal(ParseError):
    """It answered with an error of its own.  `code`: its errCd."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}".strip())
        self.code = code


@dataclass(frozen=True, slots=True)
class Page:
    entries: tuple[FeedEntry, ...]
    total: int  # of all pages
    last: int  # number of the last item of this one, from 1; 0 where there is none


def parse_page(body: bytes, base: str) -> Page:
    """Refusal where the status names an error; ParseError for what is no such answer."""
    root = read_xml(body)
    status = next(root.iter(_STATUS), None)
    if status is None:
        raise ParseError("no status of MyJVN")
    if status.get("retCd") != "0":
        code = clean(status.get("errCd", ""), 30, newlines=False)
        raise Refusal(code or "error", clean(status.get("errMsg", ""), 200, newlines=False))
    total, first, count = (_number(status.get(name, "")) for name in ("totalRes", "firstRes", "totalResRet"))
    if count == 0:
        return Page((), total, 0)
    entries = entries_of(root, base)
    if not entries:
        raise ParseError(f"{count} items announced, none there")
    return Page(entries, total, max(first, 1) + count - 1)


def _number(text: str) -> int:
    if text and (len(text) > 9 or not text.isascii() or not text.isdigit()):
        raise ParseError("a status of MyJVN without numbers")
    return int(text or "0")


def url_of(base: str, question: dict[str, Any], start: int, language: str) -> str:
    """The address of one page.  `question`: one of `next_question`."""
    names = "+".join(f"cpe:/*:{quote(one, safe=':._-*')}" for one in question["cpes"])
    wide = question["range"] == "n"
    asked = [
        "method=getVulnOverviewList",
        "feed=hnd",
        f"startItem={start}",
        f"maxCountItem={PAGE}",
        f"cpeName={names}",
        "rangeDatePublic=n",
        f"rangeDatePublished={question['range']}",
        "rangeDateFirstPublished=n",
        f"lang={'en' if language == 'en' else 'ja'}",
    ]
    if wide:
        since = date.fromisoformat(question["since"])
        asked += [
            f"datePublishedStartY={since.year}",
            f"datePublishedStartM={since.month:02}",
            f"datePublishedStartD={since.day:02}",
        ]
    return f"{base}{'&' if '?' in base else '?'}{'&'.join(asked)}"


def next_question(cursor: dict[str, Any], cpes: Iterable[str], now: datetime) -> dict[str, Any] | None:
    """What to ask next, as plain values for the cursor; None where the round is done.

    A product of which nothing was asked yet: its year.  Else what changed since the last round: a week, a
    month, or where that is longer ago the year again.  cursor: known [cpe], round_at, asked [cpe] (of this
    round)."""
    wanted = sorted(set(cpes))
    known = set(cursor.get("known", ()))
    fresh = [one for one in wanted if one not in known][:AT_ONCE]
    if fresh:
        return _wide(fresh, now)
    left = [one for one in wanted if one not in set(cursor.get("asked", ()))][:AT_ONCE]
    if not left:
        return None
    away = now - datetime.fromisoformat(cursor["round_at"]) if cursor.get("round_at") else _WEEK
    if away > _MONTH:
        return _wide(left, now)
    return {"cpes": left, "range": "w" if away <= _WEEK else "m", "history": False}


def _wide(cpes: Sequence[str], now: datetime) -> dict[str, Any]:
    return {"cpes": list(cpes), "range": "n", "since": (now - HISTORY).date().isoformat(), "history": True}


def answered(cursor: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
    """The cursor after the last page of a question."""
    return {
        **cursor,
        "known": sorted({*cursor.get("known", ()), *question["cpes"]}),
        "asked": sorted({*cursor.get("asked", ()), *question["cpes"]}),
        "question": None,
        "start": 1,
    }


def round_done(cursor: dict[str, Any], cpes: Iterable[str], now: datetime) -> dict[str, Any]:
    """The cursor after the last question of a round.  A product that left is new when it comes back."""
    wanted = set(cpes)
    return {
        "known": [one for one in cursor.get("known", ()) if one in wanted],
        "round_at": now.isoformat(),
    }
