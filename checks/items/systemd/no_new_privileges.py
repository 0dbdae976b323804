"""Does the app's unit have NoNewPrivileges=yes?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.items.systemd import LABEL, SHARED, app_units, outdated, unjudged
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

PROCESS = "inside: /proc/MainPID/status"

DROP_IN = """
    [Service]
    NoNewPrivileges=true"""

RESTART = """
    sudo systemctl edit UNIT
    sudo systemctl restart UNIT"""

MSMTP = """
    SMTP_DELIVERY_METHOD=smtp
    SMTP_SERVER=127.0.0.1"""

VERIFY = """
    systemctl show UNIT -p NoNewPrivileges -p NeedDaemonReload
    grep NoNewPrivs "/proc/$(systemctl show UNIT -p MainPID --value)/status\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "systemd"),),
    references=(
        Reference(
            "systemd.exec(5): NoNewPrivileges=",
            "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#NoNewPrivileges=",
        ),
        Reference(
            "Linux kernel: No New Privileges Flag", "https://docs.kernel.org/userspace-api/no_new_privs.html"
        ),
    ),
    title=Text(
        "The app's unit can gain no privileges (NoNewPrivileges)",
        "アプリのユニットが権限を昇格できない（NoNewPrivileges）",
    ),
    why=Text(
        "Without new privileges sudo, su and every other setuid program do nothing for the app and its children. Many ways from a web flaw to root end here.",
        "これを有効にすると、アプリとその子プロセスからは sudo や su などの setuid プログラムが効かなくなります。ウェブの脆弱性から root を奪う多くの手口を、ここで断てます。",
    ),
    expected=Text(
        "NoNewPrivileges=yes for every unit, and the running process shows NoNewPrivs: 1.",
        "どのユニットも NoNewPrivileges=yes で、動作中のプロセスが NoNewPrivs: 1 を示す状態。",
    ),
    fix=Fix(
        Text(
            "As a drop-in of each unit:\n"
            + DROP_IN
            + "\n"
            + RESTART
            + "\n\nMail handed to a local sendmail program may stop, as that is setuid or setgid on many systems; speak SMTP to the local mail server in its place.",
            "ユニットごとにドロップインを書きます。\n"
            + DROP_IN
            + "\n"
            + RESTART
            + "\n\nローカルの sendmail コマンドは setuid や setgid で動くことが多く、メールが送れなくなる場合があります。そのときはローカルのメールサーバへ SMTP で送るようにしてください。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "The three units in dist/ set it. If SMTP_DELIVERY_METHOD is sendmail, change it in .env.production:\n"
                    + MSMTP,
                    "dist/ にある付属の3つのユニットでは設定されています。SMTP_DELIVERY_METHOD が sendmail なら、.env.production を変更します。\n"
                    + MSMTP,
                ),
            ),
            ("Akkoma, Pleroma", Text("The shipped unit sets it.", "付属のユニットで設定されています。")),
            (
                "Misskey",
                Text("Nothing in Misskey needs more rights.", "Misskey の動作に権限の昇格は不要です。"),
            ),
        ),
    ),
    verify=Text(
        "The setting, and the running process (1 = on). After an edit without a restart the two differ:\n"
        + VERIFY,
        "設定値と、動作中のプロセスの値（1 なら有効）を確認します。編集後に再起動していないと、両者が食い違います。\n"
        + VERIFY,
    ),
    codes={
        **SHARED,
        "on": Text(
            "All {count} running units of the app can gain no privileges.",
            "アプリの動作中のユニット {count} 個すべてが、権限を昇格できません。",
        ),
        "off": Text(
            "{unit} may gain privileges through setuid programs.",
            "{unit} は setuid プログラムを通じて権限を昇格できます。",
        ),
        "process_only": Text(
            "The process of {unit} is limited, but not by this setting of its unit: another one does it, or the unit was changed.",
            "{unit} のプロセスは制限されていますが、ユニットにこの設定はありません。別の設定の効果か、ユニットが変更された可能性があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    units = app_units(facts)
    if (gap := unjudged(units)) is not None:
        return gap
    for unit in units.running:
        value = unit.value("NoNewPrivileges")
        shown = f"{unit.name}: NoNewPrivileges={value}"
        if value == "no" and unit.process_no_new_privileges is not True:
            return failed("off", unit=unit.name).seen(LABEL, shown)
    for unit in units.running:
        value, process = unit.value("NoNewPrivileges"), unit.process_no_new_privileges
        if value == "no":
            return (
                warned("process_only", unit=unit.name)
                .seen(LABEL, f"{unit.name}: {value}")
                .seen(PROCESS, "NoNewPrivs: 1")
            )
        if value == "yes" and process is False:
            return warned("not_restarted", unit=unit.name).seen(PROCESS, f"{unit.name}: NoNewPrivs: 0")
        if value != "yes":
            return unknown("not_seen", Reason.NO_TOOL)
    shown = "\n".join(f"{unit.name}: NoNewPrivileges=yes" for unit in units.running)
    return outdated(units) or passed("on", count=len(units.running)).seen(LABEL, shown)
