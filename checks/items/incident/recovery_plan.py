"""Are the steps after a break-in written down, and were they read in the last 180 days?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

STOP = """
    sudo systemctl stop mastodon-web mastodon-sidekiq mastodon-streaming
    last -Faiw || wtmpdb last
    sudo journalctl --since "14 days ago" --output short-iso > journal.txt
    sudo find /etc /home /root -newermt "14 days ago" -type f > changed.txt"""

MASTODON = """
    bundle exec rails secret
    RAILS_ENV=production bin/tootctl accounts modify ADMIN --reset-password
    RAILS_ENV=production bin/tootctl accounts rotate --all"""

AKKOMA = """
    openssl rand -base64 48
    ./bin/pleroma_ctl user reset_password ADMIN
    ./bin/pleroma_ctl user sign_out ADMIN"""

PIXELFED = """
    php artisan config:cache"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("003", "非常時"),),
    references=(
        Reference(
            "NIST SP 800-61 Rev. 3: Incident Response Recommendations",
            "https://csrc.nist.gov/pubs/sp/800/61/r3/final",
        ),
        Reference("JPCERT/CC: インシデント対応依頼", "https://www.jpcert.or.jp/form/"),
        Reference(
            "個人情報保護委員会：漏えい等の対応", "https://www.ppc.go.jp/personalinfo/legal/leakAction/"
        ),
    ),
    title=Text(
        "The steps after a break-in are written down and known",
        "侵入されたときの復旧手順を文書にし、把握している",
    ),
    why=Text(
        "On the day it happens there is no time to think, and one wrong step destroys the traces or lets the intruder back in. A page read twice a year is enough for a server run by one person.",
        "当日は考える余裕がなく、手順を誤ると痕跡を消したり、再び侵入されたりします。個人のサーバなら、年に2回読み返す1ページがあれば十分です。",
    ),
    expected=Text(
        "One page, kept outside the server, says in order: cut off, keep traces, find the way in, rebuild from a clean system and a backup from before, change every secret, tell those concerned. Its last reading is less than 180 days ago.",
        "サーバの外に保管した1ページに、遮断・証拠の保全・侵入経路の確認・クリーンな環境と侵入前のバックアップからの再構築・秘密情報の総入れ替え・関係者への連絡が順に書いてあり、180日以内に読み返している状態。",
    ),
    fix=Fix(
        Text(
            "Write the page from these steps.\n\n"
            "1. Cut off: close everything but your own address in the provider's firewall; do not switch the machine off before a snapshot of disk (and memory, if offered) is taken.\n\n"
            "2. Keep traces and look for the way in and the time of it. On the running system, for example:\n"
            + STOP
            + "\n\n3. Rebuild on a fresh system; never clean the old one. Restore the last backup from before the break-in, update everything, then open.\n\n"
            "4. Change every secret that lay on the machine: SSH keys, database, Redis, mail and object store passwords, API tokens of DNS and backup, the app's keys, staff passwords and second factors.\n\n"
            "5. Tell users what was readable (addresses, direct messages, password hashes), tell the admins of servers that were attacked from yours, and report where the law asks for it: data protection authority, police, CERT.",
            "次の手順をもとに1ページにまとめてください。\n\n"
            "1. 遮断する。事業者側のファイアウォールで自分のアドレス以外を閉じます。ディスク（可能ならメモリも）のスナップショットを取るまで、電源は切りません。\n\n"
            "2. 証拠を残し、侵入経路と時期を調べます。動いている状態で、たとえば次を実行します。\n"
            + STOP
            + "\n\n3. 新しい環境に作り直します。侵入された環境を掃除して使い続けてはいけません。侵入前のバックアップを復元し、すべて更新してから公開します。\n\n"
            "4. サーバ上にあった秘密情報をすべて取り替えます。SSH 鍵、データベース・Redis・メール・オブジェクトストレージのパスワード、DNS やバックアップの API トークン、アプリの鍵、運営メンバーのパスワードと二段階認証が対象です。\n\n"
            "5. 見られた可能性のある情報（メールアドレス、ダイレクトメッセージ、パスワードのハッシュ）を利用者に知らせ、踏み台にされた先の管理者にも連絡します。法律上必要な届け出も行います。日本では個人情報保護委員会、警察、JPCERT/CC が窓口です。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "New SECRET_KEY_BASE (signs everybody out), new password for each staff account, new signing keys for all accounts. Leave the ACTIVE_RECORD_ENCRYPTION keys: replacing them makes stored data unreadable.\n"
                    + MASTODON,
                    "SECRET_KEY_BASE を作り直し（全員がログアウトされます）、運営メンバーのパスワードと全アカウントの署名鍵を更新します。ACTIVE_RECORD_ENCRYPTION で始まる鍵は、替えると保存データを読めなくなるので、そのままにします。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "New secret_key_base and signing_salt in the configuration file, then for each staff account:\n"
                    + AKKOMA,
                    "設定ファイルの secret_key_base と signing_salt を作り直し、運営メンバーごとに次を実行します。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "New database and Redis passwords in .config/default.yml; every staff member changes the password and regenerates the API token in the settings. Enter new keys for the object store and mail in the control panel.",
                    ".config/default.yml のデータベースと Redis のパスワードを替え、運営メンバー全員がパスワードを変更し、設定で API トークンを再生成します。オブジェクトストレージとメールの認証情報は、コントロールパネルで入れ直してください。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "New database, Redis and mail passwords in .env. Leave APP_KEY: replacing it makes stored data unreadable.\n"
                    + PIXELFED,
                    ".env のデータベース・Redis・メールのパスワードを替えます。APP_KEY は、替えると保存データを読めなくなるので、そのままにします。\n"
                    + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "New database and SMTP passwords in config.yaml, new staff passwords. The signing keys lie in the database: if it was copied, tell the admins of other servers.",
                    "config.yaml のデータベースと SMTP のパスワード、運営メンバーのパスワードを替えます。署名鍵はデータベース内にあるため、複製された疑いがあれば他サーバの管理者にも知らせます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "With the server switched off in your mind: can you open the page now, reach the provider's console, and name the backup you would restore?",
        "サーバが止まっていると仮定して、その文書をいま開けるか、事業者のコンソールに入れるか、どのバックアップを復元するか言えるか、確かめてください。",
    ),
    attest_days=180,
)
