"""Is there no Public-Key-Pins header?  RFC 7469, removed from browsers (Chrome 72, Firefox 72).

The source kept it and said itself how easily it breaks a site; today the header has only the danger left."""

import re

from checks.facts import Facts, Missing, seen
from checks.facts.http import FrontPage
from checks.facts.tls import WebCertificates
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, readable

_NAME = "public-key-pins"
_PIN = re.compile(r'pin-sha256\s*=\s*\\?"?([A-Za-z0-9+/=]{20,60})', re.IGNORECASE)
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)

SEARCH = """
    sudo grep -rni public-key-pins /etc/nginx /etc/apache2 /etc/httpd /etc/caddy"""

VERIFY = """
    curl -sI https://example.social/ | grep -i public-key-pins"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("002"),),
    references=(
        Reference(
            "RFC 7469: Public Key Pinning Extension for HTTP", "https://www.rfc-editor.org/rfc/rfc7469"
        ),
        Reference(
            "RFC 8659: DNS Certification Authority Authorization (CAA) Resource Record",
            "https://www.rfc-editor.org/rfc/rfc8659",
        ),
    ),
    title=Text("No public key pinning header is sent", "公開鍵ピンニング（HPKP）のヘッダを送っていない"),
    why=Text(
        "Browsers have dropped key pinning because one lost key could lock a site out for months, and attackers could hold a site to ransom with it. What is left of the header helps nobody.",
        "鍵を1つ失うだけで何か月もサイトに入れなくなり、攻撃者に人質として悪用もできたため、ブラウザは公開鍵ピンニングを廃止しました。残っているヘッダは、もう誰の役にも立ちません。",
    ),
    expected=Text(
        "No answer carries Public-Key-Pins. CAA, certificate transparency and HSTS have taken its place.",
        "どの応答にも Public-Key-Pins ヘッダがない状態。役割は CAA、Certificate Transparency、HSTS が引き継いでいます。",
    ),
    fix=Fix(
        Text(
            "Find the line and delete it, then reload the web server:\n" + SEARCH,
            "該当する行を探して削除し、ウェブサーバを再読み込みします。\n" + SEARCH,
        )
    ),
    verify=Text("Nothing may be printed:\n" + VERIFY, "何も表示されないことを確認します。\n" + VERIFY),
    codes={
        "absent": Text("No Public-Key-Pins header is sent.", "Public-Key-Pins ヘッダは送られていません。"),
        "present": Text(
            "A Public-Key-Pins header is still sent.", "Public-Key-Pins ヘッダがまだ送られています。"
        ),
        "one_pin": Text(
            "A Public-Key-Pins header without a backup key is sent: if that key is lost, old browsers stay out.",
            "予備の鍵がない Public-Key-Pins ヘッダが送られています。その鍵を失うと、古いブラウザは接続できなくなります。",
        ),
        "outlives": Text(
            "The pins are meant to last {days} days, longer than the certificate ({life} days).",
            "ピンの期間が {days} 日で、証明書の有効期間（{life} 日）より長くなっています。",
        ),
    },
    outdated=Text(
        "The source pinned its keys and warned that a mistake breaks the site. Browsers have since removed pinning; use CAA records instead.",
        "出典では鍵をピン留めし、設定を誤るとサイトに入れなくなると注意していました。その後ブラウザは対応を廃止したため、代わりに CAA レコードを使ってください。",
    ),
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(readable(facts.get(FrontPage).page))
    where, values = f"GET {page.url}", page.header_values(_NAME)
    if not values:
        return passed("absent").seen(where, "no public-key-pins header")
    lines = header_lines(page, _NAME)
    if len(set(_PIN.findall(values[0]))) < 2:
        return failed("one_pin").seen(where, lines)
    age, life = _MAX_AGE.search(values[0]), _life_days(facts)
    if age is not None and life and int(age[1]) > life * 86_400:
        return failed("outlives", days=int(age[1]) // 86_400, life=life).seen(where, lines)
    return warned("present").seen(where, lines)


def _life_days(facts: Facts) -> int:
    """The shortest life among the certificates shown; 0 where none was seen."""
    web = facts.maybe(WebCertificates)
    shown = [c for s in web.served if not isinstance(s.shown, Missing) for c in s.shown] if web else []
    return min(((c.not_after - c.not_before).days for c in shown), default=0)
