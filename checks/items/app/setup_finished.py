"""Is no first-run set-up open to strangers?"""

from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import PanelPaths, PathSeen
from checks.facts.instance import InstanceInfo, Software
from checks.model import OUTSIDE, Fix, Item, Level, Source, Text, Verdict, failed, passed

# Families whose set-up runs in a terminal: there is no page that a stranger could take over.
_NO_WEB_SETUP = frozenset({"mastodon", "pleroma", "akkoma", "gotosocial", "pixelfed", "peertube"})

MISSKEY = """
    setupPassword: a-long-random-word"""

SEE = """
    curl -s -X POST -H "Content-Type: application/json" -d '{"detail":true}' https://example.social/api/meta | grep -o '"requireSetup":[a-z]*'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    title=Text("No first-run set-up is open to strangers", "初期設定の画面が部外者に開いていない"),
    why=Text(
        "Some software makes the first visitor its administrator. On a server that is online before its owner has finished, that may be anybody.",
        "最初に訪れた人を管理者にするソフトウェアがあります。設定を終える前に公開すると、誰に管理者権限を取られるかわかりません。",
    ),
    expected=Text(
        "The administrator's account exists, and the set-up page is gone.",
        "管理者アカウントが作成済みで、初期設定の画面が閉じている状態。",
    ),
    fix=Fix(
        Text(
            "Finish the set-up at once, or close the server in the proxy until you have. Look whether an account exists already that is not yours.",
            "すぐに初期設定を終えるか、終わるまでプロキシで閉じておきます。身に覚えのないアカウントがないかも確認してください。",
        ),
        variants=(
            (
                "Misskey",
                Text(
                    "Set a password for the set-up before the first start:\n" + MISSKEY,
                    "初回起動の前に、初期設定用のパスワードを設定します。\n" + MISSKEY,
                ),
            ),
            (
                "Friendica, Lemmy",
                Text(
                    "Remove the page /install (Friendica), or the block setup with its admin_password (Lemmy), once the account exists.",
                    "アカウントを作成したら、Friendica の /install、Lemmy の設定にある setup（admin_password）を無効にします。",
                ),
            ),
        ),
    ),
    verify=Text("Misskey must say false:\n" + SEE, "Misskey では false になることを確認します。\n" + SEE),
    codes={
        "finished": Text("The set-up is finished.", "初期設定は完了しています。"),
        "none": Text(
            "{software} has no set-up page on the web.", "{software} にはウェブ上の初期設定画面がありません。"
        ),
        "open": Text(
            "The set-up is open: whoever comes first becomes administrator.",
            "初期設定が開いたままです。最初に訪れた人が管理者になれます。",
        ),
        "installer": Text("The installer at {path} is open.", "{path} のインストーラが開いています。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    info = facts.get(InstanceInfo)
    if info.setup_open is True:
        return failed("open").seen("POST /api/meta", "requireSetup: true")
    panels = facts.maybe(PanelPaths)
    for path in panels.paths if panels else ():
        if isinstance(path, PathSeen) and path.found == "installer":
            return failed("installer", path=path.path).seen(f"GET {path.path}", path.proof)
    if info.setup_open is False:
        return passed("finished").seen("POST /api/meta", "requireSetup: false")
    software = facts.get(Software)
    if software.family in _NO_WEB_SETUP:
        return passed("none", software=software.name).seen(
            software.via, f"{software.name} {software.version}"
        )
    installers = [
        p for p in (panels.paths if panels else ()) if isinstance(p, PathSeen) and p.path == "/install"
    ]
    if installers:
        return passed("finished").seen("GET /install", f"HTTP {installers[0].status}, no installer")
    assert isinstance(info.setup_open, Missing)
    raise MissingFact(info.setup_open)
