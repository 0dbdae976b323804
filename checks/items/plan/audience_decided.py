"""Is it decided whom the server is for: oneself, friends, or the public?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("003", "準備/目的"),),
    references=(
        Reference("Mastodon: Running your own server", "https://docs.joinmastodon.org/user/run-your-own/"),
        Reference(
            "Mastodon: tootctl settings registrations",
            "https://docs.joinmastodon.org/admin/tootctl/#settings-registrations-close",
        ),
    ),
    title=Text(
        "It is decided whom the server is for",
        "利用者として誰を想定するかを決めている",
    ),
    why=Text(
        "A server for yourself, for friends or for the public has different things to protect. Taking in strangers from the first day means spam, reports and support that one admin can hardly carry.",
        "おひとりさま・友だちだけ・不特定多数では、守るべきものも手間も大きく変わります。最初から不特定多数を受け入れると、スパムや通報への対応が管理者1人の手に余りかねません。",
    ),
    expected=Text(
        "One sentence says who may have an account, and the sign-up setting fits it. The public data (number of users, sign-up mode) do not tell another story.",
        "誰にアカウントを渡すのかを1文で言えて、新規登録の設定もそのとおりになっている状態。公開されている利用者数や登録方式とも食い違わないこと。",
    ),
    fix=Fix(
        Text(
            "Choose one of three: only yourself, people you know, or the public. Write the choice in the note together with the largest number of accounts you are willing to look after, and set sign-up to match. Start small: opening later is easy, closing after a spam wave is not.",
            "「おひとりさま」「知り合いだけ」「不特定多数」のどれかを選び、面倒を見られるアカウント数の上限とあわせてメモに残し、新規登録の設定を合わせてください。あとから広げるのは簡単ですが、荒らされてから狭めるのは大変なので、小さく始めるのがおすすめです。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Run as the mastodon user in the live directory; invitations still work while sign-up is closed:\n\n    RAILS_ENV=production bin/tootctl settings registrations close\n\nUse approved in place of close to review each request.",
                    "mastodon ユーザで live ディレクトリから実行します。登録を閉じても招待は使えます。\n\n    RAILS_ENV=production bin/tootctl settings registrations close\n\n1件ずつ承認したい場合は close の代わりに approved を指定します。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "In the configuration file, then restart (a value saved in AdminFE overrides the file):\n\n    config :pleroma, :instance,\n      registrations_open: false,\n      invites_enabled: true",
                    "設定ファイルに書いて再起動します（AdminFE で保存した値があれば、そちらが優先されます）。\n\n    config :pleroma, :instance,\n      registrations_open: false,\n      invites_enabled: true",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Moderation: switch off open registration. Invitation codes for people you know are given out by a role.",
                    "コントロールパネルの「モデレーション」で、誰でも新規登録できる設定をオフにします。知り合いには、ロールの権限で招待コードを発行できます。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "In .env, then rebuild the configuration cache:\n\n    OPEN_REGISTRATION=false\n\n    php artisan config:cache",
                    ".env に書き、設定のキャッシュを作り直します。\n\n    OPEN_REGISTRATION=false\n\n    php artisan config:cache",
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "In config.yaml, then restart (closed is the default):\n\n    accounts-registration-open: false",
                    "config.yaml に書いて再起動します（閉じているのが初期値です）。\n\n    accounts-registration-open: false",
                ),
            ),
        ),
    ),
    verify=Text(
        "Open the sign-up page in a private window: does a stranger see what you decided?",
        "プライベートウィンドウで登録ページを開き、決めたとおりの案内が部外者に表示されるか確かめてください。",
    ),
    attest_days=365,
)
