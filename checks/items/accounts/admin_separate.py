"""Is the admin account another one than the account for everyday use?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

MASTODON = """
    RAILS_ENV=production bin/tootctl accounts create ADMIN --email admin@example.social --confirmed --approve --role Owner
    RAILS_ENV=production bin/tootctl accounts modify EVERYDAY --remove-role"""

AKKOMA = """
    ./bin/pleroma_ctl user new ADMIN admin@example.social --admin
    ./bin/pleroma_ctl user set EVERYDAY --no-admin --no-moderator"""

PIXELFED = """
    php artisan user:create
    php artisan user:admin EVERYDAY"""

GOTOSOCIAL = """
    gotosocial --config-path ./config.yaml admin account create --username ADMIN --email admin@example.social --password PASSWORD
    gotosocial --config-path ./config.yaml admin account promote --username ADMIN
    gotosocial --config-path ./config.yaml admin account demote --username EVERYDAY"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("000", "Admin account"),),
    references=(
        Reference("Mastodon: Roles", "https://docs.joinmastodon.org/admin/roles/"),
        Reference("Mastodon: Using the admin CLI", "https://docs.joinmastodon.org/admin/tootctl/"),
    ),
    title=Text(
        "The admin account is not the account for everyday use",
        "管理者アカウントを普段使いのアカウントと分けている",
    ),
    why=Text(
        "The everyday account is signed in on phones and third-party apps and follows links all day. If its session or token is stolen, it should not open the whole server.",
        "普段使いのアカウントは、スマートフォンや外部アプリでログインしたまま、一日中さまざまなリンクを開きます。セッションやトークンを盗まれても、サーバ全体の権限まで渡らないようにします。",
    ),
    expected=Text(
        "The account with all rights posts little or nothing, is signed in only while you administer, and no app has access to it. The everyday account holds no staff role, or the smallest that moderation needs.",
        "全権限を持つアカウントは投稿にほとんど使わず、管理作業のときだけログインし、外部アプリと連携していない状態。普段使いのアカウントには、ロールがないか、モデレーションに必要な最小限のものだけを付けていること。",
    ),
    fix=Fix(
        Text(
            "Make a second account for administration with its own mail address and password, check that it can sign in, then take the role away from the everyday account. Revoke apps that still hold a token of the admin account, and sign out afterwards.",
            "管理用に別のアカウントを、専用のメールアドレスとパスワードで作ります。ログインできることを確かめてから、普段使いのアカウントのロールを外してください。管理者アカウントと連携しているアプリは解除し、作業が終わったらログアウトします。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "As the mastodon user in the live directory; the first command prints a password to change at once:\n"
                    + MASTODON,
                    "mastodon ユーザで live ディレクトリから実行します。1つ目のコマンドで表示されるパスワードは、すぐに変更してください。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "From the release directory:\n" + AKKOMA,
                    "リリースのディレクトリで実行します。\n" + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "The account made at set-up is root and stays so: make a new account for everyday use, and keep the first for administration. Move followers with the account migration in its settings.",
                    "初期設定で作ったアカウントが root になります。これは管理専用とし、普段使いには新しいアカウントを作ってください。フォロワーは設定の「アカウントの移行」で移せます。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "The first command asks whether the new account is an admin; the second switches the right of the other off:\n"
                    + PIXELFED,
                    "1つ目のコマンドでは、管理者にするかどうかを聞かれます。2つ目は、もう一方の管理者権限を切り替えます。\n"
                    + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Then restart, and change the password in the settings panel, since it stands in the shell history:\n"
                    + GOTOSOCIAL,
                    "実行したあと再起動します。パスワードがシェルの履歴に残るため、設定パネルで変更してください。\n"
                    + GOTOSOCIAL,
                ),
            ),
        ),
    ),
    verify=Text(
        "Sign in with the everyday account: are the administration pages out of reach? Does the list of authorised apps of the admin account stand empty?",
        "普段使いのアカウントでログインし、管理画面を開けないことを確かめます。管理者アカウントの「認証済みアプリ」が空であることも確かめてください。",
    ),
    attest_days=365,
)
