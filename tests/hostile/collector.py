"""What a server says when the collector is asked for: cut, endless, replayed, or whole and full of lies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import paramiko
from paramiko.common import cMSG_CHANNEL_DATA, cMSG_CHANNEL_EXTENDED_DATA, cMSG_CHANNEL_REQUEST

from checks.items import all_items
from checks.model import INSIDE
from tests.checks.inside.fixtures import FIXTURES
from tests.checks.inside.hostile import message
from tests.checks.inside.servers import Behaviour as AtCommand
from tests.checks.inside.servers import Host
from tests.hostile.http_answers import EVIL, FREE
from tests.hostile.model import Allows, Behaviour, World
from tests.hostile.ssh_server import INSIDE_S, REPORT, WALL_S, behaviour, host, look

_BAD, _LATE, _LARGE = "malformed", "timeout", "too_large"
_WHOLE = (FIXTURES / "trixie-good-sudo.txt").read_bytes()
_EVERYTHING = EVIL + b"\0\x1b]0;EVIL\x07\xe2\x80\xae\xed\xa0\x80\xff=HYPERLINK(1){{7*7}}"


def says(output: bytes, *, status: int | None = 0, closes: bool = True) -> AtCommand:
    """One output, an exit status (None: none), the end of the channel."""

    def behave(host: Host, channel: paramiko.Channel) -> None:
        channel.sendall(output)
        if status is not None:
            channel.send_exit_status(status)
        if closes:
            channel.close()
        else:
            host.ended.wait(20)

    return behave


def _flood(output: bytes, *, errors: bool = False, first: bytes = b"") -> AtCommand:
    """Past the window, which paramiko does not hold a server to."""

    def behave(host: Host, channel: paramiko.Channel) -> None:
        channel.sendall(first)
        while not host.ended.is_set():
            if errors:
                host.send(message(cMSG_CHANNEL_EXTENDED_DATA, channel.remote_chanid, 1, output))
            else:
                host.send(message(cMSG_CHANNEL_DATA, channel.remote_chanid, output))

    return behave


def _drips(output: bytes) -> AtCommand:
    def behave(host: Host, channel: paramiko.Channel) -> None:
        for n in range(len(output)):
            if host.ended.wait(0.05):
                return
            channel.sendall(output[n : n + 1])

    return behave


def _killed(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(_WHOLE[:3000])
    request = message(
        cMSG_CHANNEL_REQUEST, channel.remote_chanid, b"exit-signal", False, EVIL, False, EVIL, b""
    )
    host.send(request)
    channel.close()


def _half_and_end(host: Host, channel: paramiko.Channel) -> None:
    channel.sendall(_WHOLE[:3000])
    channel.shutdown_write()
    host.ended.wait(20)


def _late_end(host: Host, channel: paramiko.Channel) -> None:
    """The report, and its last line only when nobody waits any more."""
    channel.sendall(_WHOLE[: _WHOLE.rindex(b"@done")])
    time.sleep(WALL_S + INSIDE_S)


def cut(before: bytes, *, keeps: int = 0) -> bytes:
    """The report up to the first `before`, and so many bytes of it."""
    return _WHOLE[: _WHOLE.index(before) + keeps]


def section(name: str, *lines: bytes) -> bytes:
    body = b"".join(b" " + line + b"\n" for line in lines)
    return (
        b"@fedisec 1\n@sec "
        + name.encode()
        + b"\n"
        + body
        + b" =rc 0\n@end "
        + name.encode()
        + b" ms=1\n@done 0\n"
    )


def each_line(change: Callable[[bytes], bytes]) -> bytes:
    """The report with every line of content changed; frames and exit codes stay."""
    lines = _WHOLE.split(b"\n")
    return b"\n".join(
        b" " + change(line[1:]) if line.startswith(b" ") and not line.startswith(b" =rc") else line
        for line in lines
    )


_REPEATED = _WHOLE.replace(b"@done", _WHOLE[_WHOLE.index(b"@sec") : _WHOLE.rindex(b"@done")] + b"@done")
# No report: whatever stood in it, nothing of it is believed.
_BROKEN: dict[str, tuple[AtCommand, str]] = {
    "nothing": (says(b""), _BAD),
    "nothing-and-127": (says(b"", status=127), "no_tool"),
    "nothing-and-126": (says(b"", status=126), "denied"),
    "endless": (_flood(b" EVIL\n" * 5000), _LARGE),
    "endless-section": (_flood(b" EVIL\n" * 5000, first=cut(b"@sec", keeps=10)), _LARGE),
    "endless-errors": (_flood(b"EVIL\x1b[2J" * 4000, errors=True), _LARGE),
    "endless-line": (_flood(b"x" * 32768, first=b"@fedisec 1\n@sec meta\n "), _LARGE),
    "drips": (_drips(_WHOLE), _LATE),
    "ends-late": (_late_end, _LATE),
    "exit-signal": (_killed, _BAD),
    "half-and-end": (_half_and_end, _BAD),
    "cut-in-the-magic": (says(_WHOLE[:6]), _BAD),
    "cut-behind-the-magic": (says(_WHOLE[:11]), _BAD),
    "cut-in-a-header": (says(cut(b"@sec", keeps=6)), _BAD),
    "cut-in-a-line": (says(_WHOLE[:9000]), _BAD),
    "cut-before-a-code": (says(cut(b" =rc")), _BAD),
    "cut-before-an-end": (says(cut(b"@end")), _BAD),
    "cut-in-an-end": (says(cut(b"@end", keeps=7)), _BAD),
    "cut-before-the-last-line": (says(cut(b"@done")), _BAD),
    "cut-in-the-last-line": (says(cut(b"@done", keeps=6)), _BAD),
    "sections-twice": (says(_REPEATED), _BAD),
    "sections-in-sections": (says(_WHOLE.replace(b"@end meta", b"@sec meta\n@end meta", 1)), _BAD),
    "sections-by-the-thousand": (says(b"@fedisec 1\n" + b"".join(
        b"@sec a%d\n =rc 0\n@end a%d ms=1\n" % (n, n) for n in range(20_000)) + b"@done 0\n"), _BAD),
    "another-protocol": (says(_WHOLE.replace(b"@fedisec 1", b"@fedisec 99999999999999999999", 1)), _BAD),
    "another-end": (says(_WHOLE.replace(b"@end meta", b"@end other", 1)), _BAD),
    "numbers-beyond-bounds": (says(re.sub(rb"ms=\d+", b"ms=" + b"9" * 5000, _WHOLE)), _BAD),
    "random-bytes": (says(bytes(range(256)) * 2000), _BAD),
    "two-megabytes-of-lines": (says(b"@fedisec 1\n@sec meta\n" + b" \n" * 1_000_000 + b"@end meta ms=1\n@done 0\n",
                                    closes=False), _LARGE),
    # Longer than what the collector passes on of a section.
    "one-line-of-900-kilobytes": (says(section("sshd", b"x" * 900_000)), _BAD),
    "400000-lines": (says(section("sockets", *([b""] * 400_000))), _BAD),
    "100000-lines-of-one-section": (says(section("meta", *([b"now 1"] * 100_000))), _BAD),
    "no-shell": (says(b"This account is currently not available.\n" + EVIL, status=1), "no_shell"),
}  # fmt: skip
# A whole report, of which each line may be a lie: the items of the inside say what it says, or nothing; none breaks.
_LIES: dict[str, AtCommand] = {
    "whole": says(_WHOLE),
    "no-exit-status": says(_WHOLE, status=None),
    "exit-status-1": says(_WHOLE, status=1),
    "behind-a-notice": says(b"Welcome!\x1b[2J\n" + EVIL + b"\n" + _WHOLE),
    "line-ends-of-two": says(_WHOLE.replace(b"@fedisec 1\n", b"@fedisec 1\r\n", 1)),
    "two-reports": says(_WHOLE + _WHOLE),
    "replayed": says(re.sub(rb" now \d+", b" now 1000000000", _WHOLE)),
    "of-the-year-99999": says(re.sub(rb" now \d+", b" now 99999999999999", _WHOLE)),
    "evil-behind-each-line": says(each_line(lambda line: line + _EVERYTHING)),
    "evil-before-each-line": says(each_line(lambda line: _EVERYTHING + line)),
    "evil-in-each-word": says(each_line(lambda line: line.replace(b" ", b"\x1b<b>\xe2\x80\xae "))),
    "evil-instead": says(each_line(lambda line: _EVERYTHING)),
    "frames-in-lines": says(each_line(lambda line: line + b"\r@done 0\r@sec meta")),
    "empty-lines": says(each_line(lambda line: b"")),
    "spaces": says(each_line(lambda line: b" " * len(line))),
    "nul": says(each_line(lambda line: b"\0" * len(line))),
    "huge-numbers": says(each_line(lambda line: re.sub(rb"\d+", b"9" * 40, line))),
    "numbers-of-900-digits": says(each_line(lambda line: re.sub(rb"(?<=[ =])\d+$", b"9" * 900, line))),
    "negative-numbers": says(each_line(lambda line: re.sub(rb"\d+", b"-1", line))),
    "no-numbers": says(each_line(lambda line: re.sub(rb"\d+", b"", line))),
    "words-in-each-others-places": says(each_line(lambda line: b" ".join(reversed(line.split())))),
    "other-separators": says(each_line(lambda line: line.replace(b"=", b":").replace(b"\t", b"|"))),
    "brackets-without-end": says(each_line(lambda line: b"{[(" * 100)),
    "quotes-without-end": says(each_line(lambda line: b"\"'`\\" * 80)),
    "against-patterns": says(each_line(lambda line: line[:20] + b"a" * 40 + b"!" + b"-" * 40)),
    "codes-that-are-none": says(re.sub(rb" =rc \d+", b" =rc 999", _WHOLE)),
    "all-killed": says(re.sub(rb" =rc \d+", b" =rc 124", _WHOLE)),
    "all-cut": says(re.sub(rb" =rc (\d+)", rb" =rc \1 cut", _WHOLE)),
    "ruleset-100000-deep": says(section("nft", b'{"nftables": ' + b"[" * 100_000)),
    "ruleset-of-escapes": says(section("nft", b'{"nftables": [{"rule": {"expr": [{"\\u001b[2J": NaN}]}}]}')),
    "nothing-but-a-frame": says(REPORT.encode()),
}  # fmt: skip

_OF_THE_INSIDE = {key: FREE for key, item in all_items().items() if INSIDE in item.settles}


def _lie(name: str, how: AtCommand) -> Behaviour:
    world = World(services=(host(lambda: Host(how)),))
    true = {"came": "report", "asked": "publickey-session-fedisec-collect", **_OF_THE_INSIDE}
    return Behaviour(
        f"collector-{name}",
        "collector",
        world,
        Allows(("*",), true),
        look=look,
        deadline_s=WALL_S + INSIDE_S,
        quick=name == "evil-behind-each-line",
    )


def _broken(name: str, how: AtCommand, came: str) -> Behaviour:
    asked = "publickey-session-fedisec-collect"
    return behaviour(name, host(lambda: Host(how)), came, protocol="collector", asked=asked)


BEHAVIOURS: tuple[Behaviour, ...] = (
    *(_broken(name, how, came) for name, (how, came) in _BROKEN.items()),
    *(_lie(name, how) for name, how in _LIES.items()),
)
