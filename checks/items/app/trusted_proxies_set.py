"""Can addresses of clients neither be forged nor all look alike?"""

from contextlib import suppress

from checks.data.network import cdn_in_front
from checks.errors import ParseError, Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.advisories import Affected
from checks.facts.dns import Addresses
from checks.facts.inside import Inside
from checks.facts.software import Software
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
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.host.app_config import AppConfig, configs_of
from checks.parse.host.common import denied
from checks.parse.host.egress import parse_egress
from checks.parse.host.proxy import parse_proxy
from checks.parse.versions import is_within

KEYS = {
    "mastodon": "TRUSTED_PROXY_IP",
    "akkoma": "Pleroma.Web.Plugs.RemoteIp.proxies",
    "pleroma": "Pleroma.Web.Plugs.RemoteIp.proxies",
    "misskey": "trustProxy",
    "pixelfed": "TRUST_PROXIES",
    "gotosocial": "trusted-proxies",
    "peertube": "trust_proxy",
    "friendica": "system.trusted_proxies",
}
EVERYONE = frozenset({"0.0.0.0/0", "::/0", "**"})
SAFE_MISSKEY = "2025.12.0"

MASTODON = """
    TRUSTED_PROXY_IP=127.0.0.1,::1,192.0.2.10"""

NGINX = """
    set_real_ip_from 192.0.2.0/24;
    real_ip_header CF-Connecting-IP;"""

AKKOMA = """
    config :pleroma, Pleroma.Web.Plugs.RemoteIp,
      enabled: true,
      headers: ["x-forwarded-for"],
      proxies: ["127.0.0.1/32"]"""

PIXELFED = """
    TRUST_PROXIES=127.0.0.1"""

GTS = """
    trusted-proxies:
      - "127.0.0.1/32\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("Mastodon: TRUSTED_PROXY_IP", "https://docs.joinmastodon.org/admin/config/#deployment"),
        Reference(
            "GoToSocial: Trusted proxies",
            "https://docs.gotosocial.org/en/latest/configuration/trusted_proxies/",
        ),
        Reference(
            "nginx: ngx_http_realip_module", "https://nginx.org/en/docs/http/ngx_http_realip_module.html"
        ),
    ),
    title=Text(
        "The software sees visitors' true addresses", "ソフトウェアが訪問者の本当のアドレスを把握している"
    ),
    why=Text(
        "If all visitors seem to come from the proxy, one of them can use up the limit for everybody. If any header is believed, an attacker takes a new address with each try.",
        "全員がプロキシのアドレスに見えると、1人が制限を使い切り、全員が締め出されます。逆にどんなヘッダでも信じると、攻撃者は試行のたびにアドレスを変えられます。",
    ),
    expected=Text(
        "The software trusts exactly your own proxies and, behind a CDN, the CDN's published ranges.",
        "自分のプロキシと、CDN を使う場合はその公開アドレス範囲だけを信頼している状態。",
    ),
    fix=Fix(
        Text(
            "Let nginx work out the visitor's address from the CDN's header, for each published range of the CDN, and let the software trust nginx alone. 192.0.2.x stands for your own values.\n"
            + NGINX,
            "CDN の公開アドレス範囲ごとに nginx で本来のアドレスを復元し、ソフトウェアには nginx だけを信頼させます。192.0.2.x は自分の環境の値に置き換えてください。\n"
            + NGINX,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Unset is right when nginx is on the same machine. With a proxy elsewhere the list must be complete:\n"
                    + MASTODON,
                    "nginx が同じマシンにあれば設定は不要です。別のマシンにある場合は、漏れなく列挙します。\n"
                    + MASTODON,
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey",
                Text(
                    "Set trustProxy to your proxy's address; the value true believes everybody.",
                    "trustProxy にプロキシのアドレスを設定します。true にすると誰でも信用してしまいます。",
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "The sample says * and believes everybody:\n" + PIXELFED,
                    "見本の * は誰でも信用する設定です。\n" + PIXELFED,
                ),
            ),
            ("GoToSocial", Text("Set these lines:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "Sign in, then look at the list of your sessions: it must show your own address, also when you send a forged X-Forwarded-For.",
        "ログインしてセッション一覧を開き、自分のアドレスが表示されることを確認します。偽の X-Forwarded-For を送っても変わらなければ正常です。",
    ),
    codes={
        "listed": Text(
            "{key} names the proxies that are believed.", "{key} に、信頼するプロキシが指定されています。"
        ),
        "local": Text(
            "Only proxies on this machine are believed, and no CDN stands in front.",
            "同じサーバ上のプロキシだけを信頼していて、手前に CDN もありません。",
        ),
        "nginx": Text(
            "nginx takes the visitor's address from {cdn}, and the software believes nginx.",
            "nginx が {cdn} から訪問者のアドレスを受け取り、ソフトウェアは nginx を信頼しています。",
        ),
        "tunnel": Text(
            "{unit} hands requests over on this machine, and only proxies here are believed.",
            "リクエストはこのサーバ上の {unit} が渡しており、サーバ内のプロキシだけを信頼しています。",
        ),
        "everyone": Text(
            "{setting} believes everybody, so a visitor can make up an address.",
            "{setting} では誰でも信用するため、訪問者がアドレスを偽れます。",
        ),
        "any_peer": Text(
            "{setting} believes whoever connects. That is right only where a proxy sets the header anew for each request.",
            "{setting} では接続してきた相手を無条件に信用します。プロキシが毎回ヘッダを付け直している場合にだけ安全です。",
        ),
        "off": Text(
            "{setting} believes no proxy, so all visitors look like one.",
            "{setting} ではプロキシを信頼しないため、全員が同じアドレスに見えます。",
        ),
        "all_alike": Text(
            "{cdn} stands in front, but neither nginx nor the software believes its header: all visitors share the CDN's addresses.",
            "手前に {cdn} がありますが、nginx もソフトウェアもそのヘッダを見ていないため、訪問者が CDN のアドレスに見えます。",
        ),
        "list_hidden": Text(
            "{key} is set, but its entries are not shown to fedisec.",
            "{key} は設定されていますが、その中身は fedisec には見えません。",
        ),
        "old_default": Text(
            "{key} is not set, and fedisec cannot tell whether this version believes everybody by default.",
            "{key} が設定されておらず、この版の初期値が誰でも信用するものかどうかを判断できません。",
        ),
        "nginx_denied": Text(
            "{cdn} stands in front; fedisec did not see all of the proxy's configuration.",
            "手前に {cdn} がありますが、プロキシの設定をすべては確認できませんでした。",
        ),
        "in_database": Text(
            "configurable_from_database is on: values in the database stand above the file.",
            "configurable_from_database が有効なため、ファイルよりデータベースの値が優先されます。",
        ),
        "no_setting": Text(
            "fedisec knows no such setting of {software}.",
            "{software} のこのような設定を fedisec は把握していません。",
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
    inside = facts.get(Inside)
    configs = configs_of(inside, facts.maybe(Software))
    everyone = set(parse_proxy(inside.lines("proxy")).real_ip_from) & EVERYONE
    if everyone:
        setting = f"set_real_ip_from {min(everyone)}"
        return failed("everyone", setting=setting).seen("inside: nginx", setting)
    judged = [
        _judge(file, facts).seen(f"inside: {file.path}", _shown(file)) for file in configs.read if file.values
    ]
    rank = ("everyone", "off", "all_alike", "any_peer")
    bad = [verdict for verdict in judged if verdict.code in rank]
    if bad:
        return min(bad, key=lambda verdict: rank.index(verdict.code))
    if configs.denied and not judged:
        return unknown("denied", Reason.DENIED, path=configs.denied[0])
    if not judged:
        return unknown("no_file", Reason.NOT_ASKED)
    return next((verdict for verdict in judged if verdict.reason is not None), judged[0])


def _judge(file: AppConfig, facts: Facts) -> Verdict:
    if file.family not in KEYS:
        return not_applicable("no_setting", software=file.family)
    if file.database_rules and file.family != "pixelfed":
        return unknown("in_database", Reason.NOT_ASKED)
    key = KEYS[file.family]
    value = file.text(key)
    setting = f"{key}={value}"
    if file.family in {"akkoma", "pleroma"}:
        if file.flag("Pleroma.Web.Plugs.RemoteIp.enabled", True) is False:
            return failed("off", setting="Pleroma.Web.Plugs.RemoteIp.enabled=false")
        return passed("listed", key=key) if value else _by_default(facts)
    words = set(value.replace("[", " ").replace("]", " ").replace(",", " ").split())
    if words & EVERYONE or value.lower() == "true":
        return failed("everyone", setting=setting)
    if value == "*":
        return warned("any_peer", setting=setting)
    if value.lower() == "false":
        return warned("off", setting=setting)
    if value in {"set", "[list]"}:
        return unknown("list_hidden", Reason.NOT_ASKED, key=key)
    if value:
        return passed("listed", key=key)
    if file.family == "pixelfed" or (file.family == "misskey" and not _has_safe_default(facts)):
        return unknown("old_default", Reason.NOT_ASKED, key=key)
    return _by_default(facts)


def _by_default(facts: Facts) -> Verdict:
    """Proxies on this machine are believed: enough, unless a CDN stands in front of them."""
    addresses, inside = facts.get(Addresses), facts.get(Inside)
    cdn, nginx = cdn_in_front(addresses), parse_proxy(inside.lines("proxy"))
    if cdn is None:
        return passed("local")
    if nginx.real_ip_from and nginx.real_ip_header:
        return passed("nginx", cdn=cdn.name).seen("inside: nginx", f"real_ip_header {nginx.real_ip_header}")
    egress = inside.lines("egress")
    tunnels = parse_egress(egress).tunnels
    if tunnels:
        return passed("tunnel", unit=tunnels[0])
    if denied(egress):
        raise MissingFact(Missing(Reason.DENIED, "section egress"))
    if not nginx.whole:
        return unknown("nginx_denied", Reason.DENIED, cdn=cdn.name)
    return failed("all_alike", cdn=cdn.name).seen("inside: nginx", "no set_real_ip_from")


def _has_safe_default(facts: Facts) -> bool:
    """Versions before it believed everybody, some without the setting (CVE-2025-66482)."""
    software = facts.maybe(Software)
    with suppress(ParseError):
        return software is not None and is_within(software.base_version, Affected(SAFE_MISSKEY, ""))
    return False


def _shown(file: AppConfig) -> str:
    key = KEYS.get(file.family, "")
    return f"{key}={file.text(key)}" if file.text(key) else f"{key or file.family}: not set"
