"""The source offer of a server: is it the project's own repository, or one that has to be looked at?"""

from __future__ import annotations

from urllib.parse import urlsplit

from checks.data.tables import Family


def is_upstream(url: str, family: Family) -> bool:
    """Whether a link leads to the project itself or a mirror of it."""
    return _place(url) in {_place(known) for known in (family.upstream, *family.also)}


def without_query(url: str) -> str:
    """The address that is asked for: what stands behind ? or # is nobody's repository."""
    return url.partition("#")[0].partition("?")[0]


def _place(url: str) -> str:
    """Host and repository, so that a tag or a trailing slash makes no difference."""
    try:
        parts = urlsplit(url.lower())
    except ValueError:
        return url
    path = [part for part in parts.path.removesuffix(".git").split("/") if part]
    return "/".join([parts.netloc.removeprefix("www."), *path[:2]]).removesuffix(".git")
