"""Where registration is open: must the mail address be confirmed?  Where strangers are not told, the
configuration tells, or an admin is asked."""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.instance import InstanceInfo
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    not_applicable,
    passed,
)
from checks.parse.host.app_config import parse_app_config
from checks.parse.host.sections import lines_if_any

AKKOMA = """
    config :pleroma, :instance,
      account_activation_required: true"""

PIXELFED = """
    ENFORCE_EMAIL_VERIFICATION=true"""

PEERTUBE = """
    signup:
      requires_email_verification: true"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        INSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Sign-ups"),),
    references=(
        Reference(
            "Akkoma: Configuration cheat sheet", "https://docs.akkoma.dev/stable/configuration/cheatsheet/"
        ),
        Reference("GoToSocial: SMTP", "https://docs.gotosocial.org/en/latest/configuration/smtp/"),
    ),
    title=Text(
        "New accounts must confirm their mail address", "新規登録でメールアドレスの確認を必須にしている"
    ),
    why=Text(
        "A confirmed address costs a bot something and gives you a way to reach the account's owner. Without it one script makes accounts as fast as your server answers.",
        "確認を必須にするとボットの手間が増え、利用者への連絡手段にもなります。なければ、サーバの応答する速さでアカウントが量産されます。",
    ),
    expected=Text(
        "Where sign-up is open, an account cannot be used until the link in a mail was followed.",
        "新規登録を受け付けている場合、メールのリンクを開くまでアカウントを使えない状態。",
    ),
    fix=Fix(
        Text(
            "Outgoing mail has to work first; then switch confirmation on. Mastodon always asks for it.",
            "先にメールが送信できることを確認してから有効にします。Mastodon では常に必須です。",
        ),
        variants=(
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Control panel, e-mail server: set it up, then require an address for sign-up under Security or General.",
                    "コントロールパネルでメールサーバを設定し、登録時のメールアドレスを必須にします。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "The sample file switches it off:\n" + PIXELFED,
                    "見本の設定では無効になっています。\n" + PIXELFED,
                ),
            ),
            ("PeerTube", Text("Set these lines:\n" + PEERTUBE, "設定例：\n" + PEERTUBE)),
        ),
    ),
    verify=Text(
        "Make a test account: it must stay locked until its mail is confirmed.",
        "試しに登録し、メールを確認するまで使えないことを確かめます。",
    ),
    codes={
        "required": Text("The address must be confirmed.", "メールアドレスの確認が必須です。"),
        "closed": Text(
            "Nobody can sign up, so nothing has to be confirmed.", "新規登録を受け付けていません。"
        ),
        "not_shown": Text(
            "Sign-up is open, and this software does not show strangers whether addresses are confirmed. Please answer.",
            "新規登録を受け付けています。メールアドレスの確認が必須かどうかは外部からわからないため、回答してください。",
        ),
        "by_smtp": Text(
            "Sign-up is open, and GoToSocial has a mail server to send the confirmation by.",
            "新規登録を受け付けていて、GoToSocial に確認メールを送るサーバが設定されています。",
        ),
        "no_smtp": Text(
            "Sign-up is open, and GoToSocial has no mail server, so it confirms no address.",
            "新規登録を受け付けていますが、GoToSocial に送信サーバの設定がないため、メールアドレスは確認されません。",
        ),
        "not_required": Text(
            "Accounts work without a confirmed address.",
            "メールアドレスを確認しなくてもアカウントを使えます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if not seen(info.registrations_open):
        return not_applicable("closed")
    if isinstance(info.email_confirmation, Missing) and info.email_confirmation.reason is Reason.NOT_ASKED:
        return _from_inside(facts) or asked("not_shown").seen("instance API", "registrations: true")
    if seen(info.email_confirmation):
        return passed("required").seen("instance API", "e-mail confirmation: required")
    return failed("not_required").seen(
        "instance API", "registrations: true, e-mail confirmation: not required"
    )


def _from_inside(facts: Facts) -> Verdict | None:
    """GoToSocial asks for a confirmation wherever it can send mail.  What Pixelfed's file says, its database
    may say otherwise."""
    software, lines = facts.maybe(Software), lines_if_any(facts, "app_config")
    if software is None or software.family != "gotosocial" or lines is None:
        return None
    files = [file for file in parse_app_config(lines).of("gotosocial").read if file.values]
    for file in files:
        where, server = f"inside: {file.path}", file.text("smtp-host")
        if server:
            return passed("by_smtp").seen(where, f"smtp-host: {server}")
    for file in files:
        return (
            failed("no_smtp")
            .seen(f"inside: {file.path}", "smtp-host: not set")
            .seen("instance API", "registrations: true")
        )
    return None
