"""What the pages of channels call things."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fedisec.alerts.models import CHOSEN_KINDS, ChannelKind, MailKind

CHANNEL_KINDS: dict[str, Promise] = {
    ChannelKind.WEBHOOK.value: _("Webhook"),
    ChannelKind.APPRISE.value: _("Message service"),
}
LEVELS: list[tuple[str, Promise]] = [
    ("required", _("required")),
    ("recommended", _("recommended")),
    ("optional", _("optional")),
]
_TOLD: dict[MailKind, Promise] = {
    MailKind.REGRESSION: _("An item is no longer met"),
    MailKind.RECOVERY: _("An item is met again"),
    MailKind.UNREACHABLE: _("A server does not answer, or answers again"),
    MailKind.FLAPPING: _("An item goes to and fro"),
    MailKind.BLIND: _("Items could not be seen three times in a row"),
    MailKind.CERTIFICATE: _("A certificate ends soon"),
    MailKind.ENDING: _("An answer or a waiver ends"),
    MailKind.NEWS: _("A release or a warning about the software"),
}
# Reminders go to people, who can acknowledge what they are reminded of.
KINDS = [(kind.value, _TOLD[kind]) for kind in CHOSEN_KINDS if kind in _TOLD]
_OTHER: dict[str, Promise] = {
    MailKind.HOST_KEY.value: _("Another SSH host key"),
    MailKind.OUTAGE.value: _("fedisec itself saw nothing"),
    MailKind.TEST.value: _("Test"),
}
_ALL: dict[str, Promise] = {kind.value: word for kind, word in _TOLD.items()} | _OTHER
DELIVERY_STATES: dict[str, tuple[str, str, Promise]] = {  # colour, shape, word
    "pending": ("could_not_check", "waiting", pgettext_lazy("delivery", "waiting")),
    "sending": ("could_not_check", "waiting", pgettext_lazy("delivery", "on its way")),
    "sent": ("met", "met", pgettext_lazy("delivery", "taken")),
    "failed": ("not_met", "not-met", pgettext_lazy("delivery", "given up")),
}
STOPPED: dict[str, Promise] = {
    "gone": _("The receiver answered 410 (gone), so fedisec switched the channel off."),
}


def kind_word(kind: str) -> str:
    """What a delivery is about."""
    return str(_ALL.get(kind, kind))
