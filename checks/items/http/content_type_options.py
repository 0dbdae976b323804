"""Is X-Content-Type-Options nosniff sent with pages and with uploads?  Fetch standard: the first member counts."""

from checks.facts import Facts, seen
from checks.facts.http import FrontPage, MediaSample
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed
from checks.parse.answers import header_lines, readable
from checks.parse.headers import is_nosniff

_NAME = "x-content-type-options"

NGINX = """
    add_header X-Content-Type-Options "nosniff" always;"""

APACHE = """
    Header always set X-Content-Type-Options "nosniff\""""

CADDY = """
    header X-Content-Type-Options "nosniff\""""

SEE = """
    curl -sI https://example.social/ | grep -i x-content-type-options"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "http_security"),),
    references=(
        Reference(
            "Fetch Standard: X-Content-Type-Options",
            "https://fetch.spec.whatwg.org/#x-content-type-options-header",
        ),
        Reference(
            "MDN: X-Content-Type-Options",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Content-Type-Options",
        ),
    ),
    title=Text("Browsers are told not to guess content types", "コンテンツの種類をブラウザに推測させない"),
    why=Text(
        "Without nosniff a browser may take an uploaded file for a script although it was declared as an image. On a server that stores files of strangers this turns an upload into an attack.",
        "nosniff がないと、画像として配信したファイルをブラウザがスクリプトとみなすことがあります。見知らぬ人のファイルを預かるサーバでは、アップロードがそのまま攻撃になります。",
    ),
    expected=Text(
        "X-Content-Type-Options: nosniff on pages and on uploaded media.",
        "ページにもアップロードされたメディアにも X-Content-Type-Options: nosniff が付いている状態。",
    ),
    fix=Fix(
        Text(
            "Add the header in the proxy, in the server block of the instance and in the one of the media host. Misskey does not send it on pages by itself.",
            "プロキシで、インスタンスとメディア用ホストの両方に追加します。Misskey はページにこのヘッダを付けません。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
        ),
    ),
    verify=Text(
        "Look at the header:\n" + SEE + "\n\nAsk the same of the address of an avatar.",
        "ヘッダを確認します。\n" + SEE + "\n\nアイコン画像の URL でも同じように確認してください。",
    ),
    codes={
        "nosniff": Text("nosniff is sent.", "nosniff が付いています。"),
        "absent": Text("Pages come without nosniff.", "ページに nosniff が付いていません。"),
        "media_absent": Text(
            "Pages have nosniff, but uploads on {host} have not, where it matters most.",
            "ページには nosniff がありますが、最も必要な {host} のメディアに付いていません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(readable(seen(facts.get(FrontPage).document)))
    if not is_nosniff(page.header_values(_NAME)):
        return failed("absent").seen(f"GET {page.url}", header_lines(page, _NAME))
    media = facts.maybe(MediaSample)
    served = media.page if media is not None and 200 <= media.page.status < 300 else None
    if media is not None and served is not None and not is_nosniff(served.header_values(_NAME)):
        evidence = header_lines(served, _NAME)
        return failed("media_absent", host=media.host).seen(f"GET {served.url}", evidence)
    return passed("nosniff").seen(f"GET {page.url}", header_lines(page, _NAME))
