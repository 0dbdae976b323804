"""One mail, ready to send, in its reader's language and time zone; and the words of what a scan changed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from checks.clean import clean
from checks.items import all_items
from checks.model import Level
from fedisec.alerts.host_key import about_host_key
from fedisec.alerts.models import Delivery, DeliveryState, MailKind
from fedisec.alerts.words import Words, subject_line
from fedisec.instances.models import Instance
from fedisec.lib.middleware import zone
from fedisec.scans.models import Change, ItemState
from fedisec.scans.settle import Kind

EVIDENCE_MAX = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One item of the mail.  `fix` is the first step, `commands` what stands right below it."""

    title: str
    level: str
    link: str
    seen: str
    where: str
    evidence: str
    why: str
    fix: str
    commands: str

    @property
    def indented_commands(self) -> str:
        return textwrap.indent(self.commands, " " * 7)


def letter_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of `delivery`, ready to send."""
    user = delivery.user
    assert user is not None
    language = user.language or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone(user.time_zone)):
        words = _WORDS[MailKind(delivery.kind)](delivery, language)
        letter = EmailMultiAlternatives(
            subject=words.subject,
            body=render_to_string(f"mail/{words.template}.txt", words.context),
            to=[user.email],
            headers=_headers(delivery, is_answer=words.is_answer),
        )
        letter.attach_alternative(render_to_string(f"mail/{words.template}.html", words.context), "text/html")
    return letter


def about_changes(delivery: Delivery, language: str) -> Words:
    """All changes that `delivery` tells of."""
    assert delivery.instance is not None
    changes = _in_order(Change.objects.filter(notices__delivery=delivery.pk))
    worse = [change for change in changes if change.kind == Kind.REGRESSED]
    better = [change for change in changes if change.kind == Kind.RECOVERED]
    return Words(
        subject(delivery.instance.name, worse, better),
        "alert",
        _context(delivery, delivery.instance, worse, better, language),
        is_answer=not worse,
    )


_WORDS: dict[MailKind, Callable[[Delivery, str], Words]] = {
    MailKind.REGRESSION: about_changes,
    MailKind.RECOVERY: about_changes,
    MailKind.HOST_KEY: about_host_key,
}


def _in_order(changes: Iterable[Change]) -> list[Change]:
    """As the checklist orders them, required before recommended."""
    place = {key: number for number, key in enumerate(all_items())}
    return sorted(
        changes, key=lambda c: (_level(c.item_id) is not Level.REQUIRED, place.get(c.item_id, 9999))
    )


def _level(item_id: str) -> Level | None:
    item = all_items().get(item_id)
    return item.level if item is not None else None


def _context(
    delivery: Delivery, instance: Instance, worse: Sequence[Change], better: Sequence[Change], language: str
) -> dict[str, object]:
    domain = instance.domain
    failing = ItemState.objects.filter(instance=instance, settled="fail")
    return {
        "language": language,
        "name": clean(instance.name, 253, newlines=False),
        "seen_at": max((change.created_at for change in (*worse, *better)), default=delivery.created_at),
        "worse": [line(change, domain, language) for change in worse],
        "better": [line(change, domain, language) for change in better],
        "still": failing.exclude(item_id__in=[change.item_id for change in worse]).count(),
        "link": settings.PUBLIC_URL + reverse("instance", args=[domain]),
    }


def _headers(delivery: Delivery, *, is_answer: bool) -> dict[str, str]:
    headers = {"Message-ID": delivery.message_id, "Auto-Submitted": "auto-generated"}
    if is_answer:
        before = Delivery.objects.filter(
            user=delivery.user_id,
            notices__incident__notices__delivery=delivery.pk,
            pk__lt=delivery.pk,
            state=DeliveryState.SENT,
        )
        asked = before.order_by("-pk").values_list("message_id", flat=True).first()
        if asked:
            headers |= {"In-Reply-To": asked, "References": asked}
    return headers


def subject(name: str, worse: Sequence[Change], better: Sequence[Change]) -> str:
    """One line that says what happened, in the active language; the name is cut before the news is."""
    required = sum(_level(change.item_id) is Level.REQUIRED for change in worse)
    values = {"count": len(worse) or len(better), "required": required}
    if not worse:
        news = ngettext("%(count)d item is met again", "%(count)d items are met again", len(better))
    elif required == len(worse):
        news = ngettext(
            "%(count)d required item is no longer met", "%(count)d required items are no longer met", required
        )
    elif required:
        news = _("%(count)d items are no longer met, %(required)d of them required")
    else:
        news = ngettext("%(count)d item is no longer met", "%(count)d items are no longer met", len(worse))
    return subject_line(name, news % values)


def line(change: Change, domain: str, language: str) -> Line:
    """What the mail says about one change, in `language`."""
    item = all_items().get(change.item_id)
    link = settings.PUBLIC_URL + reverse("item", args=[domain, change.item_id])
    if item is None:  # judged by another version, whose words we do not have
        return Line(change.item_id, "", link, change.code, *_evidence(change), "", "", "")
    code = item.codes.get(change.code)
    return Line(
        item.title.in_language(language),
        _level_word(item.level),
        link,
        code.filled(language, change.data) if code is not None else change.code,
        *_evidence(change),
        item.why.in_language(language),
        *first_step(item.fix.text.in_language(language)),
    )


def _evidence(change: Change) -> tuple[str, str]:
    """The first piece of what was seen: where, and what."""
    if not change.evidence:
        return "", ""
    label, text = change.evidence[0]
    return clean(label, EVIDENCE_MAX, newlines=False), clean(text, EVIDENCE_MAX, newlines=False)


def first_step(text: str) -> tuple[str, str]:
    """The first paragraph of a text, and the commands right below it ("" where there are none)."""
    words: list[str] = []
    commands: list[str] = []
    for part in text.strip("\n").split("\n"):
        if part.startswith("    "):
            commands.append(part[4:])
        elif part.strip() and not commands and words[-1:] != [""]:
            words.append(part)
        elif part.strip():
            break
        else:
            (commands if commands else words).append("")
    return "\n".join(words).strip(), "\n".join(commands).strip()


def _level_word(level: Level) -> str:
    return {
        Level.REQUIRED: _("required"),
        Level.RECOMMENDED: _("recommended"),
        Level.OPTIONAL: _("optional"),
    }[level]
