"""Is framing by other sites denied, by X-Frame-Options or frame-ancestors?

Where both are there browsers obey frame-ancestors (CSP Level 2); `frame-ancestors *` is no protection, ALLOW-FROM
is ignored by every browser.  A frame-ancestors in the page's <meta> counts for nothing (CSP Level 3, 3.3).  Different
values fail: RFC 7034 2.1 knows no such header, today's browsers refuse every frame, older ones took the first.
Embeds of single posts are pages of their own and not looked at."""

from checks.facts import Facts, seen
from checks.facts.http import FrontPage
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, html_document, whole
from checks.parse.csp import frame_ancestors, is_wide, parse_csp
from checks.parse.headers import Framing, parse_frame_options

_XFO = "x-frame-options"
_CSP = "content-security-policy"

NGINX = """
    add_header X-Frame-Options "DENY" always;"""

APACHE = """
    Header always set X-Frame-Options "DENY\""""

CADDY = """
    header X-Frame-Options "DENY\""""

AKKOMA = """
    config :pleroma, :http_security,
      enabled: true"""

SEE = """
    curl -sI https://example.social/ | grep -iE "x-frame-options|frame-ancestors\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "http_security"),),
    references=(
        Reference(
            "W3C: Content Security Policy Level 3, frame-ancestors",
            "https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
        ),
        Reference("RFC 7034: HTTP Header Field X-Frame-Options", "https://www.rfc-editor.org/rfc/rfc7034"),
        Reference(
            "MDN: X-Frame-Options",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Frame-Options",
        ),
    ),
    title=Text("Other sites cannot show the pages in a frame", "他サイトのフレーム内にページを表示させない"),
    why=Text(
        "In an invisible frame a foreign page can lead clicks of a signed-in user to your buttons: follow, boost, delete. Denying frames takes that away.",
        "透明なフレームに重ねて表示されると、ログイン中の利用者が別のページを操作したつもりで、フォローや削除のボタンを押してしまいます。フレーム表示を拒否すれば防げます。",
    ),
    expected=Text(
        "X-Frame-Options DENY or SAMEORIGIN, or a policy with frame-ancestors that names 'none', 'self' or chosen sites. X-Frame-Options without any content security policy gives a warning.",
        "X-Frame-Options が DENY か SAMEORIGIN、または frame-ancestors に 'none'・'self'・特定のサイトだけを書いた状態。コンテンツセキュリティポリシーがなく X-Frame-Options だけの場合は「注意」になります。",
    ),
    fix=Fix(
        Text(
            "Fediverse software mostly sends the header itself; make sure that the proxy passes it on and does not add a second one with another value. If it is missing, add it in the proxy.",
            "多くのソフトウェアは自分でヘッダを送ります。プロキシがそのまま通し、値の違うものを重ねていないか確認してください。付いていない場合はプロキシで追加します。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
        ),
    ),
    verify=Text(
        "Look at the header:\n"
        + SEE
        + "\n\nOne value must appear, DENY or SAMEORIGIN, or a frame-ancestors list without a star.",
        "ヘッダを確認します。\n"
        + SEE
        + "\n\nDENY か SAMEORIGIN が1つだけ、または * を含まない frame-ancestors が表示されることを確認します。",
    ),
    codes={
        "denied": Text("Framing is limited by {by}.", "{by} によりフレーム表示が制限されています。"),
        "header_only": Text(
            "X-Frame-Options denies framing; a policy with frame-ancestors would say the same in today's form.",
            "X-Frame-Options で拒否しています。現在の書き方は frame-ancestors です。",
        ),
        "absent": Text(
            "Any site may show the pages in a frame.", "どのサイトからもフレーム内に表示できます。"
        ),
        "wide": Text(
            "frame-ancestors lets every site in, and overrides X-Frame-Options.",
            "frame-ancestors がすべてのサイトを許しており、X-Frame-Options より優先されます。",
        ),
        "invalid": Text(
            "The value of X-Frame-Options is ignored by browsers.",
            "X-Frame-Options の値がブラウザに無視される書き方です。",
        ),
        "conflict": Text(
            "X-Frame-Options comes with different values; what browsers make of that differs.",
            "値の異なる X-Frame-Options が重なっており、ブラウザによって扱いが変わります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = whole(seen(html_document(facts.get(FrontPage))), _CSP)
    where, lines = f"GET {page.url}", header_lines(page, _XFO, _CSP)
    ancestors = frame_ancestors(parse_csp(page.header_values(_CSP)))
    if ancestors is not None:
        if is_wide(ancestors):
            return failed("wide").seen(where, lines)
        return passed("denied", by="frame-ancestors").seen(where, lines)
    framing = parse_frame_options(page.header_values(_XFO))
    if framing in {Framing.DENY, Framing.SAMEORIGIN}:
        if page.header(_CSP) is None:
            return warned("header_only").seen(where, lines)
        return passed("denied", by="X-Frame-Options").seen(where, lines)
    if framing is Framing.CONFLICT:
        return failed("conflict").seen(where, lines)
    if framing is Framing.INVALID:
        return failed("invalid").seen(where, lines)
    return failed("absent").seen(where, lines)
