"""Where registration is open: is a CAPTCHA on?  A test CAPTCHA solves itself and fails.

Mastodon, Pixelfed and others do not show it to strangers: then an admin is asked."""

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

MASTODON = """
    HCAPTCHA_SITE_KEY=KEY
    HCAPTCHA_SECRET_KEY=SECRET"""

AKKOMA = """
    config :pleroma, Pleroma.Captcha,
      enabled: true,
      method: Pleroma.Captcha.Native"""

PIXELFED = """
    CAPTCHA_ENABLED=true
    CAPTCHA_SITEKEY=KEY
    CAPTCHA_SECRET=SECRET"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        INSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Sign-ups"),),
    title=Text("A CAPTCHA guards open sign-up", "新規登録に CAPTCHA を設けている"),
    why=Text(
        "Bots fill in registration forms by the thousand. A CAPTCHA makes that expensive, even where approval keeps the accounts from being used.",
        "ボットは登録フォームに何千件も申請してきます。CAPTCHA があれば、承認制でも処理に追われずに済みます。",
    ),
    expected=Text(
        "Where sign-up is open, a real CAPTCHA is on; Misskey's test CAPTCHA does not count.",
        "新規登録を受け付けている場合、本物の CAPTCHA が有効な状態。Misskey のテスト用 CAPTCHA は数えません。",
    ),
    fix=Fix(
        Text(
            "Turn on the CAPTCHA of your software, or close sign-up.",
            "ソフトウェアの CAPTCHA を有効にするか、新規登録を閉じます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Get keys from hCaptcha and put them into .env.production. Restart, then switch it on under Administration, Server settings, Registrations; one without the other does nothing.\n"
                    + MASTODON,
                    "hCaptcha で鍵を取得して .env.production に書き、再起動してから「管理 → サーバー設定 → 新規登録」で有効にします。片方だけでは働きません。\n"
                    + MASTODON,
                ),
            ),
            ("Akkoma, Pleroma", Text("The lines for it:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Control panel, Security, bot protection: hCaptcha, mCaptcha, reCAPTCHA or Turnstile. Switch the test CAPTCHA off.",
                    "コントロールパネルのセキュリティにある Bot 防御で hCaptcha・mCaptcha・reCAPTCHA・Turnstile のいずれかを選び、テスト用は切ります。",
                ),
            ),
            ("Pixelfed", Text("The lines for it:\n" + PIXELFED, "設定例：\n" + PIXELFED)),
        ),
    ),
    verify=Text(
        "Open the sign-up form in a private window; on Mastodon the CAPTCHA appears on the page that the confirmation mail leads to.",
        "プライベートウィンドウで登録フォームを開いて確認します。Mastodon では、確認メールのリンク先のページに表示されます。",
    ),
    codes={
        "on": Text("A CAPTCHA is on.", "CAPTCHA が有効です。"),
        "closed": Text(
            "Nobody can sign up, so no CAPTCHA is needed.", "新規登録を受け付けていないため不要です。"
        ),
        "not_shown": Text(
            "Sign-up is open, and this software does not show strangers whether a CAPTCHA is on. Please answer.",
            "新規登録を受け付けています。CAPTCHA の有無はこのソフトウェアでは外部からわからないため、回答してください。",
        ),
        "off": Text("Sign-up is open without a CAPTCHA.", "CAPTCHA なしで新規登録を受け付けています。"),
        "test": Text(
            "The CAPTCHA is a test that any bot solves.",
            "テスト用の CAPTCHA のため、ボットでも通過できます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if not seen(info.registrations_open):
        return not_applicable("closed")
    if info.captcha_is_test is True:
        return failed("test").seen("instance API", "enableTestcaptcha: true")
    if isinstance(info.captcha, Missing) and info.captcha.reason is Reason.NOT_ASKED:
        return asked("not_shown").seen("instance API", "registrations: true")
    if seen(info.captcha):
        return passed("on").seen("instance API", "captcha: true")
    return failed("off").seen("instance API", "registrations: true, captcha: false")
