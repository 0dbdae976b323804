"""Who may do what: every address of the project, by its URL name, and how it answers whom.

Six answers stand in the order of `ROLES`: anonymous, stranger, viewer, editor, owner, operator.  The stranger owns another
team; the operator runs the installation and is in no team.  "login" is a redirect to the sign-in page.  GET asks for
a page as it is, POST sends the form of `forms.FORMS` (an empty one where there is none).  A method that a row
does not name is answered as `REST` says, or as the row's "rest".

What belongs to a team does not exist for anybody else: 404, never 403, and the same for a role that does not
suffice.  A row for an address that is gone fails, as does an address without a row."""

from __future__ import annotations

ROLES = ("anonymous", "stranger", "viewer", "editor", "owner", "operator")
Row = dict[str, str]

REST = "login 405 405 405 405 405"
_OPEN = "405 405 405 405 405 405"


def _row(get: str = "", post: str = "", rest: str = "", **more: str) -> Row:
    found = {"GET": get, "POST": post, "rest": rest, **more}
    return {method: answers for method, answers in found.items() if answers}


# What each kind of thing answers.
VIEWERS = "login 404 200 200 200 404"
EDITORS = "login 404 404 200 200 404"
OWNERS = "login 404 404 404 200 404"
OPERATOR = "login 404 404 404 404 200"
ANYBODY = "login 200 200 200 200 200"
PUBLIC = "200 200 200 200 200 200"
_UNKNOWN = "401 401 401 401 401 401"
_NOBODY = "login 404 404 404 404 404"
VIEWERS_ACT = "login 404 302 302 302 404"
EDITORS_ACT = "login 404 404 302 302 404"
OWNERS_ACT = "login 404 404 404 302 404"
OPERATOR_ACTS = "login 404 404 404 404 302"
ANYBODY_ACTS = "login 302 302 302 302 302"
# Adding something needs a team in which one is an editor: the stranger has one, of his own.
ADDERS = "login 200 404 200 200 404"
ADDERS_ACT = "login 302 404 302 302 404"

OURS: dict[str, Row] = {
    # Everybody's own pages
    "overview": _row(ANYBODY),
    "words": _row(ANYBODY),
    "view_save": _row(post=ANYBODY_ACTS),
    "view_drop": _row(post=OWNERS_ACT),  # a view is its maker's alone, who is the owner here
    "profile": _row(ANYBODY, ANYBODY_ACTS),
    "sessions": _row(ANYBODY),
    "session_end": _row(post=OWNERS_ACT),  # one's own, who is the owner here
    "sessions_end_others": _row(post=ANYBODY_ACTS),
    "tokens": _row(ANYBODY, ANYBODY_ACTS),  # nobody here has the factor that making one needs
    "token_revoke": _row(post=OWNERS_ACT),  # one's own, who is the owner here
    "mfa_index": _row(ANYBODY),
    "mfa_list_webauthn": _row(ANYBODY),  # the same page, as allauth calls it
    "recovery_codes": _row(ANYBODY_ACTS, ANYBODY_ACTS),  # nobody here has a factor that they would be for
    "mfa_edit_webauthn": _row(_NOBODY, _NOBODY),
    "mfa_remove_webauthn": _row(_NOBODY, _NOBODY),
    "totp_qr": _row(_NOBODY),  # no key is being added
    "notifications": _row(ANYBODY, ANYBODY_ACTS),
    "snooze": _row(post=ANYBODY_ACTS),
    "mail_address": _row(ANYBODY, "login 422 422 422 422 422"),
    "mail_address_again": _row(post=ANYBODY_ACTS),
    "mail_test": _row(post=ANYBODY),
    "mail_log": _row(ANYBODY),  # one's own, and those of channels that one's team owns
    "mail_again": _row(post="login 404 404 404 302 302"),
    # An instance
    "instance_add": _row(ADDERS, "login 422 404 422 422 404"),  # no DNS here: the form comes back
    "instance": _row(VIEWERS),
    "instance_edit": _row(EDITORS, EDITORS_ACT),
    "instance_remove": _row(OWNERS, OWNERS_ACT),
    "instance_move": _row(_NOBODY, _NOBODY),  # to another team of the owner's, who has no other here
    "scan_now": _row(post=EDITORS_ACT),
    "progress": _row(VIEWERS_ACT),  # nothing runs: back to the page
    "proof": _row(EDITORS, EDITORS_ACT),
    "inventory": _row(VIEWERS, EDITORS_ACT),
    "inventory_line": _row(post=EDITORS_ACT),
    "grade_note": _row(post=EDITORS_ACT),
    "scans": _row(VIEWERS),
    "compare": _row(VIEWERS),
    "changes": _row(VIEWERS),
    "trend": _row(VIEWERS),
    "hearing": _row(post=VIEWERS_ACT),  # one's own mails
    "news": _row(VIEWERS),
    "news_say": _row(post=EDITORS_ACT),
    # Its items
    "item": _row(VIEWERS),
    "look": _row(VIEWERS_ACT, EDITORS_ACT),
    "answer": _row(post=EDITORS_ACT),
    "waive": _row(post=EDITORS_ACT),
    "withdraw": _row(post=EDITORS_ACT),
    "remark": _row(post=EDITORS_ACT),
    "answer_several": _row(post=EDITORS_ACT),
    "undo": _row(post=EDITORS_ACT),
    "acknowledge": _row(post=EDITORS_ACT),
    "dkim_message": _row(post="login 404 404 422 422 404"),  # there is no mail in it
    "mails": _row(post=EDITORS_ACT),
    "follow": _row(post=EDITORS_ACT),
    # SSH
    "ssh": _row(VIEWERS, EDITORS_ACT),
    "ssh_script": _row(EDITORS),
    "ssh_test": _row(post=EDITORS_ACT),
    "ssh_confirm": _row(post=EDITORS_ACT),
    "ssh_disconnect": _row(EDITORS, EDITORS_ACT),
    # What leaves the house
    "export": _row(VIEWERS, HEAD=VIEWERS),
    "export_overview": _row(ANYBODY, HEAD=ANYBODY),
    "share": _row(VIEWERS, OWNERS_ACT),
    "share_rotate": _row(post=OWNERS_ACT),
    "share_close": _row(post=OWNERS_ACT),
    "public": _row(PUBLIC, rest=_OPEN, HEAD=PUBLIC),
    "badge": _row(PUBLIC, rest=_OPEN, HEAD=PUBLIC),
    "demo": _row(VIEWERS, EDITORS_ACT),
    # A team's
    "own_items": _row(ANYBODY),
    "own_item_add": _row(ADDERS, "login 422 404 302 302 404"),  # the form names an instance of the team
    "own_item_edit": _row(EDITORS, EDITORS_ACT),
    "own_item_retire": _row(post=EDITORS_ACT),
    "own_item_restore": _row(post=EDITORS_ACT),
    "channels": _row(ANYBODY),
    "channel_add": _row(ADDERS, "login 422 404 302 302 404"),
    "channel": _row(EDITORS),
    "channel_edit": _row(EDITORS, EDITORS_ACT),
    "channel_test": _row(post=EDITORS_ACT),
    "channel_secret": _row(post=EDITORS_ACT),
    "channel_rotate": _row(post=EDITORS_ACT),
    "channel_remove": _row(EDITORS, EDITORS_ACT),
    "channel_on": _row(post=EDITORS_ACT),
    "channel_off": _row(post=EDITORS_ACT),
    "audit": _row(ANYBODY),  # empty for who is neither editor nor owner anywhere
    "audit_export": _row(ANYBODY),
    "teams": _row(ANYBODY, ANYBODY_ACTS),
    "team": _row("login 404 200 200 200 200"),
    "team_rename": _row(post=OWNERS_ACT),
    "team_leave": _row(VIEWERS, "login 404 302 302 422 404"),  # the last owner stays
    "team_delete": _row(OWNERS, "login 404 404 404 422 404"),  # it watches something
    "team_invite": _row(post="login 404 404 404 200 200"),
    "team_uninvite": _row(post="login 404 404 404 302 302"),
    "member_role": _row(post="login 404 404 404 302 302"),
    "member_remove": _row("login 404 404 404 200 200", "login 404 404 404 302 302"),
    # The installation's
    "system": _row(OPERATOR),
    "sources": _row(ANYBODY),
    "source_add": _row(OPERATOR, OPERATOR_ACTS),
    "source_turn": _row(post=OPERATOR_ACTS),
    "source_read": _row(post=OPERATOR_ACTS),
    "source_remove": _row(post=OPERATOR_ACTS),
    "mail_server": _row(OPERATOR, OPERATOR_ACTS),
    "mail_server_remove": _row(post=OPERATOR_ACTS),
    # Open to anybody
    # For programs: without a token nobody is anybody, whatever cookie he has; tests/api/test_access.py has the rest
    "api": {"rest": _UNKNOWN},
    "metrics": {"rest": _OPEN, "GET": _UNKNOWN, "HEAD": _UNKNOWN},
    "api_document": _row(PUBLIC, rest=_OPEN, HEAD=PUBLIC),
    "healthz": _row(PUBLIC, rest=_OPEN, HEAD=PUBLIC),
    "readyz": _row(PUBLIC, rest=_OPEN, HEAD=PUBLIC),
    "setup": _row("410 410 410 410 410 410", "410 410 410 410 410 410", rest=_OPEN),
    "theme": _row(post="302 302 302 302 302 302", rest=_OPEN),
    "set_language": _row(post="302 302 302 302 302 302", rest=_OPEN),
    # Makes an account for nobody who has one; whoever is signed in needs the very address that is invited.
    "invitation": _row(PUBLIC, "302 422 422 422 422 422", rest=_OPEN),
    "unsubscribe": _row(PUBLIC, PUBLIC, rest=_OPEN, HEAD=PUBLIC),
}


def _view(get: str, post: str = "", options: str = "", rest: str = _OPEN) -> Row:
    """A view of allauth's, whose classes answer HEAD like GET, PUT like POST, and tell their methods."""
    found = {"GET": get, "HEAD": get, "POST": post or rest, "PUT": post or rest, "rest": rest}
    return {**found, "OPTIONS": options or PUBLIC}


_GUESTS = "200 302 302 302 302 302"  # who is signed in is led back
_MEMBERS = "login 405 405 405 405 405"

ALLAUTH: dict[str, Row] = {
    "account_login": {**_view(_GUESTS, _GUESTS, _GUESTS, "405 302 302 302 302 302")},
    "account_logout": {**_view(ANYBODY, "login login login login login login"), "PUT": _OPEN},
    "account_inactive": _view(PUBLIC),
    "account_signup": {"rest": _GUESTS},  # it says that there is none
    "account_reauthenticate": _view(ANYBODY, ANYBODY, ANYBODY, _MEMBERS),
    "account_email": _row(ANYBODY, "login 422 422 422 422 422"),  # the address is our page's: mail_address
    "account_email_verification_sent": _view(PUBLIC),
    "account_change_password": _view(ANYBODY, ANYBODY, ANYBODY, _MEMBERS),
    "account_set_password": {"rest": ANYBODY_ACTS},  # for who has none; everybody has one
    "account_reset_password": _view(PUBLIC, PUBLIC),
    "account_reset_password_done": _view(PUBLIC),
    "account_reset_password_from_key": {"rest": PUBLIC},  # to whatever method: this link does not work
    "account_reset_password_from_key_done": _view(PUBLIC),
    "account_confirm_email": {**_view(PUBLIC, "404 404 404 404 404 404"), "PUT": _OPEN},
    "mfa_authenticate": {"rest": "login 302 302 302 302 302"},  # no sign-in is under way
    "mfa_reauthenticate": {"rest": "login 302 302 302 302 302"},  # by a factor that nobody here has
    "mfa_reauthenticate_webauthn": {"rest": "login 302 302 302 302 302"},
    "mfa_activate_totp": _view(ANYBODY, ANYBODY, ANYBODY, _MEMBERS),
    "mfa_deactivate_totp": {"rest": _NOBODY},
    "mfa_add_webauthn": {"rest": ANYBODY_ACTS},  # there are none over plain HTTP
    "mfa_login_webauthn": {
        **_view("login 302 302 302 302 302", rest="405 302 302 302 302 302"),
        "POST": "login 302 302 302 302 302",
        "PUT": "login 302 302 302 302 302",
        "OPTIONS": "200 302 302 302 302 302",
    },
    "account_confirm_login_code": {"rest": ANYBODY_ACTS},  # there are no such codes
}

TABLE: dict[str, Row] = {**OURS, **ALLAUTH}
