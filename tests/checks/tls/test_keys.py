"""The key exchanges: both sides come to the same secret, and bad shares are refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

from checks.errors import Malformed
from checks.probes.tls_hello import P256, P384, P521, X448, X25519, X25519MLKEM768
from checks.probes.tls_keys import ServerKeys, key_pair

GROUPS = [X25519, X448, P256, P384, P521]


@pytest.mark.parametrize("group", GROUPS)
def test_two_key_pairs_agree(group: int) -> None:
    ours, theirs = key_pair(group), key_pair(group)
    assert ours is not None
    assert theirs is not None
    assert ours.secret(theirs.public) == theirs.secret(ours.public)


def test_the_hybrid_secret_is_that_of_both_parts() -> None:
    ours = key_pair(X25519MLKEM768)
    assert ours is not None
    kem, classical = ours.public[:1184], ours.public[1184:]
    secret, ciphertext = MLKEM768PublicKey.from_public_bytes(kem).encapsulate()
    theirs = x25519.X25519PrivateKey.generate()
    shared = theirs.exchange(x25519.X25519PublicKey.from_public_bytes(classical))
    assert ours.secret(ciphertext + theirs.public_key().public_bytes_raw()) == secret + shared


@pytest.mark.parametrize("group", [*GROUPS, X25519MLKEM768])
@pytest.mark.parametrize("share", [b"", b"\0" * 32, b"\0" * 2000])
def test_a_share_that_is_no_key_is_refused(group: int, share: bytes) -> None:
    pair = key_pair(group)
    assert pair is not None
    with pytest.raises(Malformed):
        pair.secret(share)


def test_a_group_that_nobody_knows_has_no_key() -> None:
    assert key_pair(0x0100) is None


@pytest.mark.parametrize("suite", [0x1301, 0x1302, 0x1303, 0x1304])
def test_a_record_that_does_not_decrypt_is_refused(suite: int) -> None:
    keys = ServerKeys(suite, b"s" * 32, b"transcript")
    with pytest.raises(Malformed):
        keys.open(b"\x17\x03\x03\x00\x20", bytes(32))
    with pytest.raises(Malformed):
        keys.open(b"\x17\x03\x03\x00\x00", b"")


def test_a_suite_of_another_version_is_refused() -> None:
    with pytest.raises(Malformed):
        ServerKeys(0xC02F, b"s" * 32, b"")
