"""Does the public registration data name a private person?

Asked of the registry over RDAP.  Only the kinds of data are known here (fn, adr, tel, email), never the data.
An organisation is a warning in the registrant's place alone: the technical contact is often the hosting company.
A mail address that stands by itself beside redacted data is mostly a registrar's forwarding address.
"""

from checks.errors import Reason
from checks.facts import Facts, Missing
from checks.facts.rdap import (
    ContactRole,
    RegisteredName,
    Registration,
    RegistrationRecord,
    RegistryContact,
    ShownKind,
)
from checks.items.domain.registration_lasts import gravest
from checks.model import (
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    asked,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE, MANUAL),
    sources=(Source("003", "準備/ドメイン"),),
    references=(
        Reference(
            "RFC 9083: JSON Responses for the Registration Data Access Protocol (RDAP)",
            "https://www.rfc-editor.org/rfc/rfc9083",
        ),
        Reference("ICANN: Registration data lookup", "https://lookup.icann.org/"),
    ),
    title=Text(
        "The registration data shows no private contact details",
        "WHOIS（RDAP）に個人の連絡先が公開されていない",
    ),
    why=Text(
        "Registration data is public and copied for ever: a home address there invites harassment, a mail address spam and fake bills. Most registrars hide it for free.",
        "公開された登録情報は複製がいつまでも残り、自宅の住所は嫌がらせに、メールアドレスは迷惑メールや偽の請求に使われます。多くの事業者は無料の公開代行を用意しています。",
    ),
    expected=Text(
        "The registrant is redacted, or a privacy service stands there; an organisation that stands there does so on purpose. Where the law of your country asks you to name yourself, do so on the site, not here. A sub-domain of a hosting service: mark as not applicable.",
        "登録者情報が伏せられているか、公開代行の名義になっている状態。組織名を出す場合は、意図したものであること。法律上の表示義務がある場合は、ここではなくサイト上に表示してください。ホスティングサービスのサブドメインなら「対象外」で構いません。",
    ),
    fix=Fix(
        Text(
            "Switch on the privacy option of the registrar. If it has none for your top-level domain, register a business or post box address, or move the domain to a registrar that has.",
            "登録事業者の WHOIS 情報公開代行を有効にしてください。TLD や事業者が対応していなければ、私書箱などの住所を使うか、対応する事業者への移管を検討します。",
        ),
        variants=(
            (
                "JP domains",
                Text(
                    "JPRS always shows the registrant's name for general-use .jp domains; the contact details can be those of the registrar's service (for most registrars a switch called whois information publishing proxy).",
                    "汎用 JP ドメインでは登録者名が必ず公開されますが、公開連絡窓口は登録事業者の「Whois 情報公開代行」の情報に替えられます。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Read it as a stranger does; name, street, telephone and mail must not be yours:\n\n    whois example.social",
        "第三者の目で確認します。氏名・住所・電話番号・メールアドレスが自分のものでなければ問題ありません。\n\n    whois example.social",
    ),
    attest_days=365,
    codes={
        "masked": Text(
            "The registration data of {name} is redacted or names a privacy service.",
            "{name} の登録情報は伏せられているか、公開代行の名義になっています。",
        ),
        "none_shown": Text(
            "The registry shows no personal contact for {name}.",
            "{name} のレジストリは個人の連絡先を公開していません。",
        ),
        "organisation": Text(
            "An organisation stands as the registrant of {name} ({kinds}): see that nobody's home address is among it.",
            "{name} の登録者として組織が公開されています（{kinds}）。個人の自宅の住所などが含まれていないか確認してください。",
        ),
        "mail_only": Text(
            "The data of {name} is redacted, but for a mail address: see that it is the registrar's forwarding address.",
            "{name} の登録情報は伏せられていますが、メールアドレスだけが公開されています。登録事業者の転送用アドレスかどうか確認してください。",
        ),
        "personal": Text(
            "Anybody can read personal contact data of {name} ({role}: {kinds}).",
            "{name} の個人の連絡先が誰にでも読める状態です（{role}：{kinds}）。",
        ),
        "at_registrar": Text(
            "The registry of {name} keeps no contacts; what is public stands at the registrar ({registrar}).",
            "{name} のレジストリは連絡先を持たず、公開情報は登録事業者（{registrar}）側にあります。",
        ),
        "no_service": Text(
            "No RDAP service is known for {name}.",
            "{name} を調べられる RDAP サービスが知られていません。",
        ),
        "not_found": Text(
            "{server} knows no registration of {name}.",
            "{server} に {name} の登録が見つかりません。",
        ),
        "lent": Text(
            "{name} is lent under {suffix}, and its owner keeps the registration.",
            "{name} は {suffix} の下で貸し出されている名前で、登録の管理者は別にいます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    return gravest([_of_name(name) for name in facts.get(Registration).names])


def _of_name(found: RegisteredName) -> Verdict:
    record, name = found.record, found.name
    if found.lent_by:
        return not_applicable("lent", name=name, suffix=found.lent_by)
    if isinstance(record, Missing):
        return Verdict(Status.UNKNOWN, reason=record.reason, detail=record.detail)
    if not found.server:
        return asked("no_service", name=name)
    if record is None:
        return unknown("not_found", Reason.NOT_ASKED, name=name, server=found.server)
    verdict = _judged(name, record)
    for contact in record.contacts[:8]:
        verdict = verdict.seen(f"RDAP {name}, {contact.role.value}", _told(contact))
    return verdict


def _judged(name: str, record: RegistrationRecord) -> Verdict:
    for contact in record.contacts:
        if _is_personal(contact):
            return failed("personal", name=name, role=contact.role.value, kinds=_told(contact))
    registrants = [c for c in record.contacts if c.role is ContactRole.REGISTRANT]
    for contact in registrants:
        if ShownKind.ORGANISATION in _kinds(contact):
            return warned("organisation", name=name, kinds=_told(contact))
    for contact in record.contacts:
        if _kinds(contact) == {ShownKind.MAIL}:
            return warned("mail_only", name=name)
    for contact in record.contacts:
        if isinstance(contact.shown, Missing):
            return Verdict(Status.UNKNOWN, reason=contact.shown.reason, detail=contact.shown.detail)
    if any(contact.masked for contact in registrants):
        return passed("masked", name=name)
    if record.more_at_registrar:
        return unknown("at_registrar", Reason.NOT_ASKED, name=name, registrar=record.registrar or "?")
    return passed("none_shown", name=name)


def _kinds(contact: RegistryContact) -> set[ShownKind]:
    return set() if isinstance(contact.shown, Missing) else set(contact.shown)


def _is_personal(contact: RegistryContact) -> bool:
    """A name, or private ways to a nameless one; what stands beside an organisation is the organisation's."""
    kinds = _kinds(contact)
    if not kinds or ShownKind.NAME in kinds or ShownKind.ORGANISATION in kinds:
        return ShownKind.NAME in kinds
    return not (contact.masked and kinds == {ShownKind.MAIL})


def _told(contact: RegistryContact) -> str:
    if isinstance(contact.shown, Missing):
        return contact.shown.detail
    return ", ".join(contact.shown) or ("redacted" if contact.masked else "-")
