"""Does the public registration data name a private person?  The machine's part needs RDAP."""

from checks.model import MANUAL, OUTSIDE, Fix, Item, Level, Source, Text

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE, MANUAL),
    sources=(Source("003", "準備/ドメイン"),),
    title=Text(
        "The registration data shows no private contact details",
        "WHOIS（RDAP）に個人の連絡先が公開されていない",
    ),
    why=Text(
        "Registration data is public and copied for ever: a home address there invites harassment, a mail address spam and fake bills. Most registrars hide it for free.",
        "登録情報は公開され、いつまでも複製が残ります。自宅の住所は嫌がらせに、メールアドレスは迷惑メールや偽の請求に使われます。多くの事業者は無料の公開代行を用意しています。",
    ),
    expected=Text(
        "The registrant is redacted, or a privacy service or an organisation stands there. Where the law of your country asks you to name yourself, do so on the site, not here. A sub-domain of a hosting service: mark as not applicable.",
        "登録者情報が伏せられているか、公開代行や組織の名義になっている状態。法律上の表示義務がある場合は、ここではなくサイト上に表示してください。ホスティングサービスのサブドメインなら「適用外」で構いません。",
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
)
