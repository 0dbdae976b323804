"""Does the selector in use publish a good key?  RFC 6376 3.6.1, RFC 8301, RFC 8463.

Selectors cannot be listed from outside.  Only one that the admin or the server's own signer names can fail; one
that the recognised mail service gives to everybody may pass; a guess proves nothing about what the server signs
with.  A mail that the admin pasted names its selectors; that its copy does not verify proves nothing, for pasting
changes bytes.
"""

from checks.data.suffixes import same_registrable
from checks.errors import ParseError, Reason
from checks.facts import Facts, Missing, seen
from checks.facts.dns import Lookup
from checks.facts.mail import DkimAnswers, DkimAsked, DkimMessage, Origin, Proof, SpfAnswers
from checks.model import (
    INSIDE,
    MANUAL,
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
    unknown,
    warned,
)
from checks.parse.dkim import DkimKey, parse_dkim
from checks.parse.host.mail_server import parse_mail
from checks.parse.host.sections import lines_if_any

RSA_GOOD, RSA_LEAST = 2048, 1024
SIGNER = "inside: selectors of OpenDKIM and Rspamd"

OPENDKIM = """
    sudo -u opendkim opendkim-genkey -D /etc/opendkim/keys -d example.social -s fedi2026 -b 2048
    sudo cat /etc/opendkim/keys/fedi2026.txt"""

RSPAMD = """
    sudo rspamadm dkim_keygen -d example.social -s fedi2026 -b 2048 -k /var/lib/rspamd/dkim/example.social.fedi2026.key"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, INSIDE, MANUAL),
    sources=(Source("003", "構築/メールサーバ"), Source("002")),
    references=(
        Reference(
            "RFC 6376: DomainKeys Identified Mail (DKIM) Signatures", "https://www.rfc-editor.org/rfc/rfc6376"
        ),
        Reference(
            "RFC 8301: Cryptographic Algorithm and Key Usage Update to DKIM",
            "https://www.rfc-editor.org/rfc/rfc8301",
        ),
        Reference("Google: Email sender guidelines", "https://support.google.com/mail/answer/81126"),
    ),
    title=Text(
        "Outgoing mail is signed with DKIM by a good key",
        "送信メールに DKIM で署名し、十分な強度の鍵を公開している",
    ),
    why=Text(
        "The signature proves that a mail comes from your domain and was not changed, also after forwarding, where SPF fails. Without it much of your server's mail ends as spam.",
        "DKIM 署名は、メールが自ドメインから送られ、改ざんされていないことを示します。SPF が効かない転送後も有効で、署名がないと迷惑メール扱いになりがちです。",
    ),
    expected=Text(
        "The selector that your mail is signed with has a key in the DNS: RSA with 2048 bits or more, or Ed25519, neither revoked nor in test mode.",
        "実際の署名に使うセレクタに、2048ビット以上の RSA または Ed25519 の鍵が公開されていて、失効もテストモードの指定もない状態。",
    ),
    fix=Fix(
        Text(
            "If a mail service sends for you, its page about domain authentication shows one to three records; enter them unchanged (CNAME records keep working when the service changes its keys). If your own server sends, make a key, publish it, then let the mail server sign.\n\n"
            "Afterwards paste a mail that your server sent (the source, with all headers) below, or write the selector (s= in its DKIM-Signature header) into this instance's settings, so that fedisec can watch it.",
            "メール配信サービスを使う場合は、ドメイン認証のページに表示される1〜3個のレコードをそのまま登録します。CNAME で登録しておけば、サービス側の鍵の更新にも追従します。自前のサーバから送る場合は、鍵を作って DNS に公開し、メールサーバに署名させます。\n\n"
            "設定したら、サーバから届いたメールのソース（ヘッダを含む全文）を下の欄に貼り付けるか、DKIM-Signature ヘッダにある s= の値（セレクタ）を fedisec のこのインスタンスの設定に登録してください。以後は自動で確認できます。",
        ),
        variants=(
            (
                "OpenDKIM",
                Text(
                    "Make a key and publish the record it prints:\n"
                    + OPENDKIM
                    + "\n\nThen name key and domain in KeyTable and SigningTable and connect it to Postfix as a milter.",
                    "鍵を作り、表示されたレコードを DNS に登録します。\n"
                    + OPENDKIM
                    + "\n\nその後、KeyTable と SigningTable に鍵とドメインを書き、milter として Postfix につなぎます。",
                ),
            ),
            (
                "Rspamd",
                Text(
                    "Make a key; the command prints the record to publish:\n" + RSPAMD,
                    "鍵を作ります。DNS に登録するレコードも表示されます。\n" + RSPAMD,
                ),
            ),
        ),
    ),
    verify=Text(
        "Send yourself a password mail, look for dkim=pass in its Authentication-Results header, and ask for the key with the selector from s=:\n\n    dig fedi2026._domainkey.example.social TXT +short",
        "パスワード再設定などのメールを自分宛てに送り、Authentication-Results ヘッダに dkim=pass とあることを確認します。s= のセレクタで鍵も確認できます。\n\n    dig fedi2026._domainkey.example.social TXT +short",
    ),
    codes={
        "good": Text(
            "The selector {selector} publishes a good key ({kind}, {bits} bits).",
            "セレクタ {selector} に適切な鍵が公開されています（{kind}、{bits} ビット）。",
        ),
        "verified": Text(
            "A mail from {domain} was verified with the selector {selector} ({kind}, {bits} bits).",
            "{domain} からのメールの署名を、セレクタ {selector} の鍵（{kind}、{bits} ビット）で検証できました。",
        ),
        "sha1_mail": Text(
            "The mail that you gave is signed with SHA-1 (selector {selector}), which receivers no longer accept.",
            "渡されたメールは SHA-1 で署名されており（セレクタ {selector}）、受信側で受け付けられません。",
        ),
        "missing": Text(
            "The selector {selector} has no key in the DNS.", "セレクタ {selector} の鍵が DNS にありません。"
        ),
        "broken": Text(
            "The record of the selector {selector} is no DKIM key ({detail}).",
            "セレクタ {selector} のレコードは DKIM の鍵として解釈できません（{detail}）。",
        ),
        "revoked": Text(
            "The key of the selector {selector} is revoked (empty p=).",
            "セレクタ {selector} の鍵は失効しています（p= が空）。",
        ),
        "weak": Text(
            "The key of the selector {selector} has {bits} bits only; receivers refuse less than 1024.",
            "セレクタ {selector} の鍵は {bits} ビットしかありません。1024ビット未満は受信側で拒否されます。",
        ),
        "short": Text(
            "The RSA key of the selector {selector} has {bits} bits; 2048 are the measure today.",
            "セレクタ {selector} の RSA 鍵は {bits} ビットです。現在の目安は2048ビットです。",
        ),
        "testing": Text(
            "The selector {selector} is in test mode (t=y): receivers may treat its mail as unsigned.",
            "セレクタ {selector} はテストモード（t=y）です。署名のないメールとして扱われることがあります。",
        ),
        "sha1_only": Text(
            "The selector {selector} allows SHA-1 only, which receivers no longer accept.",
            "セレクタ {selector} は SHA-1 しか許可しておらず、受信側で受け付けられません。",
        ),
        "no_selector": Text(
            "No selector is known. Paste a mail that your server sent, or name the selector in the settings.",
            "セレクタがわかりません。サーバから送られたメールを貼り付けるか、署名に使うセレクタを設定に登録してください。",
        ),
        "guessed": Text(
            "A good key lies under {selector}, but whether your mail is signed with it cannot be seen from outside.",
            "{selector} に適切な鍵が見つかりましたが、実際の署名に使われているかは外部から判断できません。",
        ),
        "server_selector": Text(
            "The mail server signs with the selector {selector}. Name it in the settings, so that fedisec looks up its key.",
            "メールサーバはセレクタ {selector} で署名しています。設定に登録すると、fedisec が鍵を確認できます。",
        ),
        "no_mail": Text(
            "SPF says that the domain sends no mail.",
            "SPF で、メールを送らないドメインだと宣言されています。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(DkimAnswers)
    lines = lines_if_any(facts, "mail")
    used = parse_mail(lines).selectors_of(found.domain) if lines is not None else ()
    named = [asked for asked in found.keys if asked.origin is Origin.NAMED or asked.selector in used]
    if not named and not used and _sends_nothing(facts.maybe(SpfAnswers)):
        return not_applicable("no_mail")
    if not named and used:
        return unknown("server_selector", Reason.NOT_ASKED, selector=used[0]).seen(SIGNER, ", ".join(used))
    if not named:
        return _from_guesses(found)
    verdicts = [_judge(asked, seen(asked.answer)) for asked in named]
    rank = ("missing", "broken", "revoked", "weak", "sha1_only", "testing", "short", "good")
    worst = min(verdicts, key=lambda verdict: rank.index(verdict.code))
    judged = _with_mail(worst, facts.maybe(DkimMessage))
    return judged.seen(SIGNER, ", ".join(used)) if used else judged


def _with_mail(verdict: Verdict, mail: DkimMessage | None) -> Verdict:
    """The verdict on the keys, with what a mail proves beside it; only a good verdict changes."""
    if mail is None:
        return verdict
    own = [s for s in mail.signatures if s.domain and same_registrable(s.domain, mail.from_domain)]
    verified = [s for s in own if s.proof is Proof.VERIFIED]
    weak = [s for s in own if s.proof is Proof.SHA1]
    told = verdict
    if verdict.code == "good" and verified:
        first = verified[0]
        kind = first.algorithm.partition("-")[0]
        told = passed(
            "verified", domain=mail.from_domain, selector=first.selector, kind=kind, bits=first.bits
        )
    elif verdict.code == "good" and weak:
        told = warned("sha1_mail", selector=weak[0].selector)
    for evidence in verdict.evidence if told is not verdict else ():
        told = told.seen(evidence.label, evidence.text)
    for signature in mail.signatures:
        where = f"DKIM-Signature s={signature.selector} d={signature.domain}"
        told = told.seen(where, f"{signature.proof.value} {signature.detail}".strip())
    return told


def _judge(asked: DkimAsked, answer: Lookup) -> Verdict:
    name, selector = f"TXT {answer.name}", asked.selector
    if not answer.records:
        return failed("missing", selector=selector).seen(name, answer.outcome.value)
    try:
        key = parse_dkim(_only(answer))
    except ParseError as error:
        return failed("broken", selector=selector, detail=str(error)).seen(name, answer.records[0])
    return _judge_key(selector, key).seen(name, answer.records[0])


def _only(answer: Lookup) -> str:
    if len(answer.records) > 1:
        raise ParseError(f"{len(answer.records)} records")
    return answer.records[0]


def _judge_key(selector: str, key: DkimKey) -> Verdict:
    if key.revoked:
        return failed("revoked", selector=selector)
    if key.kind == "rsa" and key.bits < RSA_LEAST:
        return failed("weak", selector=selector, bits=key.bits)
    if key.hashes and "sha256" not in key.hashes:
        return warned("sha1_only", selector=selector)
    if key.testing:
        return warned("testing", selector=selector)
    if key.kind == "rsa" and key.bits < RSA_GOOD:
        return warned("short", selector=selector, bits=key.bits)
    return passed("good", selector=selector, kind=key.kind, bits=key.bits)


def _from_guesses(found: DkimAnswers) -> Verdict:
    """A zone that answers every selector makes a guess worthless."""
    if isinstance(found.wildcard, Missing) or found.wildcard.records:
        return unknown("no_selector", Reason.NOT_ASKED)
    answers = [(a, a.answer) for a in found.keys if isinstance(a.answer, Lookup) and a.answer.records]
    good = [(a, verdict) for a, answer in answers if (verdict := _judge(a, answer)).code == "good"]
    for asked, verdict in good:
        if asked.origin is Origin.PROVIDER:
            return verdict
    if good:
        selector = good[0][0].selector
        return unknown("guessed", Reason.NOT_ASKED, selector=selector).seen(
            f"TXT {selector}._domainkey", good[0][1].evidence[0].text
        )
    return unknown("no_selector", Reason.NOT_ASKED)


def _sends_nothing(spf: SpfAnswers | None) -> bool:
    """`v=spf1 -all` and nothing else: the domain sends no mail."""
    answers = [a.answer for a in spf.asked if a.name == spf.domain and a.rdtype == "TXT"] if spf else []
    texts = [text for answer in answers if isinstance(answer, Lookup) for text in answer.records]
    return [t.lower().split() for t in texts if t.lower().startswith("v=spf1")] == [["v=spf1", "-all"]]
