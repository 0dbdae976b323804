"""Is no first-run set-up open to strangers?

Friendica sends every visitor of an unfinished server to its installer, where there is no API yet; Misskey and Lemmy say
in theirs whether the set-up was run.  Pixelfed's installer shows itself where there is no .env file."""

from urllib.parse import urlsplit

from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import FrontPage, Page, PanelPaths, PathSeen
from checks.facts.instance import InstanceInfo, Software
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed
from checks.parse.served import installer_in

# Families whose set-up runs in a terminal: there is no page that a stranger could take over.
_NO_WEB_SETUP = frozenset({"mastodon", "pleroma", "akkoma", "gotosocial", "peertube"})
_INSTALLERS = ("/install", "/installer")
# Where the API says it, and in which words: (place, while it is open, once it is finished).
_SAYS = {
    "misskey": ("POST /api/meta", "requireSetup: true", "requireSetup: false"),
    "lemmy": ("GET /api/v3/site", "site_setup: false", "site_setup: true"),
}
_ELSEWHERE = ("instance API", "set-up open", "set-up finished")

MISSKEY = """
    setupPassword: a-long-random-word"""

SEE = """
    curl -s -X POST -H "Content-Type: application/json" -d '{"detail":true}' https://example.social/api/meta | grep -o '"requireSetup":[a-z]*'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Misskey: Manual installation", "https://misskey-hub.net/en/docs/for-admin/install/guides/manual/"
        ),
    ),
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
                "Pixelfed",
                Text(
                    "The installer is there as long as the program's folder holds no .env file, also where the settings come from the environment of a container. Put the file there, or let the proxy answer 404 to /installer.",
                    "プログラムのディレクトリに .env がないと、コンテナの環境変数で設定している場合でもインストーラが開きます。.env を置くか、プロキシで /installer に 404 を返してください。",
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
    verify=Text(
        "Misskey must say false:\n"
        + SEE
        + "\n\nOn Friendica /install, on Pixelfed /installer must answer 403 or 404.",
        "Misskey では false になることを確認します。\n"
        + SEE
        + "\n\nFriendica では /install、Pixelfed では /installer が 403 か 404 になることを確認します。",
    ),
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
    front, panels = facts.maybe(FrontPage), facts.maybe(PanelPaths)
    document = front.document if front is not None else None
    if isinstance(document, Page) and (found := installer_in(document.body)):
        where = urlsplit(document.url).path
        return failed("installer", path=where).seen(f"GET {document.url}", found.proof)
    asked = [path for path in (panels.paths if panels else ()) if isinstance(path, PathSeen)]
    for path in asked:
        if path.found == "installer":
            return failed("installer", path=path.path).seen(f"GET {path.path}", path.proof)
    info = facts.get(InstanceInfo)
    software = facts.maybe(Software)
    where, unfinished, finished = _SAYS.get(software.family if software else "", _ELSEWHERE)
    if info.setup_open is True:
        return failed("open").seen(where, unfinished)
    if info.setup_open is False:
        return passed("finished").seen(where, finished)
    software = facts.get(Software)
    if software.family in _NO_WEB_SETUP:
        line = f"{software.name} {software.version}"
        return passed("none", software=software.name).seen(software.via, line)
    for path in asked:
        if path.path in _INSTALLERS:
            return passed("finished").seen(f"GET {path.path}", f"HTTP {path.status}, no installer")
    assert isinstance(info.setup_open, Missing)
    raise MissingFact(info.setup_open)
