"""How bad a flaw is, by who says so: the score of a CVSS vector as the library computes it, else the word as
its source gives it.  Nothing is estimated here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from checks.errors import ParseError
from checks.facts.advisories import Rating

WORDS = ("critical", "high", "medium", "low", "none")  # the worst first
_VECTOR_MAX = 300
_KINDS = (("CVSS:4.0/", CVSS4, "4.0"), ("CVSS:3.1/", CVSS3, "3.1"), ("CVSS:3.0/", CVSS3, "3.0"))


@dataclass(frozen=True, slots=True)
class Score:
    """The base score of a vector."""

    version: str  # of CVSS
    number: float
    word: str  # one of WORDS, by that version's own scale


@dataclass(frozen=True, slots=True)
class Severity:
    """`word`: one of WORDS, "" where nobody gives any.  `score` only where a vector was given."""

    word: str = ""
    by: str = ""
    score: Score | None = None

    @property
    def rank(self) -> int:
        """0 is the worst; what nobody rated comes last."""
        return WORDS.index(self.word) if self.word else len(WORDS)

    def __str__(self) -> str:
        if self.score is not None:
            return f"{self.word}, CVSS {self.score.version} {self.score.number} by the vector of {self.by}"
        return f"{self.word}, as given by {self.by}" if self.word else "no severity given"


@lru_cache(maxsize=4096)
def score(vector: str) -> Score:
    """ParseError for what is no CVSS vector of version 2, 3 or 4."""
    vector = vector.strip()
    if len(vector) > _VECTOR_MAX or not vector.isascii():
        raise ParseError("no CVSS vector")
    kind, version = next(
        ((kind, version) for start, kind, version in _KINDS if vector.startswith(start)), (CVSS2, "2.0")
    )
    try:
        read = kind(vector)
        number, word = float(read.scores()[0]), str(read.severities()[0])
    except (CVSSError, ValueError, KeyError, ArithmeticError) as error:
        raise ParseError("no CVSS vector") from error
    return Score(version, number, word.lower())


def severity(ratings: tuple[Rating, ...]) -> Severity:
    """The newest scale of CVSS that a source gives a vector of, else the first word."""
    scored = []
    for rating in ratings:
        try:
            found = score(rating.vector) if rating.vector else None
        except ParseError:
            continue
        if found is not None:
            scored.append(Severity(found.word, rating.by, found))
    if scored:
        return max(scored, key=lambda one: one.score.version if one.score else "")
    named = next((one for one in ratings if one.word in WORDS), None)
    return Severity(named.word, named.by) if named else Severity()
