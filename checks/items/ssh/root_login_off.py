"""Can root log in over SSH with a password?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

USER = """
    sudo adduser admin
    sudo usermod -aG sudo admin"""

USER_RHEL = """
    sudo useradd -m -G wheel admin
    sudo passwd admin"""

CONF = """
    PermitRootLogin no"""

KEYS_ONLY = """
    PermitRootLogin prohibit-password"""

DEBIAN = """
    sudoedit /etc/ssh/sshd_config.d/00-root.conf
    sudo sshd -t && sudo systemctl reload ssh"""

RHEL = """
    sudoedit /etc/ssh/sshd_config.d/00-root.conf
    sudo sshd -t && sudo systemctl reload sshd"""

VERIFY = """
    sudo sshd -T -C user=root,host=any,addr=203.0.113.5 | grep -i permitrootlogin"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text(
        "Root cannot log in over SSH with a password",
        "root が SSH でパスワードログインできない",
    ),
    why=Text(
        "Root is the one name that an attacker need not guess. With a user of your own and sudo, the log also shows who did what.",
        "root は、攻撃者が推測する必要のない唯一のユーザ名です。自分のユーザから sudo を使えば、誰が何をしたかもログに残ります。",
    ),
    expected=Text(
        "PermitRootLogin is no, or at least prohibit-password (shown as without-password) or forced-commands-only.",
        "PermitRootLogin が no である状態。少なくとも prohibit-password（without-password と表示されることもあります）か forced-commands-only である必要があります。",
    ),
    fix=Fix(
        Text(
            "Make a user with sudo, bring your key there, try it in a second window, then forbid root:\n"
            + CONF
            + "\n\nIf backups or tools must come in as root with a key:\n"
            + KEYS_ONLY,
            "まず sudo を使えるユーザを作り、鍵を登録して、別のウィンドウでログインできることを確かめてから root を禁止します。\n"
            + CONF
            + "\n\nバックアップなどで root の鍵ログインが必要な場合は次のようにします。\n"
            + KEYS_ONLY,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "The commands:\n" + USER + "\n" + DEBIAN,
                    "手順は次のとおりです。\n" + USER + "\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "The commands:\n" + USER_RHEL + "\n" + RHEL,
                    "手順は次のとおりです。\n" + USER_RHEL + "\n" + RHEL,
                ),
            ),
        ),
    ),
    verify=Text(
        "It must not say yes:\n" + VERIFY,
        "yes と表示されないことを確認します。\n" + VERIFY,
    ),
)
