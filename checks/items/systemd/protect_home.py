"""Does the app's unit have ProtectHome set?  False is right only where its home lies below /home or /root."""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.items.systemd import LABEL, SHARED, app_units, outdated, unjudged, values_of
from checks.model import (
    INSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.app_config import AppConfigs, parse_app_config

SETTING = "ProtectHome"
GOOD = frozenset({"yes", "read-only", "tmpfs"})
FAMILIES = dict.fromkeys(("sharkey", "firefish", "iceshrimp", "calckey"), "misskey")

DROP_IN = """
    [Service]
    ProtectHome=true"""

TMPFS = """
    [Service]
    ProtectHome=tmpfs
    BindPaths=/home/mastodon"""

RESTART = """
    sudo systemctl edit UNIT
    sudo systemctl restart UNIT"""

WHERE = """
    getent passwd mastodon akkoma pleroma misskey gotosocial
    systemctl show UNIT -p WorkingDirectory -p ReadWritePaths"""

VERIFY = """
    systemctl show UNIT -p ProtectHome -p NeedDaemonReload
    sudo nsenter -t "$(systemctl show UNIT -p MainPID --value)" -m ls -la /home /root"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): ProtectHome=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#ProtectHome=",
        ),
    ),
    title=Text(
        "The app's unit cannot see home directories (ProtectHome)",
        "アプリのユニットからホームが見えない（ProtectHome）",
    ),
    why=Text(
        "Home directories hold SSH keys, shell histories and notes of the admins. The app has no business there, and neither has somebody who took it over.",
        "ホームディレクトリには、管理者の SSH 鍵やシェルの履歴、メモがあります。アプリには不要であり、乗っ取られたときに読まれてはならないものです。",
    ),
    expected=Text(
        "ProtectHome is yes, read-only or tmpfs. Where the software itself lives below /home (as in Mastodon's guide), tmpfs with its own folder bound in is right; no counts only there.",
        "ProtectHome が yes・read-only・tmpfs のいずれかである状態。Mastodon の手順のようにソフトウェア自体が /home にある場合は、tmpfs にして自分のフォルダだけを見せます。no が許されるのはこの場合だけです。",
    ),
    fix=Fix(
        Text(
            "See first where the software lives:\n"
            + WHERE
            + "\n\nOutside /home and /root, write as a drop-in:\n"
            + DROP_IN
            + "\n\nBelow /home, leave only its own folder visible:\n"
            + TMPFS
            + "\n\nThen:\n"
            + RESTART,
            "先に、ソフトウェアの置き場所を確かめます。\n"
            + WHERE
            + "\n\n/home や /root の外にあるなら、次のドロップインを書きます。\n"
            + DROP_IN
            + "\n\n/home の下にあるなら、自分のフォルダだけを見せます。\n"
            + TMPFS
            + "\n\n編集して再起動します。\n"
            + RESTART,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "The guide installs to /home/mastodon, rbenv included: use the form with tmpfs for all three units (web, sidekiq, streaming).",
                    "公式の手順では rbenv も含めて /home/mastodon に入るため、web・sidekiq・streaming の3つとも tmpfs の書き方を使います。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The software lives in /opt and its data in /var/lib: plain ProtectHome=true fits, and the shipped unit sets it.",
                    "本体は /opt、データは /var/lib にあるため、ProtectHome=true で問題ありません。付属のユニットでも設定されています。",
                ),
            ),
            (
                "Misskey",
                Text(
                    "The usual guides install to /home/misskey: use the form with tmpfs and that folder.",
                    "一般的な手順では /home/misskey に入るため、そのフォルダを指定して tmpfs の書き方を使います。",
                ),
            ),
        ),
    ),
    verify=Text(
        "The value, and what the running process really sees:\n" + VERIFY,
        "設定値と、動作中のプロセスから実際に見えるものを確認します。\n" + VERIFY,
    ),
    codes={
        **SHARED,
        "on": Text(
            "Home directories are kept from all {count} running units of the app.",
            "アプリの動作中のユニット {count} 個すべてから、ホームディレクトリが隠されています。",
        ),
        "lives_there": Text(
            "{unit} has ProtectHome=no, as the software itself lies at {path}. The value tmpfs with that folder bound in would hide the other homes.",
            "ソフトウェア自体が {path} にあるため、{unit} は ProtectHome=no です。tmpfs にして自分のフォルダだけを見せれば、ほかのホームも隠せます。",
        ),
        "off": Text(
            "{unit} sees all home directories, and the software itself lies elsewhere, at {path}.",
            "ソフトウェアは {path} にあるのに、{unit} からすべてのホームディレクトリが見えます。",
        ),
        "place_unknown": Text(
            "{unit} sees all home directories, and fedisec does not know whether the software itself lies there.",
            "{unit} からすべてのホームディレクトリが見えます。ソフトウェア自体がそこにあるかどうかはわかりません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    units = app_units(facts)
    if (gap := unjudged(units)) is not None:
        return gap
    values, shown = values_of(units, SETTING)
    seeing = [name for name, value in values.items() if value == "no"]
    if seeing:
        configs = parse_app_config(facts.get(Inside).lines("app_config"))
        verdicts = [_seeing(name, configs) for name in seeing]
        rank = ("off", "place_unknown", "lives_there")
        return min(verdicts, key=lambda verdict: rank.index(verdict.code)).seen(LABEL, shown)
    if not set(values.values()) <= GOOD:
        return unknown("not_seen", Reason.NO_TOOL)
    return outdated(units) or passed("on", count=len(values)).seen(LABEL, shown)


def _seeing(unit: str, configs: AppConfigs) -> Verdict:
    """ProtectHome=no is right where the configuration of the unit's software shows that it lives in a home."""
    family = unit.replace("@", "-").partition("-")[0].partition(".")[0]
    paths = [file.path for file in configs.of(FAMILIES.get(family, family)).files]
    within = [path for path in paths if path.startswith(("/home/", "/root/"))]
    if paths and len(within) == len(paths):
        return passed("lives_there", unit=unit, path=within[0])
    if paths and not within:
        return failed("off", unit=unit, path=paths[0])
    return warned("place_unknown", unit=unit)
