"""Where registration is open: is a CAPTCHA on?  A test CAPTCHA solves itself and fails.

Mastodon, Pixelfed and others do not show it to strangers: then the configuration tells, or an admin is asked."""

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

KEYS = ("HCAPTCHA_SITE_KEY", "HCAPTCHA_SECRET_KEY")

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

SEE = """
    curl -s https://example.social/api/v1/pleroma/captcha | grep -o '"type":"[a-z]*"'"""

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
        Reference("Mastodon: Captcha", "https://docs.joinmastodon.org/admin/optional/captcha/"),
        Reference(
            "Akkoma: Configuration cheat sheet", "https://docs.akkoma.dev/stable/configuration/cheatsheet/"
        ),
    ),
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
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Control panel, Security, bot protection: hCaptcha, mCaptcha, reCAPTCHA or Turnstile. Switch the test CAPTCHA off.",
                    "コントロールパネルのセキュリティにある Bot 防御で hCaptcha・mCaptcha・reCAPTCHA・Turnstile のいずれかを選び、テスト用は切ります。",
                ),
            ),
            ("Pixelfed", Text("Set these lines:\n" + PIXELFED, "設定例：\n" + PIXELFED)),
        ),
    ),
    verify=Text(
        "Open the sign-up form in a private window; on Mastodon the CAPTCHA appears on the page that the confirmation mail leads to. On Akkoma and Pleroma the type must not be none:\n"
        + SEE,
        "プライベートウィンドウで登録フォームを開いて確認します。Mastodon では、確認メールのリンク先のページに表示されます。Akkoma と Pleroma では、type が none でないことを確認します。\n"
        + SEE,
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
        "keys_set": Text(
            "Sign-up is open and the keys of hCaptcha are set. Whether it is switched on in the administration, only you can see; please answer.",
            "新規登録を受け付けていて、hCaptcha の鍵は設定されています。管理画面で有効にしているかどうか、回答してください。",
        ),
        "no_keys": Text(
            "Sign-up is open, and Mastodon cannot show a CAPTCHA without both keys of hCaptcha.",
            "新規登録を受け付けていますが、hCaptcha の2つの鍵が揃っていないため、CAPTCHA は働きません。",
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
        return _from_inside(facts) or asked("not_shown").seen("instance API", "registrations: true")
    if seen(info.captcha):
        return passed("on").seen("instance API", "captcha: true")
    return failed("off").seen("instance API", "registrations: true, captcha: false")


def _from_inside(facts: Facts) -> Verdict | None:
    """Mastodon needs both keys in its file, and a switch in its database that the file does not tell of."""
    software, lines = facts.maybe(Software), lines_if_any(facts, "app_config")
    if software is None or software.family != "mastodon" or lines is None:
        return None
    files = [file for file in parse_app_config(lines).of("mastodon").read if file.values]
    for file in files:
        if all(file.text(key) for key in KEYS):
            return asked("keys_set").seen(f"inside: {file.path}", ", ".join(f"{key}=set" for key in KEYS))
    for file in files:
        shown = ", ".join(f"{key}: {'set' if file.text(key) else 'not set'}" for key in KEYS)
        return (
            failed("no_keys").seen(f"inside: {file.path}", shown).seen("instance API", "registrations: true")
        )
    return None
