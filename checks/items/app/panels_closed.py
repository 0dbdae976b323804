"""Does no admin panel, metrics or debug page answer a stranger?  Judged by content, never by status."""

from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import PanelPaths, PathSeen
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed

NGINX = """
    location ~ ^/(metrics|sidekiq|pghero|queue|horizon|telescope|phoenix/live_dashboard|akkoma/oban) {
        allow 127.0.0.1;
        deny all;
    }"""

TUNNEL = """
    ssh -L 3000:127.0.0.1:3000 you@example.social"""

SEE = """
    for p in metrics sidekiq pghero queue horizon telescope phoenix/live_dashboard akkoma/oban; do curl -s -o /dev/null -w "%{http_code} $p\\n" "https://example.social/$p"; done"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "Laravel: Horizon, dashboard authorization",
            "https://laravel.com/docs/horizon#dashboard-authorization",
        ),
        Reference("GoToSocial: Metrics", "https://docs.gotosocial.org/en/latest/advanced/metrics/"),
    ),
    title=Text(
        "Admin panels and metrics are closed to strangers", "管理用パネルやメトリクスを部外者に公開していない"
    ),
    why=Text(
        "Job queues, dashboards and metrics show addresses, queries and names of users, and some let anybody delete or repeat jobs. They are looked for by every scanner of the web.",
        "ジョブキューやダッシュボード、メトリクスからは、アドレスやクエリ、利用者名が漏れ、ジョブの操作まで許すものもあります。こうした画面は常に探し回られています。",
    ),
    expected=Text(
        "Each such path answers 404, 403 or a sign-in page to a visitor who is not signed in.",
        "ログインしていない訪問者には、どのパスも 404・403 かログイン画面を返す状態。",
    ),
    fix=Fix(
        Text(
            "Close the paths in the proxy, and look at the panels through an SSH tunnel:\n"
            + NGINX
            + "\n\nOn your own machine:\n"
            + TUNNEL,
            "プロキシでパスを閉じ、必要なときは SSH トンネル経由で見ます。\n"
            + NGINX
            + "\n\n手元のマシンで実行します。\n"
            + TUNNEL,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "/metrics belongs to the streaming server: let the proxy pass only /api/v1/streaming to it. /sidekiq and /pghero ask for a role by themselves.",
                    "/metrics はストリーミングサーバのものです。プロキシからは /api/v1/streaming だけを渡してください。/sidekiq と /pghero には権限の確認が組み込まれています。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "Horizon and Telescope are open where APP_ENV is not production or APP_DEBUG is true.",
                    "APP_ENV が production でない場合や APP_DEBUG が true の場合、Horizon や Telescope が公開されます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Each line must begin with 404, 403 or 401, or with 302 to the sign-in. Misskey answers 200 with its ordinary page to every path: open that in a private window.\n"
        + SEE,
        "どの行も 404・403・401、またはログイン画面への 302 であることを確認します。Misskey はどのパスにも通常のページを 200 で返すので、プライベートウィンドウで開いて確かめてください。\n"
        + SEE,
    ),
    codes={
        "closed": Text(
            "None of the {count} paths shows anything to a stranger.",
            "調べた {count} 個のパスは、いずれも部外者に何も見せません。",
        ),
        "open": Text("{path} is open to everybody: {kind}.", "{path} が誰にでも公開されています（{kind}）。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    paths = facts.get(PanelPaths).paths
    asked = [path for path in paths if isinstance(path, PathSeen)]
    for path in asked:
        if path.found:
            verdict = failed("open", path=path.path, kind=path.found)
            return verdict.seen(f"GET {path.path}", f"HTTP {path.status}: {path.proof}")
    for gap in paths:
        if isinstance(gap, Missing):
            raise MissingFact(gap)
    return passed("closed", count=len(asked)).seen("paths", _lines(asked))


def _lines(paths: list[PathSeen]) -> str:
    return "\n".join(f"{path.path}: HTTP {path.status}" for path in paths)
