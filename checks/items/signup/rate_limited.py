"""Where registration is open: is the number of sign-ups limited?"""

from checks.model import INSIDE, MANUAL, Fix, Item, Level, Source, Text

NGINX = """
    limit_req_zone $binary_remote_addr zone=signup:10m rate=5r/m;

    location = /auth {
        limit_req zone=signup burst=5 nodelay;
        proxy_pass http://backend;
    }"""

AKKOMA = """
    config :pleroma, :rate_limit,
      app_account_creation: {1_800_000, 5}"""

GTS = """
    accounts-registration-daily-limit: 10
    accounts-registration-backlog-limit: 20"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        INSIDE,
        MANUAL,
    ),
    sources=(Source("001", "Sign-ups"),),
    title=Text("The number of sign-ups per address is limited", "新規登録の回数を制限している"),
    why=Text(
        "A limit turns a wave of registrations into a trickle that moderators can handle. It only works if the software sees the visitors' own addresses behind the proxy.",
        "回数を制限すれば、登録が殺到しても対応できる量に抑えられます。ただし、プロキシの内側でも利用者本来のアドレスが見えていることが前提です。",
    ),
    expected=Text(
        "Where sign-up is open, one address can make only a few accounts an hour, in the software or in the proxy. With sign-up closed: not applicable.",
        "新規登録を受け付けている場合、同じアドレスからの登録がソフトウェアかプロキシで1時間に数件までに制限されている状態。登録を閉じていれば適用外です。",
    ),
    fix=Fix(
        Text(
            "Keep the limits that ship with the software, and add one in the proxy where it has none. The form's path differs with the software (Mastodon posts to /auth).\n"
            + NGINX,
            "ソフトウェア標準の制限はそのまま使い、ないものはプロキシで制限します。登録フォームのパスはソフトウェアによって異なります（Mastodon は /auth）。\n"
            + NGINX,
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Limits are built in; they count wrongly when TRUSTED_PROXY_IP does not name your proxy.",
                    "制限は組み込まれています。TRUSTED_PROXY_IP にプロキシが設定されていないと正しく数えられません。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The first number is the time in milliseconds, the second the accounts allowed in it.\n"
                    + AKKOMA,
                    "1つ目の数字が期間（ミリ秒）、2つ目がその間に許す件数です。\n" + AKKOMA,
                ),
            ),
            ("GoToSocial", Text("The lines for it:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "Send the form several times from one address until the server answers 429.",
        "同じアドレスから何度か送信し、ステータス 429 が返ることを確認します。",
    ),
)
