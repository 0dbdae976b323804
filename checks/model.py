"""The words of a verdict: Level, Status, Text, Source, Evidence, Verdict, Item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from checks.clean import clean
from checks.errors import Reason
from checks.facts import Facts
from checks.sources import address_of


class Level(StrEnum):
    """How much an item matters; fixed by the catalogue."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


class Status(StrEnum):
    """What a machine can say.  MANUAL: no machine can, a person is asked; with a code, what can be seen was
    seen, and the rest only a person knows.  UNKNOWN: the machine could not look."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"
    MANUAL = "manual"


class Settles(StrEnum):
    """Who can settle an item."""

    OUTSIDE = "out"
    INSIDE = "in"
    SELF = "self"
    MANUAL = "man"


OUTSIDE, INSIDE, SELF, MANUAL = Settles.OUTSIDE, Settles.INSIDE, Settles.SELF, Settles.MANUAL

LANGUAGES = ("en", "ja")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages: plain text, blank line between paragraphs, commands indented by 4 spaces.
    Placeholders are `{name}`, the same set in both."""

    en: str
    ja: str

    def in_language(self, language: str) -> str:
        return self.ja if language.startswith("ja") else self.en

    def filled(self, language: str, data: Mapping[str, object]) -> str:
        """The text with its placeholders filled; a placeholder without data shows as …, never raises."""
        return self.in_language(language).format_map(_Filler(data))


class _Filler(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item comes from: the number of the text (000-004; "+" field practice) and the section."""

    text: str
    section: str = ""

    @property
    def url(self) -> str:
        """Where it can be read, at the section where the text has anchors; "" for field practice."""
        return address_of(self.text, self.section)


@dataclass(frozen=True, slots=True)
class Reference:
    """Further reading beside the sources: an RFC, a manual page, a vendor's documentation.  `title` stands in
    the language of the page, so it is not translated."""

    title: str
    url: str  # https


@dataclass(frozen=True, slots=True)
class Fix:
    """How to repair: one text for all, and tabs for software or distributions where the way differs."""

    text: Text
    variants: tuple[tuple[str, Text], ...] = ()  # ("Debian/Ubuntu", Text), ("nginx", Text) …


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person can verify: `label` says where it was seen ("TXT example.social"), `text` what."""

    label: str
    text: str


Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status + code + data + evidence, never a sentence; the sentence stands in the item beside the code.
    `reason` is set for UNKNOWN (and BUG for ERROR); `code` is then "" or one of the item's own."""

    status: Status
    code: str = ""
    data: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))
    evidence: tuple[Evidence, ...] = ()
    reason: Reason | None = None
    detail: str = ""

    def seen(self, label: str, text: str) -> Verdict:
        """A copy with one more piece of evidence, cleaned and capped."""
        more = Evidence(clean(label, 200, newlines=False), clean(text))
        return Verdict(self.status, self.code, self.data, (*self.evidence, more), self.reason, self.detail)


def _verdict(status: Status, code: str, data: Mapping[str, Scalar], reason: Reason | None = None) -> Verdict:
    safe = {k: clean(v, 500, newlines=False) if isinstance(v, str) else v for k, v in data.items()}
    return Verdict(status, code, MappingProxyType(safe), reason=reason)


def passed(code: str, **data: Scalar) -> Verdict:
    return _verdict(Status.PASS, code, data)


def warned(code: str, **data: Scalar) -> Verdict:
    return _verdict(Status.WARN, code, data)


def failed(code: str, **data: Scalar) -> Verdict:
    """A fail; add at least one `.seen(label, text)`, a fail without evidence is refused by the runner."""
    return _verdict(Status.FAIL, code, data)


def not_applicable(code: str, **data: Scalar) -> Verdict:
    return _verdict(Status.NOT_APPLICABLE, code, data)


def unknown(code: str, reason: Reason, **data: Scalar) -> Verdict:
    """An unknown that the item explains in its own words; otherwise let MissingFact speak."""
    return _verdict(Status.UNKNOWN, code, data, reason)


def asked(code: str, **data: Scalar) -> Verdict:
    """A look that worked and leaves the answer to a person; never for what could not be seen."""
    return _verdict(Status.MANUAL, code, data)


Check = Callable[[Facts], Verdict]


@dataclass(eq=False, slots=True)
class Item:
    """One line of the checklist, whole: what it says, who settles it, in both languages."""

    module: str  # __name__ of the file; the id is its last two parts
    level: Level
    settles: tuple[Settles, ...]
    sources: tuple[Source, ...]
    title: Text  # a statement that is true when all is well
    why: Text  # two sentences at most
    expected: Text  # what a pass looks like
    fix: Fix
    verify: Text
    codes: Mapping[str, Text] = field(default_factory=dict)  # one sentence per code a check may return
    references: tuple[Reference, ...] = ()  # primary ones: standards, manuals, the software's documentation
    attest_days: int = 180  # default validity of an admin's answer: 30, 90, 180 or 365
    outdated: Text | None = None  # where a source's advice no longer holds, what replaced it
    _check: Check | None = None

    @property
    def id(self) -> str:
        return ".".join(self.module.split(".")[-2:])

    @property
    def topic(self) -> str:
        return self.module.split(".")[-2]

    @property
    def takes_answers(self) -> bool:
        """A person may answer: also what the dashboard is to settle, as long as it cannot."""
        return Settles.MANUAL in self.settles or (Settles.SELF in self.settles and self._check is None)

    @property
    def check_function(self) -> Check | None:
        return self._check

    def check(self, function: Check) -> Check:
        """Decorator: names the pure function that judges this item."""
        assert self._check is None, f"{self.id} has a check already"
        self._check = function
        return function
