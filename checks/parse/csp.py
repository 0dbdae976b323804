"""Content-Security-Policy: parsed as browsers do (CSP Level 3), judged by what a script could do.

A page under several policies is at least as strict as the strictest of them, so the best one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX = 16384
_MAX_POLICIES = 16
_NONCE_OR_HASH = re.compile(
    r"'(?:nonce-[A-Za-z0-9+/_=-]+|sha(?:256|384|512)-[A-Za-z0-9+/_=-]+)'", re.IGNORECASE
)
_WIDE = frozenset({"*", "http:", "https:", "http://*", "https://*", "*:*"})
_META = re.compile(
    r"<meta\s[^>]{0,200}http-equiv\s*=\s*[\"']?content-security-policy[\"']?[^>]{0,200}?content\s*=\s*\"([^\"]{0,8000})\"",
    re.IGNORECASE,
)

# Weak points, worst first.  Those of the first set let a script run that the site did not write.
SCRIPT_OPEN = frozenset({"no_script_rule", "script_inline", "script_wide", "script_data", "object_wide"})
LESSER = frozenset({"script_eval", "object_missing", "base_uri_missing", "form_action_missing"})


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: directives in order, the first of a name counts."""

    directives: tuple[tuple[str, tuple[str, ...]], ...]

    def get(self, *names: str) -> tuple[str, ...] | None:
        """The sources of the first of `names` that the policy has; None if it has none of them."""
        table = dict(self.directives)
        for name in names:
            if name in table:
                return table[name]
        return None


def parse_csp(values: tuple[str, ...]) -> tuple[Policy, ...]:
    """All policies of the header's lines; each line may hold several, parted by commas.  Empty ones fall out,
    nothing raises: what a browser cannot read it ignores, and so does this."""
    found = []
    for text in ",".join(values)[:_MAX].split(",")[:_MAX_POLICIES]:
        directives: dict[str, tuple[str, ...]] = {}
        for part in text.split(";"):
            words = part.split()
            if words and words[0].lower() not in directives:
                directives[words[0].lower()] = tuple(w if _is_secret(w) else w.lower() for w in words[1:])
        if directives:
            found.append(Policy(tuple(directives.items())))
    return tuple(found)


def meta_policy(body: str) -> tuple[str, ...]:
    """Policies that the page itself carries in <meta>, for servers that send no header."""
    return tuple(_META.findall(body[:_MAX]))


def weaknesses(policies: tuple[Policy, ...]) -> frozenset[str]:
    """Weak points of the strictest policy; {"no_policy"} where there is none."""
    if not policies:
        return frozenset({"no_policy"})
    each = [_weak_points(policy) for policy in policies]
    return min(each, key=lambda weak: (len(weak & SCRIPT_OPEN), len(weak)))


def frame_ancestors(policies: tuple[Policy, ...]) -> tuple[str, ...] | None:
    """The strictest list of who may frame the page; None where no policy says."""
    lists = [found for p in policies if (found := p.get("frame-ancestors")) is not None]
    return min(lists, key=lambda sources: (is_wide(sources), len(sources))) if lists else None


def is_wide(sources: tuple[str, ...]) -> bool:
    """True where any site at all is let in."""
    return any(source in _WIDE for source in sources)


def _is_secret(word: str) -> bool:
    return word.startswith(("'nonce-", "'sha"))


def _weak_points(policy: Policy) -> frozenset[str]:
    weak = set()
    script = policy.get("script-src", "default-src")
    if script is None:
        weak.add("no_script_rule")
    else:
        weak |= _weak_script(script)
        for narrower in ("script-src-elem", "script-src-attr"):
            weak |= _weak_script(policy.get(narrower) or ())
    objects = policy.get("object-src", "default-src")
    if objects is None:
        weak.add("object_missing")
    elif is_wide(objects) or "data:" in objects:
        weak.add("object_wide")
    if policy.get("base-uri") is None:
        weak.add("base_uri_missing")
    if policy.get("form-action") is None:
        weak.add("form_action_missing")
    return frozenset(weak)


def _weak_script(sources: tuple[str, ...]) -> set[str]:
    weak = set()
    trusted = any(_NONCE_OR_HASH.fullmatch(source) for source in sources)
    # With a nonce or hash browsers ignore 'unsafe-inline'; with 'strict-dynamic' on top, hosts and schemes.
    if "'unsafe-inline'" in sources and not trusted:
        weak.add("script_inline")
    if not (trusted and "'strict-dynamic'" in sources):
        if is_wide(sources):
            weak.add("script_wide")
        if "data:" in sources:
            weak.add("script_data")
    if "'unsafe-eval'" in sources:
        weak.add("script_eval")
    return weak
