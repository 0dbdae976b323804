"""Cipher suites up to TLS 1.2 and what their names say; and which of them a hello should offer."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from checks.facts.tls import SuiteFamily

# Some old servers look at the first 64 suites alone, others refuse a longer list.
OFFERED_MAX = 64
SUITES_13 = (0x1302, 0x1303, 0x1301, 0x1304, 0x1305)
_BITS = {
    "NULL": 0, "RC4_40": 40, "RC2_CBC_40": 40, "DES40_CBC": 40, "RC4_56": 56, "DES_CBC": 56,
    "3DES_EDE_CBC": 112, "CHACHA20_POLY1305": 256,
}  # fmt: skip
# Never the only ones of a server in the wild: they are offered where there is room.
_RARE = ("ARIA", "CCM", "SEED", "CAMELLIA_128_GCM", "CAMELLIA_256_GCM", "DSS", "TLS_DH_RSA", "TLS_ECDH_RSA",
         "TLS_ECDH_ECDSA", "CAMELLIA_128_CBC_SHA256", "CAMELLIA_256_CBC_SHA", "EXPORT1024",
         "anon_WITH_CAMELLIA", "anon_WITH_DES")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite; everything but the number is read off its registered name."""

    number: int
    name: str

    @property
    def key_exchange(self) -> str:
        """ "ECDHE_RSA", "DH_anon", "RSA_EXPORT" …; "" in TLS 1.3, where the suite does not say."""
        return self.name.removeprefix("TLS_").partition("_WITH_")[0] if "_WITH_" in self.name else ""

    @property
    def cipher(self) -> str:
        """ "AES_128_GCM", "3DES_EDE_CBC", "NULL" …"""
        rest = self.name.partition("_WITH_")[2] or self.name.removeprefix("TLS_")
        return rest if rest.endswith(("_CCM", "_CCM_8")) else rest.rpartition("_")[0]

    @property
    def bits(self) -> int:
        """Effective strength of the cipher."""
        return _BITS.get(self.cipher, 256 if "256" in self.cipher else 128)

    @property
    def is_aead(self) -> bool:
        return any(mode in self.cipher for mode in ("GCM", "CCM", "POLY1305"))

    @property
    def is_cbc(self) -> bool:
        return "_CBC" in self.cipher

    @property
    def is_anonymous(self) -> bool:
        return "anon" in self.key_exchange

    @property
    def is_export(self) -> bool:
        return "EXPORT" in self.key_exchange

    @property
    def is_rsa_exchange(self) -> bool:
        return self.key_exchange == "RSA"

    @property
    def has_forward_secrecy(self) -> bool:
        return not self.key_exchange or (
            self.key_exchange.startswith(("ECDHE_", "DHE_")) and not self.is_export
        )

    @property
    def has_small_blocks(self) -> bool:
        """64-bit blocks: open to Sweet32."""
        return any(name in self.cipher for name in ("DES", "RC2", "IDEA"))

    @property
    def uses_md5(self) -> bool:
        return self.name.endswith("_MD5")


@cache
def suites() -> dict[int, Suite]:
    """Every suite that a web server may choose, by number."""
    text = files(__package__).joinpath("tls_suites.toml").read_text(encoding="utf-8")
    return {int(n, 16): Suite(int(n, 16), name) for n, name in tomllib.loads(text)["suites"].items()}


@cache
def suite_called(name: str) -> Suite | None:
    """The suite of a registered name; None for a name that is none (an unknown number)."""
    return next((suite for suite in suites().values() if suite.name == name), None)


def name_of(number: int) -> str:
    known = suites().get(number)
    return known.name if known else f"0x{number:04X}"


def _is_real(suite: Suite) -> bool:
    """Encrypts, and for somebody who has shown a certificate."""
    return bool(suite.key_exchange and suite.bits) and not suite.is_export and not suite.is_anonymous


_MEMBERS: dict[SuiteFamily, Callable[[Suite], bool]] = {
    SuiteFamily.NULL: lambda s: s.cipher == "NULL",
    SuiteFamily.ANONYMOUS: lambda s: s.is_anonymous and s.bits > 0,
    SuiteFamily.EXPORT: lambda s: s.is_export,
    SuiteFamily.RC4: lambda s: _is_real(s) and s.cipher == "RC4_128",
    SuiteFamily.DES: lambda s: _is_real(s) and s.cipher in {"DES_CBC", "IDEA_CBC", "RC2_CBC"},
    SuiteFamily.TRIPLE_DES: lambda s: _is_real(s) and s.cipher.startswith("3DES"),
    SuiteFamily.RSA: lambda s: _is_real(s) and s.is_rsa_exchange,
    SuiteFamily.DHE: lambda s: _is_real(s) and s.key_exchange.startswith("DHE_"),
    SuiteFamily.CBC: lambda s: _is_real(s) and s.is_cbc and not s.has_small_blocks,
    SuiteFamily.AEAD: lambda s: s.is_aead and s.has_forward_secrecy and bool(s.key_exchange),
}


BROKEN = (
    SuiteFamily.NULL, SuiteFamily.ANONYMOUS, SuiteFamily.EXPORT, SuiteFamily.RC4, SuiteFamily.DES,
    SuiteFamily.TRIPLE_DES,
)  # fmt: skip
AGED = (SuiteFamily.RSA, SuiteFamily.DHE, SuiteFamily.CBC)
WEAK = (*BROKEN, *AGED)


@cache
def members(kind: SuiteFamily) -> frozenset[int]:
    """Every suite of a family."""
    return frozenset(number for number, suite in suites().items() if _MEMBERS[kind](suite))


@cache
def strong_lists() -> tuple[tuple[int, ...], ...]:
    """Every other suite up to TLS 1.2, in as few lists as hellos can hold."""
    weak = frozenset[int]().union(*(members(kind) for kind in WEAK))
    rest = sorted((n for n, suite in suites().items() if suite.key_exchange and n not in weak), key=_strength)
    return tuple(tuple(rest[at : at + OFFERED_MAX]) for at in range(0, len(rest), OFFERED_MAX))


@cache
def weak_lists() -> tuple[tuple[int, ...], ...]:
    """Every suite of every weak family once, in three lists that a hello can hold: a server that takes
    nothing of them has none of these families."""
    broken = frozenset[int]().union(*(members(kind) for kind in BROKEN))
    static = (members(SuiteFamily.RSA) | members(SuiteFamily.DHE)) - broken
    first = frozenset(_common_first(broken)[:OFFERED_MAX])
    rest = (members(SuiteFamily.CBC) - static) | (broken - first)
    return tuple(tuple(sorted(part, key=_strength)) for part in (first, static, rest))


def strongest_first(numbers: Iterable[int]) -> tuple[int, ...]:
    """As many of the suites as one hello holds."""
    return _strongest_first(frozenset(numbers))


@lru_cache(maxsize=256)
def _strongest_first(numbers: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted(_common_first(numbers)[:OFFERED_MAX], key=_strength))


@cache
def family(kind: SuiteFamily) -> tuple[int, ...]:
    """The suites of a family, strongest first."""
    return strongest_first(members(kind))


@cache
def everything() -> tuple[int, ...]:
    """Suites of every family, strongest first: a server that has only EXPORT, NULL or anonymous ones still
    finds one to take."""
    return strongest_first(number for number, suite in suites().items() if suite.key_exchange)


@cache
def weakest_first() -> tuple[int, ...]:
    """The same suites the other way round, but with ChaCha20 behind AES here too: servers that give it to
    clients without AES hardware (which they tell by the order) must not look as if they obeyed the client."""
    turned = everything()[::-1]
    return tuple(sorted(turned, key=lambda number: "CHACHA20" in suites()[number].name))


def _common_first(numbers: Iterable[int]) -> list[int]:
    return sorted(numbers, key=lambda n: (any(rare in suites()[n].name for rare in _RARE), n))


@cache
def _strength(number: int) -> tuple[bool, int, bool, bool, int, int]:
    return _weakness(suites()[number])


def _weakness(suite: Suite) -> tuple[bool, int, bool, bool, int, int]:
    """The order in which a careful client offers: the first that a server takes is its best."""
    broken = suite.is_export or suite.is_anonymous or not suite.bits
    if suite.has_small_blocks or suite.cipher.startswith("RC4"):
        tier = 4
    else:
        tier = (0 if suite.is_aead else 1) + (0 if suite.has_forward_secrecy else 2)
    # AES before ChaCha20: a server may obey a client that prefers ChaCha20, and only then.
    chacha = "CHACHA20" in suite.cipher
    return broken, tier, not suite.key_exchange.startswith("ECDHE"), chacha, -suite.bits, suite.number
