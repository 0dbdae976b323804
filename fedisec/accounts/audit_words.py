"""What each action of the trail is called.  An action without a word is shown as it is."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GROUPS: dict[str, Promise] = {
    "instance": _("Instances"),
    "ssh": _("SSH access"),
    "answer": _("Answers"),
    "note": _("Notes"),
    "own_item": _("Own items"),
    "share": _("Sharing"),
    "account": _("Accounts"),
}

ACTIONS: dict[str, Promise] = {
    "instance.added": _("Instance added"),
    "instance.changed": _("Instance changed"),
    "instance.paused": _("Watching paused"),
    "instance.resumed": _("Watching resumed"),
    "ssh.key_made": _("Key made"),
    "ssh.access_changed": _("Access changed"),
    "ssh.tested": _("Connection tested"),
    "ssh.connected": _("Host key confirmed"),
    "ssh.host_key_changed": _("Another host key appeared; logins stopped"),
    "ssh.key_resealed": _("Key sealed anew"),
    "ssh.disconnected": _("Disconnected, key destroyed"),
    "answer.attested": _("Answered"),
    "answer.waived": _("Accepted"),
    "answer.withdrawn": _("Answer taken back"),
    "note.added": _("Note written"),
    "own_item.added": _("Own item added"),
    "own_item.changed": _("Own item changed"),
    "own_item.removed": _("Own item removed"),
    "share.opened": _("Public page opened"),
    "share.closed": _("Public page closed"),
    "account.created": _("Account created"),
    "account.password_changed": _("Password changed"),
}


def action_word(action: str) -> str:
    return str(ACTIONS.get(action, action))


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """For a select, by group: "ssh." stands for every action of SSH."""
    found = []
    for key, word in GROUPS.items():
        mine = [(action, str(told)) for action, told in ACTIONS.items() if action.startswith(f"{key}.")]
        found.append((str(word), [(f"{key}.", str(_("%(group)s: all") % {"group": word})), *mine]))
    return found
