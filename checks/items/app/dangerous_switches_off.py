"""Is none of the settings on that are known to remove a safeguard?"""

from checks.model import INSIDE, Fix, Item, Level, Source, Text

MASTODON = """
    grep -nE "ALLOWED_PRIVATE_ADDRESSES|ALLOW_UNSAFE_AUTH_PROVIDER_REATTACH|LDAP_TLS_NO_VERIFY|SMTP_OPENSSL_VERIFY_MODE=none|DISABLE_AUTOMATIC_SWITCHING|SELF_DESTRUCT" .env.production"""

MISSKEY = """
    grep -nE "disableHsts|allowedPrivateNetworks|proxyBypassHosts|enableQueryParamLogging" .config/default.yml"""

PIXELFED = """
    grep -nE "APP_DEBUG=true|APP_ENV=local|TELESCOPE_ENABLED=true" .env"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    title=Text("No setting takes a safeguard away", "安全機能を外す設定が有効になっていない"),
    why=Text(
        "Some switches exist for tests or old networks and take a protection away for good: certificate checks, the ban on private addresses, production mode. They are set once in need and forgotten.",
        "テストや古い環境のための設定には、証明書の検証やプライベートアドレスへの接続禁止、本番モードといった保護を外すものがあります。急場で設定し、そのまま忘れられがちです。",
    ),
    expected=Text(
        "None of the settings below is on, or each has a reason that you can name.",
        "下に挙げる設定がいずれも有効でない、または理由を説明できる状態。",
    ),
    fix=Fix(
        Text(
            "Look for the names, remove what has no reason, and restart.",
            "該当する設定を探し、理由のないものを削除して再起動します。",
        ),
        variants=(
            ("Mastodon", Text("The lines for it:\n" + MASTODON, "設定例：\n" + MASTODON)),
            ("Misskey", Text("The lines for it:\n" + MISSKEY, "設定例：\n" + MISSKEY)),
            (
                "Pixelfed",
                Text(
                    "PF_SECURITY_URL_VERIFY_DNS is the other way round: set it to true.\n" + PIXELFED,
                    "PF_SECURITY_URL_VERIFY_DNS は逆に true にします。\n" + PIXELFED,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "Unset admin_token, and replace any password or secret that still has the value of the sample.",
                    "admin_token を削除し、見本のままのパスワードや秘密鍵があれば作り直します。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Run the search again; it must find nothing that you cannot explain.",
        "もう一度検索し、説明できない設定が残っていないことを確認します。",
    ),
)
