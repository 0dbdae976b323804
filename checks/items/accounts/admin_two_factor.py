"""Does every account with a staff role have a second factor?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
)
from checks.parse.host.accounts import parse_app_accounts

LABEL = "inside: counts in the database"


MASTODON = """
    sudo -u postgres psql mastodon_production -c "SELECT a.username, r.name FROM users u JOIN accounts a ON a.id = u.account_id JOIN user_roles r ON r.id = u.role_id WHERE r.id <> -99 AND NOT u.otp_required_for_login\""""

MASTODON_RESET = """
    RAILS_ENV=production bin/tootctl accounts modify ADMIN --disable-2fa"""

AKKOMA = """
    sudo -u postgres psql akkoma -c "SELECT nickname FROM users WHERE local AND is_active AND (is_admin OR is_moderator) AND NOT COALESCE((multi_factor_authentication_settings->>'enabled')::boolean, false)\""""

AKKOMA_RESET = """
    ./bin/pleroma_ctl user reset_mfa ADMIN"""

MISSKEY = """
    sudo -u postgres psql misskey -c 'SELECT u.username FROM "user" u JOIN user_profile p ON p."userId" = u.id JOIN role_assignment a ON a."userId" = u.id JOIN role r ON r.id = a."roleId" WHERE u.host IS NULL AND (r."isAdministrator" OR r."isModerator") AND NOT p."twoFactorEnabled"'"""

PIXELFED = """
    sudo mariadb pixelfed -e 'SELECT username FROM users WHERE is_admin = 1 AND `2fa_enabled` = 0'"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("003", "運用/Mastodon"), Source("000", "Admin account")),
    references=(
        Reference(
            "NIST SP 800-63B-4: Authentication and Authenticator Management",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
        Reference("Mastodon: Roles", "https://docs.joinmastodon.org/admin/roles/"),
    ),
    title=Text(
        "Every staff account has a second factor",
        "管理者とモデレーターの全員が二段階認証を有効にしている",
    ),
    why=Text(
        "Phishing and leaked passwords hit careful people too; the second factor is what is left then. A moderator's account is enough to read reports and suspend users.",
        "注意していても、フィッシングや流出でパスワードが漏れることはあり、そのとき最後の守りになるのが二段階認証です。モデレーターの権限だけでも、通報の閲覧や利用者の停止ができてしまいます。",
    ),
    expected=Text(
        "No account with a staff role (admin, moderator, owner) signs in with a password alone, and each keeps its recovery codes in the password manager.",
        "管理者・モデレーターなどのロールを持つアカウントのうち、パスワードだけでログインできるものが1つもなく、全員がリカバリーコードをパスワード管理ソフトに保存している状態。",
    ),
    fix=Fix(
        Text(
            "Let every staff member turn it on, with an authenticator app or, better against phishing, a security key or passkey. Save the recovery codes in the password manager before signing out. Take the role from accounts that are no longer used.",
            "運営メンバー全員に有効にしてもらいます。認証アプリでもよいですが、フィッシングに強いのはセキュリティキーやパスキーです。ログアウトする前に、リカバリーコードをパスワード管理ソフトへ保存してください。使われていないアカウントからはロールを外します。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Account settings, Two-factor authentication. Recent versions can demand it for a role (Administration, Roles). If a device is lost, an admin lets its owner in again:\n"
                    + MASTODON_RESET,
                    "アカウント設定の「二要素認証」（版によっては「二段階認証」）で有効にします。新しい版では、管理画面の「ロール」ごとに必須にできます。端末を失った人は、管理者が次のコマンドで解除できます。\n"
                    + MASTODON_RESET,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Settings, Security, two-factor authentication. If a device is lost:\n" + AKKOMA_RESET,
                    "設定の Security にある二段階認証で有効にします。端末を失った場合は次のコマンドで解除します。\n"
                    + AKKOMA_RESET,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Settings, Security, two-factor authentication; add a security key after the authenticator app. Do it for the first (root) account too, which holds no role.",
                    "「設定」の「セキュリティ」で「二要素認証」を有効にし、認証アプリの登録後にセキュリティキーも追加します。ロールを持たない最初の（root）アカウントでも必ず有効にしてください。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "Settings, Security, two-factor authentication.",
                    "設定の Security にある二段階認証で有効にします。",
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Settings panel, the section on two-factor authentication of the account. Older versions have none: there, keep the admin account signed out.",
                    "設定パネルの、アカウントの二段階認証の項目で有効にします。機能のない古い版では、管理者アカウントを普段ログアウトしておきます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The list of staff without a second factor must be empty. Mastodon:\n"
        + MASTODON
        + "\n\nAkkoma:\n"
        + AKKOMA
        + "\n\nMisskey (the root account is not in this list):\n"
        + MISSKEY
        + "\n\nPixelfed:\n"
        + PIXELFED,
        "二段階認証を使っていない運営メンバーの一覧が空であることを確かめます。Mastodon の場合：\n"
        + MASTODON
        + "\n\nAkkoma の場合：\n"
        + AKKOMA
        + "\n\nMisskey の場合（root アカウントは含まれません）：\n"
        + MISSKEY
        + "\n\nPixelfed の場合：\n"
        + PIXELFED,
    ),
    attest_days=90,
    codes={
        "all": Text(
            "All {staff} staff accounts have a second factor.",
            "運営アカウント {staff} 件のすべてで二段階認証が有効です。",
        ),
        "some_without": Text(
            "{count} of {staff} staff accounts sign in with a password alone.",
            "運営アカウント {staff} 件のうち {count} 件が、パスワードだけでログインできます。",
        ),
        "no_staff": Text(
            "The database shows no staff account, so the count cannot be right.",
            "データベースに運営アカウントが見つからないため、正しく数えられていません。",
        ),
        "denied": Text(
            "Only root may ask the app's database.",
            "アプリのデータベースに問い合わせられるのは root だけです。",
        ),
        "no_database": Text(
            "No database that fedisec knows how to ask is on this server.",
            "fedisec が問い合わせ方を知るデータベースが、このサーバにありません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = parse_app_accounts(facts.get(Inside).lines("app_accounts"))
    staff, without = found.staff, found.without_second_factor
    if without:
        verdict = failed("some_without", count=without, staff=max(staff or 0, without))
        return verdict.seen(
            LABEL, f"staff {staff if staff is not None else '–'}, without a second factor {without}"
        )
    if staff is None or without is None:
        if found.refused:
            return unknown("denied", Reason.DENIED)
        return unknown("no_database", Reason.NO_TOOL)
    if staff == 0:
        return unknown("no_staff", Reason.NOT_ASKED)
    return passed("all", staff=staff).seen(LABEL, f"staff {staff}, without a second factor 0")
