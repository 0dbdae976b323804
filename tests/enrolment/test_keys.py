"""Keys, fingerprints and lines, as OpenSSH reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from fedisec.enrolment.keys import authorized_line, fingerprint, new_pair
from tests.lab.processes import find_program

KEYGEN = find_program("ssh-keygen", "openssh-client")


def test_openssh_reads_the_pair_and_prints_the_same_fingerprint(tmp_path: Path) -> None:
    private, public = new_pair()
    file = tmp_path / "key"
    file.write_text(private)
    file.chmod(0o600)
    derived = subprocess.run([KEYGEN, "-y", "-f", file], capture_output=True, text=True, check=True).stdout
    assert derived.split()[:2] == public.split()
    shown = subprocess.run([KEYGEN, "-l", "-f", file], capture_output=True, text=True, check=True).stdout
    assert shown.split()[1] == fingerprint(public)


def test_every_pair_is_a_new_one() -> None:
    assert new_pair()[0] != new_pair()[0]


def test_what_is_no_key_has_no_fingerprint() -> None:
    assert [fingerprint(text) for text in ("", "ssh-ed25519", "ssh-ed25519 !", "x é")] == [""] * 4


def test_the_line_restricts_and_names_where_it_is_used_from(tmp_path: Path) -> None:
    public = new_pair()[1]
    line = authorized_line(
        public, "/usr/local/sbin/fedisec-collect", ("192.0.2.7", "2001:db8::/64"), "a.example"
    )
    assert line == (
        'restrict,command="/usr/local/sbin/fedisec-collect",from="192.0.2.7,2001:db8::/64" '
        f"{public} fedisec a.example"
    )
    assert authorized_line(public, "", (), "a.example") == f"restrict {public} fedisec a.example"
    file = tmp_path / "authorized_keys"
    file.write_text(line)
    shown = subprocess.run([KEYGEN, "-l", "-f", file], capture_output=True, text=True, check=True).stdout
    assert fingerprint(public) in shown and "fedisec a.example" in shown
