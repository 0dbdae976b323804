"""Does every name that the instance uses validate?  RFC 4035; each name is judged, not the apex alone.

Insecure is not bogus: SERVFAIL with checking and an answer without it is bogus, unsigned is a warning.  Short
signatures of on-line signers are sound: only what has used up three quarters of its life is called ageing.
Names of other people (a hosted MX) count when they are bogus; their missing signature is not ours to mend.
"""

from datetime import datetime, timedelta

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.dns import Dnssec, Lookup, Outcome, ResolverHealth
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)

SOON = timedelta(days=3)
SHA1_ALGORITHMS = frozenset({1, 3, 5, 6, 7})

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "準備/ドメイン"),),
    title=Text(
        "Every name in use is signed and validates with DNSSEC",
        "使用しているすべての名前が DNSSEC で署名され、検証できる",
    ),
    why=Text(
        "Without signatures a forged DNS answer can send users to another server, and can even let a certificate authority issue a real certificate for it. Certificate authorities validate DNSSEC, so a broken signature also stops renewal.",
        "署名がないと、偽の DNS 応答で利用者を別のサーバに誘導され、正規の証明書まで発行されるおそれがあります。認証局も DNSSEC を検証するため、署名が壊れていると証明書を更新できません。",
    ),
    expected=Text(
        "The address, mail and policy records of the domain all come back as secure from a validating resolver, with signatures that are renewed in time.",
        "アドレス・メール・各種ポリシーのレコードがいずれも検証済み（secure）として得られ、署名が期限前に更新されている状態。",
    ),
    fix=Fix(
        Text(
            "Switch on DNSSEC at the DNS service, then enter the DS record it shows at the registrar. Where both are one company, one switch does both.\n\n"
            "A bogus zone is more urgent than an unsigned one: most often the DS at the registrar belongs to an old key (after a change of DNS service) or signing has stopped. Put the right DS there, or remove it until signing works again; never leave a wrong one.",
            "DNS サービスで DNSSEC を有効にし、表示された DS レコードを登録事業者に登録します。両方が同じ会社なら、1つの設定で済むことがほとんどです。\n\n"
            "検証に失敗する（bogus）状態は、未署名より急を要します。DNS サービスの移転後に古い鍵の DS が残っているか、署名が止まっていることが主な原因です。正しい DS に直すか、署名が直るまで DS を削除してください。誤った DS を残したままにしてはいけません。",
        ),
        variants=(
            (
                "BIND",
                Text(
                    "In the zone's configuration, then reload and read the DS from the key:\n\n"
                    "    dnssec-policy default;\n"
                    "    inline-signing yes;\n\n"
                    "    sudo rndc reconfig\n"
                    "    dig @127.0.0.1 example.social CDS +short",
                    "ゾーンの設定に追加して読み込み直し、登録する DS を確認します。\n\n"
                    "    dnssec-policy default;\n"
                    "    inline-signing yes;\n\n"
                    "    sudo rndc reconfig\n"
                    "    dig @127.0.0.1 example.social CDS +short",
                ),
            ),
            (
                "Knot DNS",
                Text(
                    "Set dnssec-signing: on in the zone, reload, and read the DS:\n\n"
                    "    sudo knotc reload\n"
                    "    sudo keymgr example.social ds",
                    "ゾーンに dnssec-signing: on を設定して読み込み直し、DS を確認します。\n\n"
                    "    sudo knotc reload\n"
                    "    sudo keymgr example.social ds",
                ),
            ),
            (
                "PowerDNS",
                Text(
                    "Sign the zone and show the DS:\n\n"
                    "    sudo pdnsutil secure-zone example.social\n"
                    "    sudo pdnsutil show-zone example.social",
                    "ゾーンに署名し、DS を表示します。\n\n"
                    "    sudo pdnsutil secure-zone example.social\n"
                    "    sudo pdnsutil show-zone example.social",
                ),
            ),
        ),
    ),
    verify=Text(
        "The flags of the answer must hold ad (ask a resolver that validates):\n\n    dig +dnssec example.social A @9.9.9.9",
        "検証を行うリゾルバに問い合わせ、応答の flags に ad があることを確認します。\n\n    dig +dnssec example.social A @9.9.9.9",
    ),
    codes={
        "secure": Text(
            "Every record seen is secure ({count}).", "確認した{count}件のレコードはすべて検証済みです。"
        ),
        "bogus": Text(
            "{name} does not validate: validating resolvers refuse to answer for it.",
            "{name} の検証に失敗します。検証を行うリゾルバはこの名前に応答しません。",
        ),
        "insecure": Text("{name} is not signed.", "{name} は署名されていません。"),
        "ageing": Text(
            "The signature of {name} was not renewed and ends soon (hours left: {hours}).",
            "{name} の署名はあと{hours}時間で切れますが、まだ更新されていません。",
        ),
        "weak": Text(
            "Signed, but with SHA-1 ({name}), which validators are giving up.",
            "署名されていますが、廃止が進む SHA-1 が使われています（{name}）。",
        ),
        "nothing": Text(
            "None of the names has a record that could be signed.",
            "署名を確認できるレコードがありませんでした。",
        ),
        "not_validating": Text(
            "fedisec's own resolver does not validate DNSSEC, so it cannot judge this.",
            "fedisec が使うリゾルバが DNSSEC を検証しないため、判定できません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    if not seen(facts.get(ResolverHealth).validates):
        return unknown("not_validating", Reason.NOT_VALIDATING)
    found = facts.get(Dnssec)
    for used in found.names:
        if used.broken and isinstance(used.answer, Missing):
            return failed("bogus", name=used.name).seen(f"{used.rdtype} {used.name}", used.answer.detail)
    own = [n.answer for n in found.names if n.own and isinstance(n.answer, Lookup)]
    there = [answer for answer in own if answer.outcome is Outcome.FOUND]
    for answer in there:
        if not answer.secure:
            return warned("insecure", name=answer.name).seen(f"{answer.rdtype} {answer.name}", "no AD bit")
    return _ageing(there, found.seen_at) or _weak(there, found) or _secure(there, found)


def _ageing(answers: list[Lookup], now: datetime) -> Verdict | None:
    for answer in answers:
        for signature in answer.signatures:
            left, life = signature.ends - now, signature.ends - signature.begins
            if left < SOON and left < life / 4:
                hours = max(0, int(left.total_seconds() // 3600))
                where = f"RRSIG {answer.rdtype} {answer.name}"
                return warned("ageing", name=answer.name, hours=hours).seen(where, f"ends {signature.ends}")
    return None


def _weak(answers: list[Lookup], found: Dnssec) -> Verdict | None:
    for answer in answers:
        used = {signature.algorithm for signature in answer.signatures}
        if used and used <= SHA1_ALGORITHMS:
            return warned("weak", name=answer.name).seen(f"RRSIG {answer.name}", f"algorithm {min(used)}")
    if isinstance(found.delegation, Lookup) and found.delegation.records:
        digests = {record.split()[2:3][0] for record in found.delegation.records if len(record.split()) > 3}
        if digests == {"1"}:
            name = found.delegation.name
            return warned("weak", name=name).seen(f"DS {name}", found.delegation.records[0])
    return None


def _secure(answers: list[Lookup], found: Dnssec) -> Verdict:
    """A pass only when every own name gave an answer; otherwise the reason of the first that did not."""
    for used in found.names:
        if used.own:
            seen(used.answer)
    if not answers:
        return unknown("nothing", Reason.NO_SUCH_NAME)
    verdict = passed("secure", count=len(answers))
    for answer in answers[:8]:
        verdict = verdict.seen(f"{answer.rdtype} {answer.name}", "AD")
    return verdict
