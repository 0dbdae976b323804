"""Does the mail domain publish exactly one valid SPF record within the limits?  RFC 7208 3, 4.5, 4.6.4.

The tree is walked again over the stored answers.  `~all` is as good as `-all`: with DMARC in place receivers
treat both alike, and `-all` can lose forwarded mail before DKIM is looked at.
"""

from checks.errors import Reason
from checks.facts import Facts, MissingFact
from checks.facts.mail import SpfAnswers
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
    passed,
    unknown,
    warned,
)
from checks.parse.spf import is_spf
from checks.parse.spf_tree import drawn
from checks.parse.spf_walk import MAX_LOOKUPS, Note, SpfWalk, walk

OWN = """
    example.social.  IN TXT "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 -all\""""

PROVIDER = """
    example.social.  IN TXT "v=spf1 include:mailgun.org ~all\""""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE,),
    sources=(Source("003", "構築/メールサーバ"), Source("002")),
    references=(
        Reference("RFC 7208: Sender Policy Framework (SPF)", "https://www.rfc-editor.org/rfc/rfc7208"),
        Reference("Google: Email sender guidelines", "https://support.google.com/mail/answer/81126"),
    ),
    title=Text(
        "One valid SPF record says which servers may send the domain's mail",
        "送信元サーバを示す有効な SPF レコードが1つだけある",
    ),
    why=Text(
        "Without it, or with one that breaks its rules, confirmation and password mails end as spam. Anybody can then send mail in your server's name, too.",
        "SPF がない、または書式や制限に反していると、登録確認やパスワード再設定のメールが迷惑メール扱いになります。サーバを装ったメールも送られやすくなります。",
    ),
    expected=Text(
        "Exactly one TXT record beginning with v=spf1, at most 10 look-ups (2 of them empty) with everything it includes, ending in -all or ~all. From 8 look-ups on there is a warning, since one more service may break it.",
        "v=spf1 で始まる TXT レコードがちょうど1つあり、include 先も含めて DNS 参照が10回以内（空の応答は2回まで）で、-all または ~all で終わっている状態。参照が8回以上になると、あと1サービスで超えかねないため「注意」になります。",
    ),
    fix=Fix(
        Text(
            "One TXT record at the domain of your From address. If the server itself sends, name its addresses:\n"
            + OWN
            + "\n\nIf a mail service sends, include the name that the service documents:\n"
            + PROVIDER
            + "\n\nPut everything into one record; two records count as none. Look-ups are saved by leaving out services you no longer use, and by writing ip4 and ip6 in place of a and mx. Domains that never send any mail want v=spf1 -all.",
            "メールの送信元（From）に使うドメインに、TXT レコードを1つだけ作ります。サーバから直接送る場合は、そのアドレスを書きます。\n"
            + OWN
            + "\n\nメール配信サービスを使う場合は、サービスが案内している名前を include に書きます。\n"
            + PROVIDER
            + "\n\n複数のサービスを使う場合も、必ず1つのレコードにまとめてください（2つあると無効になります）。参照回数は、使わなくなったサービスを外し、a や mx の代わりに ip4・ip6 で書くと減らせます。メールを一切送らないドメインには v=spf1 -all を設定します。",
        )
    ),
    verify=Text(
        "One line, and one only, begins with v=spf1:\n\n    dig example.social TXT +short",
        "v=spf1 で始まる行が1つだけであることを確認します。\n\n    dig example.social TXT +short",
    ),
    codes={
        "valid": Text(
            "One valid SPF record with {lookups} of {limit} look-ups, ending in {ending}all.",
            "有効な SPF レコードが1つあります（DNS 参照 {lookups}/{limit} 回、末尾は {ending}all）。",
        ),
        "none": Text("{name} has no SPF record.", "{name} に SPF レコードがありません。"),
        "several": Text(
            "{name} has {count} SPF records; with more than one, none is valid.",
            "{name} に SPF レコードが {count} 個あります。複数あると、どれも無効になります。",
        ),
        "syntax": Text(
            "The SPF record of {name} breaks the grammar ({detail}).",
            "{name} の SPF レコードに書式の誤りがあります（{detail}）。",
        ),
        "dead_end": Text(
            "The record includes or redirects to {name}, which has no SPF record: all of it is invalid.",
            "include または redirect の先 {name} に SPF レコードがないため、全体が無効になります。",
        ),
        "loop": Text(
            "The record leads back to itself ({name} names {detail}).",
            "SPF の参照が循環しています（{name} から {detail}）。",
        ),
        "too_many": Text(
            "{count} look-ups are needed, {limit} are allowed: receivers take the record as invalid.",
            "DNS 参照が {count} 回必要です。上限の {limit} 回を超えるため、無効として扱われます。",
        ),
        "too_many_mx": Text(
            "An mx term in the record of {name} leads to {count} mail hosts; ten are allowed.",
            "{name} の mx が {count} 台のメールサーバを指しています。上限は10台です。",
        ),
        "voids": Text(
            "{count} look-ups lead to names without records; two are allowed.",
            "存在しない名前への参照が {count} 回あります。許されるのは2回までです。",
        ),
        "open_to_all": Text(
            "The record lets every server in the world send for the domain (at {name}).",
            "世界中のどのサーバからの送信も許可しています（{name}）。",
        ),
        "open_end": Text(
            "The record does not end in -all or ~all, so it says nothing about other servers.",
            "-all または ~all で終わっていないため、その他のサーバを拒否できません。",
        ),
        "wide": Text(
            "{term} in the record of {name} allows a very large network.",
            "{name} の {term} が、非常に広いネットワークを許可しています。",
        ),
        "ptr": Text(
            "The record of {name} uses ptr, which is slow, unreliable and should not be used.",
            "{name} の SPF が、低速で信頼性が低く非推奨の ptr を使っています。",
        ),
        "near_limit": Text(
            "{lookups} of {limit} look-ups are used: one more service may break the record.",
            "DNS 参照を {limit} 回中 {lookups} 回使っています。サービスを1つ足すだけで無効になるおそれがあります。",
        ),
        "long": Text(
            "The record of {name} is {size} bytes long; long ones get lost on the way.",
            "{name} のレコードが {size} バイトあります。長い応答は途中で失われることがあります。",
        ),
        "bad_name": Text(
            "{term} in the record of {name} names something that cannot be a host.",
            "{name} の {term} は、ホスト名として成り立っていません。",
        ),
        "not_followed": Text(
            "The record leads to more names than fedisec asks in one scan.",
            "1回のスキャンで問い合わせる上限を超える数の名前を参照しています。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(SpfAnswers)
    walked = walk(found.domain, {(a.name, a.rdtype): a.answer for a in found.asked})
    verdict = _problem(walked)
    if verdict is None:
        for _, gap in walked.unseen:
            raise MissingFact(gap)
        if walked.needed:
            return unknown("not_followed", Reason.BUDGET)
        verdict = _warning(walked) or passed(
            "valid", lookups=walked.lookups, limit=MAX_LOOKUPS, ending=walked.ending.replace("unseen", "… ")
        )
    return _with_tree(verdict, walked, found)


def _problem(walked: SpfWalk) -> Verdict | None:
    problems = {note.code: note for note in reversed(walked.problems)}
    if note := problems.get("none"):
        return failed("none", name=note.name).seen(f"TXT {note.name}", "no record begins with v=spf1")
    if note := problems.get("several"):
        return failed("several", name=note.name, count=int(note.detail))
    if note := problems.get("syntax"):
        return failed("syntax", name=note.name, detail=note.detail)
    if note := problems.get("include_none") or problems.get("redirect_none"):
        return failed("dead_end", name=note.name).seen(f"TXT {note.name}", "no record begins with v=spf1")
    if note := problems.get("plus_all"):
        return failed("open_to_all", name=note.name)
    if note := problems.get("loop"):
        return failed("loop", name=note.name, detail=note.detail)
    if note := problems.get("mx_many"):
        return failed("too_many_mx", name=note.name, count=int(note.detail))
    if "lookups" in problems:
        return failed("too_many", count=walked.lookups, limit=MAX_LOOKUPS)
    if "voids" in problems:
        return failed("voids", count=walked.voids)
    return None


def _warning(walked: SpfWalk) -> Verdict | None:
    notes: dict[str, Note] = {note.code: note for note in reversed(walked.warnings)}
    if "open_end" in notes:
        return warned("open_end")
    if note := notes.get("wide"):
        return warned("wide", name=note.name, term=note.detail)
    if note := notes.get("ptr"):
        return warned("ptr", name=note.name)
    if "near_limit" in notes:
        return warned("near_limit", lookups=walked.lookups, limit=MAX_LOOKUPS)
    if note := notes.get("bad_name"):
        return warned("bad_name", name=note.name, term=note.detail)
    if note := notes.get("long"):
        return warned("long", name=note.name, size=int(note.detail))
    return None


def _with_tree(verdict: Verdict, walked: SpfWalk, found: SpfAnswers) -> Verdict:
    """The tree with its counts, as a person would draw it, and the records that it is made of."""
    verdict = verdict.seen("SPF tree", drawn(walked))
    for step in walked.steps[:12]:
        verdict = verdict.seen(f"TXT {step.name}", f"{'> ' * step.depth}{step.text[:600]}")
    for asked in found.asked:
        records = [t for t in getattr(asked.answer, "records", ()) if asked.rdtype == "TXT" and is_spf(t)]
        if len(records) > 1:
            verdict = verdict.seen(f"TXT {asked.name}", "\n".join(t[:600] for t in records[:5]))
    return verdict.seen("look-ups", f"{walked.lookups}, {walked.voids} of them empty")
