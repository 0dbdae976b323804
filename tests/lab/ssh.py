"""Two OpenSSH servers: one as it should be, one that takes passwords and old algorithms.  Nobody can log in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.lab import places as at
from tests.lab.processes import Server, answers, find_program, run

_GOOD = {
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "PubkeyAuthentication": "yes",
    "PermitRootLogin": "no",
}
_BAD = {
    "PasswordAuthentication": "yes",
    "KbdInteractiveAuthentication": "yes",
    "PubkeyAuthentication": "no",
    "PermitRootLogin": "yes",
    "Ciphers": "aes128-ctr,aes256-ctr,aes128-cbc,aes256-cbc,3des-cbc",
    "MACs": "hmac-sha1,hmac-sha2-256",
    "KexAlgorithms": "diffie-hellman-group14-sha1,ecdh-sha2-nistp256,curve25519-sha256",
    "HostKeyAlgorithms": "ssh-rsa,rsa-sha2-256",
    "PubkeyAcceptedAlgorithms": "+ssh-rsa",
}
# Best first; what this OpenSSH does not know is left out.
_GOOD_LISTS = {
    "KexAlgorithms": ("kex", ("mlkem768x25519-sha256", "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
                              "curve25519-sha256", "curve25519-sha256@libssh.org")),
    "Ciphers": ("cipher", ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com")),
    "MACs": ("mac", ("hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com")),
    "HostKeyAlgorithms": ("key", ("ssh-ed25519",)),
}  # fmt: skip


def start_ssh(folder: Path) -> list[Server]:
    """sshd on port 22 of both instances; they may not answer yet (see `ssh_ready`)."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        # Where sshd's unprivileged half is locked in; a package without systemd never makes it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    good = {**_GOOD, **{option: _known(kind, wanted) for option, (kind, wanted) in _GOOD_LISTS.items()}}
    return [
        _sshd(folder, "good", at.GOOD_IP, "ed25519", good, (f"[{at.GOOD_IP6}]:22",)),
        _sshd(folder, "bad", at.BAD_IP, "rsa", _BAD),
    ]


def ssh_ready() -> bool:
    return answers(at.GOOD_IP, 22) and answers(at.BAD_IP, 22)


def _known(kind: str, wanted: Iterable[str]) -> str:
    have = set(run([find_program("ssh", "openssh-client"), "-Q", kind]).split())
    return ",".join(name for name in wanted if name in have)


def _sshd(
    folder: Path, name: str, address: str, key_type: str, options: dict[str, str], also: tuple[str, ...] = ()
) -> Server:
    key = folder / f"{name}_{key_type}"
    if not key.exists():
        run([find_program("ssh-keygen", "openssh-client"), "-q", "-t", key_type, "-N", "", "-f", str(key)])
    lines = [f"ListenAddress {listen}" for listen in (f"{address}:22", *also)]
    lines += [
        f"HostKey {key}",
        f"PidFile {folder / name}.pid",
        "UsePAM no",
        "DenyUsers *",
        "LoginGraceTime 20",
        "MaxStartups 200",
    ]
    lines += [f"{option} {value}" for option, value in options.items()]
    if _version() >= (9, 8):
        lines.append("PerSourcePenalties no")  # a hundred scans from one address are the purpose here
    config = folder / f"{name}.conf"
    config.write_text("\n".join(lines) + "\n")
    program = find_program("sshd", "openssh-server")
    return Server(f"sshd ({name})", [program, "-D", "-e", "-f", str(config)], folder / f"{name}.log")


def _version() -> tuple[int, int]:
    words = subprocess.run(
        [find_program("ssh", "openssh-client"), "-V"], capture_output=True, text=True, check=True
    )
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", words.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)
