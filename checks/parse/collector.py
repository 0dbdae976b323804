"""The frame in which the collector's answer arrives.

    @fedisec 1
    @sec NAME
     a line of output, behind one space
     =rc 0
    @end NAME ms=12
    @done UID

Every line of content stands behind a space, so no file content can begin a frame line; of the lines that read
" =rc N" the last one of a section counts, which the collector wrote itself.  The last line, whole, proves
that it got to its end; so no exit status is asked for, which may never come where something keeps the session
open.  What a login shell or a notice prints before the first "@fedisec" is passed over.
"""

from __future__ import annotations

import re
from datetime import datetime

from checks.clean import clean
from checks.errors import ParseError
from checks.facts.inside import Inside, Section

PROTOCOL = 1
BYTES_MAX = 1 << 20
_LINE_MAX = 4096
_LONG_LINES = {"nft": 1 << 18}  # JSON, the whole of it on one line
_SECTIONS_MAX = 100
# Twice what the collector passes on of a section: whatever is longer is not its work.
_SECTION_MAX = 2 * 65536
_LONG_SECTIONS = {"nft": 2 * 262144}
_BEGIN = re.compile(r"@sec ([a-z][a-z0-9_]{0,31})")
_END = re.compile(r"@end ([a-z][a-z0-9_]{0,31}) ms=(\d{1,7})")
_CODE = re.compile(r" =rc (\d{1,3})( cut)?")
_DONE = re.compile(r"@done (\d{1,10})")


def parse_report(raw: bytes, now: datetime) -> Inside:
    """The whole report.  ParseError for one that is cut, out of order, of another protocol or no report."""
    if len(raw) > BYTES_MAX:
        raise ParseError(f"more than {BYTES_MAX} bytes")
    *lines, _unfinished = raw.decode("utf-8", "replace").split("\n")
    start = next((n for n, line in enumerate(lines) if line.rstrip("\r").startswith("@fedisec ")), None)
    if start is None:
        raise ParseError("no report")
    version = lines[start].rstrip("\r").removeprefix("@fedisec ").strip()
    if version != str(PROTOCOL):
        raise ParseError(f"a collector of another version ({clean(version, 20, newlines=False)})")
    return _Reader(lines[start + 1 :]).report(now)


class _Reader:
    """Takes the lines behind the first one, strictly in order."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = iter(lines)
        self._sections: dict[str, Section] = {}

    def report(self, now: datetime) -> Inside:
        for line in self._lines:
            if done := _DONE.fullmatch(line):
                return Inside(PROTOCOL, int(done[1]), now, tuple(self._sections.values()))
            begin = _BEGIN.fullmatch(line)
            if begin is None:
                raise ParseError(f"no frame line: {clean(line, 60, newlines=False)}")
            if begin[1] in self._sections or len(self._sections) >= _SECTIONS_MAX:
                raise ParseError(f"section {begin[1]} twice, or too many")
            self._sections[begin[1]] = self._section(begin[1])
        raise ParseError("the report breaks off")

    def _section(self, name: str) -> Section:
        content: list[str] = []
        room = _LONG_SECTIONS.get(name, _SECTION_MAX)
        for line in self._lines:
            if line.startswith(" "):
                content.append(line)
                room -= len(line)
                if room < 0:
                    raise ParseError(f"section {name} is longer than a collector makes it")
                continue
            end = _END.fullmatch(line)
            if end is None or end[1] != name:
                raise ParseError(f"section {name} does not end")
            code = _CODE.fullmatch(content[-1]) if content else None
            kept = content[:-1] if code else content
            longest = _LONG_LINES.get(name, _LINE_MAX)
            shown = [clean(text[1:], longest) for text in kept]
            while shown and not shown[-1]:
                shown.pop()
            return Section(
                name, tuple(shown), int(code[1]) if code else None, int(end[2]), bool(code and code[2])
            )
        raise ParseError(f"the report breaks off in section {name}")
