"""Is X-Permitted-Cross-Domain-Policies none?  Absent fails only where Akkoma or Pleroma would send it; a value that the
specification does not know is as if it were absent, and a warning."""

from checks.facts import Facts, seen
from checks.facts.http import FrontPage
from checks.facts.software import Software
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, html_document
from checks.parse.headers import single_token

_NAME = "x-permitted-cross-domain-policies"
_OPEN = frozenset(
    {"all", "by-content-type", "by-ftp-filename", "conflict"}
)  # different values: one may let in

NGINX = """
    add_header X-Permitted-Cross-Domain-Policies "none" always;"""

APACHE = """
    Header always set X-Permitted-Cross-Domain-Policies "none\""""

CADDY = """
    header X-Permitted-Cross-Domain-Policies "none\""""

AKKOMA = """
    config :pleroma, :http_security,
      enabled: true"""

SEE = """
    curl -sI https://example.social/ | grep -i x-permitted"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "http_security"),),
    references=(Reference("OWASP Secure Headers Project", "https://owasp.org/www-project-secure-headers/"),),
    title=Text(
        "Cross-domain policy files are not honoured", "クロスドメインポリシーファイルを無効にしている"
    ),
    why=Text(
        "Old document and media plug-ins look for a policy file on the server that lets other sites read its data. The header says that none counts, even if somebody manages to upload one.",
        "古い文書・メディア用プラグインは、他サイトからの読み取りを許すポリシーファイルをサーバ上に探します。このヘッダがあれば、仮に誰かがアップロードしても無効になります。",
    ),
    expected=Text(
        "X-Permitted-Cross-Domain-Policies: none.",
        "X-Permitted-Cross-Domain-Policies: none が付いている状態。",
    ),
    fix=Fix(
        Text(
            "Akkoma and Pleroma send it while http_security is on; elsewhere add it in the proxy.",
            "Akkoma と Pleroma は http_security が有効なら自動で付きます。ほかのソフトウェアではプロキシで追加してください。",
        ),
        variants=(
            ("nginx", Text("Set these lines:\n" + NGINX, "設定例：\n" + NGINX)),
            ("Apache", Text("Set these lines:\n" + APACHE, "設定例：\n" + APACHE)),
            ("Caddy", Text("Set these lines:\n" + CADDY, "設定例：\n" + CADDY)),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
        ),
    ),
    verify=Text("Look at the header:\n" + SEE, "ヘッダを確認します。\n" + SEE),
    codes={
        "none": Text("Policy files are not honoured.", "ポリシーファイルは無効です。"),
        "master_only": Text(
            "Only the master policy file counts; none is safer.",
            "マスターのポリシーファイルだけが有効です。none のほうが安全です。",
        ),
        "absent": Text("The header is missing.", "ヘッダがありません。"),
        "absent_here": Text(
            "The header is missing, although {software} sends it: http_security is off, or the proxy drops it.",
            "{software} なら付くはずのヘッダがありません。http_security が無効か、プロキシが消しています。",
        ),
        "unreadable": Text(
            "Nobody knows the value {value}; it is as if the header were missing.",
            "{value} は仕様にない値のため、ヘッダがないのと同じです。",
        ),
        "open": Text(
            "Policy files are honoured: {value}.", "ポリシーファイルが有効になっています（{value}）。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(html_document(facts.get(FrontPage)))
    where, lines = f"GET {page.url}", header_lines(page, _NAME)
    value = single_token(page.header_values(_NAME))
    if value == "none":
        return passed("none").seen(where, lines)
    if value == "master-only":
        return warned("master_only").seen(where, lines)
    sent = ", ".join(page.header_values(_NAME))
    if value in _OPEN:
        return failed("open", value=sent).seen(where, lines)
    if value:
        return warned("unreadable", value=sent).seen(where, lines)
    software = facts.maybe(Software)
    if software is not None and software.family in {"akkoma", "pleroma"}:
        return failed("absent_here", software=software.name).seen(where, lines)
    return warned("absent").seen(where, lines)
