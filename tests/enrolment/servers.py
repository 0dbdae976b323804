"""An instance whose server is a real sshd on loopback, and the lines of its authorized_keys."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fedisec.enrolment.models import SshAccess
from tests.checks.inside.servers import ME, REPORT, program
from tests.checks.ssh.servers import LOOPBACK, free_port, sshd

SFTP = "Subsystem sftp internal-sftp"


@dataclass
class Machine:
    """A server with the user that runs the tests; `authorized` is what its authorized_keys holds."""

    port: int
    folder: Path
    script: Path

    def authorize(self, access: SshAccess, options: str) -> None:
        (self.folder / "authorized_keys").write_text(f"{options} {access.public_key} fedisec\n".lstrip())

    @property
    def restricted(self) -> str:
        return f'restrict,command="{self.script}"'

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text()

    @property
    def form(self) -> dict[str, object]:
        """Step 1 as a person fills it in."""
        return {"mode": "forced", "user": ME, "port": self.port, "host": LOOPBACK}


@contextmanager
def machine(report: str = REPORT) -> Iterator[Machine]:
    """A server; its script prints `report`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        keys = folder / "authorized_keys"
        keys.write_text("")
        script = program(folder, f"cat <<'E'\n{report}E")
        lines = (f"AuthorizedKeysFile {keys}", "StrictModes no", "PermitRootLogin yes", SFTP)
        with sshd(folder, *lines, "PasswordAuthentication no", "KbdInteractiveAuthentication no") as port:
            yield Machine(port, folder, script)


@contextmanager
def another_key(old: Machine) -> Iterator[Machine]:
    """The same place under another host key, as after a new installation or with somebody in between."""
    with machine() as new:
        (new.folder / "authorized_keys").write_text((old.folder / "authorized_keys").read_text())
        yield new


__all__ = ["ME", "REPORT", "Machine", "another_key", "free_port", "machine"]
