"""Is the grade A or better by SSL Labs' published rating guide, computed here?  See checks.parse.tls_rating for
what counts; attacks that only a real attack would show are not part of it."""

from dataclasses import replace

from checks.errors import ParseError
from checks.facts import Facts, Missing, seen
from checks.facts.http import FrontPage
from checks.facts.tls import TlsOffer, WebCertificate, WebCertificates
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned
from checks.parse.hsts import parse_hsts
from checks.parse.tls_rating import GRADES, rate, rating_text
from checks.parse.tls_text import endpoint_label, versions_text

_GOOD = ("A+", "A")

VERIFY = """
    https://www.ssllabs.com/ssltest/analyze.html?d=example.social&hideResults=on"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "構築/HTTPS"), Source("000", "Advanced")),
    references=(
        Reference(
            "Qualys SSL Labs: SSL Server Rating Guide",
            "https://github.com/ssllabs/research/wiki/SSL-Server-Rating-Guide",
        ),
        Reference("Qualys SSL Labs: SSL Server Test", "https://www.ssllabs.com/ssltest/"),
    ),
    title=Text("TLS earns grade A or better by the SSL Labs guide", "SSL Labs の基準で A 以上の評価になる"),
    why=Text(
        "One letter sums up versions, keys, suites and certificate, and the same letter can be asked of an outside scanner. Below A there is at least one known weakness that others can see as well.",
        "バージョン、鍵、暗号スイート、証明書をまとめて1つの文字で表せ、外部の診断サイトとも見比べられます。A に届かないときは、誰からも見える既知の弱点が少なくとも1つあります。",
    ),
    expected=Text(
        "Grade A or A+ on every address. A- (TLS 1.3 or secure renegotiation missing, HSTS broken) gives a warning, B and below is not met.",
        "どのアドレスでも A または A+ になる状態。A-（TLS 1.3 や安全な再ネゴシエーションがない、HSTS が壊れている）は「注意」、B 以下は「未達成」です。",
    ),
    fix=Fix(
        Text(
            "The evidence names each rule that holds the grade down. They are repaired by the items on TLS versions, cipher suites and the certificate; A+ needs HSTS for six months on top.",
            "評価を下げている規則が、根拠の欄に並んでいます。TLS のバージョン、暗号スイート、証明書の各項目に従って直してください。A+ には、さらに6か月以上の HSTS が必要です。",
        )
    ),
    verify=Text(
        "Compare with the original, which looks at some more things:\n" + VERIFY,
        "本家の診断（調べる項目がもう少し多い）と比べます。\n" + VERIFY,
    ),
    codes={
        "good": Text("Grade {grade} (score {score}).", "評価は {grade} です（{score} 点）。"),
        "good_partly": Text(
            "Grade {grade} (score {score}) where it could be seen; {left} of {all} addresses could not be checked.",
            "確認できたアドレスの評価は {grade} です（{score} 点。{all} 個のうち {left} 個は確認できませんでした）。",
        ),
        "minus": Text(
            "Grade {grade} (score {score}) on {address}: nearly there.",
            "{address} の評価は {grade} で、あと一歩です（{score} 点）。",
        ),
        "low": Text(
            "Grade {grade} (score {score}) on {address}; the evidence names what holds it down.",
            "{address} の評価は {grade} にとどまります（{score} 点）。下げている要因は根拠の欄にあります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    offer, web = facts.get(TlsOffer), facts.get(WebCertificates)
    hsts = _hsts(facts)
    rated = [(e, rate(e, _certificates(web, e.address), web.seen_at, hsts_s=hsts)) for e in offer.seen]
    endpoint, worst = max(rated, key=lambda pair: GRADES.index(pair[1].grade))
    grade, score, address = worst.grade, worst.score, endpoint.address
    where, what = endpoint_label(endpoint), f"{rating_text(worst)}\n{versions_text(endpoint)}"
    if grade not in (*_GOOD, "A-"):
        return failed("low", grade=grade, score=score, address=address).seen(where, what)
    if grade == "A-":
        return warned("minus", grade=grade, score=score, address=address).seen(where, what)
    whole = [e for e, rating in rated if not rating.gaps and _certificates(web, e.address)]
    if not whole:
        seen(next(iter((*rated[0][1].gaps, *web.gaps))))
    left, count = len(offer.endpoints) - len(whole), len(offer.endpoints)
    if left:
        return passed("good_partly", grade=grade, score=score, left=left, all=count).seen(where, what)
    return passed("good", grade=grade, score=score).seen(where, what)


def _certificates(web: WebCertificates, address: str) -> tuple[WebCertificate, ...]:
    """What an address shows; empty where it could not be seen."""
    shown = next((s.shown for s in web.served if s.address == address), ())
    if isinstance(shown, Missing):
        return ()
    return tuple(replace(one, trusted=web.trust(one)) for one in shown)


def _hsts(facts: Facts) -> int | None:
    """max-age in seconds, 0 for a header that browsers ignore; None without one."""
    front = facts.maybe(FrontPage)
    value = front.page.header("strict-transport-security") if front else None
    if value is None:
        return None
    try:
        return parse_hsts(value).max_age_s
    except ParseError:
        return 0
