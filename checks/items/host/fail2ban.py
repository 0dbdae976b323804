"""Does fail2ban (or CrowdSec with a bouncer) guard sshd?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

JAIL = """
    [DEFAULT]
    bantime = 1h
    bantime.increment = true
    ignoreip = 127.0.0.1/8 ::1 198.51.100.7

    [sshd]
    enabled = true
    backend = systemd"""

DEBIAN = """
    sudo apt install fail2ban python3-systemd
    sudoedit /etc/fail2ban/jail.local
    sudo systemctl enable --now fail2ban
    sudo systemctl restart fail2ban"""

RHEL = """
    sudo dnf install epel-release
    sudo dnf install fail2ban fail2ban-firewalld
    sudoedit /etc/fail2ban/jail.local
    sudo systemctl enable --now fail2ban"""

DOCKER = """
    [DEFAULT]
    chain = DOCKER-USER"""

VERIFY = """
    sudo fail2ban-client status
    sudo fail2ban-client status sshd"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE, MANUAL),
    sources=(Source("000", "Basic"),),
    title=Text(
        "fail2ban or CrowdSec guards the SSH server",
        "fail2ban（または CrowdSec）が SSH を守っている",
    ),
    why=Text(
        "Addresses that keep failing at the login are shut out for a while. That spares the log and the machine, and helps where one account still has a weak password.",
        "ログインに失敗し続けるアドレスを、しばらく遮断します。ログとマシンの負荷が減り、弱いパスワードのアカウントが残っていた場合にも役立ちます。",
    ),
    expected=Text(
        "fail2ban is active with a jail for sshd that reads the right log, or CrowdSec is active with its SSH collection and a bouncer. That the package is installed is not enough.",
        "fail2ban が動作し、sshd の jail が正しいログを読んでいる状態。SSH のコレクションとバウンサーを備えた CrowdSec でも構いません。パッケージを入れただけでは足りません。",
    ),
    fix=Fix(
        Text(
            "Write /etc/fail2ban/jail.local; the address in ignoreip is that of fedisec, so that the daily check is not banned. With a changed SSH port, add its number as port.\n"
            + JAIL,
            "/etc/fail2ban/jail.local を書きます。毎日の検査が遮断されないよう、ignoreip に fedisec のアドレスも加えてください。SSH のポートを変えている場合は port にその番号を書きます。\n"
            + JAIL,
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Without rsyslog there is no auth.log: then backend = systemd is a must, or the service ends at once:\n"
                    + DEBIAN,
                    "rsyslog がないと auth.log が作られません。その場合は backend = systemd を指定しないと、すぐに停止します。\n"
                    + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "From EPEL, on Fedora from the distribution itself:\n" + RHEL,
                    "RHEL 系では EPEL から入れます（Fedora では1行目は不要です）。\n" + RHEL,
                ),
            ),
            (
                "Docker",
                Text(
                    "For services in containers the ban must stand in Docker's chain:\n" + DOCKER,
                    "コンテナで動くサービスを守る jail では、Docker のチェインで遮断する必要があります。\n"
                    + DOCKER,
                ),
            ),
        ),
    ),
    verify=Text(
        "The list of jails holds sshd, and its file list or journal matches are not empty:\n" + VERIFY,
        "jail の一覧に sshd があり、監視対象のログが空でないことを確認します。\n" + VERIFY,
    ),
    attest_days=180,
)
