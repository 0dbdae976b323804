"""Akkoma and Pleroma: are http_security, sts and referrer_policy set, or does the proxy send the same headers?"""

from checks.errors import Reason
from checks.facts import Facts, seen
from checks.facts.http import FrontPage, Page
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
from checks.parse.answers import header_lines, readable
from checks.parse.host.app_config import AppConfig, configs_of

HEADERS = (
    "strict-transport-security", "content-security-policy", "x-frame-options", "x-content-type-options",
    "referrer-policy",
)  # fmt: skip
STRICT = frozenset({"same-origin", "no-referrer", "strict-origin", "strict-origin-when-cross-origin"})

CONFIG = """
    config :pleroma, :http_security,
      enabled: true,
      sts: true,
      referrer_policy: "same-origin\""""

SEE = """
    curl -sI https://example.social/ | grep -iE "strict-transport|content-security|x-frame|x-content|referrer\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "http_security"), Source("004", "sts"), Source("004", "referrer_policy")),
    references=(
        Reference(
            "Akkoma: Configuration cheat sheet", "https://docs.akkoma.dev/stable/configuration/cheatsheet/"
        ),
    ),
    title=Text(
        "Akkoma's or Pleroma's own security headers are on",
        "Akkoma・Pleroma の http_security が有効になっている",
    ),
    why=Text(
        "These settings make the software send its own policy and headers, fitted to what its pages need. Switched off, every one of them has to be kept in the proxy by hand.",
        "これらの設定で、ページの内容に合ったポリシーとヘッダをソフトウェア自身が送ります。無効だと、すべてをプロキシ側で手作業で維持することになります。",
    ),
    expected=Text(
        "http_security is enabled with sts and a strict referrer_policy, or the proxy sends the same headers. Other software: not applicable.",
        "http_security が有効で、sts と厳しい referrer_policy が設定されている、またはプロキシが同じヘッダを送っている状態。ほかのソフトウェアは対象外です。",
    ),
    fix=Fix(
        Text(
            "In the configuration file; if configurable_from_database is on, the value in the admin interface wins.\n"
            + CONFIG,
            "設定ファイルに書きます。configurable_from_database が有効なら、管理画面の値が優先されます。\n"
            + CONFIG,
        )
    ),
    verify=Text(
        "Each header must appear once:\n" + SEE, "各ヘッダが1つずつ表示されることを確認します。\n" + SEE
    ),
    codes={
        "on": Text(
            "http_security is on, with sts and referrer_policy {policy}.",
            "http_security と sts が有効で、referrer_policy は {policy} です。",
        ),
        "by_proxy": Text(
            "All five headers arrive, from the software or from the proxy.",
            "ソフトウェアかプロキシから、5つのヘッダがすべて送られています。",
        ),
        "off": Text(
            "http_security is switched off, and the proxy does not send all of the headers: {missing}.",
            "http_security が無効で、プロキシからも送られていないヘッダがあります（{missing}）。",
        ),
        "no_sts": Text(
            "http_security is on, but sts is not, and no Strict-Transport-Security arrives.",
            "http_security は有効ですが sts が無効で、Strict-Transport-Security も送られていません。",
        ),
        "loose_referrer": Text(
            "http_security is on, but referrer_policy {policy} tells other sites which page was read.",
            "http_security は有効ですが、referrer_policy が {policy} のため、閲覧中のページが他サイトに伝わります。",
        ),
        "in_database": Text(
            "configurable_from_database is on, and not all of the headers arrive ({missing}); which setting is in force the file does not tell.",
            "configurable_from_database が有効なため、ファイルからは有効な設定がわかりません。届いていないヘッダがあります（{missing}）。",
        ),
        "other_software": Text(
            "Only Akkoma and Pleroma have this setting.", "この設定は Akkoma と Pleroma にしかありません。"
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
    inside, software = facts.get(Inside), facts.maybe(Software)
    if software is not None and software.family not in {"akkoma", "pleroma"}:
        return not_applicable("other_software")
    configs = configs_of(inside, software)
    files = [file for file in configs.read if file.values and file.family in {"akkoma", "pleroma"}]
    if files:
        return _judge(files[0], facts).seen(f"inside: {files[0].path}", _shown(files[0]))
    if configs.denied:
        return unknown("denied", Reason.DENIED, path=configs.denied[0])
    return (
        unknown("no_file", Reason.NOT_ASKED)
        if software or not configs.files
        else not_applicable("other_software")
    )


def _judge(file: AppConfig, facts: Facts) -> Verdict:
    """What arrives decides wherever the file alone does not."""
    policy = file.text(":http_security.referrer_policy") or "same-origin"
    enabled, sts = file.flag(":http_security.enabled", True), file.flag(":http_security.sts", False)
    if not file.database_rules and enabled and sts:
        return passed("on", policy=policy) if policy in STRICT else warned("loose_referrer", policy=policy)
    page = seen(readable(facts.get(FrontPage).document))
    missing = _missing(page)
    lines = header_lines(page, *HEADERS)
    if not missing:
        return passed("by_proxy").seen(f"outside: GET {page.url}", lines)
    shown = ", ".join(missing)
    if file.database_rules:
        return unknown("in_database", Reason.NOT_ASKED, missing=shown)
    if enabled is False:
        return failed("off", missing=shown).seen(f"outside: GET {page.url}", lines)
    if "strict-transport-security" not in missing:
        return passed("on", policy=policy) if policy in STRICT else warned("loose_referrer", policy=policy)
    return warned("no_sts").seen(f"outside: GET {page.url}", lines)


def _missing(page: Page) -> list[str]:
    framing = "frame-ancestors" in (page.header("content-security-policy") or "")
    return [
        name for name in HEADERS if page.header(name) is None and not (framing and name == "x-frame-options")
    ]


def _shown(file: AppConfig) -> str:
    keys = (
        ":http_security.enabled",
        ":http_security.sts",
        ":http_security.referrer_policy",
        "configurable_from_database",
    )
    return (
        "\n".join(f"{key}={file.values[key]}" for key in keys if key in file.values)
        or "http_security: not set"
    )
