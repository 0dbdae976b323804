"""Is the mailbox in the registration data one that may be flooded?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(MANUAL,),
    sources=(Source("003", "準備/ドメイン"),),
    references=(
        Reference(
            "RFC 9083: JSON Responses for the Registration Data Access Protocol (RDAP)",
            "https://www.rfc-editor.org/rfc/rfc9083",
        ),
        Reference("ICANN: Registration data lookup", "https://lookup.icann.org/"),
    ),
    title=Text(
        "The registration mailbox may receive spam without harm",
        "ドメイン登録用のメールアドレスは、迷惑メールが届いても支障のないものにしている",
    ),
    why=Text(
        "The address may show in public registration data, now or after a change of registrar. Fake renewal bills go there first, and the real notices must not drown among them.",
        "登録用のメールアドレスは、事業者の変更などをきっかけに公開されることがあります。更新料を装った偽の請求も真っ先に届くので、本物の通知が埋もれない備えが必要です。",
    ),
    expected=Text(
        "A mailbox or alias of its own, not the one of the admin account or of the bank, outside the domain itself, and read at least monthly.",
        "管理者アカウントや銀行などと兼用していない専用のメールボックスまたはエイリアスで、当のドメインの外にあり、月に1回は確認している状態。",
    ),
    fix=Fix(
        Text(
            "Make an alias at your mail service, set it as contact at the registrar, and filter mail from the registrar's own addresses into a folder you do read. Reach the registrar by typing its address, never through a link in a mail.",
            "メールサービスでエイリアスを作り、登録事業者の連絡先に設定します。事業者からの正規のメールは、必ず目を通すフォルダに振り分けてください。手続きはメールのリンクからではなく、自分でサイトを開いて行います。",
        )
    ),
    verify=Text(
        "Which address does the registrar's account show, and when did you last read that mailbox?",
        "登録事業者の管理画面にあるメールアドレスはどれですか。そのメールボックスを最後に見たのはいつですか。",
    ),
    attest_days=365,
)
