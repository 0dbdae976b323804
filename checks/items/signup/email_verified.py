"""Where registration is open: must the mail address be confirmed?  Where strangers are not told, an admin is asked."""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.instance import InstanceInfo
from checks.model import (
    INSIDE,
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    not_applicable,
    passed,
)

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
            ("Akkoma, Pleroma", Text("The lines for it:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
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
            ("PeerTube", Text("The lines for it:\n" + PEERTUBE, "設定例：\n" + PEERTUBE)),
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
        return asked("not_shown").seen("instance API", "registrations: true")
    if seen(info.email_confirmation):
        return passed("required").seen("instance API", "e-mail confirmation: required")
    return failed("not_required").seen(
        "instance API", "registrations: true, e-mail confirmation: not required"
    )
