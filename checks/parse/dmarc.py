"""DMARC by RFC 9989: the record, the tree walk of at most eight names, and the policy in effect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from checks.errors import ParseError, Reason
from checks.facts import Missing
from checks.facts.dns import Lookup
from checks.parse.tags import parse_tags

POLICIES = ("none", "quarantine", "reject")
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?=;|$)", re.IGNORECASE)
_ANY_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:([^@!,;\s]{1,64})@([A-Za-z0-9.-]{1,253})(?:!\d{1,18}[kmgt]?)?", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]{0,30}:[^,!;\s]{1,500}(?:!\d{1,18}[kmgt]?)?", re.IGNORECASE)
_LONGEST_WALK = 7  # labels of the second name of the walk: eight questions at most (4.10)

Answers = Mapping[str, Lookup | Missing]


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """One record; unknown and removed tags are kept and mean nothing."""

    text: str
    tags: tuple[tuple[str, str], ...]

    def tag(self, name: str) -> str:
        return next((value for key, value in self.tags if key == name), "")

    @property
    def rua(self) -> tuple[str, ...]:
        """The mail addresses for aggregate reports that are well formed."""
        found = (_MAILTO.fullmatch(unquote(uri.strip())) for uri in self.tag("rua").split(",")[:20])
        return tuple(f"{m[1]}@{m[2].lower().rstrip('.')}" for m in found if m is not None)

    @property
    def bad_tag(self) -> str:
        """The first of `p`, `sp` and `np` that should name a policy and does not; "" where all is well."""
        wrong = (n for n in ("p", "sp", "np") if n in dict(self.tags) and self.tag(n).lower() not in POLICIES)
        return next(wrong, "" if self.tag("p") else "p")

    def policy(self, *tags: str) -> str | None:
        """The policy of the first of `tags` (sp, np) that is there, else of `p`.  A record that lacks `p`, or
        names no policy in any of the three, is one of `p=none` where reports are asked for, else it says
        nothing: None (4.10.1)."""
        if self.bad_tag:
            return "none" if self._asks_for_reports else None
        return next(self.tag(name).lower() for name in (*tags, "p") if self.tag(name))

    @property
    def _asks_for_reports(self) -> bool:
        return any(_URI.fullmatch(uri.strip()) for uri in self.tag("rua").split(",")[:20])

    @property
    def testing(self) -> bool:
        return self.tag("t").lower() == "y"


@dataclass(frozen=True, slots=True)
class DmarcPolicy:
    """What receivers apply to mail from a domain.  Where `unseen` is set, nothing else counts."""

    found_at: str = ""  # domain whose record is in effect; "" = none
    record: DmarcRecord | None = None
    effective: str | None = None  # after sp and t
    several_at: str = ""  # name with more than one record: they all count as none
    bad_version: str = ""  # a record that begins like one and is none
    unseen: Missing | None = None


def parse_dmarc(text: str) -> DmarcRecord:
    """The record, or ParseError for a TXT that is none (`v=DMARC1` must come first)."""
    if _VERSION.match(text) is None or not text.partition(";")[0].rstrip().endswith("DMARC1"):
        raise ParseError("no v=DMARC1 at the beginning")
    return DmarcRecord(text, parse_tags(text, strict=False))


def walk_names(domain: str) -> tuple[str, ...]:
    """The names of the tree walk, nearest first, without `_dmarc.`."""
    labels = domain.split(".")
    shorter = range(min(len(labels) - 1, _LONGEST_WALK), 0, -1)
    return (domain, *(".".join(labels[-count:]) for count in shorter))


def discover(domain: str, answers: Answers, *, exists: bool = True) -> DmarcPolicy:
    """The policy for mail from `domain`, over the answers to `_dmarc.` + each name of the walk (4.10.1).
    `exists`: the domain has any record of use for mail or the web; if not, `np` speaks for it."""
    seen: list[tuple[str, DmarcRecord]] = []
    several, bad_version = "", ""
    for name in walk_names(domain):
        answer = answers.get(name)
        if not isinstance(answer, Lookup):
            # A record further up decides which domain is the organization's.
            return DmarcPolicy(unseen=answer or Missing(Reason.NOT_ASKED, name))
        records, broken = _records(answer.records)
        bad_version = bad_version or broken
        if len(records) > 1:
            several = several or name
            if name == domain:
                return DmarcPolicy(several_at=several, bad_version=bad_version)
        elif records:
            seen.append((name, records[0]))
            if name == domain or records[0].tag("psd").lower() in ("y", "n"):
                break
    if not seen:
        return DmarcPolicy(several_at=several, bad_version=bad_version)
    name, record = _in_effect(domain, seen)
    return DmarcPolicy(name, record, _effective(record, name == domain, exists), several, bad_version)


def _records(texts: tuple[str, ...]) -> tuple[list[DmarcRecord], str]:
    good: list[DmarcRecord] = []
    broken = ""
    for text in texts:
        try:
            good.append(parse_dmarc(text))
        except ParseError:
            if _ANY_VERSION.match(text):
                broken = broken or text
    return good, broken


def _in_effect(domain: str, seen: list[tuple[str, DmarcRecord]]) -> tuple[str, DmarcRecord]:
    """The author domain's own record, else that of the organizational domain, else that of the public suffix
    above it (4.10.1).  Which is the organizational one, 4.10.2 says: the one with psd=n; the one just below a
    psd=y, whether it has a record or not; the one with the fewest labels."""
    if seen[0][0] == domain:
        return seen[0]
    top, record = seen[-1]
    if record.tag("psd").lower() == "y":
        organization = domain.removesuffix(f".{top}").rpartition(".")[2] + f".{top}"
        return next((one for one in seen if one[0] == organization), seen[-1])
    return top, record


def _effective(record: DmarcRecord, own: bool, exists: bool) -> str | None:
    policy = record.policy() if own else record.policy("sp") if exists else record.policy("np", "sp")
    if policy is not None and record.testing:
        return POLICIES[max(POLICIES.index(policy) - 1, 0)]
    return policy


def report_name(policy_domain: str, rua_domain: str) -> str:
    """Where a report address in another organisation must say that it takes the reports (RFC 9990)."""
    return f"{policy_domain}._report._dmarc.{rua_domain}"


def is_authorised(answer: Lookup | Missing) -> bool | None:
    """Whether the answer at `report_name` takes the reports; None where it was not seen."""
    if isinstance(answer, Missing):
        return None
    return bool(_records(answer.records)[0])
