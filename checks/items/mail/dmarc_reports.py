"""Do DMARC aggregate reports go to an address that takes them?  RFC 9990."""

from checks.facts import Facts, MissingFact, seen
from checks.facts.mail import DmarcAnswers
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
from checks.parse.dmarc import discover, is_authorised, walk_names

RECORD = """
    _dmarc.example.social.  IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.social\""""

PERMIT = """
    example.social._report._dmarc.example.net.  IN TXT "v=DMARC1\""""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("002"),),
    references=(Reference("RFC 9990: DMARC Aggregate Reporting", "https://www.rfc-editor.org/rfc/rfc9990"),),
    title=Text(
        "DMARC reports go to an address that receives them",
        "DMARC の集計レポートを受け取れる",
    ),
    why=Text(
        "Reports are the only way to see that somebody forges your domain, or that your own mail fails a check. They also warn before a stricter policy loses good mail.",
        "レポートは、ドメインの悪用や自分のメールの認証失敗に気づける唯一の手段です。ポリシーを強める前に、正しいメールが失われないかも確認できます。",
    ),
    expected=Text(
        "The DMARC record has rua=mailto: with an address that exists; an address under another domain is permitted there.",
        "DMARC レコードの rua=mailto: に実在する宛先があり、別ドメインの宛先なら相手側で受け取りが許可されている状態。",
    ),
    fix=Fix(
        Text(
            "Make an alias and add it to the record:\n"
            + RECORD
            + "\n\nReports to another domain are sent only when that domain agrees; report services publish this record for you, at a domain of your own you do:\n"
            + PERMIT,
            "エイリアスを作り、レコードに追加します。\n"
            + RECORD
            + "\n\n別ドメイン宛てのレポートは、相手側が許可している場合だけ送られます。レポート解析サービスなら先方が設定しますが、自分の別ドメインに送る場合は自分で設定してください。\n"
            + PERMIT,
        )
    ),
    verify=Text(
        "The record shows rua=, and within two days a compressed XML report arrives from one of the large mail services:\n\n    dig _dmarc.example.social TXT +short",
        "rua= が設定されていて、2日以内に大手メールサービスから圧縮された XML のレポートが届けば完了です。\n\n    dig _dmarc.example.social TXT +short",
    ),
    codes={
        "received": Text("Reports go to {address}.", "レポートの送り先は {address} です。"),
        "none": Text(
            "The DMARC record at {name} names no valid address for reports.",
            "{name} の DMARC レコードに、有効なレポートの送り先がありません。",
        ),
        "not_permitted": Text(
            "{domain} does not say that it takes reports about {name}, so they are not sent there.",
            "{domain} が {name} のレポートの受け取りを許可していないため、送られません。",
        ),
        "no_record": Text("There is no DMARC record.", "DMARC レコードがありません。"),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(DmarcAnswers)
    names = walk_names(found.domain)
    policy = discover(found.domain, {n: a.answer for n, a in zip(names, found.asked, strict=False)})
    if policy.unseen is not None:
        raise MissingFact(policy.unseen)
    if policy.record is None:
        return not_applicable("no_record")
    where = f"TXT _dmarc.{policy.found_at}"
    if not policy.record.rua:
        return failed("none", name=f"_dmarc.{policy.found_at}").seen(where, policy.record.text)
    for report in found.reports:
        if is_authorised(report.answer) is False:
            domain = report.name.partition("._dmarc.")[2]
            verdict = warned("not_permitted", domain=domain, name=policy.found_at)
            return verdict.seen(where, policy.record.text).seen(f"TXT {report.name}", "no v=DMARC1 record")
    for report in found.reports:
        seen(report.answer)
    return passed("received", address=", ".join(policy.record.rua[:3])).seen(where, policy.record.text)
