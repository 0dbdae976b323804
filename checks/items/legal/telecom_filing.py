"""Japan: was the filing as telecommunications carrier done, or found unnecessary?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("003", "運用/コンプライアンス"),),
    references=(Reference("電気通信事業法", "https://laws.e-gov.go.jp/law/359AC0000000086"),),
    title=Text(
        "The Japanese telecom filing was done or found unnecessary",
        "電気通信事業者の届出を済ませた（または不要と判断した）",
    ),
    why=Text(
        "In Japan a server that carries private messages between others may need a filing under the Telecommunications Business Act. Opinions differ on small servers, so decide it on purpose and note the reason.",
        "他人どうしのダイレクトメッセージを扱うサーバは、日本では電気通信事業法の届出の対象になり得ます。小規模サーバについては見解が分かれるため、判断の理由を記録しておくと安心です。",
    ),
    expected=Text(
        "The filing was made and its number is noted, or it is noted why it is not needed. Outside Japan: not applicable.",
        "届出番号を控えてある、または不要と判断した理由を記録してある状態。日本国外の運営なら対象外です。",
    ),
    fix=Fix(
        Text(
            "Read the manual for entering the market of the Ministry of Internal Affairs and Communications, and ask the regional bureau if in doubt. Money that users give, donations too, can make it a business.",
            "総務省の「電気通信事業参入マニュアル」を確認し、迷う場合は管轄の総合通信局に相談してください。カンパを含め、金銭を受け取っていると事業とみなされることがあります。",
        )
    ),
    verify=Text(
        "Is the number, or the reason, in the note?",
        "届出番号または不要と判断した理由が、メモに書かれていますか。",
    ),
    attest_days=365,
)
