"""Akkoma and Pleroma: are http_security, sts and referrer_policy set, or does the proxy send the same headers?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

CONFIG = """
    config :pleroma, :http_security,
      enabled: true,
      sts: true,
      referrer_policy: "same-origin\""""

SEE = """
    curl -sI https://example.social/ | grep -iE "strict-transport|content-security|x-frame|x-content|referrer\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("004", "http_security"),),
    title=Text(
        "Akkoma's or Pleroma's own security headers are on",
        "Akkoma・Pleroma の http_security が有効になっている",
    ),
    why=Text(
        "These settings make the software send its own policy and headers, fitted to what its pages need. Switched off, every one of them has to be kept in the proxy by hand.",
        "これらの設定で、ページの内容に合ったポリシーとヘッダをソフトウェア自身が送ります。無効だと、すべてをプロキシ側で手作業で維持することになります。",
    ),
    expected=Text(
        "http_security is enabled with sts and a strict referrer_policy, or the proxy sends the same headers. Other software: not applicable.",
        "http_security が有効で、sts と厳しい referrer_policy が設定されている、またはプロキシが同じヘッダを送っている状態。ほかのソフトウェアは適用外です。",
    ),
    fix=Fix(
        Text(
            "In the configuration file; if configurable_from_database is on, the value in the admin interface wins.\n"
            + CONFIG,
            "設定ファイルに書きます。configurable_from_database が有効なら、管理画面の値が優先されます。\n"
            + CONFIG,
        )
    ),
    verify=Text(
        "Each header must appear once:\n" + SEE, "各ヘッダが1つずつ表示されることを確認します。\n" + SEE
    ),
)
