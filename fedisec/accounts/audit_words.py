"""What each action of the trail is called.  An action without a word is shown as it is."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from checks.errors import Reason
from checks.reasons import REASONS

GROUPS: dict[str, Promise] = {
    "instance": _("Instances"),
    "ssh": _("SSH access"),
    "answer": _("Answers"),
    "note": _("Notes"),
    "own_item": _("Own items"),
    "alert": _("Mails"),
    "incident": _("Regressions"),
    "channel": _("Channels"),
    "mail_server": _("Mail server"),
    "mail": _("Delivery"),
    "feeds": _("News"),
    "warning": _("Warnings"),
    "inventory": _("Inventory"),
    "source": _("Feeds"),
    "grade": _("Second opinions"),
    "share": _("Sharing"),
    "demo": _("Demo"),
    "account": _("Accounts"),
    "token": _("Tokens"),
    "export": _("Files taken along"),
    "team": _("Teams"),
    "installation": _("Installation"),
}

ACTIONS: dict[str, Promise] = {
    "instance.added": _("Instance added"),
    "instance.changed": _("Instance changed"),
    "instance.paused": _("Watching paused"),
    "instance.resumed": _("Watching resumed"),
    "instance.removed": _("Instance removed"),
    "instance.proven": _("Domain proven to be the team's"),
    "instance.proof_missed": _("Proof of control no longer found"),
    "ssh.key_made": _("Key made"),
    "ssh.access_changed": _("Access changed"),
    "ssh.tested": _("Connection tested"),
    "ssh.connected": _("Host key confirmed"),
    "ssh.host_key_changed": _("Another host key appeared; logins stopped"),
    "ssh.key_resealed": _("Key sealed anew"),
    "ssh.disconnected": _("Disconnected, key destroyed"),
    "answer.attested": _("Answered"),
    "answer.waived": _("Set aside"),
    "answer.withdrawn": _("Answer taken back"),
    "answer.undone": _("Answer undone"),
    "answer.ended": _("Answer ended by a newer look"),
    "note.added": _("Note written"),
    "note.undone": _("Note undone"),
    "own_item.added": _("Own item added"),
    "own_item.changed": _("Own item changed"),
    "own_item.retired": _("Own item retired"),
    "own_item.restored": _("Own item brought back"),
    "alert.joined": _("Mails switched on"),
    "alert.left": _("Mails switched off"),
    "alert.chosen": _("Choice of mails changed"),
    "alert.snoozed": _("Mails held for a while"),
    "alert.resumed": _("Mails no longer held"),
    "alert.unsubscribed": _("Mails ended by the link in one"),
    "incident.acknowledged": _("Regression acknowledged"),
    "incident.taken_back": _("Acknowledgement taken back"),
    "channel.added": _("Channel added"),
    "channel.changed": _("Channel changed"),
    "channel.switched_on": _("Channel switched on"),
    "channel.switched_off": _("Channel switched off"),
    "channel.stopped": _("Channel switched off by fedisec"),
    "channel.tested": _("Channel tested"),
    "channel.rotated": _("Another signing secret made"),
    "channel.secret_shown": _("Signing secret shown"),
    "channel.removed": _("Channel removed"),
    "mail_server.changed": _("Mail server changed"),
    "mail_server.removed": _("Mail server removed"),
    "mail.tested": _("Test mail sent"),
    "mail.again": _("Mail tried again by hand"),
    "feeds.followed": _("News switched on"),
    "feeds.left": _("News switched off"),
    "warning.concerns": _("Warning: concerns us"),
    "warning.not": _("Warning: does not concern us"),
    "warning.done": _("Warning: done"),
    "warning.open": _("Warning: back to read"),
    "inventory.stated": _("Product written down by hand"),
    "inventory.confirmed": _("Product by hand confirmed"),
    "inventory.removed": _("Product by hand removed"),
    "inventory.over": _("Product by hand no longer confirmed"),
    "source.added": _("Feed added"),
    "source.removed": _("Feed removed"),
    "source.on": _("Feed switched on"),
    "source.off": _("Feed switched off"),
    "source.believed": _("Feed believed that was held"),
    "grade.noted": _("Grade noted"),
    "share.opened": _("Public page opened"),
    "share.changed": _("Public page shows something else"),
    "share.rotated": _("Public page moved to another address"),
    "share.closed": _("Public page closed"),
    "demo.added": _("Demo servers added"),
    "demo.removed": _("Demo servers removed"),
    "account.created": _("Account created"),
    "account.signed_in": _("Signed in"),
    "account.sign_in_failed": _("Sign-in failed: wrong password or address"),
    "account.signed_out": _("Signed out"),
    "account.factor_used": _("Second factor used"),
    "account.factor_failed": _("Second factor failed"),
    "account.factor_added": _("Second factor added"),
    "account.factor_removed": _("Second factor removed"),
    "account.codes_made": _("Recovery codes made"),
    "account.codes_removed": _("Recovery codes removed"),
    "account.password_changed": _("Password changed"),
    "account.password_reset": _("Password reset by the link of a mail"),
    "account.address_confirmed": _("Mail address confirmed"),
    "account.session_ended": _("Session ended"),
    "account.unlocked": _("Account unlocked"),
    "token.made": _("Token made"),
    "token.revoked": _("Token revoked"),
    "export.taken": _("File taken along"),
    "export.trail_taken": _("Trail taken along"),
    "team.created": _("Team made"),
    "team.renamed": _("Team renamed"),
    "team.deleted": _("Team deleted"),
    "team.invited": _("Invited"),
    "team.uninvited": _("Invitation revoked"),
    "team.joined": _("Joined the team"),
    "team.role_changed": _("Role changed"),
    "team.removed": _("Removed from the team"),
    "team.left": _("Left the team"),
    "instance.moved": _("Moved to another team"),
    "installation.keys_rotated": _("Keys of the installation changed"),
    "installation.exported": _("Installation exported"),
    "installation.imported": _("Installation imported"),
    "installation.restored": _("Installation restored from a backup"),
    "installation.secrets_forgotten": _("What no key opens was given up"),
    "installation.changed": _("Setting of the installation changed"),
}


# What stands in `before` and `after` as a code.
STATES: dict[str, Promise] = {
    "met": pgettext_lazy("state", "met"),
    "warning": pgettext_lazy("state", "warning"),
    "not_met": pgettext_lazy("state", "not met"),
    "could_not_check": pgettext_lazy("state", "could not check"),
    "needs_you": pgettext_lazy("state", "needs you"),
    "accepted": pgettext_lazy("state", "accepted"),
    "not_applicable": pgettext_lazy("state", "not applicable"),
}
OUTCOMES: dict[str, Promise] = {
    "report": _("the report came"),
    "host key": _("the server showed its host key"),
}


def value_word(action: str, value: str) -> str:
    """`before` or `after` as it is read; what is no code stays as it is."""
    if action.startswith("answer."):
        return str(STATES.get(value, value))
    if action != "ssh.tested":
        return value
    reason = next((one for one in Reason if one.value == value), None)
    return str(OUTCOMES.get(value, value)) if reason is None else _sentence(reason)


def _sentence(reason: Reason) -> str:
    return REASONS[reason].in_language(get_language() or "en")


def action_word(action: str) -> str:
    return str(ACTIONS.get(action, action))


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """For a select, by group: "ssh." stands for every action of SSH."""
    found = []
    for key, word in GROUPS.items():
        mine = [(action, str(told)) for action, told in ACTIONS.items() if action.startswith(f"{key}.")]
        found.append((str(word), [(f"{key}.", str(_("%(group)s: all") % {"group": word})), *mine]))
    return found
