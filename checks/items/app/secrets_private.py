"""Is the configuration with its secrets readable by its owner alone?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

MASTODON = """
    sudo chown mastodon:mastodon /home/mastodon/live/.env.production
    sudo chmod 600 /home/mastodon/live/.env.production"""

AKKOMA = """
    sudo chown root:akkoma /etc/akkoma/config.exs
    sudo chmod 640 /etc/akkoma/config.exs"""

MISSKEY = """
    sudo chown misskey:misskey /home/misskey/misskey/.config/default.yml
    sudo chmod 600 /home/misskey/misskey/.config/default.yml"""

SEE = """
    sudo ls -l /home/mastodon/live/.env.production"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text(
        "Configuration with secrets is readable by its owner alone",
        "秘密情報を含む設定ファイルを所有者だけが読める",
    ),
    why=Text(
        "Any other service on the machine that is broken into can read what the file system lets it. With the database password and the signing keys one small hole becomes the whole server.",
        "同じマシンの別のサービスが侵入されると、読める権限のあるファイルはすべて読まれます。データベースのパスワードや署名鍵が読めれば、小さな穴がサーバ全体の侵害に広がります。",
    ),
    expected=Text(
        "The file belongs to the user of the service or to root, with mode 600 or 640.",
        "所有者がサービスのユーザまたは root で、パーミッションが 600 か 640 の状態。",
    ),
    fix=Fix(
        Text(
            "Take the rights of group and others away. Do the same for backups and copies of the file.",
            "グループとその他の権限を外します。バックアップやコピーも同じようにしてください。",
        ),
        variants=(
            ("Mastodon", Text("The lines for it:\n" + MASTODON, "設定例：\n" + MASTODON)),
            ("Akkoma", Text("The lines for it:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            ("Misskey", Text("The lines for it:\n" + MISSKEY, "設定例：\n" + MISSKEY)),
        ),
    ),
    verify=Text(
        "The last three letters of the mode must be dashes:\n" + SEE,
        "権限表示の末尾3文字がすべてハイフンであることを確認します。\n" + SEE,
    ),
)
