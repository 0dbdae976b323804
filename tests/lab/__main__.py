"""The lab for a person: `python -m tests.lab` starts the servers and a dashboard that can see them.

The dashboard's port is opened in the host's namespace before this process moves into its own, so a browser
reaches the dashboard, the dashboard reaches the lab, and the lab reaches nothing.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.lab import netns
from tests.lab.lab import Lab
from tests.lab.processes import LabError, find_program

_REFUSED = 77
_ANYWHERE = frozenset({"", "0.0.0.0", "::"})
_REPOSITORY = Path(__file__).resolve().parents[2]
_WELCOME = """\
The lab is up ({seconds:.1f} s): real servers that can reach nothing outside.
  1. Open {url} with the set-up link that appears below, and make an account.
  2. Add {good} (set right) and {bad} (set wrong), and compare.
  Mail that fedisec sends arrives in {mail}. Ctrl-C ends everything.

実験用のサーバ群が起動しました（{seconds:.1f} 秒）。いずれも本物のサーバで、外部とは一切通信できません。
  1. この下に表示される初期設定用のリンクを使って {url} を開き、アカウントを作成してください。
  2. {good}（正しく設定したサーバ）と {bad}（問題だらけのサーバ）を登録し、結果を見比べてください。
  fedisec が送信したメールは {mail} に届きます。Ctrl-C ですべて終了します。
"""
_SERVERS_ONLY = """\
# The lab is up ({seconds:.1f} s). To look into it from another terminal:
# 実験用のサーバ群が起動しました。別の端末から中に入るには次のコマンドを使います。
#   {nsenter}
# Ctrl-C ends it. Settings for fedisec:
# Ctrl-C で終了します。fedisec に渡す設定は次のとおりです。
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    host, port = options.listen
    try:
        listener = None if options.no_app else socket.create_server((host, port))
    except OSError as error:
        print(f"tests.lab: cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    # Until somebody else takes the signal over, it unwinds the stack: what was started gets stopped.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        netns.enter()
        with tempfile.TemporaryDirectory(prefix="fedisec-lab-") as folder, Lab(Path(folder) / "lab") as lab:
            if listener is None:
                return _wait(lab)
            with listener:
                return _run_app(lab, listener, options.data or Path(folder) / "data")
    except netns.NamespaceRefused as error:
        print(f"tests.lab: no network namespace here: {error}", file=sys.stderr)
        return _REFUSED
    except LabError as error:
        print(f"tests.lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__.partition("\n")[0])
    parser.add_argument("--listen", type=_place, default=("127.0.0.1", 8000), metavar="HOST:PORT")
    parser.add_argument(
        "--data", type=lambda text: Path(text).resolve(), help="keep the dashboard's data here"
    )
    parser.add_argument("--no-app", action="store_true", help="only the servers; print the settings and wait")
    return parser.parse_args(arguments)


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"not HOST:PORT: {text}")
    return host.strip("[]"), int(port)


def _wait(lab: Lab) -> int:
    own_user = "" if os.geteuid() == 0 else " --user --preserve-credentials"
    command = f"nsenter --target {os.getpid()} --net{own_user}"
    print(_SERVERS_ONLY.format(seconds=lab.start_seconds, nsenter=command))
    for name, value in {netns.MARK: os.environ[netns.MARK], **lab.env}.items():
        print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
    return 0


def _run_app(lab: Lab, listener: socket.socket, data: Path) -> int:
    """`manage.py up` on the inherited socket; its exit code is ours."""
    host, port = listener.getsockname()[:2]
    url = f"http://{'127.0.0.1' if host in _ANYWHERE else host}:{port}"
    mail = lab.mail.folder
    print(
        _WELCOME.format(seconds=lab.start_seconds, url=url, good=lab.good, bad=lab.bad, mail=mail), flush=True
    )
    environment = {
        **os.environ,
        "FEDISEC_URL": url,
        **lab.env,
        "FEDISEC_DATA": str(data),
        "FEDISEC_LISTEN_FD": str(listener.fileno()),
    }
    # A session of its own: Ctrl-C in the terminal must reach it once, from us, and not the lab's servers first.
    app = subprocess.Popen(
        [find_program("setpriv", "util-linux"), "--pdeathsig", "TERM", sys.executable, "manage.py", "up"],
        cwd=_REPOSITORY, env=environment, pass_fds=(listener.fileno(),), start_new_session=True,
    )  # fmt: skip

    def forward(number: int, frame: FrameType | None) -> None:
        if app.poll() is None:
            app.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    return app.wait()


if __name__ == "__main__":
    sys.exit(main())
