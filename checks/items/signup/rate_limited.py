"""Where registration is open: is the number of sign-ups limited?"""

from checks.errors import Reason
from checks.facts import Facts, MissingFact
from checks.facts.inside import Inside
from checks.facts.instance import InstanceInfo
from checks.facts.software import Software
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
    not_applicable,
    passed,
    unknown,
)
from checks.parse.host.app_config import AppConfig, configs_of
from checks.parse.host.proxy import parse_proxy
from checks.parse.host.sections import lines_if_any, why_unread

# The setting whose value nil or 0 takes the limit away.
LIMITS = {
    "akkoma": (":rate_limit.app_account_creation", "Akkoma"),
    "pleroma": (":rate_limit.app_account_creation", "Pleroma"),
    "gotosocial": ("accounts-registration-daily-limit", "GoToSocial"),
}

NGINX = """
    limit_req_zone $binary_remote_addr zone=signup:10m rate=5r/m;

    location = /auth {
        limit_req zone=signup burst=5 nodelay;
        proxy_pass http://backend;
    }"""

AKKOMA = """
    config :pleroma, :rate_limit,
      app_account_creation: {1_800_000, 5}"""

GTS = """
    accounts-registration-daily-limit: 10
    accounts-registration-backlog-limit: 20"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Sign-ups"),),
    references=(
        Reference("Mastodon: Rate limits", "https://docs.joinmastodon.org/api/rate-limits/"),
        Reference("GoToSocial: New account sign-ups", "https://docs.gotosocial.org/en/latest/admin/signups/"),
        Reference(
            "nginx: ngx_http_limit_req_module",
            "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
        ),
    ),
    title=Text("The number of sign-ups per address is limited", "新規登録の回数を制限している"),
    why=Text(
        "A limit turns a wave of registrations into a trickle that moderators can handle. It only works if the software sees the visitors' own addresses behind the proxy.",
        "回数を制限すれば、登録が殺到しても対応できる量に抑えられます。ただし、プロキシの内側でも利用者本来のアドレスが見えていることが前提です。",
    ),
    expected=Text(
        "Where sign-up is open, one address can make only a few accounts an hour, in the software or in the proxy. With sign-up closed: not applicable.",
        "新規登録を受け付けている場合、同じアドレスからの登録がソフトウェアかプロキシで1時間に数件までに制限されている状態。登録を閉じていれば対象外です。",
    ),
    fix=Fix(
        Text(
            "Keep the limits that ship with the software, and add one in the proxy where it has none. The form's path differs with the software (Mastodon posts to /auth).\n"
            + NGINX,
            "ソフトウェア標準の制限はそのまま使い、ないものはプロキシで制限します。登録フォームのパスはソフトウェアによって異なります（Mastodon は /auth）。\n"
            + NGINX,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Limits are built in; they count wrongly when TRUSTED_PROXY_IP does not name your proxy.",
                    "制限は組み込まれています。TRUSTED_PROXY_IP にプロキシが設定されていないと正しく数えられません。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The first number is the time in milliseconds, the second the accounts allowed in it.\n"
                    + AKKOMA,
                    "1つ目の数字が期間（ミリ秒）、2つ目がその間に許す件数です。\n" + AKKOMA,
                ),
            ),
            ("GoToSocial", Text("Set these lines:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "Send the form several times from one address until the server answers 429.",
        "同じアドレスから何度か送信し、ステータス 429 が返ることを確認します。",
    ),
    codes={
        "built_in": Text(
            "{software} limits sign-ups by itself, and no setting here takes that away.",
            "{software} には登録数の制限が組み込まれていて、それを外す設定はありません。",
        ),
        "closed": Text("Nobody can sign up, so nothing has to be limited.", "新規登録を受け付けていません。"),
        "removed": Text(
            "{setting}: the limit that {software} ships with is switched off.",
            "{setting} のため、{software} 標準の制限が外れています。",
        ),
        "by_proxy": Text(
            "nginx limits requests ({limit}). Whether that covers the sign-up form was not seen; please answer.",
            "nginx でリクエスト数が制限されています（{limit}）。登録フォームが対象かどうかは確認できないため、回答してください。",
        ),
        "in_database": Text(
            "configurable_from_database is on: values in the database stand above the file.",
            "configurable_from_database が有効なため、ファイルよりデータベースの値が優先されます。",
        ),
        "not_known": Text(
            "fedisec does not know how {software} limits sign-ups; please answer.",
            "{software} の登録数の制限は fedisec では判断できないため、回答してください。",
        ),
        "denied": Text(
            "fedisec's account may not read {path}, so its settings were not seen.",
            "fedisec のアカウントでは {path} を読めないため、設定を確認できませんでした。",
        ),
        "no_file": Text(
            "None of the places that fedisec knows holds a configuration file; its path can be named to the collector.",
            "fedisec の知る場所に設定ファイルがありませんでした。パスは収集スクリプトの設定に登録できます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside, info = facts.get(Inside), facts.maybe(InstanceInfo)
    if info is not None and info.registrations_open is False:
        return not_applicable("closed")
    configs = configs_of(inside, facts.maybe(Software))
    read = [file for file in configs.read if file.values]
    if not read and configs.denied:
        return unknown("denied", Reason.DENIED, path=configs.denied[0])
    if not read:
        return unknown("no_file", Reason.NOT_ASKED)
    limits = parse_proxy(lines_if_any(facts, "proxy") or ()).limits
    verdicts = [_by_proxy(_judge(file), limits) for file in read]
    rank = ("removed", "by_proxy", "in_database", "not_known", "built_in")
    worst = min(verdicts, key=lambda verdict: rank.index(verdict.code))
    if worst.code == "removed" and (gap := why_unread(facts, "proxy")) is not None:
        raise MissingFact(gap)  # the limit may stand in nginx
    return worst


def _by_proxy(verdict: Verdict, limits: tuple[str, ...]) -> Verdict:
    """Where the software has no limit, one in nginx may be it; for which path it stands is not read."""
    if verdict.code not in {"removed", "not_known"} or not limits:
        return verdict
    return asked("by_proxy", limit=limits[0]).seen("inside: nginx", "\n".join(limits[:6]))


def _judge(file: AppConfig) -> Verdict:
    where = f"inside: {file.path}"
    if file.family == "mastodon":
        return passed("built_in", software="Mastodon").seen(where, "Mastodon")
    if file.family not in LIMITS:
        return asked("not_known", software=file.family)
    if file.database_rules:
        return unknown("in_database", Reason.NOT_ASKED)
    key, name = LIMITS[file.family]
    value = file.values.get(key, "")
    if value.lower() in {"nil", "false"} or value.lstrip("-").isdigit() and int(value) <= 0:
        return failed("removed", setting=f"{key}={value}", software=name).seen(where, f"{key}={value}")
    return passed("built_in", software=name).seen(where, f"{key}: {value or 'not set, so as shipped'}")
