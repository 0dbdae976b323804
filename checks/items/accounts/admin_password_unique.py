"""Is the admin's password used nowhere else?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(MANUAL,),
    sources=(Source("003", "運用/Mastodon"),),
    references=(
        Reference(
            "NIST SP 800-63B-4: Authentication and Authenticator Management",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
        Reference(
            "絵で分かる! パスワードリスト攻撃（SSTエンジニアブログ）",
            "https://techblog.securesky-tech.com/entry/2019/08/19/",
        ),
    ),
    title=Text(
        "The admin's password is used nowhere else",
        "管理者のパスワードを使いまわしていない",
    ),
    why=Text(
        "Passwords that leaked from one site are tried on all others, by machines, within hours. This attack needs no skill and has worked for many years.",
        "どこかのサイトから漏れたパスワードは、自動的に他のサイトでも試されます（パスワードリスト攻撃）。技術がなくてもでき、長年にわたって大きな被害を出している手口です。",
    ),
    expected=Text(
        "The passwords of the admin accounts, of the mailbox that receives their reset links, and of the server's own users exist once each, and in no other service.",
        "管理者アカウント、その再設定メールが届くメールボックス、サーバのユーザのパスワードがそれぞれ別のもので、ほかのサービスでも使っていない状態。",
    ),
    fix=Fix(
        Text(
            "Change every password that is used twice, beginning with the mailbox: who reads it can reset the rest. Let the password manager make each one. Ask all staff, since one reused password is enough.",
            "使いまわしているものをすべて変更します。まず、再設定メールの届くメールボックスからです。そこを読まれると、残りもすべて再設定されてしまいます。新しいものはパスワード管理ソフトで1つずつ生成してください。1人の使いまわしで破られるので、運営メンバー全員に頼みましょう。",
        ),
        variants=(
            (
                "KeePassXC",
                Text(
                    "Database, Database reports, Health check: reused passwords are listed there.",
                    "「データベース」のレポートにあるヘルスチェックで、使いまわしが一覧表示されます。",
                ),
            ),
            (
                "Bitwarden",
                Text(
                    "Web vault, Reports: reused passwords, exposed passwords.",
                    "ウェブ保管庫の「レポート」で、使いまわしと流出済みのパスワードを調べられます。",
                ),
            ),
            (
                "1Password",
                Text(
                    "Watchtower: reused passwords, compromised websites.",
                    "Watchtower で、使いまわしと流出のあったサイトを確認できます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The report of your password manager names no reuse for the admin account, its mailbox and the hosting provider.",
        "パスワード管理ソフトのレポートで、管理者アカウント・そのメールボックス・契約中の事業者のどれにも使いまわしが出ないことを確かめます。",
    ),
    attest_days=180,
)
