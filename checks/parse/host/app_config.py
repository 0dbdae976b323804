"""The application's configuration files: values of what is no secret, and of secrets whether they are set."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.parse.host.common import parts

_MISSKEYS = frozenset({"misskey", "sharkey", "firefish", "iceshrimp", "calckey"})
_UNSET = frozenset({"", "empty", "null", "nil", "~", "[]", "{}"})
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_THIS_MACHINE = frozenset({"", "localhost", "127.0.0.1", "::1", "host.docker.internal", "172.17.0.1"})


@dataclass(frozen=True, slots=True)
class AppConfig:
    """One file.  `family`: the software as fedisec's tables call it; `denied`: it may not be read.
    A value is the text of the file, or "set", "empty" and "sample" where the text is not shown."""

    family: str
    path: str
    denied: bool
    values: dict[str, str]

    def text(self, key: str) -> str:
        """The value, "" where the key is not there or empty."""
        value = self.values.get(key, "")
        return "" if value.lower() in _UNSET else value

    def flag(self, key: str, default: bool | None = None) -> bool | None:
        """Whether a switch is on; `default` where it is not there; None where the value is no switch."""
        value = self.text(key).lower()
        if not value:
            return default
        return True if value in _TRUE else False if value in _FALSE else None

    @property
    def mails_locally(self) -> bool:
        """Mastodon hands its mail to a server on the same machine, as it does where none is named."""
        return self.text("SMTP_SERVER") in _THIS_MACHINE or self.text("SMTP_DELIVERY_METHOD") == "sendmail"

    @property
    def database_rules(self) -> bool:
        """Values kept in the database may stand above those of the file."""
        if self.family in {"akkoma", "pleroma"}:
            return self.flag("configurable_from_database", False) is not False
        return self.family == "pixelfed"


@dataclass(frozen=True, slots=True)
class AppConfigs:
    """All files found, and the folders that may not be entered, behind which others may lie."""

    files: tuple[AppConfig, ...]
    closed: tuple[str, ...]

    @property
    def read(self) -> tuple[AppConfig, ...]:
        return tuple(file for file in self.files if not file.denied)

    @property
    def denied(self) -> tuple[str, ...]:
        """Files that may not be read; where none could be, also the folders that may hold one."""
        files = tuple(file.path for file in self.files if file.denied)
        return files if any(file.values for file in self.read) else files + self.closed

    def of(self, family: str) -> AppConfigs:
        """Those of one software; all where it is not known which one runs here."""
        chosen = tuple(file for file in self.files if not family or file.family == family)
        return AppConfigs(chosen, self.closed)


def configs_of(inside: Inside, software: Software | None) -> AppConfigs:
    """The files of the software that answers for the instance; all where it is not recognised."""
    return parse_app_config(inside.lines("app_config")).of(software.family if software else "")


def parse_app_config(lines: tuple[str, ...]) -> AppConfigs:
    """The section "app_config".  A line "denied FOLDER" may stand between the lines of two files."""
    files, closed = [], []
    for part in parts(lines):
        shut = [line.removeprefix("denied ") for line in part.lines if line.startswith("denied /")]
        closed += shut
        if not part.label:
            continue
        path, _, word = part.rest.rpartition(" ")
        is_denied = word == "denied" and bool(path)
        pairs = (line.partition("=") for line in part.lines)
        values = {key: value.strip() for key, equals, value in pairs if equals}
        family = "misskey" if part.label in _MISSKEYS else part.label
        files.append(AppConfig(family, path if is_denied else part.rest, is_denied, values))
    return AppConfigs(tuple(files), tuple(closed))
