"""Does fail2ban (or CrowdSec with a bouncer) guard sshd?

That it is installed and active is not enough: a jail for sshd must be loaded and have a log that sshd writes to."""

import re

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.model import (
    INSIDE,
    MANUAL,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.common import server_time, units
from checks.parse.host.crowdsec import parse_crowdsec
from checks.parse.host.docker import parse_docker
from checks.parse.host.fail2ban import Fail2ban, Jail, parse_fail2ban, reads_journal_of
from checks.parse.host.firewall_rules import shown

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
    references=(
        Reference("jail.conf(5)", "https://manpages.debian.org/bookworm/fail2ban/jail.conf.5.en.html"),
        Reference("Mastodon: Preparing your machine", "https://docs.joinmastodon.org/admin/prerequisites/"),
    ),
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
    codes={
        "guards": Text(
            "fail2ban is active; the jail {jail} reads {source}.",
            "fail2ban が動作しており、jail の {jail} が {source} を監視しています。",
        ),
        "guards_configured": Text(
            "fail2ban is active and configured with the jail {jail}. What it reads, root alone may ask.",
            "fail2ban が動作しており、jail の {jail} が設定されています。監視中のログは root でないと確認できません。",
        ),
        "crowdsec": Text(
            "CrowdSec guards SSH, and a bouncer carries its bans out.",
            "CrowdSec が SSH を守っており、バウンサーが遮断を実行しています。",
        ),
        "in_container": Text(
            "CrowdSec runs in a container ({names}). Say whether it reads the log of SSH and a bouncer blocks on the host.",
            "CrowdSec がコンテナで動いています（{names}）。SSH のログを読み、ホストで遮断しているかどうかを回答してください。",
        ),
        "not_installed": Text(
            "Neither fail2ban nor CrowdSec is installed.", "fail2ban も CrowdSec も入っていません。"
        ),
        "not_active": Text(
            "fail2ban is installed, but not active ({state}).",
            "fail2ban は入っていますが、動作していません（{state}）。",
        ),
        "no_jail": Text(
            "fail2ban is active, but has no jail for SSH.",
            "fail2ban は動作していますが、SSH の jail がありません。",
        ),
        "reads_nothing": Text(
            "The jail {jail} is loaded, but reads no log.",
            "jail の {jail} はありますが、監視しているログがありません。",
        ),
        "wrong_journal": Text(
            "The jail {jail} looks for entries that this SSH server does not write: {source}.",
            "jail の {jail} が探す記録を、この SSH サーバは出力しません（{source}）。",
        ),
        "not_seen": Text(
            "Whether a jail guards SSH could not be seen.",
            "SSH の jail があるかどうかを確認できませんでした。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    inside = facts.get(Inside)
    crowdsec = parse_crowdsec(shown(inside, "crowdsec"))
    if crowdsec.works(server_time(inside)) and crowdsec.guards_ssh:
        text = f"crowdsec.service active\n{crowdsec.evidence()}"
        return passed("crowdsec").seen("inside: systemctl, cscli bouncers list", text)
    found = parse_fail2ban(inside.lines("fail2ban"))
    if found.installed is False:
        containers = [one for one in parse_docker(shown(inside, "docker")).images if "crowdsec" in one[1]]
        if containers:
            names = ", ".join(name for name, _ in containers)
            return asked("in_container", names=names).seen("inside: docker ps", names)
        if not crowdsec.installed:
            return failed("not_installed").seen("inside: systemctl show", "fail2ban.service: not-found")
        return unknown("not_seen", Reason.DENIED if crowdsec.denied else Reason.NOT_BUILT)
    if found.installed and found.active is False:
        return failed("not_active", state=found.state).seen("inside: systemctl show fail2ban", found.state)
    return _by_jails(found, inside)


def _by_jails(found: Fail2ban, inside: Inside) -> Verdict:
    label = "inside: fail2ban-client status" if found.loaded else "inside: fail2ban-client -d"
    if found.jails is None or not found.active:
        return unknown("not_seen", Reason.DENIED if found.denied else Reason.NO_TOOL)
    if not found.jails:
        return failed("no_jail").seen(label, "no jail whose name holds ssh")
    reading = [jail for jail in found.jails if jail.sources]
    right = next((jail for jail in reading if _is_right(jail, inside)), None)
    if reading and right is None:
        first = reading[0]
        return warned("wrong_journal", jail=first.name, source=first.sources[0]).seen(label, _shown(reading))
    if not found.loaded and (right is None or not found.denied):
        # Nothing to read is configured, or the server does not answer at all.
        return unknown("not_seen", Reason.NOT_ASKED if found.denied else Reason.REFUSED)
    if not found.loaded:
        return passed("guards_configured", jail=found.jails[0].name).seen(label, _shown(found.jails))
    if right is None:
        return failed("reads_nothing", jail=found.jails[0].name).seen(label, _shown(found.jails))
    return passed("guards", jail=right.name, source=right.sources[0]).seen(label, _shown(reading))


def _is_right(jail: Jail, inside: Inside) -> bool:
    """A file that fail2ban found, or a journal match that fits the SSH server in use."""
    if any(source.startswith("/") for source in jail.sources):
        return True
    states = units(shown(inside, "sshd_unit"))
    running = [name for name, unit in states.items() if unit.get("ActiveState") == "active"]
    said = re.search(r"OpenSSH_(\d+)\.(\d+)", "\n".join(shown(inside, "sshd_effective")))
    version = (int(said[1]), int(said[2])) if said else None
    services = {name.replace(".socket", ".service") for name in running} or {"ssh.service", "sshd.service"}
    return any(reads_journal_of(source, unit, version) for source in jail.sources for unit in services)


def _shown(jails: list[Jail] | tuple[Jail, ...]) -> str:
    return "\n".join(f"{jail.name}: {', '.join(jail.sources) or '(no log)'}" for jail in jails)
