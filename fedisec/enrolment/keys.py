"""Key pairs, fingerprints, and the lines that belong on a server.  Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCRIPT_PATH = "/usr/local/sbin/fedisec-collect"


def new_pair() -> tuple[str, str]:
    """A private key (OpenSSH PEM) and its public half ("ssh-ed25519 BASE64")."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def fingerprint(key: str) -> str:
    """ "SHA256:…" of "TYPE BASE64", as `ssh-keygen -l` prints it; "" for what is no key."""
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, ValueError, binascii.Error):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def label(key: str) -> str:
    """Type and fingerprint of "TYPE BASE64"; "" for what is no key."""
    found = fingerprint(key)
    return f"{key.split()[0]} {found}" if found else ""


def authorized_line(public_key: str, command: str, sources: Sequence[str], domain: str) -> str:
    """The line for authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT).  `command` "" = a shell is given;
    `sources` () = from anywhere."""
    options = ["restrict"]
    if command:
        options.append(f'command="{command}"')
    if sources:
        options.append(f'from="{",".join(sources)}"')
    return f"{','.join(options)} {public_key} fedisec {domain}"
