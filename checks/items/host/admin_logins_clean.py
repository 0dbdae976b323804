"""Is there an extra user with uid 0, or an account with an empty password?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

FIX = """
    sudo passwd -l USER
    sudo pkill -KILL -u USER
    sudo userdel -r USER"""

UID = """
    sudo last USER
    sudo usermod -o -u 1500 USER"""

GROUPS = """
    getent group sudo wheel docker lxd adm
    sudo gpasswd -d USER docker"""

KEYS = """
    sudo sh -c 'for f in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do [ -f "$f" ] && echo "$f" && ssh-keygen -lf "$f"; done'"""

VERIFY = """
    awk -F: '$3 == 0' /etc/passwd
    sudo awk -F: '$2 == ""' /etc/shadow"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text(
        "Root is the only uid 0, and no account has an empty password",
        "UID 0 は root だけで、空のパスワードがない",
    ),
    why=Text(
        "A second account with uid 0 is root under another name and a favourite hiding place of intruders. An empty password lets anybody in where passwords are taken at all.",
        "UID が 0 の別アカウントは、名前の違う root であり、侵入者が好んで仕込むものです。パスワードが空のアカウントには、パスワード認証が使える経路から誰でも入れます。",
    ),
    expected=Text(
        "In /etc/passwd only root has uid 0, and no password field in /etc/shadow is empty (an asterisk or an exclamation mark is fine: it means that no password fits).",
        "/etc/passwd で UID 0 を持つのが root だけで、/etc/shadow に空のパスワード欄がない状態。「*」や「!」はパスワードが無効という意味なので問題ありません。",
    ),
    fix=Fix(
        Text(
            "An account that nobody can explain is a sign of a break-in: keep a copy of the logs before you delete it, and go by your recovery plan. Otherwise lock or delete it:\n"
            + FIX
            + "\n\nA known account that only got the wrong number:\n"
            + UID
            + "\n\nMembers of docker and lxd are as good as root; look at them and at the keys as well:\n"
            + GROUPS
            + "\n"
            + KEYS,
            "心当たりのないアカウントは侵入の痕跡です。消す前にログを保存し、復旧手順に従ってください。単に不要なものなら、ロックするか削除します。\n"
            + FIX
            + "\n\n番号だけが誤っている既知のアカウントの場合：\n"
            + UID
            + "\n\nなお、docker と lxd のグループに入っているユーザは、実質的に root です。登録されている鍵とあわせて確認してください。\n"
            + GROUPS
            + "\n"
            + KEYS,
        )
    ),
    verify=Text(
        "The first prints the line of root alone, the second prints nothing:\n" + VERIFY,
        "1行目で root だけが、2行目では何も表示されないことを確認します。\n" + VERIFY,
    ),
)
