"""What is installed on a server, from where, and until when it is kept up.  Pure: facts and a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from checks.clean import clean
from checks.data.support import OsRelease, os_release, stack, stack_release
from checks.data.tables import Branch, families, forks, releases
from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import FrontPage
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.facts.ssh import SshService
from checks.parse.host.release import Release, parse_release
from checks.parse.host.versions import (
    Origin,
    Product,
    images_hidden,
    inventory,
    parse_app_images,
    parse_images,
)

SOON = timedelta(days=60)
_TEXT_MAX = 120
_HEADERS = ("server", "x-powered-by", "via")


class Source(StrEnum):
    """Where something was taken from, or how it was seen."""

    DISTRIBUTION = "distribution"
    VENDOR = "vendor"
    IMAGE = "image"
    BUILD = "build"
    UNSURE = "unsure"
    SYSTEM = "system"
    OUTSIDE = "outside"


class Standing(StrEnum):
    """How something stands with its support, today."""

    SUPPORTED = "supported"
    LONG_TERM = "long_term"  # the regular support is over, a longer one for everybody is not
    PAID = "paid"  # only who pays still gets repairs
    SOON = "soon"  # ends within SOON
    ENDED = "ended"
    FOLLOWS = "follows"  # is kept up with the distribution
    OPEN = "open"  # supported when the table was written, no end known
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class End:
    """One end of support: of "regular", "long_term" or "paid" support."""

    kind: str
    day: date
    days: int  # from today; negative = ago


@dataclass(frozen=True, slots=True)
class Support:
    standing: Standing
    ends: tuple[End, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that runs.  `detail`: the package's own version, the image with its tag, the header."""

    name: str
    version: str
    source: Source
    support: Support
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """`unread`: why the programs could not be read, None where they could."""

    system: tuple[Entry, ...] = ()
    software: tuple[Entry, ...] = ()
    stack: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()
    outside: tuple[Entry, ...] = ()
    unread: Missing | None = None
    images_hidden: bool = False


def inventory_of(outside: Facts, inside: Inside | None, today: date) -> Inventory:
    """`inside` may come from another, older look than `outside`."""
    seen = _seen_outside(outside)
    if inside is None:
        return Inventory(software=_software(outside, None, today), outside=seen)
    release, unread = _release(inside), None
    products: tuple[Product, ...] = ()
    try:
        products = inventory(inside)
    except MissingFact as error:
        unread = error.missing
    # The images of fediverse software stand in a part of their own.
    placed = [
        (one.name in stack(), _program(one, release, today))
        for one in products
        if one.name not in families() and one.name not in forks()
    ]
    return Inventory(
        system=_system(inside, release, today),
        software=_software(outside, inside, today),
        stack=tuple(dict.fromkeys(entry for listed, entry in placed if listed)),
        others=tuple(dict.fromkeys(entry for listed, entry in placed if not listed)),
        outside=seen,
        unread=unread,
        images_hidden=unread is None and images_hidden(inside),
    )


def _release(inside: Inside) -> Release | None:
    try:
        return parse_release(inside.lines("release"))
    except MissingFact:
        return None


def _system(inside: Inside, release: Release | None, today: date) -> tuple[Entry, ...]:
    found = []
    if release is not None:
        support = os_support(os_release(release.id, release.branch), today)
        found.append(Entry(_text(release.pretty), _text(release.version), Source.SYSTEM, support))
    try:
        kernel = dict(line.partition(" ")[::2] for line in inside.lines("meta")).get("kernel", "")
    except MissingFact:
        kernel = ""
    if kernel:
        found.append(Entry("Linux", _text(kernel), Source.SYSTEM, Support(Standing.FOLLOWS)))
    return tuple(found)


def os_support(dates: OsRelease | None, today: date) -> Support:
    """Regular support, the free longer one and the paid one, each with its end."""
    if dates is None:
        return Support(Standing.UNKNOWN)
    rows = (("regular", dates.ends), ("long_term", dates.free), ("paid", dates.paid))
    ends = tuple(End(kind, day, (day - today).days) for kind, day in rows if day is not None)
    last_free = dates.free or dates.ends
    if today > last_free:
        paid = dates.paid is not None and today <= dates.paid
        return Support(Standing.PAID if paid else Standing.ENDED, ends)
    if last_free - today < SOON:
        return Support(Standing.SOON, ends)
    return Support(Standing.SUPPORTED if today <= dates.ends else Standing.LONG_TERM, ends)


def _program(one: Product, release: Release | None, today: date) -> Entry:
    title = stack()[one.name][0] if one.name in stack() else one.name
    detail = one.package if one.origin in {Origin.DISTRIBUTION, Origin.VENDOR} else ""
    if one.origin is Origin.IMAGE or one.seen_as == "ruby-rbenv":
        detail = one.seen_as
    support = _product_support(one, release, today)
    return Entry(title, _text(one.version), Source(one.origin.value), support, _text(detail))


def _product_support(one: Product, release: Release | None, today: date) -> Support:
    if one.origin is Origin.DISTRIBUTION:
        whole = os_support(os_release(release.id, release.branch) if release else None, today)
        ended = whole.standing in {Standing.ENDED, Standing.PAID}
        return whole if ended else Support(Standing.FOLLOWS)
    found = stack_release(one.name, one.version) if one.version and one.origin is not Origin.UNSURE else None
    if found is None:
        return Support(Standing.UNKNOWN)
    return _by_day(found.ends, today)


def _by_day(day: date | None, today: date) -> Support:
    if day is None:
        return Support(Standing.OPEN)
    ends = (End("regular", day, (day - today).days),)
    if day < today:
        return Support(Standing.ENDED, ends)
    return Support(Standing.SOON if day - today < SOON else Standing.SUPPORTED, ends)


def _software(outside: Facts, inside: Inside | None, today: date) -> tuple[Entry, ...]:
    """The fediverse software: as it calls itself, and as the images say that run."""
    found = []
    named = outside.maybe(Software)
    if named is not None:
        support = _branch_support(named.family, named.base_version, today)
        detail = _text(
            ", ".join(filter(None, (named.fork, named.family if named.family != named.name else "")))
        )
        name = _text(named.name.capitalize())
        found.append(Entry(name, _text(named.version), Source.OUTSIDE, support, detail))
    try:
        images = _app_images(inside.lines("docker")) if inside is not None else []
    except MissingFact:
        images = []
    for family, version, image in images:
        support = _branch_support(family, version.removeprefix("v"), today)
        found.append(Entry(family.capitalize(), _text(version), Source.IMAGE, support, _text(image)))
    return tuple(dict.fromkeys(found))


def _app_images(lines: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(family or fork, version, image): those that the projects publish, and strangers' of the same name."""
    published = list(parse_app_images(lines))
    known = {image for _, _, image in published}
    more = (one for one in parse_images(lines) if one[0] in families() or one[0] in forks())
    return published + [one for one in more if one[2] not in known]


def _branch_support(family: str, version: str, today: date) -> Support:
    table = releases().get(family)
    if table is None or not version:
        return Support(Standing.UNKNOWN)
    branch = _branch(table.branches, version)
    if branch is None:
        return Support(Standing.UNKNOWN)
    if table.rolling and branch is not table.branches[0]:
        return Support(Standing.ENDED)
    return _by_day(branch.ends, today)


def _branch(branches: Iterable[Branch], version: str) -> Branch | None:
    return next((b for b in branches if version == b.name or version.startswith(f"{b.name}.")), None)


def _seen_outside(facts: Facts) -> tuple[Entry, ...]:
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


def _told(said: str, where: str) -> Entry:
    """ "nginx/1.22.1 (Debian)" and the like: a name, then perhaps a version."""
    name, slash, rest = said.partition("/") if "/" in said else said.partition(" ")
    version = rest if slash and rest[:1].isdigit() else ""
    shown = name if version else said
    return Entry(_text(shown), _text(version), Source.OUTSIDE, Support(Standing.UNKNOWN), where)


def _text(value: str) -> str:
    return clean(value, _TEXT_MAX, newlines=False)
