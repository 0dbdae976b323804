"""Was managed hosting weighed against running the server oneself?"""

from checks.model import MANUAL, Fix, Item, Level, Reference, Source, Text

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(MANUAL,),
    sources=(Source("003", "準備/目的"), Source("001", "Preface")),
    references=(
        Reference("Mastodon: Running your own server", "https://docs.joinmastodon.org/user/run-your-own/"),
    ),
    title=Text(
        "Managed hosting was weighed against running the server oneself",
        "マネージドホスティングを検討したうえで、自前運用を選んでいる",
    ),
    why=Text(
        "Every public server is attacked, however small it is. If there is no time to patch and watch it, a hosting service that does so is the safer choice for your users.",
        "どんなに小さなサーバでも攻撃の対象になります。更新や監視に時間を割けないなら、それを任せられるホスティングのほうが利用者にとって安全です。",
    ),
    expected=Text(
        "You compared at least one hosting offer with your own time, skill and budget, and can say why you run the server yourself.",
        "少なくとも1つのホスティングサービスと、自分の時間・技術・予算とを比べ、自前で運用する理由を説明できる状態。",
    ),
    fix=Fix(
        Text(
            "Look at one or two hosting services for your software, compare price, backups, updates and the way out, and write the decision in the note.",
            "使うソフトウェアに対応したホスティングを1〜2社調べ、料金・バックアップ・更新・移転のしやすさを比べて、決めた理由をメモに残してください。",
        )
    ),
    verify=Text(
        "Could you explain the decision to another admin in two sentences?",
        "別の管理者に、その理由を2文で説明できますか。",
    ),
    attest_days=365,
    outdated=Text(
        "One source names Cloudflare Wildebeest as a way around running a server. That project has been archived and gets no more fixes: choose a service that is maintained.",
        "出典の1つは、サーバを持たずに済む方法として Cloudflare Wildebeest を挙げていますが、このプロジェクトはアーカイブされ、もう修正されません。保守が続いているサービスを選んでください。",
    ),
)
