"""The parts that a server is made of: which, in which version, and how fedisec knows.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from checks.clean import clean
from checks.data.support import product_titles, system_titles
from checks.data.tables import families, forks
from checks.facts import Facts, MissingFact
from checks.facts.http import FrontPage
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.facts.ssh import SshService
from checks.parse.host.release import Release, parse_release
from checks.parse.host.versions import Origin, Product, in_use, inventory, parse_app_images, parse_images

TEXT_MAX, NAME_MAX, VERSION_MAX = 120, 60, 60
PARTS_MAX = 120
_HEADERS = ("server", "x-powered-by", "via")
# How programs call themselves to strangers -> product.
_CALLED = {
    "nginx": "nginx", "apache": "apache", "caddy": "caddy", "openresty": "nginx", "php": "php",
    "openssh": "openssh", "varnish": "varnish", "haproxy": "haproxy", "traefik": "traefik", "cloudflare": "",
}  # fmt: skip


class Kind(StrEnum):
    SYSTEM = "system"
    KERNEL = "kernel"
    SOFTWARE = "software"  # of the fediverse
    PROGRAM = "program"


class Source(StrEnum):
    """Where something was taken from, or how it was seen."""

    DISTRIBUTION = "distribution"
    VENDOR = "vendor"
    IMAGE = "image"
    BUILD = "build"
    UNSURE = "unsure"
    SYSTEM = "system"
    OUTSIDE = "outside"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that runs.  `name`: of the tables where they have it, else as given; "" where what strangers
    are told names no known product.  `detail`: the package's own version, the image with its tag, the header,
    the fork; of a system the branch that its dates are of."""

    kind: Kind
    name: str
    version: str
    source: Source
    detail: str = ""
    shown: str = ""  # the name as it is to be shown, "" = by the tables
    until: date | None = None  # by hand: when somebody is to look again

    @property
    def title(self) -> str:
        return self.shown or title_of(self.name)


def title_of(name: str) -> str:
    """As people write it."""
    if name in system_titles():
        return system_titles()[name].title
    if name in families() or name in forks():
        return name.capitalize()
    return product_titles().get(name, name)


@dataclass(frozen=True, slots=True)
class Stated:
    """A line by hand."""

    name: str
    version: str
    until: date


def kind_of(name: str) -> Kind:
    if name in system_titles():
        return Kind.SYSTEM
    return Kind.SOFTWARE if name in families() or name in forks() else Kind.PROGRAM


def parts_of(outside: Facts, inside: Inside | None, stated: Sequence[Stated] = ()) -> tuple[Part, ...]:
    """Everything that is known, each thing once.  `inside` may come from another, older look."""
    found = [*_seen_inside(inside)] if inside is not None else []
    found += _software(outside, inside)
    found += (by_hand(one) for one in stated)
    known = {part.name for part in found}
    found += (part for part in seen_outside(outside) if part.name and part.name not in known)
    return tuple(dict.fromkeys(found))[:PARTS_MAX]


def by_hand(one: Stated) -> Part:
    return Part(kind_of(one.name), one.name, one.version, Source.HAND, until=one.until)


def release_of(inside: Inside) -> Release | None:
    try:
        return parse_release(inside.lines("release"))
    except MissingFact:
        return None


def _seen_inside(inside: Inside) -> Iterator[Part]:
    release = release_of(inside)
    if release is not None:
        yield Part(
            Kind.SYSTEM,
            _text(release.id, NAME_MAX),
            _text(release.version, VERSION_MAX),
            Source.SYSTEM,
            _text(release.branch, VERSION_MAX),
            _text(release.pretty),
        )
    try:
        kernel = dict(line.partition(" ")[::2] for line in inside.lines("meta")).get("kernel", "")
    except MissingFact:
        kernel = ""
    if kernel:
        yield Part(Kind.KERNEL, "linux", _text(kernel), Source.SYSTEM, shown="Linux")
    try:
        products = in_use(inventory(inside))
    except MissingFact:
        products = []
    # The images of fediverse software are of another kind.
    for one in products:
        if one.name not in families() and one.name not in forks():
            yield _program(one)


def _program(one: Product) -> Part:
    detail = one.package if one.origin in {Origin.DISTRIBUTION, Origin.VENDOR} else ""
    if one.origin is Origin.IMAGE or one.seen_as == "ruby-rbenv":
        detail = one.seen_as
    return Part(Kind.PROGRAM, one.name, _text(one.version), Source(one.origin.value), _text(detail))


def _software(outside: Facts, inside: Inside | None) -> Iterator[Part]:
    """As it calls itself, and as the images say that run."""
    named = outside.maybe(Software)
    if named is not None:
        family = named.family if named.family != named.name else ""
        detail = ", ".join(filter(None, (named.fork, family)))
        # A fork with numbers of its own is not measured by those of its upstream.
        name = named.family if named.base_version else named.name
        yield Part(
            Kind.SOFTWARE,
            _text(name, NAME_MAX),
            _text(named.version),
            Source.OUTSIDE,
            _text(detail),
            _text(named.name.capitalize()),
        )
    try:
        images = _app_images(inside.lines("docker")) if inside is not None else []
    except MissingFact:
        images = []
    for family, version, image in images:
        yield Part(Kind.SOFTWARE, family, _text(version).removeprefix("v"), Source.IMAGE, _text(image))


def _app_images(lines: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(family or fork, version, image): those that the projects publish, and strangers' of the same name."""
    published = list(parse_app_images(lines))
    known = {image for _, _, image in published}
    more = (one for one in parse_images(lines) if one[0] in families() or one[0] in forks())
    return published + [one for one in more if one[2] not in known]


def seen_outside(facts: Facts) -> tuple[Part, ...]:
    """What programs tell of themselves to every stranger; some leave the version out, some make one up."""
    found = []
    front = facts.maybe(FrontPage)
    for name in _HEADERS if front is not None else ():
        value = front.page.header(name) if front is not None else None
        if value:
            found.append(_told(value, f"HTTP {name}"))
    service = facts.maybe(SshService)
    for endpoint in service.speaking if service is not None else ():
        said = endpoint.banner.removeprefix("SSH-2.0-").replace("_", " ", 1)
        found.append(_told(said, f"SSH {endpoint.port}"))
    return tuple(dict.fromkeys(found))


def _told(said: str, where: str) -> Part:
    """ "nginx/1.22.1 (Debian)" and the like: a name, then perhaps a version."""
    name, slash, rest = said.partition("/") if "/" in said else said.partition(" ")
    version = rest if slash and rest[:1].isdigit() else ""
    shown = name if version else said
    called = _CALLED.get(name.strip().split(" ")[0].lower(), "")
    return Part(Kind.PROGRAM, called, _text(version), Source.OUTSIDE, where, _text(shown))


def _text(value: str, most: int = TEXT_MAX) -> str:
    return clean(value, most, newlines=False)


def to_json(parts: Iterable[Part]) -> list[list[str]]:
    """[kind, name, version, source, detail, shown, until] of each."""
    return [
        [
            part.kind.value,
            part.name,
            part.version,
            part.source.value,
            part.detail,
            part.shown,
            part.until.isoformat() if part.until else "",
        ]
        for part in parts
    ]


def from_json(rows: Iterable[Sequence[Any]]) -> tuple[Part, ...]:
    """A row of another version's shape is left out: the next look makes it anew."""
    found = []
    for row in rows:
        try:
            kind, name, version, source, detail, shown, until = row
            day = date.fromisoformat(until) if until else None
            found.append(Part(Kind(kind), name, version, Source(source), detail, shown, day))
        except (ValueError, TypeError):
            continue
    return tuple(found)
