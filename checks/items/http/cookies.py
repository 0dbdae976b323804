"""Do session cookies carry Secure, HttpOnly and SameSite?

HSTS is no excuse for a missing Secure.  A missing __Host- prefix is no remark here: Mastodon and most others name
their cookies themselves; app.secure_cookie looks at it where the software has a switch.  Cookies of CDNs are
left out, CSRF tokens may be readable by scripts by design.  Each answer is judged by what it leaves with the browser:
a cookie that is taken away is none, and a good one from the sign-in page does not undo a bad one from the front page."""

from checks.facts import Facts, Missing, seen
from checks.facts.http import FrontPage, Page, SignInPage
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    failed,
    passed,
    warned,
)
from checks.parse.answers import readable
from checks.parse.cookies import Cookie, parse_cookies

NGINX = """
    proxy_set_header X-Forwarded-Proto $scheme;"""

ENVPROD = """
    RAILS_ENV=production"""

AKKOMA = """
    config :pleroma, Pleroma.Web.Endpoint, secure_cookie_flag: true"""

PIXELFED = """
    SESSION_SECURE_COOKIE=true
    SESSION_SAME_SITE_COOKIES=lax"""

SEE = """
    curl -sI https://example.social/auth/sign_in | grep -i set-cookie"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(
        Source("004", "secure_cookie_flag"),
        Source("+"),
    ),
    references=(
        Reference("RFC 6265: HTTP State Management Mechanism", "https://www.rfc-editor.org/rfc/rfc6265"),
        Reference(
            "MDN: Set-Cookie",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie",
        ),
    ),
    title=Text(
        "Session cookies are Secure, HttpOnly and SameSite",
        "セッション Cookie に Secure・HttpOnly・SameSite がある",
    ),
    why=Text(
        "A session cookie is as good as a password while it is valid. The three marks keep it off plain http, away from scripts, and out of requests that other sites start.",
        "セッション Cookie は、有効な間はパスワードと同じ力を持ちます。3つの属性によって、http での送信、スクリプトからの読み取り、他サイトからのリクエストへの添付を防げます。",
    ),
    expected=Text(
        "Every cookie that holds a sign-in carries Secure, HttpOnly and SameSite=Lax or Strict.",
        "ログイン状態を保つすべての Cookie に Secure・HttpOnly・SameSite=Lax（または Strict）が付いている状態。",
    ),
    fix=Fix(
        Text(
            "The software sets these marks by itself once it knows that visitors come over https. The proxy has to tell it:\n"
            + NGINX,
            "利用者が https で接続していることが伝われば、ソフトウェアが自動で付けます。プロキシから次のヘッダを渡してください。\n"
            + NGINX,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "In production mode https is always on:\n" + ENVPROD,
                    "本番モードなら、https は常に有効です。\n" + ENVPROD,
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            ("Pixelfed", Text("Set these lines:\n" + PIXELFED, "設定例：\n" + PIXELFED)),
        ),
    ),
    verify=Text(
        "Look at the cookies of the sign-in page (the path differs with the software):\n" + SEE,
        "ログインページの Cookie を確認します（パスはソフトウェアによって異なります）。\n" + SEE,
    ),
    codes={
        "good": Text(
            "{count} cookies, all with the marks they need.",
            "{count} 個の Cookie すべてに必要な属性があります。",
        ),
        "none_set": Text(
            "A visitor gets no cookie before signing in.", "ログイン前の訪問者に Cookie は発行されません。"
        ),
        "exposed": Text(
            "The session cookie {name} lacks {missing}.",
            "セッション Cookie {name} に {missing} がありません。",
        ),
        "no_same_site": Text(
            "The session cookie {name} has no SameSite; browsers guess then.",
            "セッション Cookie {name} に SameSite がなく、ブラウザの既定に任されます。",
        ),
        "same_site_none": Text(
            "The session cookie {name} says SameSite=None: it goes out with requests that other sites start.",
            "セッション Cookie {name} が SameSite=None のため、他サイトからのリクエストにも添付されます。",
        ),
        "not_secure": Text("The cookie {name} lacks Secure.", "Cookie {name} に Secure がありません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    front, sign_in = facts.get(FrontPage), facts.maybe(SignInPage)
    pages = [seen(readable(front.page))]
    if sign_in is not None and not isinstance(readable(sign_in.page), Missing):
        pages.append(sign_in.page)
    found = [(c, page) for page in pages for c in parse_cookies(page.header_values("set-cookie"))]
    if not found:
        return passed("none_set").seen(f"GET {pages[-1].url}", "no Set-Cookie")
    verdicts = [verdict for cookie, page in found if (verdict := _judge(cookie, page))]
    for status in (Status.FAIL, Status.WARN):
        for verdict in verdicts:
            if verdict.status is status:
                return verdict
    return passed("good", count=len({cookie.name for cookie, _ in found})).seen(
        f"GET {found[-1][1].url}", "\n".join(dict.fromkeys(_marks(cookie) for cookie, _ in found))
    )


def _judge(cookie: Cookie, page: Page) -> Verdict | None:
    """What is wrong with one cookie; None if nothing is."""
    where, marks = f"GET {page.url}", _marks(cookie)
    missing = [m for m, there in (("Secure", cookie.secure), ("HttpOnly", cookie.http_only)) if not there]
    if cookie.is_session and missing:
        return failed("exposed", name=cookie.name, missing=", ".join(missing)).seen(where, marks)
    if cookie.is_session and cookie.same_site == "none":
        return warned("same_site_none", name=cookie.name).seen(where, marks)
    if cookie.is_session and cookie.same_site not in {"lax", "strict"}:
        return warned("no_same_site", name=cookie.name).seen(where, marks)
    if not cookie.secure:
        return warned("not_secure", name=cookie.name).seen(where, marks)
    return None


def _marks(cookie: Cookie) -> str:
    marks = ["Secure"] * cookie.secure + ["HttpOnly"] * cookie.http_only
    same_site = [f"SameSite={cookie.same_site}"] if cookie.same_site else []
    return "; ".join([f"Set-Cookie: {cookie.name}=…", *marks, *same_site])
