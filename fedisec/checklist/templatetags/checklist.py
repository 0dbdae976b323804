"""What templates need to show texts of the checks.  Nothing here marks text of others as safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from checks.clean import clean
from checks.model import Level, Text
from fedisec.checklist.board import LevelCount, Row
from fedisec.checklist.models import WaiverKind
from fedisec.checklist.sentence import ago, stamp
from fedisec.checklist.state import State
from fedisec.checklist.trouble import Condition, Trouble
from fedisec.scans.models import Scan

register = template.Library()
register.filter("stamp", stamp)
register.filter("ago", ago)

EVIDENCE_LINES, EVIDENCE_CHARS = 8, 700  # shown at once; the rest opens

_STATE_ICONS = {
    State.MET: "met",
    State.WARNING: "warning",
    State.NOT_MET: "not-met",
    State.COULD_NOT_CHECK: "unseen",
    State.NEEDS_YOU: "needs-you",
    State.ACCEPTED: "accepted",
    State.NOT_APPLICABLE: "not-applicable",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or lines of commands to copy."""

    text: str
    is_code: bool


@register.filter
def tr(text: Text) -> str:
    """A text of the checks in the reader's language."""
    return text.in_language(get_language() or "en")


@register.filter
def blocks(text: Text) -> list[Block]:
    """Paragraphs and command blocks of a text: a block is code when all its lines are indented by four."""
    found: list[Block] = []
    for part in tr(text).strip("\n").split("\n\n"):
        lines = part.split("\n")
        code = all(line.startswith("    ") or not line.strip() for line in lines)
        if code:
            part = "\n".join(line[4:] for line in lines)
            if found and found[-1].is_code:
                found[-1] = Block(f"{found[-1].text}\n\n{part}", True)
                continue
            found.append(Block(part, True))
        else:
            found.extend(_mixed(lines))
    return found


def _mixed(lines: list[str]) -> list[Block]:
    """A paragraph directly followed by its commands, without a blank line between."""
    found: list[Block] = []
    for line in lines:
        code = line.startswith("    ")
        text = line[4:] if code else line
        if found and found[-1].is_code == code:
            found[-1] = Block(f"{found[-1].text}\n{text}", code)
        else:
            found.append(Block(text, code))
    return found


@register.filter
def summary(row: Row) -> str:
    """What the machine found, in the reader's language."""
    return row.summary(get_language() or "en")


@register.filter
def visible(value: str) -> str:
    """Foreign text with control characters made visible, for a second time at the last door."""
    return clean(value)


@register.filter
def web(address: str | None) -> str:
    """A foreign address that a link may lead to, else "": only pages of the web are."""
    return address if address and address.startswith(("https://", "http://")) else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Foreign text for a page: its beginning, and all of it."""

    head: str
    whole: str

    @property
    def is_cut(self) -> bool:
        return self.head != self.whole


@register.filter
def evidence(text: str) -> Evidence:
    """Evidence with control characters made visible, long ones with a beginning of their own."""
    whole = visible(text)
    head = "\n".join(whole.split("\n")[:EVIDENCE_LINES])[:EVIDENCE_CHARS]
    return Evidence(head, whole)


@register.filter
def is_fresh(moment: datetime) -> bool:
    """Less than a minute ago, for which "0 minutes" reads badly."""
    return moment > timezone.now() - timedelta(minutes=1)


@register.filter
def phases_done(scan: Scan) -> int:
    return sum(bool(all_ and done == all_) for _, done, all_ in scan.phases)


@register.filter
def icon(state: State) -> str:
    """The name of the state's shape in the sprite."""
    return _STATE_ICONS[state]


@register.filter
def state_word(state: State | str) -> str:
    """The state in words; never shown by colour alone."""
    return {
        State.MET: pgettext("state", "met"),
        State.WARNING: pgettext("state", "warning"),
        State.NOT_MET: pgettext("state", "not met"),
        State.COULD_NOT_CHECK: pgettext("state", "could not check"),
        State.NEEDS_YOU: pgettext("state", "needs you"),
        State.ACCEPTED: pgettext("state", "accepted"),
        State.NOT_APPLICABLE: pgettext("state", "not applicable"),
    }[State(state)]


@register.simple_tag
def state_mark(state: State | str) -> SafeString:
    """Shape and word of a state; made once for each language, as pages hold hundreds."""
    return _state_mark(State(state), get_language() or "en")


@cache
def _state_mark(state: State, language: str) -> SafeString:
    return format_html(
        '<span class="state state-{}">{}{}</span>', state, shape(icon(state)), state_word(state)
    )


@register.simple_tag
def level_mark(level: Level | str) -> SafeString:
    """A level in words, with its dot."""
    return _level_mark(Level(level), get_language() or "en")


@cache
def _level_mark(level: Level, language: str) -> SafeString:
    return format_html('<span class="level level-{}">{}</span>', level, level_word(level))


@register.simple_tag
def shape(name: str) -> SafeString:
    """A shape of the sprite, for eyes alone."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name
    )


@register.filter
def met_of(count: LevelCount) -> str:
    """As “24 of 28”: quicker than a block of a template, on a page that says it a hundred times."""
    return gettext("%(met)s of %(all)s") % {"met": count.met, "all": count.applicable}


@register.filter
def first_step(text: Text) -> str:
    """The first sentence of a fix, in the reader's language."""
    return _first_step(tr(text))


@lru_cache(maxsize=1000)
def _first_step(text: str) -> str:
    lines = text.strip("\n").split("\n\n")[0].split("\n")
    prose = " ".join(line.strip() for line in lines if not line.startswith("    "))
    found = _SENTENCE.match(prose)
    first = found.group() if found else prose
    if first.endswith((":", "：")):  # commands or a list follow, on the item's page
        first = f"{first[:-1].rstrip()} …"
    if len(first) <= STEP_CHARS:
        return first
    kept = first[: STEP_CHARS - 1]
    end = kept.rfind(" ", STEP_CHARS - 20)  # between words, where the script has spaces
    return f"{kept[:end].rstrip(' ,')}…"


STEP_CHARS = 180
# Up to a full stop before a space, or a Japanese one anywhere; a colon ends a sentence only before a command.
_SENTENCE = re.compile(r".+?(?:\.(?=\s|$)|:$|。|：$)", re.DOTALL)


@register.filter
def trouble_word(trouble: Trouble) -> str:
    """What is wrong with the watching of an instance."""
    return {
        Trouble.HOST_KEY: gettext("SSH stopped: another host key"),
        Trouble.FAILED: gettext("the last look broke off"),
        Trouble.UNREACHED: gettext("not reached"),
        Trouble.NEVER: gettext("not looked at yet"),
        Trouble.PAUSED: gettext("paused"),
    }[trouble]


@register.filter
def trouble_icon(trouble: Trouble) -> str:
    return {
        Trouble.HOST_KEY: "key",
        Trouble.FAILED: "broken",
        Trouble.UNREACHED: "unreached",
        Trouble.NEVER: "waiting",
        Trouble.PAUSED: "paused",
    }[trouble]


@register.filter
def condition_word(condition: Condition) -> str:
    """What the overview can be narrowed to."""
    own = {
        Condition.NEEDS_A_HAND: gettext("needs a hand"),
        Condition.NOT_MET: gettext("required items not met"),
        Condition.MET: gettext("every required item met"),
        Condition.CHANGED: gettext("changed at the last look"),
    }
    return own[condition] if condition in own else trouble_word(Trouble(condition.value))


@register.filter
def order_word(order: str) -> str:
    """An order of the checklist."""
    return {
        "topic": gettext("by topic"),
        "level": gettext("by level"),
        "source": gettext("by source"),
    }[order]


@register.filter
def mail_word(item_id: str) -> str:
    """The short name that admins use for a mail item."""
    return {
        "mail.spf": "SPF",
        "mail.dkim": "DKIM",
        "mail.dmarc": "DMARC",
        "mail.mta_sts": "MTA-STS",
        "mail.dane": "DANE",
    }.get(item_id, item_id)


@register.filter
def waiver_word(kind: str) -> str:
    return str(WaiverKind(kind).label) if kind in WaiverKind.values else kind


@register.filter
def level_word(level: Level | str) -> str:
    return {
        Level.REQUIRED: gettext("required"),
        Level.RECOMMENDED: gettext("recommended"),
        Level.OPTIONAL: gettext("optional"),
    }[Level(level)]


@register.filter
def phase_word(phase: str) -> str:
    """A phase of a scan in words."""
    return {
        "dns": gettext("DNS"),
        "mail": gettext("Mail policy"),
        "tls": gettext("TLS and certificates"),
        "web": gettext("Web headers"),
        "software": gettext("Fediverse software"),
        "ssh": gettext("SSH"),
        "ports": gettext("Open ports"),
        "inside": gettext("Inside the server"),
    }.get(phase, phase)


@register.filter
def source_word(number: str) -> str:
    """The name of a source text."""
    return {
        "000": gettext("Securing Mastodon Instances"),
        "001": gettext("Setting up a secure Mastodon server"),
        "002": gettext("Security of a Mastodon instance (blog)"),
        "003": gettext("Mastodon admins' security checklist, 2020 edition"),
        "004": gettext("Akkoma: hardening your instance"),
        "+": gettext("field practice"),
    }.get(number, number)
