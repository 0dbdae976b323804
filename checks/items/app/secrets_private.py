"""Is the configuration with its secrets readable by its owner alone?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
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
from checks.parse.host.app_files import parse_app_files

LABEL = "inside: stat"

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
    references=(
        Reference("Mastodon: Secrets", "https://docs.joinmastodon.org/admin/config/#secrets"),
        Reference("chmod(1)", "https://man7.org/linux/man-pages/man1/chmod.1.html"),
    ),
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
            ("Mastodon", Text("Run:\n" + MASTODON, "次を実行します。\n" + MASTODON)),
            ("Akkoma", Text("Run:\n" + AKKOMA, "次を実行します。\n" + AKKOMA)),
            ("Misskey", Text("Run:\n" + MISSKEY, "次を実行します。\n" + MISSKEY)),
        ),
    ),
    verify=Text(
        "The last three letters of the mode must be dashes:\n" + SEE,
        "権限表示の末尾3文字がすべてハイフンであることを確認します。\n" + SEE,
    ),
    codes={
        "private": Text(
            "Only the owner and its group may read {path}.",
            "{path} を読めるのは所有者とそのグループだけです。",
        ),
        "open": Text(
            "Every account on the server may read or write {path} (mode {mode}).",
            "{path} は、サーバのどのアカウントからも読み書きできる状態です（モード {mode}）。",
        ),
        "group": Text(
            "The group {group} may read {path}, and it is shared by strangers, or may even write it (mode {mode}).",
            "{path} は、ほかのプログラムも属するグループ {group} から読めるか、グループから書き込めます（モード {mode}）。",
        ),
        "closed": Text(
            "fedisec's account may not enter {folder}, and the file may lie there. Other accounts are kept out likewise, but its mode was not seen.",
            "ファイルがあるかもしれない {folder} に、fedisec のアカウントは入れません。ほかのアカウントも入れないと考えられますが、モードは確認できませんでした。",
        ),
        "no_file": Text(
            "None of the places that fedisec knows holds a configuration file; its path can be named to the collector.",
            "fedisec の知る場所に設定ファイルがありませんでした。パスは収集スクリプトの設定に登録できます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = parse_app_files(facts.get(Inside).lines("app_files"))
    shown = "\n".join(str(file) for file in found.files)
    for file in found.files:
        if file.open_to_all:
            return failed("open", path=file.path, mode=f"{file.mode:o}").seen(LABEL, shown)
    for file in found.files:
        if file.open_to_group:
            verdict = warned("group", path=file.path, group=file.group, mode=f"{file.mode:o}")
            return verdict.seen(LABEL, shown)
    if found.files:
        return passed("private", path=found.files[0].path).seen(LABEL, shown)
    if found.closed:
        return unknown("closed", Reason.DENIED, folder=found.closed[0])
    return unknown("no_file", Reason.NOT_ASKED)
