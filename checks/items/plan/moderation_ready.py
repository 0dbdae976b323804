"""Is it settled who moderates, what happens on illegal content, and how reports are read?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("001", "Preface 4"),),
    references=(
        Reference("Mastodon: Moderation actions", "https://docs.joinmastodon.org/admin/moderation/"),
        Reference(
            "Misskey: Abuse reports", "https://misskey-hub.net/en/docs/for-admin/features/abuse-report/"
        ),
        Reference("インターネット・ホットラインセンター", "https://www.internethotline.jp/"),
    ),
    title=Text(
        "Moderation is arranged: who reads reports, what happens on illegal content",
        "通報を読む人と、違法な投稿への対応を決めている",
    ),
    why=Text(
        "Sooner or later somebody uploads what is illegal, or your server keeps a copy of it from elsewhere, and then minutes count. A server that leaves reports unread is also blocked by others, together with all its users.",
        "違法なものはいずれ投稿され、他のサーバから流れてきたものも自サーバに複製されます。通報が放置されるサーバは、利用者ごと他のサーバから遮断されることもあります。",
    ),
    expected=Text(
        "Named people read reports within a day, a deputy exists for holidays, and the steps for illegal content are written down: hide, secure what the law asks for, report, delete.",
        "担当者が1日以内に通報を読み、不在時の代理もいること。違法な投稿への手順（隠す、法律が求める記録を残す、届け出る、削除する）が文書になっていること。",
    ),
    fix=Fix(
        Text(
            "Write one page: who moderates and who stands in; how fast a report is read; what is warned, limited, suspended; what you do on illegal content in the country of the server and in yours, with the address of the hotline or police office; how you answer a request for removal or for data about a user. Do not look at or keep illegal material longer than the law demands.",
            "1ページにまとめてください。担当者と代理、通報を読むまでの目安、警告・制限・停止の基準、サーバ所在地と自分の国での違法情報への対応と届け先（日本なら警察やインターネット・ホットラインセンター）、削除要請や発信者情報開示請求を受けたときの流れ。違法なデータを必要以上に閲覧・保存しないことも書いておきます。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Give a second person the role Moderator and let both get mail on new reports (Preferences, Notifications, e-mail for staff). Run as the mastodon user:\n\n    RAILS_ENV=production bin/tootctl accounts modify NAME --role Moderator",
                    "もう1人に Moderator ロールを付け、2人とも新しい通報をメールで受け取る設定（「ユーザー設定」の「通知」）にします。mastodon ユーザで実行します。\n\n    RAILS_ENV=production bin/tootctl accounts modify NAME --role Moderator",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Reports stand in AdminFE under Reports. Make a second moderator:\n\n    ./bin/pleroma_ctl user set NAME --moderator",
                    "通報は AdminFE の Reports で読めます。モデレーターをもう1人追加します。\n\n    ./bin/pleroma_ctl user set NAME --moderator",
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, Abuse reports: add recipients for the notice (mail or webhook). Give a second person a role with moderator rights.",
                    "コントロールパネルの「通報」で、通知の送り先（メールまたは Webhook）を登録します。もう1人に、モデレーター権限のあるロールを割り当てます。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "Reports stand in the admin dashboard under Moderation. Look there daily: a mail on each report is not certain.",
                    "通報は管理画面の Moderation にあります。通報ごとにメールが届くとは限らないため、毎日確認してください。",
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Moderators and admins get a mail on each report once SMTP is set up; reports stand in the settings panel under Moderation. To make another admin:\n\n    gotosocial --config-path ./config.yaml admin account promote --username NAME",
                    "SMTP を設定すると、通報がモデレーターと管理者へメールで届きます。通報は設定パネルの Moderation で読めます。管理者を追加するには次を実行します。\n\n    gotosocial --config-path ./config.yaml admin account promote --username NAME",
                ),
            ),
        ),
    ),
    verify=Text(
        "Report a post of your own from a second account. Did the notice reach every moderator, and did somebody act within the time you set?",
        "別のアカウントから自分の投稿を通報してみてください。担当者全員に通知が届き、決めた時間内に誰かが対応できたでしょうか。",
    ),
    attest_days=180,
)
