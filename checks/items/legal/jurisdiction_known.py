"""Is it written down under which country's law the server stands?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(MANUAL,),
    sources=(
        Source("003", "準備/コンプライアンス"),
        Source("001", "Preface 1"),
    ),
    references=(
        Reference(
            "Regulation (EU) 2022/2065 (Digital Services Act)",
            "https://eur-lex.europa.eu/eli/reg/2022/2065/oj",
        ),
        Reference(
            "情報流通プラットフォーム対処法（旧プロバイダ責任制限法）",
            "https://laws.e-gov.go.jp/law/413AC0000000137",
        ),
    ),
    title=Text(
        "Country and region of the server are written down", "サーバの所在国・地域を把握し、記録している"
    ),
    why=Text(
        "The law of the place decides what you must remove, what you must keep and who may ask for it. It also decides whose courts and police can come.",
        "削除や保存の義務、情報開示を求められる相手は、所在地の法律で決まります。捜査や裁判がどの国の手続きになるかも変わります。",
    ),
    expected=Text(
        "You can name the country and region of the server, of the object storage and of the backups, and your own place of residence as its operator.",
        "サーバ・オブジェクトストレージ・バックアップの国と地域、そして運営者自身の居住国を答えられる状態。",
    ),
    fix=Fix(
        Text(
            "Look into the provider's control panel for the region of each machine and bucket, and write the list into the note. Note as well which law the provider's contract names.",
            "ホスティング事業者の管理画面で、各サーバやバケットのリージョンを確認し、一覧をメモに残します。契約の準拠法も書いておきましょう。",
        )
    ),
    verify=Text(
        "Can you say for each place where data lies which country it is in?",
        "データの置き場所ごとに、どの国にあるか答えられますか。",
    ),
    attest_days=365,
)
