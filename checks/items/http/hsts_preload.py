"""If the HSTS header asks for preloading, does the site meet the conditions of hstspreload.org?

The list takes a name directly under a public suffix (those lent by hosters included), never one below it; the first
answer on https has to ask for it, and port 80, where open, has to lead to the same name first.  A closed port 80 is
fine.  Whether the name stands on the list already is not looked up."""

import re
from urllib.parse import urlsplit

from checks.data.suffixes import lender, public_suffix
from checks.errors import ParseError
from checks.facts import Facts, seen
from checks.facts.http import FrontPage, PlainHttp
from checks.facts.tls import WebCertificates
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    not_applicable,
    passed,
    warned,
)
from checks.parse.answers import header_lines, readable, refused_by_browsers
from checks.parse.hsts import parse_hsts

_NAME = "strict-transport-security"
_YEAR = 31_536_000
_ASKED = re.compile(r"(?:^|;)[ \t]*preload[ \t]*(?:;|$)", re.IGNORECASE)

NGINX = """
    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains; preload" always;"""

SEE = """
    curl -sI https://example.social/ | grep -i strict-transport"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("HSTS Preload List Submission", "https://hstspreload.org/"),
        Reference(
            "RFC 6797: HTTP Strict Transport Security (HSTS)", "https://www.rfc-editor.org/rfc/rfc6797"
        ),
    ),
    title=Text(
        "HSTS preloading is asked for only where it can be granted",
        "HSTS プリロードは条件を満たす場合だけ申請している",
    ),
    why=Text(
        "The word preload allows anybody to hand the name in for the list that browsers ship, and leaving that list takes months. Where the conditions are not met, the word has no effect but surprises.",
        "preload を付けると、ブラウザ内蔵のリストへの登録を誰でも申請でき、外すには何か月もかかります。条件を満たさないまま付けても効果はなく、後で思わぬ影響だけが残ります。",
    ),
    expected=Text(
        "Either no preload in the header, or preload together with includeSubDomains, a max-age of a year or more, and a redirect from http. Only a registered domain itself, not a sub-domain, can be listed.",
        "ヘッダに preload がない状態。付けるなら includeSubDomains・1年以上の max-age・http からの転送がそろっている状態。登録できるのは登録ドメインそのもので、サブドメインは登録できません。",
    ),
    fix=Fix(
        Text(
            "If every sub-domain, now and later, can live with https only, meet the conditions and hand the name in at https://hstspreload.org/:\n"
            + NGINX
            + "\n\nOtherwise take the word preload out of the header. Misskey sends it by default; there override the header in the proxy, or leave it: without includeSubDomains nobody can list the name.",
            "将来も含めてすべてのサブドメインを https だけで運用できるなら、条件を満たして https://hstspreload.org/ から申請します。\n"
            + NGINX
            + "\n\nそうでなければヘッダから preload を外します。Misskey は標準で付けるので、気になる場合はプロキシで上書きしてください。includeSubDomains がなければ登録されることはありません。",
        )
    ),
    verify=Text(
        "The header holds no preload, or preload together with includeSubDomains and a max-age of 31536000 or more. Then enter the domain at https://hstspreload.org/ and read the remarks.\n"
        + SEE,
        "ヘッダに preload がないこと、あるいは includeSubDomains と 31536000 以上の max-age も付いていることを確認します。付けている場合は https://hstspreload.org/ にドメインを入力し、指摘も確認してください。\n"
        + SEE,
    ),
    codes={
        "eligible": Text(
            "The header meets the conditions for preloading.", "プリロードの条件を満たしています。"
        ),
        "not_wanted": Text("The header does not ask for preloading.", "プリロードは申請していません。"),
        "subdomain": Text(
            "preload is sent, but only {listed} could be listed, not a name below it.",
            "preload が付いていますが、登録できるのは {listed} だけで、その下の名前は登録できません。",
        ),
        "public_suffix": Text(
            "preload is sent, but {host} is a public suffix under which others have names; it cannot be listed.",
            "preload が付いていますが、{host} は他者にも名前を貸す公開サフィックスのため、登録できません。",
        ),
        "unreadable": Text(
            "preload is sent in a header that browsers ignore: {problem}.",
            "preload が付いていますが、ブラウザに無視される書き方です（{problem}）。",
        ),
        "certificate": Text(
            "preload is sent, but browsers refuse the certificate, so it cannot be granted.",
            "preload が付いていますが、ブラウザが証明書を受け付けないため、認められません。",
        ),
        "no_subdomains": Text(
            "preload is sent without includeSubDomains, so it cannot be granted.",
            "includeSubDomains がないため、preload は認められません。",
        ),
        "short": Text(
            "preload is sent, but max-age is {days} days; a year is the least.",
            "preload が付いていますが max-age は {days} 日です。1年以上が必要です。",
        ),
        "no_redirect": Text(
            "preload is sent, but port 80 does not lead to https on the same name first.",
            "preload が付いていますが、80番がまず同じホストの https へ転送していません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = seen(readable(facts.get(FrontPage).page))
    where, lines, value = f"GET {page.url}", header_lines(page, _NAME), page.header(_NAME) or ""
    try:
        hsts = parse_hsts(value)
    except ParseError as error:
        if _ASKED.search(value):
            return warned("unreadable", problem=str(error)).seen(where, lines)
        return not_applicable("not_wanted")
    if not hsts.preload:
        return not_applicable("not_wanted")
    if not hsts.include_subdomains:
        return warned("no_subdomains").seen(where, lines)
    if hsts.max_age_s < _YEAR:
        return warned("short", days=hsts.max_age_s // 86_400).seen(where, lines)
    unlisted = _cannot_be_listed(urlsplit(page.url).hostname or "")
    if unlisted is not None:
        return unlisted.seen(where, lines)
    if refused := refused_by_browsers(facts.maybe(WebCertificates)):
        return warned("certificate").seen(where, f"{refused}\n{lines}")
    plain = facts.get(PlainHttp)
    if not plain.closed and not _leads_home(seen(plain.hops)[0].header("location"), page.url):
        return warned("no_redirect").seen(where, lines)
    return passed("eligible").seen(where, lines)


def _cannot_be_listed(host: str) -> Verdict | None:
    suffix = lender(host) or public_suffix(host)
    below = host.removesuffix(suffix).rstrip(".")
    if not below:
        return warned("public_suffix", host=host)
    if "." in below:
        return warned("subdomain", listed=f"{below.split('.')[-1]}.{suffix}")
    return None


def _leads_home(location: str | None, url: str) -> bool:
    try:
        to = urlsplit((location or "").strip())
        return to.scheme == "https" and to.hostname == urlsplit(url).hostname
    except ValueError:
        return False
