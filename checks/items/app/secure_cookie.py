"""Is the session cookie Secure, and on Akkoma and Pleroma named __Host-?  A CDN's cookies are left out.

Many pages set no cookie before somebody signs in: then the configuration, where it can be read, tells what
will be set."""

from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.http import FrontPage, SignInPage
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    warned,
)
from checks.parse.answers import readable
from checks.parse.cookies import parse_cookies
from checks.parse.host.app_config import AppConfig, parse_app_config
from checks.parse.host.sections import lines_if_any

FLAGS = {
    "akkoma": "Pleroma.Web.Endpoint.secure_cookie_flag",
    "pleroma": "Pleroma.Web.Endpoint.secure_cookie_flag",
    "pixelfed": "SESSION_SECURE_COOKIE",
}

AKKOMA = """
    config :pleroma, Pleroma.Web.Endpoint, secure_cookie_flag: true"""

PROXY = """
    proxy_set_header X-Forwarded-Proto $scheme;"""

SEE = """
    curl -sI https://example.social/auth/sign_in | grep -i set-cookie"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        INSIDE,
    ),
    sources=(Source("004", "secure_cookie_flag"),),
    references=(
        Reference(
            "RFC 6265 section 4.1.2.5: HTTP State Management Mechanism",
            "https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2.5",
        ),
        Reference(
            "MDN: Set-Cookie",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie",
        ),
    ),
    title=Text(
        "The session cookie travels over https only", "セッション Cookie を https でだけ送るようにしている"
    ),
    why=Text(
        "A session cookie without Secure goes out with the first request over plain http, where anybody on the way can take it. The name prefix __Host- also keeps sub-domains from planting a cookie of their own.",
        "Secure のないセッション Cookie は、http の最初のリクエストでも送られ、経路上で盗まれます。名前が __Host- で始まれば、サブドメインから Cookie を仕込まれることも防げます。",
    ),
    expected=Text(
        "The session cookie carries Secure; on Akkoma and Pleroma it is called __Host-pleroma_key.",
        "セッション Cookie に Secure が付いている状態。Akkoma と Pleroma では名前が __Host-pleroma_key になっている状態。",
    ),
    fix=Fix(
        Text(
            "Let the proxy tell the software that visitors come over https, and use production mode:\n"
            + PROXY,
            "利用者が https で接続していることをプロキシからソフトウェアに伝え、本番モードで動かします。\n"
            + PROXY,
        ),
        variants=(("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),),
    ),
    verify=Text("Look at the header:\n" + SEE, "ヘッダを確認します。\n" + SEE),
    codes={
        "secure": Text(
            "The session cookie {name} is Secure.", "セッション Cookie {name} に Secure があります。"
        ),
        "none_set": Text(
            "A visitor gets no session cookie before signing in.",
            "ログイン前の訪問者にセッション Cookie は発行されません。",
        ),
        "no_prefix": Text(
            "{name} is Secure, but {software} would name it __Host-pleroma_key with secure_cookie_flag on.",
            "{name} に Secure はありますが、secure_cookie_flag を有効にした {software} なら __Host-pleroma_key になります。",
        ),
        "flag_on": Text(
            "No cookie was seen, but {setting} makes the session cookie Secure.",
            "Cookie は確認できませんでしたが、{setting} によりセッション Cookie に Secure が付きます。",
        ),
        "flag_off": Text(
            "{setting}: the session cookie will be sent without Secure.",
            "{setting} のため、セッション Cookie に Secure が付きません。",
        ),
        "not_secure": Text(
            "The session cookie {name} is not Secure.", "セッション Cookie {name} に Secure がありません。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    try:
        outside = _from_outside(facts)
    except MissingFact:
        if (inside := _from_inside(facts)) is None:
            raise
        return inside
    return (_from_inside(facts) or outside) if outside.code == "none_set" else outside


def _from_inside(facts: Facts) -> Verdict | None:
    """The flag where a file names it; none of these is kept in a database."""
    software, lines = facts.maybe(Software), lines_if_any(facts, "app_config")
    files = parse_app_config(lines).of(software.family if software else "").read if lines is not None else ()
    found = [(file, _flag(file)) for file in files]
    for file, flag in sorted(found, key=lambda one: one[1] is not False):
        if flag is not None:
            setting = f"{FLAGS[file.family]}={str(flag).lower()}"
            verdict = passed("flag_on", setting=setting) if flag else failed("flag_off", setting=setting)
            return verdict.seen(f"inside: {file.path}", setting)
    return None


def _flag(file: AppConfig) -> bool | None:
    return file.flag(FLAGS[file.family]) if file.family in FLAGS else None


def _from_outside(facts: Facts) -> Verdict:
    software, sign_in = facts.maybe(Software), facts.maybe(SignInPage)
    pages = [seen(readable(facts.get(FrontPage).page))]
    if sign_in is not None and not isinstance(readable(sign_in.page), Missing):
        pages.append(sign_in.page)
    found = [(c, p) for p in pages for c in parse_cookies(p.header_values("set-cookie")) if c.is_session]
    if not found:
        return passed("none_set").seen(f"GET {pages[-1].url}", "no session cookie")
    for cookie, page in found:
        if not cookie.secure:
            line = f"Set-Cookie: {cookie.name}=…, no Secure"
            return failed("not_secure", name=cookie.name).seen(f"GET {page.url}", line)
    akkoma = software is not None and software.family in {"akkoma", "pleroma"}
    for cookie, page in found:
        if (
            software is not None
            and akkoma
            and cookie.name.endswith("pleroma_key")
            and not cookie.host_prefixed
        ):
            line = f"Set-Cookie: {cookie.name}=…; Secure"
            return warned("no_prefix", name=cookie.name, software=software.name).seen(f"GET {page.url}", line)
    first, page = found[0]
    return passed("secure", name=first.name).seen(f"GET {page.url}", f"Set-Cookie: {first.name}=…; Secure")
