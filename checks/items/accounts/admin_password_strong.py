"""Is the admin's password random and at least 16 characters long?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

MAKE = """
    openssl rand -base64 24"""

MASTODON = """
    RAILS_ENV=production bin/tootctl accounts modify ADMIN --reset-password"""

AKKOMA = """
    ./bin/pleroma_ctl user reset_password ADMIN"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(MANUAL,),
    sources=(Source("000", "Admin account"),),
    references=(
        Reference(
            "NIST SP 800-63B-4: Authentication and Authenticator Management",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
        Reference("EFF: Dice-Generated Passphrases", "https://www.eff.org/dice"),
    ),
    title=Text(
        "The admin's password is random and has 16 characters or more",
        "管理者のパスワードはランダムな16文字以上になっている",
    ),
    why=Text(
        "Whoever signs in as admin reads every address and may delete the server. Words, names and dates are guessed first; random characters are not guessed at all.",
        "管理者としてログインされると、全利用者の情報を見られ、サーバごと消されるおそれがあります。単語・名前・日付は真っ先に試されますが、ランダムな文字列を推測するのは現実的ではありません。",
    ),
    expected=Text(
        "Every account with a staff role has a password that a program made: 16 characters or more, or a passphrase of six random words or more.",
        "ロールを持つすべてのアカウントのパスワードが、プログラムで生成した16文字以上（またはランダムな6語以上のパスフレーズ）であること。",
    ),
    fix=Fix(
        Text(
            "Let the password manager make a new one with 20 characters or more, or use:\n"
            + MAKE
            + "\n\nSet it in the account's settings, sign out everywhere else, and ask the other staff to do the same.",
            "パスワード管理ソフトで20文字以上のものを生成するか、次のコマンドで作ります。\n"
            + MAKE
            + "\n\nアカウントの設定で変更し、ほかの端末のセッションをすべて終了してください。ほかの運営メンバーにも同じことを頼みます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "In the account settings, or as the mastodon user; this sets a random one, prints it and ends all sessions:\n"
                    + MASTODON,
                    "アカウントの設定から変更するか、mastodon ユーザで実行します。ランダムなパスワードに変わって表示され、全セッションが終了します。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "In the settings under Security, or print a link for a new one:\n" + AKKOMA,
                    "設定の Security から変更するか、次のコマンドで再設定用のリンクを表示します。\n" + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Settings, Security, change the password.",
                    "「設定」の「セキュリティ」からパスワードを変更します。",
                ),
            ),
            (
                "Pixelfed",
                Text("Settings, Password.", "設定の Password から変更します。"),
            ),
            (
                "GoToSocial",
                Text(
                    "Change it in the settings panel, so that it does not enter the shell history.",
                    "シェルの履歴に残らないよう、コマンドではなく設定パネルから変更します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Look at the entry in the password manager: made by its generator, 16 characters or more? You should not be able to say it by heart.",
        "パスワード管理ソフトの項目を開き、自動生成された16文字以上のものか確かめます。暗唱できるようなら、ランダムではありません。",
    ),
    attest_days=365,
)
