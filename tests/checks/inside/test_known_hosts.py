"""The host key that somebody confirmed, out of the texts in which OpenSSH shows it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.errors import ParseError
from checks.parse.known_hosts import host_key_for


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """ "TYPE BASE64 comment" of one key of each kind."""
    folder = tmp_path_factory.mktemp("keys")
    for kind in ("ed25519", "ecdsa", "rsa"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a comment", "-f", folder / kind], check=True
        )
    return {path.stem: path.read_text().strip() for path in folder.glob("*.pub")}


def bare(line: str) -> str:
    return " ".join(line.split()[:2])


def test_a_key_alone_is_taken_without_its_comment(keys: dict[str, str]) -> None:
    for line in keys.values():
        assert host_key_for(line, "a.example", 22) == host_key_for(bare(line), "b.example", 22) == bare(line)


def test_of_several_the_strongest_is_taken_whatever_the_order(keys: dict[str, str]) -> None:
    for names in (("rsa", "ecdsa", "ed25519"), ("ed25519", "rsa"), ("ecdsa", "ed25519")):
        scanned = "# a.example:22 SSH-2.0-OpenSSH\n" + "".join(f"a.example {keys[n]}\n" for n in names)
        assert host_key_for(scanned, "a.example", 22) == bare(keys["ed25519"])


def test_the_name_and_the_port_must_be_the_host_s(keys: dict[str, str]) -> None:
    file = f"[a.example]:2222,192.0.2.1 {keys['ed25519']}\nA.example {keys['rsa']}\n"
    assert host_key_for(file, "a.example", 2222) == bare(keys["ed25519"])
    assert host_key_for(file, "192.0.2.1", 22) == bare(keys["ed25519"])
    assert host_key_for(file, "A.EXAMPLE", 22) == bare(keys["rsa"])
    for host, port in (("b.example", 22), ("a.example", 2223), ("192.0.2.1", 2222), ("example", 22)):
        with pytest.raises(ParseError, match=f"no host key for {host} port {port}"):
            host_key_for(file, host, port)


def test_hashed_names_are_found_as_ssh_keygen_writes_them(keys: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"a.example {keys['ed25519']}\n[a.example]:2222 {keys['rsa']}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    text = file.read_text()
    assert "a.example" not in text
    assert host_key_for(text, "a.example", 22) == bare(keys["ed25519"])
    assert host_key_for(text, "a.example", 2222) == bare(keys["rsa"])
    with pytest.raises(ParseError):
        host_key_for(text, "b.example", 22)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-dss AAAAB3NzaC1kc3MAAACB",
        "@revoked a.example {ed25519}",
        "@cert-authority a.example {ed25519}",
        "# {ed25519}",
        "*.example {ed25519}",
        "|1|x|y {ed25519}",
        "|1| {ed25519}",
        "ssh-rsa {blob}",
    ],
)
def test_what_names_no_key_is_refused(text: str, keys: dict[str, str]) -> None:
    line = text.format(ed25519=keys["ed25519"], blob=keys["ed25519"].split()[1])
    with pytest.raises(ParseError):
        host_key_for(line, "a.example", 22)
