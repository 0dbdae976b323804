"""Which packages of a server are its distribution's own, and which of them bring which product.  Pure."""

from __future__ import annotations

import re
from collections import defaultdict

from checks.facts import MissingFact
from checks.facts.inside import Inside
from checks.parse.host.packages import Package
from checks.parse.host.release import parse_release
from checks.parse.host.versions import Origin, inventory, packages_of
from fedisec.watch.judging import JUDGED

PACKAGES_MAX = 200
_REBUILD = re.compile(r"\+b\d{1,3}$")  # of the same source, by the archive itself
_BY_SOURCE = {"openssh": "openssh"}  # runs everywhere, and no program of the list names it


def codename(inside: Inside) -> str:
    """VERSION_CODENAME of os-release(5), "" where it could not be read."""
    try:
        release = parse_release(inside.lines("release"))
    except MissingFact:
        return ""
    return release.codename.lower()[:40] if release is not None else ""


def packages(inside: Inside, distribution: str) -> tuple[list[list[str]], dict[str, str]]:
    """([[source package, version], …], {product: source package}).  A product that an image or a build runs,
    too, has no owner.  Kernels are left out: which one runs, packages do not tell."""
    if distribution not in JUDGED:
        return [], {}
    own = [package for package in packages_of(inside) if _is_own(package)]
    versions: dict[str, str] = {}
    for package in own:
        versions.setdefault(_source(package), package.source_version or _REBUILD.sub("", package.version))
    owned = _owned(inside, own)
    owned |= {name: source for name, source in _BY_SOURCE.items() if source in versions}
    return [list(pair) for pair in sorted(versions.items())][:PACKAGES_MAX], owned


def _is_own(package: Package) -> bool:
    return not package.by_vendor and not _source(package).startswith("linux")


def _source(package: Package) -> str:
    return package.source or package.name


def _owned(inside: Inside, own: list[Package]) -> dict[str, str]:
    try:
        products = inventory(inside)
    except MissingFact:
        return {}
    origins: dict[str, set[Origin]] = defaultdict(set)
    for product in products:
        origins[product.name].add(product.origin)
    owned = {}
    for product in products:
        sources = {_source(package) for package in own if package.version == product.package}
        if origins[product.name] == {Origin.DISTRIBUTION} and len(sources) == 1:
            owned[product.name] = sources.pop()
    return owned
