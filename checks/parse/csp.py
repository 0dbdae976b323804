"""Content-Security-Policy: parsed as browsers do (CSP Level 3), judged by what a script could do.

A page under several policies obeys each of them, so a weak point is one that all of them leave.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_MAX = 16384
_MAX_POLICIES = 16
_BLANK = re.compile(r"[\t\n\f\r ]+")  # ASCII whitespace: no other parts a source from the next
_NONCE_OR_HASH = re.compile(r"'(?:nonce|sha256|sha384|sha512)-[A-Za-z0-9+/_-]+={0,2}'", re.IGNORECASE)
_WIDE = re.compile(r"https?:|(?:https?://)?\*(?::(?:\d{1,5}|\*))?(?:/.*)?", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?<![a-z-])([a-z-]{1,40})\s{0,8}=\s{0,8}(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")
# Elements whose text is not markup.
_RAW_TEXT = ("script", "style", "title", "noscript", "template")
_META = tuple(f"<meta{after}" for after in "\t\n\f\r /")
_HEADER_ONLY = frozenset({"frame-ancestors", "report-uri", "sandbox"})

# Weak points, worst first.  Those of the first set let a script run that the site did not write.
SCRIPT_OPEN = frozenset({"no_script_rule", "script_inline", "script_wide", "script_data", "object_wide"})
# What is left open where there is no rule at all.
_IMPLIED = {
    "no_script_rule": frozenset({"script_inline", "script_wide", "script_data", "script_eval"}),
    "object_missing": frozenset({"object_wide"}),
    "base_uri_missing": frozenset({"base_uri_wide"}),
    "form_action_missing": frozenset({"form_action_wide"}),
}


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
    nothing raises: what a browser cannot read it ignores, and so does this.  A line that no longer fits is
    left out whole, since a part of it could look stricter than it is."""
    found: list[Policy] = []
    room = _MAX
    for value in values:
        room -= len(value)
        if room < 0:
            break
        found += filter(None, map(_policy, value.split(",")))
    return tuple(found[:_MAX_POLICIES])


def parse_meta(body: str) -> tuple[Policy, ...]:
    """The policies that the page itself carries: each <meta> is one (a comma parts nothing there), and what
    only a header can say is left out of it (CSP Level 3, 3.3)."""
    found = []
    for text in meta_policy(body)[:_MAX_POLICIES]:
        policy = _policy(text)
        kept = tuple(d for d in policy.directives if d[0] not in _HEADER_ONLY) if policy else ()
        if kept:
            found.append(Policy(kept))
    return tuple(found)


def meta_policy(body: str) -> tuple[str, ...]:
    """The texts of <meta http-equiv=content-security-policy> in the head of a page, lower case; those in
    comments, scripts and the like are none.  Every step goes forward, so the time is linear."""
    page, found, at = body[:_MAX].lower(), [], 0
    while (at := page.find("<", at)) >= 0:
        if page.startswith(("<body", "</head"), at):
            break
        if page.startswith("<!--", at):
            end = page.find("-->", at)
        elif name := next((n for n in _RAW_TEXT if page.startswith(f"<{n}", at)), None):
            end = page.find(f"</{name}", at)
        else:
            end = page.find(">", at)
        if end < 0:
            break
        if page.startswith(_META, at) and (text := _policy_of_tag(page[at:end])):
            found.append(text)
        at = end + 1
    return tuple(found)


def _policy_of_tag(tag: str) -> str:
    given: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(tag):
        given.setdefault(name, value[1:-1] if value[0] in "\"'" else value)
    named = given.get("http-equiv", "").strip() == "content-security-policy"
    return html.unescape(given.get("content", "")) if named else ""


def _policy(text: str) -> Policy | None:
    directives: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        if not part.isascii():
            continue
        words = [word for word in _BLANK.split(part) if word]
        if words and words[0].lower() not in directives:
            directives[words[0].lower()] = tuple(w if _is_secret(w) else w.lower() for w in words[1:])
    return Policy(tuple(directives.items())) if directives else None


def weaknesses(policies: tuple[Policy, ...]) -> frozenset[str]:
    """The weak points that every policy leaves; {"no_policy"} where there is none."""
    if not policies:
        return frozenset({"no_policy"})
    left = frozenset.intersection(*(_weak_points(policy) for policy in policies))
    implied = frozenset().union(*(points for name, points in _IMPLIED.items() if name in left))
    return left - implied


def frame_ancestors(policies: tuple[Policy, ...]) -> tuple[str, ...] | None:
    """The strictest list of who may frame the page; None where no policy says."""
    lists = [found for p in policies if (found := p.get("frame-ancestors")) is not None]
    return min(lists, key=lambda sources: (is_wide(sources), len(sources))) if lists else None


def is_wide(sources: tuple[str, ...]) -> bool:
    """True where any site at all is let in."""
    return any(_WIDE.fullmatch(source) for source in sources)


def is_inert(policy: Policy) -> bool:
    """Whether a file under this policy runs no script in the name of its origin."""
    sandbox = policy.get("sandbox")
    if sandbox is not None and not {"allow-scripts", "allow-same-origin"} <= set(sandbox):
        return True
    rules = [policy.get(narrower, "script-src", "default-src") for narrower in _SCRIPTS]
    return all(sources is not None and set(sources) <= {"'none'"} for sources in rules)


def _is_secret(word: str) -> bool:
    return word.startswith(("'nonce-", "'sha"))


_SCRIPTS = ("script-src-elem", "script-src-attr")


def _weak_points(policy: Policy) -> frozenset[str]:
    """What this policy leaves open; a rule that is missing leaves all that it could forbid."""
    weak = _weak_scripts(policy)
    objects, base, forms = (
        policy.get("object-src", "default-src"),
        policy.get("base-uri"),
        policy.get("form-action"),
    )
    if objects is None:
        weak.add("object_missing")
    elif is_wide(objects) or "data:" in objects:
        weak.add("object_wide")
    for name, sources in (("base_uri", base), ("form_action", forms)):
        if sources is None:
            weak.add(f"{name}_missing")
        elif is_wide(sources):
            weak.add(f"{name}_wide")
    return frozenset(weak).union(*(_IMPLIED.get(name, ()) for name in weak))


def _weak_scripts(policy: Policy) -> set[str]:
    """CSP Level 3, 6.1 and 6.7.3: elements and attributes each obey the narrowest rule that is there."""
    elements, attributes = (policy.get(narrower, "script-src", "default-src") for narrower in _SCRIPTS)
    if elements is None or attributes is None:
        return {"no_script_rule"}
    weak = {"script_inline"} if _allows_inline(elements) or _allows_inline(attributes) else set()
    if "'strict-dynamic'" not in elements:  # it makes browsers pass over hosts and schemes
        if is_wide(elements):
            weak.add("script_wide")
        if "data:" in elements:
            weak.add("script_data")
    if "'unsafe-eval'" in (policy.get("script-src", "default-src") or ()):
        weak.add("script_eval")
    return weak


def _allows_inline(sources: tuple[str, ...]) -> bool:
    """With a nonce, a hash or 'strict-dynamic' browsers pass over 'unsafe-inline' (CSP Level 3, 6.7.3.2)."""
    trusted = "'strict-dynamic'" in sources or any(_NONCE_OR_HASH.fullmatch(source) for source in sources)
    return "'unsafe-inline'" in sources and not trusted
