"""Is there a valid security.txt?  RFC 9116.  A server that gives every path a page of its own, or sends it home, has
none; where a path that nobody has is answered otherwise, an HTML page in this place was put there, and is no use."""

from datetime import timedelta
from urllib.parse import urlsplit

from checks.errors import ParseError
from checks.facts import Facts
from checks.facts.http import NoSuchPage, Page, SecurityTxt
from checks.model import (
    OUTSIDE,
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
    warned,
)
from checks.parse.security_txt import parse_security_txt

_SOON = timedelta(days=30)
_YEAR = timedelta(days=366)

FILE = """
    Contact: mailto:security@example.social
    Expires: DATE
    Preferred-Languages: ja, en
    Canonical: https://example.social/.well-known/security.txt"""

DATE = """
    date -u -d '+330 days' +%Y-%m-%dT%H:%M:%SZ"""

NGINX = """
    location = /.well-known/security.txt {
        default_type text/plain;
        alias /var/www/security.txt;
    }"""

SEE = """
    curl -si https://example.social/.well-known/security.txt"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 9116: A File Format to Aid in Security Vulnerability Disclosure",
            "https://www.rfc-editor.org/rfc/rfc9116",
        ),
    ),
    title=Text(
        "A valid security.txt says where to report flaws", "脆弱性の連絡先を security.txt で公開している"
    ),
    why=Text(
        "Whoever finds a hole in your server looks for this file first. With an address and a date in it, the report reaches you before it reaches somebody else.",
        "サーバの問題を見つけた人は、まずこのファイルを探します。連絡先と有効期限があれば、報告は真っ先に管理者へ届きます。",
    ),
    expected=Text(
        "/.well-known/security.txt as plain text over https, with Contact and one Expires that lies in the future, at most a year away.",
        "https の /.well-known/security.txt がプレーンテキストで、Contact と、1年以内の未来を示す Expires が1つ書かれている状態。",
    ),
    fix=Fix(
        Text(
            "Write a file like this, and put a reminder into your calendar:\n"
            + FILE
            + "\n\nFor DATE take a day less than a year ahead, which this prints:\n"
            + DATE
            + "\n\nServe it from the proxy, for example in nginx:\n"
            + NGINX,
            "次のようなファイルを作り、更新日を予定表に入れておきます。\n"
            + FILE
            + "\n\nDATE には、次のコマンドで表示される1年以内の日時を書きます。\n"
            + DATE
            + "\n\nプロキシから配信します。nginx の例：\n"
            + NGINX,
        )
    ),
    verify=Text(
        "The answer must be 200 and text/plain:\n" + SEE,
        "ステータスが 200 で、text/plain であることを確認します。\n" + SEE,
    ),
    codes={
        "valid": Text(
            "security.txt is valid for another {days} days.", "security.txt はあと {days} 日有効です。"
        ),
        "soon": Text("security.txt expires in {days} days.", "security.txt の期限まで {days} 日です。"),
        "far": Text(
            "security.txt expires more than a year ahead; the RFC advises less, so that it stays true.",
            "security.txt の期限が1年より先です。内容を新しく保つため、1年以内が勧められています。",
        ),
        "legacy": Text(
            "security.txt lies in the old place; the right one is under /.well-known/.",
            "security.txt が旧来の場所にあります。正しい場所は /.well-known/ の下です。",
        ),
        "expired": Text(
            "security.txt expired {days} days ago.", "security.txt の期限が {days} 日前に切れています。"
        ),
        "invalid": Text(
            "security.txt cannot be used: {problem}.", "security.txt が正しく読めません（{problem}）。"
        ),
        "absent": Text(
            "There is no security.txt; it is optional.", "security.txt はありません（任意の項目です）。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(SecurityTxt)
    page = found.page
    if page is None or page.status != 200:
        return not_applicable("absent")
    if "html" in page.media_type and _is_anything(page, facts):
        return not_applicable("absent")
    where = f"GET {page.url}"
    if page.media_type != "text/plain":
        problem = f"content-type {page.media_type or '–'}"
        return failed("invalid", problem=problem).seen(where, problem)
    try:
        note = parse_security_txt(page.body)
    except ParseError as error:
        return failed("invalid", problem=str(error)).seen(where, page.body[:400])
    left = note.expires - found.seen_at
    lines = f"Contact: {note.contacts[0]}\nExpires: {note.expires.isoformat()}"
    if left.days < 0:
        return failed("expired", days=-left.days).seen(where, lines)
    if found.legacy:
        return warned("legacy").seen(where, lines)
    if left < _SOON:
        return warned("soon", days=left.days).seen(where, lines)
    if left > _YEAR:
        return warned("far").seen(where, lines)
    return passed("valid", days=left.days).seen(where, lines)


def _is_anything(page: Page, facts: Facts) -> bool:
    """Whether the server shows such a page in any place."""
    if not urlsplit(page.url).path.endswith("/security.txt"):
        return True  # led away
    return facts.get(NoSuchPage).page.status == 200
