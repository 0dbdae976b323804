"""Is the place where the server runs (provider, or home behind a tunnel) a decision, and noted?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(MANUAL,),
    sources=(Source("001", "Preface 1"),),
    references=(
        Reference("Mastodon: Running your own server", "https://docs.joinmastodon.org/user/run-your-own/"),
        Reference(
            "Cloudflare: Tunnel",
            "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/",
        ),
    ),
    title=Text(
        "Where the server runs was chosen and is written down",
        "サーバの設置場所（事業者・自宅）を選び、記録している",
    ),
    why=Text(
        "The place decides who else can reach the disk, how attacks on the line are absorbed, and whom to call at night. A server at home also shows your home address to the internet unless a tunnel stands in front of it.",
        "置き場所によって、ディスクに触れられる人、回線への攻撃の受け止め方、夜中の連絡先が変わります。自宅サーバの場合は、トンネルを挟まないと自宅の IP アドレスがそのまま公開されます。",
    ),
    expected=Text(
        "The note names the provider or the home set-up, the region, how to reach support, and how you would move away. A server at home receives its traffic through a tunnel or a relay.",
        "事業者名または自宅の構成、リージョン、サポートの連絡先、引っ越す場合の手順がメモにあること。自宅サーバなら、トンネルや中継サーバ経由で通信を受けていること。",
    ),
    fix=Fix(
        Text(
            "Write down for the place you use: company and contract, region, protection against denial of service, snapshots and backups, how to reach a person when something burns, and how to take the data elsewhere. Ask the same of one other place, so that it is a choice and not a habit.",
            "いまの置き場所について、事業者と契約、リージョン、DDoS 対策の有無、スナップショットとバックアップ、緊急時に人と話せる窓口、データの持ち出し方を書き出してください。ほかの候補も1つ同じ項目で比べておくと、「なんとなく」ではなく選んだと言えます。",
        ),
        variants=(
            (
                "Home",
                Text(
                    "Let a tunnel dial out from your network in place of opening ports on the router, and keep the server in a network of its own, away from the family's devices. Plan for a power cut: journalling file system, clean shutdown, a copy of the backup outside the house.",
                    "ルータのポートを開ける代わりに、内側から外へ張るトンネルを使い、家族の端末とは別のネットワークに分けて置きます。停電にも備え、ジャーナリングファイルシステム、安全なシャットダウン、家の外にあるバックアップを用意してください。",
                ),
            ),
            (
                "VPS/Cloud",
                Text(
                    "Prefer a provider with a firewall outside the machine, two-factor sign-in and a rescue console, and read how it answers abuse reports: some switch a server off within hours.",
                    "サーバの外側で効くファイアウォール、二段階認証、レスキューコンソールのある事業者を選びましょう。迷惑行為の通報を受けたときの対応も確認してください。数時間でサーバを止める事業者もあります。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Look up the address that the domain leads to. It should belong to the provider, the CDN or the tunnel that you noted, not to your home line:\n\n    dig +short A example.social\n    whois 203.0.113.5",
        "ドメインが指す IP アドレスの持ち主を調べます。メモした事業者・CDN・トンネルのもので、自宅回線のものではないことを確かめてください。\n\n    dig +short A example.social\n    whois 203.0.113.5",
    ),
    attest_days=365,
)
