"""What runs on the server, with versions: programs, packages and images in one list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from packaging.version import Version

from checks.facts import MissingFact
from checks.facts.inside import Inside
from checks.parse.host.common import marked, parts
from checks.parse.host.packages import Package, parse_packages

_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,5}")
_WHOLE = re.compile(r"\d{1,9}")
_TAG = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,4})(?![0-9])")
RBENV = "ruby-rbenv"
_RELEASE = re.compile(r"v?\d{1,6}\.\d{1,6}\.\d{1,6}(?!\d)")
# Program -> the product, and how the names of its packages begin.
_PROGRAMS = {
    "nginx": ("nginx", "nginx"), "apache2": ("apache", "apache2"), "httpd": ("apache", "httpd"),
    "caddy": ("caddy", "caddy"), "redis-server": ("redis", "redis"), "valkey-server": ("valkey", "valkey"),
    "postgres": ("postgresql", "postgresql"), "psql": ("psql", "postgresql"), "node": ("nodejs", "node"),
    "ruby": ("ruby", "ruby"), "ruby-rbenv": ("ruby", ""), "erl": ("erlang", "erlang"),
    "elixir": ("elixir", "elixir"), "php": ("php", "php"), "docker": ("docker", "docker"),
    "podman": ("podman", "podman"), "ffmpeg": ("ffmpeg", "ffmpeg"),
    "magick": ("imagemagick", "imagemagick"), "convert": ("imagemagick", "imagemagick"),
    "vips": ("libvips", "libvips"), "cloudflared": ("cloudflared", "cloudflared"),
    "python3": ("python", "python3"), "openssl": ("openssl", "openssl"), "certbot": ("certbot", "certbot"),
    "systemctl": ("systemd", "systemd"), "sudo": ("sudo", "sudo"), "haproxy": ("haproxy", "haproxy"),
    "traefik": ("traefik", "traefik"), "mariadbd": ("mariadb", "mariadb-server"),
    "containerd": ("containerd", "containerd"), "rails": ("rails", ""), "laravel": ("laravel", ""),
}  # fmt: skip
# Of what no program tells its version, or a library: its package does.
_PACKAGES = {
    "openssh-server": "openssh", "libvips42": "libvips", "libvips42t64": "libvips",
    "libvips-tools": "libvips", "imagemagick": "imagemagick", "containerd": "containerd",
    "containerd.io": "containerd", "haproxy": "haproxy", "traefik": "traefik", "mariadb-server": "mariadb",
    "elasticsearch": "elasticsearch", "opensearch": "opensearch", "meilisearch": "meilisearch",
    "varnish": "varnish", "tor": "tor", "cloudflared": "cloudflared",
}  # fmt: skip
_MAGICK = "libmagickcore-"  # its name goes on with version and build
# Last part of an image's name -> product, for products and for the instance's own software.
_IMAGES = {
    "postgres": "postgresql", "pgvector": "postgresql", "pgautoupgrade": "postgresql", "redis": "redis",
    "valkey": "valkey", "nginx": "nginx", "httpd": "apache", "caddy": "caddy", "traefik": "traefik",
    "haproxy": "haproxy", "mariadb": "mariadb", "mysql": "mysql", "elasticsearch": "elasticsearch",
    "opensearch": "opensearch", "node": "nodejs", "php": "php", "ruby": "ruby", "python": "python",
    "mastodon": "mastodon", "mastodon-streaming": "mastodon", "misskey": "misskey",
    "gotosocial": "gotosocial", "akkoma": "akkoma", "pleroma": "pleroma", "pixelfed": "pixelfed",
    "peertube": "peertube", "lemmy": "lemmy", "friendica": "friendica", "sharkey": "sharkey",
    "glitch-soc": "mastodon", "cloudflared": "cloudflared", "meilisearch": "meilisearch",
    "varnish": "varnish",
}  # fmt: skip

# Owner and name of images that the project itself publishes -> family; a stranger's "mastodon" may be a fork.
_PUBLISHED = {
    "mastodon/mastodon": "mastodon", "tootsuite/mastodon": "mastodon", "misskey/misskey": "misskey",
    "superseriousbusiness/gotosocial": "gotosocial", "chocobozzz/peertube": "peertube",
    "dessalines/lemmy": "lemmy",
}  # fmt: skip


class Origin(StrEnum):
    DISTRIBUTION = "distribution"  # repaired for as long as the distribution's release is
    VENDOR = "vendor"  # a package from the maker's own repository
    BUILD = "build"  # no package owns this version
    IMAGE = "image"
    UNSURE = "unsure"  # the list of packages does not tell


@dataclass(frozen=True, slots=True)
class Product:
    """One thing that runs.  `package`: the package manager's version of it, "" where none owns it."""

    name: str
    version: str
    origin: Origin
    package: str = ""
    seen_as: str = ""  # the program, or the image with its tag


def parse_versions(lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(program, version) of each line "NAME first line of what it says"; of those that name a number."""
    found = []
    for line in lines:
        name, _, said = line.partition(" ")
        match = _NUMBER.search(said) or _WHOLE.search(said)
        if name in _PROGRAMS and match and "not found" not in said and "rror" not in said:
            found.append((name, match[0]))
    return tuple(dict.fromkeys(found))


def parse_images(lines: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """(product, version, image) of the containers that run, of `docker ps` and `podman ps` in the section
    "docker".  The version is the tag's, else the one of the image's own label, else ""."""
    found = []
    for cells, label in _containers(lines):
        name, _, tag = cells[2].partition("@")[0].rpartition("/")[2].partition(":")
        if name in _IMAGES:
            match = _TAG.match(tag) or _TAG.match(label)
            found.append((_IMAGES[name], match[1] if match else "", cells[2][:200]))
    return tuple(dict.fromkeys(found))


def parse_app_images(lines: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """(family, version as given, image) of containers that run an image which the project itself publishes.
    A tag that floats ("v4.5") is no version; then the image's label may be one."""
    found = []
    for cells, label in _containers(lines):
        path, _, tag = cells[2].partition("@")[0].rpartition(":")
        family = _PUBLISHED.get("/".join(path.lower().split("/")[-2:]), "")
        version = next((one for one in (tag, label) if _RELEASE.match(one)), "")
        if family and version:
            found.append((family, version[:100], cells[2][:200]))
    return tuple(dict.fromkeys(found))


def _containers(lines: tuple[str, ...]) -> Iterator[tuple[list[str], str]]:
    """The cells of each container that runs, and the version that its image's label names."""
    held = marked(lines)
    labels = {cells[0]: cells[5] for line in held.get("inspect", ()) if len(cells := line.split("\t")) > 5}
    for line in (*held.get("ps", ()), *held.get("podman", ())):
        cells = line.split("\t")
        if len(cells) >= 3:
            yield cells, labels.get(cells[0], "")


def inventory(inside: Inside) -> tuple[Product, ...]:
    """All that could be seen, by name.  MissingFact where neither programs nor images could be."""
    try:
        programs = parse_versions(inside.lines("versions"))
    except MissingFact:
        programs = ()
        if not images_of(inside):
            raise
    packages = packages_of(inside)
    found = [_program(name, version, packages) for name, version in programs]
    found += [Product(name, version, Origin.IMAGE, "", image) for name, version, image in images_of(inside)]
    found += _libraries(packages, {one.name for one in found if one.origin is not Origin.IMAGE})
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.name, one.version, one.origin)))


def in_use(products: Iterable[Product]) -> list[Product]:
    """Without what only lies about: old Rubies stay in the folders of rbenv, and the newest one is taken for
    the one in use."""
    products = list(products)
    rubies = [one for one in products if one.seen_as == RBENV]
    newest = max(rubies, key=lambda one: Version(one.version), default=None)
    return [one for one in products if one.seen_as != RBENV or one is newest]


def _libraries(packages: tuple[Package, ...], seen: set[str]) -> Iterator[Product]:
    """What is installed and told nothing of itself."""
    for package in packages:
        name = "imagemagick" if package.name.startswith(_MAGICK) else _PACKAGES.get(package.name, "")
        if name and name not in seen and package.upstream:
            seen.add(name)
            origin = Origin.VENDOR if package.by_vendor else Origin.DISTRIBUTION
            yield Product(name, package.upstream, origin, package.version, package.name)


def packages_of(inside: Inside) -> tuple[Package, ...]:
    """The packages, none where that section did not come whole."""
    try:
        return parse_packages(inside.lines("packages"))
    except MissingFact:
        return ()


def images_of(inside: Inside) -> tuple[tuple[str, str, str], ...]:
    """The containers' images, none where that section did not come whole."""
    try:
        return parse_images(inside.lines("docker"))
    except MissingFact:
        return ()


def images_hidden(inside: Inside) -> bool:
    """Containers may run that could not be seen: Docker or Podman did not answer this account."""
    try:
        lines = inside.lines("docker")
    except MissingFact:
        return True
    found = [part for part in parts(lines) if part.label in {"ps", "podman"}]
    return any(part.denied for part in found) or not found


def _program(name: str, version: str, packages: tuple[Package, ...]) -> Product:
    """A package owns a program where its upstream version is the program's own: what another way put in
    front of it in the path has another one.  apk's list names no sources, so there nothing is ruled out."""
    product, prefix = _PROGRAMS[name]
    owners = [
        package
        for package in packages
        if prefix
        and (package.name.startswith(prefix) or package.source.startswith(prefix))
        and package.upstream
        and _same(package.upstream, version)
    ]
    if owners:
        package = max(owners, key=lambda one: len(one.upstream))
        origin = Origin.VENDOR if any(one.by_vendor for one in owners) else Origin.DISTRIBUTION
        return Product(product, version, origin, package.version, name)
    # Of what is read out of a folder no package is the owner.
    listed = not prefix or any(package.source for package in packages)
    return Product(product, version, Origin.BUILD if listed else Origin.UNSURE, "", name)


def _same(one: str, other: str) -> bool:
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")
