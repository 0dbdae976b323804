"""Does every name that the instance uses validate?  RFC 4035; each name is judged, not the apex alone.

Insecure is not bogus: SERVFAIL with checking and an answer without it is bogus, unsigned is a warning.  Short
signatures of on-line signers are sound: only what has used up three quarters of its life is called ageing.
Names of other people (a hosted MX) count when they are bogus; their missing signature is not ours to mend.

The validating resolver decides, fedisec's own walk down the chain names the step.  Where the two contradict each
other nothing is judged: one of them is wrong, and it may be us.  Where the resolver does not validate, the walk
decides alone what it can prove: secure and insecure by signatures it checked itself, bogus only by what no
resolver in between can make up: a DS that is signed and fits no key, or a right signature that ended longer ago
than any cache keeps it (its TTL) and a day for our own clock.  What was signed some days ago it could replay,
to us as to any validator.
"""

from datetime import datetime, timedelta

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.dns import (
    Chain,
    ChainStatus,
    Dnssec,
    Lookup,
    Outcome,
    ResolverHealth,
    SignedName,
    StepKind,
)
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
from checks.parse import dnssec_words as words

SOON = timedelta(days=3)
CLOCK = timedelta(days=1)
SHA1_ALGORITHMS = frozenset({1, 3, 5, 6, 7})

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("003", "準備/ドメイン"),),
    references=(
        Reference("RFC 9364: DNS Security Extensions (DNSSEC)", "https://www.rfc-editor.org/rfc/rfc9364"),
        Reference(
            "RFC 4035: Protocol Modifications for the DNS Security Extensions",
            "https://www.rfc-editor.org/rfc/rfc4035",
        ),
    ),
    title=Text(
        "Every name in use is signed and validates with DNSSEC",
        "使用しているすべての名前が DNSSEC で署名され、検証できる",
    ),
    why=Text(
        "Without signatures a forged DNS answer can send users to another server, and can even let a certificate authority issue a real certificate for it. Certificate authorities validate DNSSEC, so a broken signature also stops renewal.",
        "署名がないと、偽の DNS 応答で利用者を別のサーバに誘導され、正規の証明書まで発行されるおそれがあります。認証局も DNSSEC を検証するため、署名が壊れていると証明書を更新できません。",
    ),
    expected=Text(
        "The address, mail and policy records of the domain all come back as secure from a validating resolver, with signatures that are renewed in time. A zone without signatures gives a warning, one whose signatures do not hold is not met.",
        "アドレス・メール・各種ポリシーのレコードがいずれも検証済み（secure）として得られ、署名が期限前に更新されている状態。未署名は「注意」、署名の検証に失敗する場合は「未達成」です。",
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
            "Every record seen is secure ({count}).", "確認した {count} 件のレコードはすべて検証済みです。"
        ),
        "bogus": Text(
            "{name} does not validate: validating resolvers refuse to answer for it.",
            "{name} の検証に失敗します。検証を行うリゾルバはこの名前に応答しません。",
        ),
        "expired": Text(
            "{name} does not validate: the signature over {records} (key {keys}) ended on {at}.",
            "{name} の検証に失敗します。{records} の署名（鍵 {keys}）の有効期限が {at} に切れています。",
        ),
        "not_yet": Text(
            "{name} does not validate: the signature over {records} (key {keys}) is not valid until {at}.",
            "{name} の検証に失敗します。{records} の署名（鍵 {keys}）は {at} まで有効になりません。",
        ),
        "wrong_ds": Text(
            "{name} does not validate: the DS of {zone} at its parent (key {keys}) matches no key of the zone.",
            "{name} の検証に失敗します。親ゾーンにある {zone} の DS（鍵 {keys}）に一致する鍵がゾーンにありません。",
        ),
        "no_keys": Text(
            "{name} does not validate: the parent holds a DS of {zone} (key {keys}), but the zone has no keys.",
            "{name} の検証に失敗します。親ゾーンに {zone} の DS（鍵 {keys}）がありますが、ゾーンに鍵がありません。",
        ),
        "bad_signature": Text(
            "{name} does not validate: the signature over {records} (key {keys}) does not fit the records.",
            "{name} の検証に失敗します。{records} の署名（鍵 {keys}）がレコードの内容と一致しません。",
        ),
        "unknown_key": Text(
            "{name} does not validate: {records} is signed by a key (tag {keys}) that {zone} does not vouch for.",
            "{name} の検証に失敗します。{records} が、{zone} で信頼できない鍵（{keys}）で署名されています。",
        ),
        "unsigned": Text(
            "{name} does not validate: {zone} is a signed zone, but there is no signature over {records}.",
            "{name} の検証に失敗します。{zone} は署名されたゾーンですが、{records} に署名がありません。",
        ),
        "no_proof": Text(
            "{name} does not validate: the zone {zone} does not prove what it says about {records}.",
            "{name} の検証に失敗します。ゾーン {zone} の {records} についての不在証明が揃っていません。",
        ),
        "insecure": Text("{name} is not signed.", "{name} は署名されていません。"),
        "no_ds": Text(
            "{name} is not secured: {zone} is delegated without a DS record.",
            "{name} は保護されていません。{zone} の DS レコードが親ゾーンに登録されていません。",
        ),
        "island": Text(
            "{zone} is signed, but its parent holds no DS record, so nobody can check the signatures of {name}.",
            "{zone} は署名されていますが、親ゾーンに DS レコードがないため、{name} の署名を誰も検証できません。",
        ),
        "alias_leaves": Text(
            "{name} is an alias that leads to {target}, which is not secured.",
            "{name} は別名（CNAME）で、その先の {target} が保護されていません。",
        ),
        "unsupported": Text(
            "{zone} is signed only with algorithms that validators pass over, so {name} counts as unsigned.",
            "{zone} は、検証側が対応しないアルゴリズムだけで署名されているため、{name} は未署名と同じ扱いになります。",
        ),
        "iterations": Text(
            "{zone} uses so many NSEC3 iterations that validators treat {name} as unsigned.",
            "{zone} の NSEC3 の反復回数が多すぎるため、{name} は未署名と同じ扱いになります。",
        ),
        "ageing": Text(
            "The signature of {name} was not renewed and ends soon (hours left: {hours}).",
            "{name} の署名はあと {hours} 時間で切れますが、まだ更新されていません。",
        ),
        "just_ended": Text(
            "The signature over {records}, which {name} needs, ended on {at}: some resolvers still accept it.",
            "{name} に必要な {records} の署名が {at} に切れています。まだ受け入れるリゾルバもありますが、まもなく使えなくなります。",
        ),
        "weak": Text(
            "Signed, but with SHA-1 ({name}), which validators are giving up.",
            "署名されていますが、廃止が進む SHA-1 が使われています（{name}）。",
        ),
        "nothing": Text(
            "None of the names has a record that could be signed.",
            "署名を確認できるレコードがありませんでした。",
        ),
        "proved": Text(
            "Every record seen is secure ({count}), by signatures that fedisec checked itself up to the root.",
            "確認した {count} 件のレコードは、いずれもルートまでの署名を fedisec 自身が検証できました。",
        ),
        "disagree": Text(
            "The resolver calls {name} {resolver}, fedisec's own look at the chain of signatures calls it {own}: nothing is judged.",
            "{name} について、リゾルバの判定（{resolver}）と fedisec 自身の検証（{own}）が食い違うため、判定しません。",
        ),
        "refuses_all": Text(
            "fedisec's own resolver refuses even names that are signed well: its trust anchor of the root is out of date (the root's key changed on 2026-10-11), or its clock is wrong.",
            "fedisec が使うリゾルバが、正しく署名された名前まで拒否しています。ルートのトラストアンカーが古い（2026-10-11 に鍵が交代）か、時計がずれています。",
        ),
        "not_validating": Text(
            "fedisec's own resolver does not validate DNSSEC, so it cannot judge this.",
            "fedisec が使うリゾルバが DNSSEC を検証しないため、判定できません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    validates = facts.get(ResolverHealth).validates
    if isinstance(validates, Missing) and validates.reason is Reason.NOT_VALIDATING:
        return unknown("refuses_all", Reason.NOT_VALIDATING).seen("resolver", validates.detail)
    if not seen(validates):
        return _by_walk(facts.get(Dnssec))
    return _by_resolver(facts.get(Dnssec))


def _by_resolver(found: Dnssec) -> Verdict:
    for used in found.names:
        if used.broken and isinstance(used.answer, Missing) and not _contradicts(used):
            label = f"{used.rdtype} {used.name}"
            return _bogus(used).seen(label, used.answer.detail)
    if doubt := next((used for used in found.names if _contradicts(used)), None):
        return _disagree(doubt)
    # What could not be asked may be worse than what was seen: anything milder would read as a recovery.
    for used in found.names:
        seen(used.answer)
    there = _there(found)
    for used, answer in there:
        if not answer.secure:
            return _insecure(used).seen(f"{answer.rdtype} {answer.name}", "no AD bit")
    return (
        _ageing(there, found.seen_at)
        or _weak(there, found)
        or _secure(there, found, passed("secure", count=len(there)))
    )


def _there(found: Dnssec) -> list[tuple[SignedName, Lookup]]:
    """The instance's own names that have records."""
    own = [(n, n.answer) for n in found.names if n.own and isinstance(n.answer, Lookup)]
    return [(name, answer) for name, answer in own if answer.outcome is Outcome.FOUND]


# What a walk can prove to be wrong; the other kinds are gaps that a resolver in between may have made.
_PROVED_WRONG = frozenset(
    {StepKind.WRONG_DS, StepKind.EXPIRED, StepKind.NOT_YET, StepKind.BAD_SIGNATURE, StepKind.UNKNOWN_KEY}
)


def _contradicts(used: SignedName) -> bool:
    """The resolver and the walk say what cannot both be true."""
    chain = used.chain
    if chain is None or chain.status is ChainStatus.INDETERMINATE:
        return False
    if used.broken:
        return chain.status is not ChainStatus.BOGUS
    if not used.own or not isinstance(used.answer, Lookup):
        return False
    wrong = chain.step is not None and chain.step.kind in _PROVED_WRONG
    if used.answer.secure:
        # Resolvers allow for clocks that differ, so a signature that has just ended is no contradiction.
        return wrong and chain.step is not None and chain.step.kind is not StepKind.EXPIRED
    return wrong or chain.status is ChainStatus.SECURE


def _disagree(used: SignedName) -> Verdict:
    says, own = "bogus", ChainStatus.INDETERMINATE if used.chain is None else used.chain.status
    if isinstance(used.answer, Lookup):
        says = "secure" if used.answer.secure else "insecure"
    verdict = unknown("disagree", Reason.RESOLVER_FAILED, name=used.name, resolver=says, own=own.value)
    return verdict.seen("own walk", words.told(used.chain))


def _by_walk(found: Dnssec) -> Verdict:
    """By fedisec's own walk alone, where the resolver does not validate: see the head of this file."""
    for used in found.names:
        if used.chain is not None and _is_proved_bogus(used, used.chain, found.seen_at):
            return _bogus(used)
    for used in found.names:  # as in _by_resolver
        seen(used.answer)
    there = _there(found)
    for used, _ in there:
        if used.chain is not None and used.chain.status is ChainStatus.INSECURE:
            return _insecure(used)
    statuses = {used.chain.status for used, _ in there if used.chain is not None}
    if statuses != {ChainStatus.SECURE} or any(used.chain is None for used, _ in there):
        return unknown("not_validating", Reason.NOT_VALIDATING)
    return (
        _ageing(there, found.seen_at)
        or _weak(there, found)
        or _secure(there, found, passed("proved", count=len(there)))
    )


def _is_proved_bogus(used: SignedName, chain: Chain, now: datetime) -> bool:
    """`broken`: somebody on the way validates all the same and only the AD bit is lost, so that two agree."""
    step = chain.step
    if chain.status is not ChainStatus.BOGUS or step is None:
        return False
    if used.broken:
        return True
    if step.kind is StepKind.EXPIRED and step.at is not None:
        return step.at + timedelta(seconds=step.ttl_s) + CLOCK < now
    return step.kind is StepKind.WRONG_DS


def _bogus(used: SignedName) -> Verdict:
    """The fail that names the step; one without a name where the walk does not know it."""
    name, step = used.name, used.chain.step if used.chain is not None else None
    if step is None:
        return failed("bogus", name=name)
    zone, keys, at, records = words.zone(step), words.tags(step), words.moment(step), words.records(step)
    made = {
        StepKind.EXPIRED: failed("expired", name=name, records=records, keys=keys, at=at),
        StepKind.NOT_YET: failed("not_yet", name=name, records=records, keys=keys, at=at),
        StepKind.WRONG_DS: failed("wrong_ds", name=name, zone=zone, keys=keys),
        StepKind.NO_KEYS: failed("no_keys", name=name, zone=zone, keys=keys),
        StepKind.BAD_SIGNATURE: failed("bad_signature", name=name, records=records, keys=keys),
        StepKind.UNKNOWN_KEY: failed("unknown_key", name=name, records=records, zone=zone, keys=keys),
        StepKind.UNSIGNED: failed("unsigned", name=name, records=records, zone=zone),
        StepKind.NO_PROOF: failed("no_proof", name=name, records=records, zone=zone),
    }
    return made.get(step.kind, failed("bogus", name=name)).seen("own walk", words.told(used.chain))


def _insecure(used: SignedName) -> Verdict:
    """The warning that names where the chain ends; behind an alias that is where the alias leads."""
    name, chain = used.name, used.chain
    if chain is None or chain.step is None or chain.status is not ChainStatus.INSECURE:
        return warned("insecure", name=name)
    zone = words.zone(chain.step)
    made = {
        StepKind.NO_DS: warned("no_ds", name=name, zone=zone),
        StepKind.OPT_OUT: warned("no_ds", name=name, zone=zone),
        StepKind.ISLAND: warned("island", name=name, zone=zone),
        StepKind.UNSUPPORTED: warned("unsupported", name=name, zone=zone),
        StepKind.ITERATIONS: warned("iterations", name=name, zone=zone),
    }
    verdict = warned("alias_leaves", name=name, target=chain.alias) if chain.alias else made[chain.step.kind]
    return verdict.seen("own walk", words.told(chain))


def _ageing(there: list[tuple[SignedName, Lookup]], now: datetime) -> Verdict | None:
    for used, answer in there:
        where = f"{answer.rdtype} {answer.name}"
        chain = used.chain
        if chain is not None and chain.step is not None and chain.step.kind is StepKind.EXPIRED:
            records, at = words.records(chain.step), words.moment(chain.step)
            verdict = warned("just_ended", name=answer.name, records=records, at=at)
            return verdict.seen("own walk", words.told(chain))
        signatures = [(where, s) for s in answer.signatures]
        if chain is not None and chain.zones:
            signatures += [(f"DNSKEY {chain.zones[-1]}", s) for s in chain.key_signatures]
        for label, signature in signatures:
            left, life = signature.ends - now, signature.ends - signature.begins
            if left < SOON and left < life / 4:
                hours = max(0, int(left.total_seconds() // 3600))
                verdict = warned("ageing", name=answer.name, hours=hours)
                return verdict.seen(f"RRSIG {label}", f"ends {signature.ends}")
    return None


def _weak(there: list[tuple[SignedName, Lookup]], found: Dnssec) -> Verdict | None:
    for _, answer in there:
        used = {signature.algorithm for signature in answer.signatures}
        if used and used <= SHA1_ALGORITHMS:
            return warned("weak", name=answer.name).seen(f"RRSIG {answer.name}", f"algorithm {min(used)}")
    if isinstance(found.delegation, Lookup) and found.delegation.records:
        digests = {record.split()[2:3][0] for record in found.delegation.records if len(record.split()) > 3}
        if digests == {"1"}:
            name = found.delegation.name
            return warned("weak", name=name).seen(f"DS {name}", found.delegation.records[0])
    return None


def _secure(there: list[tuple[SignedName, Lookup]], found: Dnssec, verdict: Verdict) -> Verdict:
    """The pass only when every own name gave an answer; otherwise the reason of the first that did not."""
    for used in found.names:
        if used.own:
            seen(used.answer)
    if not there:
        return unknown("nothing", Reason.NO_SUCH_NAME)
    for used, answer in there[:8]:
        ad = "AD; " if answer.secure else ""
        verdict = verdict.seen(f"{answer.rdtype} {answer.name}", f"{ad}own walk: {words.told(used.chain)}")
    return verdict
