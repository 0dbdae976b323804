"""Does a content security policy keep foreign scripts out, as well as the one shipped with the software?

What counts is whether a script could run that the site did not write (parse.csp).  A policy at least as strict
as the one that the running version ships passes, whatever general scanners say of it.  Software that ships none, or
one that is no better, is its authors' matter: a warning, never a fail, also where the admin's own one is weak.
Policies in the page itself count beside those of the header: browsers obey all of them.  Who may frame the page is left
to http.frame_options, since X-Frame-Options may say it as well."""

from checks.data.tables import shipped_policies
from checks.errors import ParseError
from checks.facts import Facts, seen
from checks.facts.http import FrontPage, Page
from checks.facts.software import Software
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.answers import header_lines, html_document, whole
from checks.parse.csp import SCRIPT_OPEN, meta_policy, parse_csp, parse_meta, weaknesses
from checks.parse.versions import comparable

_NAME = "content-security-policy"
_REPORT = "content-security-policy-report-only"

SHOW = """
    proxy_hide_header Content-Security-Policy;"""

SEE = """
    curl -sI https://example.social/ | grep -i content-security-policy"""

AKKOMA = """
    config :pleroma, :http_security,
      enabled: true"""

REPORT = """
    add_header Content-Security-Policy-Report-Only "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; media-src 'self' https:; font-src 'self'; connect-src 'self' wss://example.social; manifest-src 'self'; worker-src 'self'" always;"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("004", "http_security"),),
    references=(
        Reference("W3C: Content Security Policy Level 3", "https://www.w3.org/TR/CSP3/"),
        Reference(
            "MDN: Content Security Policy (CSP)",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP",
        ),
    ),
    title=Text(
        "A content security policy keeps foreign scripts out",
        "コンテンツセキュリティポリシーが外部スクリプトを防いでいる",
    ),
    why=Text(
        "Posts and profiles come from strangers on other servers. If one slips through the filter as HTML, the policy is what still keeps its script from reading the account of whoever looks at it.",
        "投稿やプロフィールは見知らぬサーバから届きます。HTML の無害化に抜けがあっても、このポリシーがあれば、閲覧した人のアカウントを操作するスクリプトの実行を防げます。",
    ),
    expected=Text(
        "An enforced Content-Security-Policy whose script-src (or default-src) holds no unsafe-inline, no data: and no wildcard, or one at least as strict as the policy shipped with the software. object-src, base-uri and form-action that are missing or open to all give a warning.",
        "script-src（なければ default-src）に unsafe-inline・data:・ワイルドカードを含まない Content-Security-Policy が有効な状態。または、ソフトウェアの標準と同等以上に厳しい状態。object-src・base-uri・form-action がないか、すべてに開いている場合は「注意」になります。",
    ),
    fix=Fix(
        Text(
            "If your software sends a policy, the proxy has to pass it on unchanged. Look for a line like this, or an add_header that replaces it, and remove it:\n"
            + SHOW,
            "ソフトウェアがポリシーを送る場合は、プロキシがそのまま通すようにします。次のような行や、上書きする add_header があれば削除してください。\n"
            + SHOW,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Mastodon sends a strict policy with every page. If it is missing, the proxy drops it; if a foreign script was added to it, take that script out again.",
                    "Mastodon はすべてのページに厳しいポリシーを付けます。付いていなければプロキシが消しています。外部スクリプトのために緩めている場合は元に戻してください。",
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey, Pixelfed",
                Text(
                    "The software ships without an enforced policy, and one that is too tight breaks pages. Try one in report-only mode first, watch the browser console, and only then enforce it.\n"
                    + REPORT,
                    "標準では有効なポリシーが付かず、厳しすぎるものを足すと表示が崩れます。まず報告のみのモードで試し、ブラウザのコンソールを確認してから有効にしてください。\n"
                    + REPORT,
                ),
            ),
        ),
    ),
    verify=Text(
        "Read the header, and look for red lines in the browser console while you post and upload:\n" + SEE,
        "ヘッダを確認し、投稿やアップロードの際にブラウザのコンソールへエラーが出ないことも見ておきます。\n"
        + SEE,
    ),
    codes={
        "strict": Text(
            "The policy lets only scripts of the site itself run.",
            "サイト自身のスクリプトだけが実行されるポリシーです。",
        ),
        "as_shipped": Text(
            "The policy is as strict for scripts as the one shipped with {software}.",
            "{software} の標準と同等に厳しいポリシーです。",
        ),
        "upstream": Text(
            "{software} ships without an enforced policy; a stricter one is yours to try, with care.",
            "{software} の標準では有効なポリシーが付きません。追加する場合は慎重に試してください。",
        ),
        "upstream_weak": Text(
            "The policy lets foreign scripts run ({gaps}), but {software} does not ship a better one.",
            "外部のスクリプトを許すポリシーですが（{gaps}）、{software} の標準にもこれより厳しいものはありません。",
        ),
        "report_only": Text(
            "The policy only reports; nothing is blocked by it.",
            "報告のみのポリシーで、実際には何も遮断していません。",
        ),
        "gaps": Text(
            "The policy guards scripts, but leaves gaps: {gaps}.",
            "スクリプトは守られていますが、不足があります（{gaps}）。",
        ),
        "absent": Text("No content security policy is sent.", "コンテンツセキュリティポリシーがありません。"),
        "weak": Text(
            "The policy lets foreign scripts run: {gaps}.", "外部のスクリプトを許すポリシーです（{gaps}）。"
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    page = whole(seen(html_document(facts.get(FrontPage))), _NAME)
    weak = weaknesses(parse_csp(page.header_values(_NAME)) + parse_meta(page.body))
    software = facts.maybe(Software)
    shipped = _shipped(software) if software else None
    name = software.name if software else ""
    where, lines = f"GET {page.url}", _lines(page)
    if not weak:
        return passed("strict").seen(where, lines)
    gaps = ", ".join(sorted(_WORDS[w] for w in weak if w in _WORDS))
    if shipped is not None and (not shipped or weak <= weaknesses(parse_csp((shipped,)))):
        if "no_policy" in weak:
            return warned("upstream", software=name).seen(where, lines)
        if weak & SCRIPT_OPEN:
            return warned("upstream_weak", software=name, gaps=gaps).seen(where, lines)
        if shipped:
            return passed("as_shipped", software=name).seen(where, lines)
    if "no_policy" in weak:
        if page.header(_REPORT) is not None:
            return warned("report_only").seen(where, lines)
        return failed("absent").seen(where, lines)
    if weak & SCRIPT_OPEN:
        return failed("weak", gaps=gaps).seen(where, lines)
    return warned("gaps", gaps=gaps).seen(where, lines)


def _shipped(software: Software) -> str | None:
    """The policy that this version comes with, that of the newest where the version cannot be told; None where
    the software is not known."""
    baselines = shipped_policies().get(software.family, ())
    for baseline in baselines:
        try:
            if comparable(baseline.since) <= comparable(software.base_version):
                return baseline.policy
        except ParseError:
            break
    return baselines[0].policy if baselines else None


def _lines(page: Page) -> str:
    inside = [f"meta: {text}" for text in meta_policy(page.body)]
    return "\n".join([header_lines(page, _NAME, _REPORT), *inside])


# Directive syntax, the same in every language.
_WORDS = {
    "no_script_rule": "script-src –",
    "script_inline": "script-src 'unsafe-inline'",
    "script_wide": "script-src * / https:",
    "script_data": "script-src data:",
    "script_eval": "script-src 'unsafe-eval'",
    "object_wide": "object-src * / https:",
    "object_missing": "object-src –",
    "base_uri_missing": "base-uri –",
    "base_uri_wide": "base-uri * / https:",
    "form_action_missing": "form-action –",
    "form_action_wide": "form-action * / https:",
}
