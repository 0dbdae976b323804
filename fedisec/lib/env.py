"""Settings from the environment, strictly: a value that does not parse stops the start with one clear line.

Every variable may also be given as NAME_FILE, the path of a file that holds the value (container secrets).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SECRET_FILE = "secret.key"
_SECRET_MIN = 50


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({error.strerror})") from error
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
    if not value.isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return int(value)


def words(name: str) -> tuple[str, ...]:
    """A comma-separated list without empty entries."""
    return tuple(part.strip() for part in text(name).split(",") if part.strip())


def secret_key(data: Path) -> str:
    """FEDISEC_SECRET_KEY, or the key that `prepare` made in the data folder.  There is no default key."""
    key = text("FEDISEC_SECRET_KEY")
    if not key and (data / SECRET_FILE).is_file():
        key = (data / SECRET_FILE).read_text().strip()
    if len(key) < _SECRET_MIN:
        raise ImproperlyConfigured(
            f"no secret key: start with `make run`, or set FEDISEC_SECRET_KEY ({_SECRET_MIN}+ characters)"
        )
    return key


def data_folder(base: Path) -> Path:
    """Where database, secrets and mails of an embedded installation live."""
    return Path(text("FEDISEC_DATA") or base / "var").expanduser().absolute()


def prepare(base: Path) -> None:
    """Makes the data folder (0700) and, where none is given, the secret key (0600).  Embedded installations
    only: several machines must be given the same key.  OSError where the folder cannot be written."""
    if text("FEDISEC_SECRET_KEY") or text("DATABASE_URL"):
        return
    data = data_folder(base)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / SECRET_FILE
    if path.exists():
        return
    draft = data / f".{SECRET_FILE}.{os.getpid()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        # A link, not a rename: of two starts at once the first one's key stays.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
