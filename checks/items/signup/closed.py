"""Is registration closed or by invitation?  Approval is a warning, open to everybody a fail.

NodeInfo's openRegistrations is true also where each account waits for approval, so it decides alone only when
the API says nothing more."""

from checks.facts import Facts, seen
from checks.facts.instance import InstanceInfo
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned

TOOTCTL = """
    RAILS_ENV=production bin/tootctl settings registrations close"""

AKKOMA = """
    config :pleroma, :instance,
      registrations_open: false,
      invites_enabled: true"""

PIXELFED = """
    OPEN_REGISTRATION=false"""

GTS = """
    accounts-registration-open: false"""

SEE = """
    curl -s https://example.social/nodeinfo/2.0 | grep -o '"openRegistrations":[a-z]*'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "運用/Mastodon"),),
    references=(
        Reference(
            "Mastodon: tootctl settings registrations close",
            "https://docs.joinmastodon.org/admin/tootctl/#settings-registrations-close",
        ),
        Reference("GoToSocial: New account sign-ups", "https://docs.gotosocial.org/en/latest/admin/signups/"),
    ),
    title=Text("New accounts cannot be made by just anybody", "新規登録を誰にでも開放していない"),
    why=Text(
        "Open registration is found by bots within days, and spam from your server gets it blocked by others. Closed or by invitation, the accounts are people you know of.",
        "登録を開放していると数日のうちにボットに見つかり、スパムの発信元として他サーバから遮断されます。閉じるか招待制にしておけば、把握している人だけになります。",
    ),
    expected=Text(
        "Registration is closed, or by invitation. Approval by a person gives a warning, registration without it is not met.",
        "新規登録を閉じているか、招待制にしている状態。承認制は「注意」、承認なしの開放は「未達成」です。",
    ),
    fix=Fix(
        Text(
            "Close registration in the administration pages of your software, and let people in by invitation. If the server is meant for the public, choose approval and answer the items on sign-up below.",
            "管理画面で新規登録を閉じ、招待で受け入れます。不特定多数を受け入れるサーバなら承認制にし、以下の新規登録の各項目も確認してください。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Administration, Server settings, Registrations: Nobody can sign up. Or:\n" + TOOTCTL,
                    "「管理 → サーバー設定 → 新規登録」で、登録を誰にも許可しない設定を選びます。コマンドでもできます。\n"
                    + TOOTCTL,
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Control panel, General: switch off registration; hand out invitation codes instead.",
                    "コントロールパネルの設定で新規登録の受け付けを切り、招待コードを発行します。",
                ),
            ),
            ("Pixelfed", Text("Set these lines:\n" + PIXELFED, "設定例：\n" + PIXELFED)),
            ("GoToSocial", Text("Set these lines:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "Open the sign-up page in a private window. NodeInfo tells the same, but stays true with approval on Mastodon:\n"
        + SEE,
        "プライベートウィンドウで登録ページを開いて確認します。NodeInfo でもわかりますが、Mastodon では承認制でも true になります。\n"
        + SEE,
    ),
    codes={
        "closed": Text("Registration is closed.", "新規登録は閉じています。"),
        "invites": Text("Registration is by invitation only.", "招待制です。"),
        "approval": Text(
            "Anybody may ask for an account; a person decides.", "誰でも申請でき、人が承認します。"
        ),
        "open": Text("Anybody gets an account without being asked.", "誰でも承認なしで登録できます。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if not seen(info.registrations_open):
        if info.invites_only is True:
            return passed("invites").seen("instance API", "registrations: false, invites: true")
        return passed("closed").seen("instance API", "registrations: false")
    if seen(info.approval_required):
        return warned("approval").seen("instance API", "registrations: true, approval_required: true")
    return failed("open").seen("instance API", "registrations: true, approval_required: false")
