"""Settings from the environment, strictly: a value that does not parse stops the start with one clear line.

Every variable may also be given as NAME_FILE, the path of a file that holds the value (container secrets).
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from checks.target import parse_resolver

SECRET_FILE = "secret.key"
KEY_FILE = "keys"  # of fedisec.lib.secrets
_SECRET_MIN = 50
_LETTERS_MIN = 5  # different ones; as `check --deploy` has it
_POSTGRES = {"postgres", "postgresql"}
T = TypeVar("T")


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({error.strerror})") from error
        except UnicodeDecodeError:
            raise ImproperlyConfigured(f"{name}_FILE: {path} is not text") from None
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    """True or False and nothing else; a typo must not switch a safeguard off."""
    value = text(name)
    if value not in {"", "True", "False"}:
        raise ImproperlyConfigured(f"{name} must be True or False, not {value!r}")
    return default if value == "" else value == "True"


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds."""
    value = text(name) or str(default)
    if not (value.isascii() and value.isdigit()) or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return int(value)


def words(name: str) -> tuple[str, ...]:
    """A comma-separated list without empty entries."""
    return tuple(part.strip() for part in text(name).split(",") if part.strip())


def parsed(name: str, parse: Callable[[str], T], needs: str, default: str = "") -> T:
    """What `parse` makes of the variable.  The value itself may be a secret: it is not repeated."""
    try:
        return parse(text(name) or default)
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} must be {needs}") from None


def one_of(*choices: str) -> Callable[[str], str]:
    """For a word out of a few."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError
        return value

    return parse


def web_address(value: str) -> SplitResult:
    """An http or https address."""
    found = urlsplit(value.rstrip("/"))
    if found.scheme not in {"http", "https"} or not found.hostname or found.port == 0:
        raise ValueError
    return found


def optional_web_address(value: str) -> str:
    """ "" or an http or https address, as it was given."""
    if value:
        web_address(value)
    return value


def database(value: str) -> dict[str, Any]:
    """Django's words for a postgres:// address."""
    if urlsplit(value).scheme not in _POSTGRES:
        raise ValueError
    found: dict[str, Any] = environ.Env.db_url_config(value)
    if not found["NAME"]:
        raise ValueError
    return found


@dataclass(frozen=True, slots=True)
class MailRelay:
    """Where EMAIL_URL sends mails; `security` is starttls, tls or none."""

    host: str
    port: int
    security: str
    username: str = ""
    password: str = field(default="", repr=False)


# smtp+plain alone switches TLS off; smtp does on the way to this very machine.
_MAIL_SCHEMES = {
    "smtp": ("starttls", 587),
    "smtp+tls": ("starttls", 587),
    "smtp+ssl": ("tls", 465),
    "smtps": ("tls", 465),
    "smtp+plain": ("none", 25),
}


def mail(value: str) -> MailRelay:
    """An address of a mail server; user and password percent-encoded where they hold one of "@:/%"."""
    found = urlsplit(value)
    security, port = _MAIL_SCHEMES[found.scheme]
    if not found.hostname or found.port == 0 or found.path not in {"", "/"} or found.query or found.fragment:
        raise ValueError
    if found.scheme == "smtp" and _is_loopback(found.hostname):
        security, port = "none", 25
    return MailRelay(
        found.hostname,
        found.port or port,
        security,
        unquote(found.username or ""),
        unquote(found.password or ""),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def networks(value: str) -> tuple[str, ...]:
    """CIDR networks, comma-separated."""
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    for part in parts:
        ipaddress.ip_network(part, strict=False)
    return parts


def sources(value: str) -> tuple[str, ...]:
    """Addresses and networks, comma-separated, as sshd reads them in `from=`: no bits behind the mask."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(
        str(ipaddress.ip_network(part) if "/" in part else ipaddress.ip_address(part)) for part in parts
    )


def resolver(value: str) -> str:
    """ "" (the system's), "ADDRESS", "ADDRESS:PORT" or "[V6]:PORT"."""
    if value:
        parse_resolver(value)
    return value


def anchors(value: str) -> tuple[tuple[str, int | None], ...] | None:
    """NAME, HOST:PORT and [V6]:PORT, comma-separated, as (host, port or None); None for "none"."""
    if value == "none":
        return None
    return tuple(_anchor(part.strip()) for part in value.split(",") if part.strip())


def _anchor(text: str) -> tuple[str, int | None]:
    found = urlsplit(f"//{text}")
    if found.netloc != text or "@" in text or not found.hostname or found.port == 0:
        raise ValueError
    if found.port is None and (text.endswith(":") or text.replace(".", "").isdigit()):
        raise ValueError  # an address is connected to, so it needs a port
    return found.hostname, found.port


def time_zone(value: str) -> str:
    """A name of the zone database."""
    ZoneInfo(value)
    return value


def issuer(value: str) -> str:
    """ "" or the https address of an OpenID provider; http for one on this very machine."""
    if not value:
        return ""
    found = web_address(value)
    if found.scheme != "https" and not _is_loopback(str(found.hostname)):
        raise ValueError
    return value.rstrip("/")


def second_factor(value: str) -> str:
    """Who has to have one; "" is optional."""
    if value not in {"", "optional", "editors", "everybody"}:
        raise ValueError
    return value or "optional"


def secret_key(data: Path) -> str:
    """FEDISEC_SECRET_KEY, or the key that `prepare` made in the data folder.  There is no default key."""
    given = text("FEDISEC_SECRET_KEY")
    if given and len(given) < _SECRET_MIN:
        raise ImproperlyConfigured(f"FEDISEC_SECRET_KEY must have {_SECRET_MIN} characters or more")
    if given.startswith("django-insecure-") or (given and len(set(given)) < _LETTERS_MIN):
        raise ImproperlyConfigured(
            "FEDISEC_SECRET_KEY is a sample, not a secret: make one with `sh tools/secrets.sh`"
        )
    if given:
        return given
    path = data / SECRET_FILE
    if path.is_file():
        key = path.read_text().strip()
        if len(key) < _SECRET_MIN:
            raise ImproperlyConfigured(f"{path} holds no key: remove it, and the next start makes a new one")
        return key
    if text("DATABASE_URL"):
        raise ImproperlyConfigured(
            f"DATABASE_URL needs FEDISEC_SECRET_KEY, the same on every machine ({_SECRET_MIN}+ characters)"
        )
    raise ImproperlyConfigured("no secret key: start with `make run`, or set FEDISEC_SECRET_KEY")


def data_folder(base: Path) -> Path:
    """Where database, secrets and mails of an embedded installation live."""
    return Path(text("FEDISEC_DATA") or base / "var").expanduser().absolute()


def prepare(base: Path) -> None:
    """Makes the data folder (0700) and, where none is given, the secret key (0600).  Embedded installations
    only: several machines must be given the same key.  ImproperlyConfigured where it cannot be written."""
    if text("FEDISEC_SECRET_KEY") or text("DATABASE_URL"):
        return
    data = data_folder(base)
    try:
        make_key(data / SECRET_FILE, 0o600)
    except OSError as error:
        raise ImproperlyConfigured(f"cannot write the data folder {data}: {error.strerror}") from error


def make_key(path: Path, mode: int) -> None:
    """A file with a new random key of 64 bytes, unless there is a file; never half written.  OSError where it
    cannot be."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        # A link, not a rename: of two starts at once the first one's key stays.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
