"""Are the passwords kept in a password manager that is itself backed up?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(MANUAL,),
    sources=(Source("003", "運用/Mastodon"), Source("000", "Admin account")),
    references=(
        Reference(
            "NIST SP 800-63B-4: Authentication and Authenticator Management",
            "https://pages.nist.gov/800-63-4/sp800-63b.html",
        ),
        Reference("KeePassXC: Documentation", "https://keepassxc.org/docs/"),
    ),
    title=Text(
        "Passwords are kept in a password manager that is backed up",
        "パスワード管理ソフトを使い、そのバックアップも取っている",
    ),
    why=Text(
        "Nobody remembers many random passwords, so without a manager they become short or equal. If the only copy of the vault is lost, so is the way into your own server.",
        "ランダムなパスワードをいくつも覚えるのは無理なので、管理ソフトがないと短くなったり使いまわしたりします。一方、その保管データを失うと、自分のサーバに入れなくなります。",
    ),
    expected=Text(
        "All passwords, recovery codes and keys of the server stand in one encrypted vault. A second copy lies somewhere that survives the loss of your computer and phone, and you know the main password without it.",
        "サーバに関するパスワード・リカバリーコード・鍵がすべて暗号化された保管庫にあること。パソコンとスマートフォンを同時に失っても残る場所に複製があり、マスターパスワードを別途覚えているか控えていること。",
    ),
    fix=Fix(
        Text(
            "Choose a manager, move the passwords of the server, the domain, the hosting and the mail provider into it, and turn on a second factor if it syncs through a service. Export or copy the vault, still encrypted, to another place every month. Put the main password on paper into a safe place, and do not keep the only copy of the vault on the server it opens.",
            "管理ソフトを決め、サーバ・ドメイン・事業者・メール配信サービスのパスワードを移します。クラウドで同期するものなら二段階認証を有効にしてください。保管庫は暗号化したまま、毎月別の場所に複製します。マスターパスワードは紙に書いて安全な場所にしまい、保管庫の唯一の複製を、それで開けるサーバ自身に置かないでください。",
        ),
        variants=(
            (
                "KeePassXC",
                Text(
                    "The vault is one file: copy it to a USB stick and to the off-site backup.\n\n    cp passwords.kdbx /media/usb/",
                    "保管庫は1つのファイルです。USB メモリと外部バックアップにコピーします。\n\n    cp passwords.kdbx /media/usb/",
                ),
            ),
            (
                "Bitwarden",
                Text(
                    "Export as an encrypted file with a password of its own, since a copy bound to the account helps only while the account exists. A Vaultwarden of your own belongs in the backup of its machine.",
                    "エクスポートは、専用のパスワードを付けた暗号化形式にします。アカウントに紐づく形式では、アカウントを失うと読めません。Vaultwarden を自前で動かしている場合は、そのサーバのバックアップにも含めてください。",
                ),
            ),
            (
                "1Password",
                Text(
                    "Print the Emergency Kit and keep it with your papers: signing in on a new device needs the key that stands on it.",
                    "Emergency Kit を印刷し、重要書類と一緒に保管します。新しい端末でのログインには、そこに記載された Secret Key が必要です。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Imagine that laptop and phone are gone. Write down how you would open the vault today, and try it once on another device.",
        "パソコンとスマートフォンを失ったと仮定し、今日どうやって保管庫を開くかを書き出して、別の端末で一度試してください。",
    ),
    attest_days=365,
)
