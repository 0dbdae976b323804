"""Is none of the settings on that are known to remove a safeguard?"""

from checks.errors import Reason
from checks.facts import Facts
from checks.facts.inside import Inside
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)
from checks.parse.host.app_config import AppConfig, configs_of

# A switch and the values under which it takes a safeguard away; ANY: every value but "off" does.
TRUE, ANY = ("true", "1", "yes", "on"), "*"
ALWAYS_WRONG: dict[str, tuple[str, ...]] = {
    "RAILS_ENV": ("development", "test"),
    "NODE_ENV": ("development", "test"),
    "SELF_DESTRUCT": (ANY,),
    "SMTP_OPENSSL_VERIFY_MODE": ("none",),
    "BULK_SMTP_OPENSSL_VERIFY_MODE": ("none",),
    "LDAP_TLS_NO_VERIFY": TRUE,
    "CAS_DISABLE_SSL_VERIFICATION": TRUE,
    "ALLOW_UNSAFE_AUTH_PROVIDER_REATTACH": TRUE,
    "APP_DEBUG": TRUE,
    "APP_ENV": ("local", "dev", "development", "testing"),
    "TELESCOPE_ENABLED": TRUE,
    "admin_token": (ANY,),
    "http-client.tls-insecure-skip-verify": TRUE,
    "http-client.insecure-outgoing": TRUE,
    "oidc-skip-verification": TRUE,
}
RARELY_RIGHT: dict[str, tuple[str, ...]] = {
    "ALLOWED_PRIVATE_ADDRESSES": (ANY,),
    "ALLOW_ACCESS_TO_HIDDEN_SERVICE": TRUE,
    "SAML_SECURITY_ASSUME_EMAIL_IS_VERIFIED": TRUE,
    "DISABLE_AUTOMATIC_SWITCHING_TO_APPROVED_REGISTRATIONS": TRUE,
    "EXPERIMENTAL_FEATURES": (ANY,),
    "PF_SECURITY_URL_VERIFY_DNS": ("false", "0", "no", "off"),
    "disableHsts": TRUE,
    "allowedPrivateNetworks": (ANY,),
    "logging.sql.enableQueryParamLogging": TRUE,
    "http-client.allow-ips": (ANY,),
    ":instance.healthcheck": TRUE,
}
SECRETS = (
    "SECRET_KEY_BASE", "OTP_SECRET", "VAPID_PRIVATE_KEY", "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY", "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT", "DB_PASS",
    "DB_PASSWORD", "REDIS_PASSWORD", "APP_KEY", "Pleroma.Web.Endpoint.secret_key_base",
    "Pleroma.Web.Endpoint.signing_salt", "Pleroma.Repo.password", "db.pass", "redis.pass", "meilisearch.apiKey",
    "POSTGRES_PASSWORD", "db-password", "database.password", "pictrs.api_key", "setup.admin_password",
    "secrets.peertube", "redis.auth",
)  # fmt: skip

MASTODON = """
    grep -nE "^(RAILS_ENV|NODE_ENV)=(development|test)|SELF_DESTRUCT|SMTP_OPENSSL_VERIFY_MODE=none|LDAP_TLS_NO_VERIFY|CAS_DISABLE_SSL_VERIFICATION|ALLOW_UNSAFE_AUTH_PROVIDER_REATTACH|SAML_SECURITY_ASSUME_EMAIL_IS_VERIFIED" .env.production
    grep -nE "ALLOWED_PRIVATE_ADDRESSES|ALLOW_ACCESS_TO_HIDDEN_SERVICE|DISABLE_AUTOMATIC_SWITCHING|EXPERIMENTAL_FEATURES" .env.production"""

MISSKEY = """
    grep -nE "disableHsts|allowedPrivateNetworks|enableQueryParamLogging" .config/default.yml"""

PIXELFED = """
    grep -nE "APP_DEBUG=true|APP_ENV=(local|dev|testing)|TELESCOPE_ENABLED=true|PF_SECURITY_URL_VERIFY_DNS=false" .env"""

GTS = """
    grep -nE "tls-insecure-skip-verify: true|insecure-outgoing: true|oidc-skip-verification: true|allow-ips" config.yaml"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(INSIDE,),
    sources=(Source("+"),),
    references=(
        Reference("Mastodon: Configuring your environment", "https://docs.joinmastodon.org/admin/config/"),
        Reference(
            "Akkoma: Configuration cheat sheet", "https://docs.akkoma.dev/stable/configuration/cheatsheet/"
        ),
        Reference(
            "GoToSocial: HTTP client", "https://docs.gotosocial.org/en/latest/configuration/httpclient/"
        ),
    ),
    title=Text("No setting takes a safeguard away", "安全機能を外す設定が有効になっていない"),
    why=Text(
        "Some switches exist for tests or old networks and take a protection away for good: certificate checks, the ban on private addresses, production mode. They are set once in need and forgotten.",
        "テストや古い環境のための設定には、証明書の検証やプライベートアドレスへの接続禁止、本番モードといった保護を外すものがあります。急場で設定し、そのまま忘れられがちです。",
    ),
    expected=Text(
        "None of the settings that the fix searches for is on, or each has a reason that you can name; no secret has the value of the sample.",
        "「直し方」で検索する設定がいずれも有効でないか、理由を説明できる状態。秘密鍵やパスワードも見本のままではないこと。",
    ),
    fix=Fix(
        Text(
            "Look for the names, remove what has no reason, and restart.",
            "該当する設定を探し、理由のないものを削除して再起動します。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "Search the file; the settings of the second line may have a reason:\n" + MASTODON,
                    "ファイルを検索します。2行目の設定には理由がある場合もあります。\n" + MASTODON,
                ),
            ),
            (
                "Misskey",
                Text("Search the file:\n" + MISSKEY, "ファイルを検索します。\n" + MISSKEY),
            ),
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
                    "Unset admin_token, set healthcheck back to false, and replace any password or secret that still has the value of the sample.",
                    "admin_token を削除し、healthcheck を false に戻します。見本のままのパスワードや秘密鍵があれば作り直してください。",
                ),
            ),
            (
                "GoToSocial",
                Text("Search the file:\n" + GTS, "ファイルを検索します。\n" + GTS),
            ),
        ),
    ),
    verify=Text(
        "Run the search again; it must find nothing that you cannot explain.",
        "もう一度検索し、説明できない設定が残っていないことを確認します。",
    ),
    codes={
        "off": Text(
            "None of the settings that fedisec knows takes a safeguard away.",
            "fedisec の知る設定のうち、安全機能を外すものは有効になっていません。",
        ),
        "on": Text("{setting} takes a safeguard away.", "{setting} により安全機能が外れています。"),
        "sample": Text(
            "{key} still has a value that everybody can read in the documentation.",
            "{key} が、公開されている見本のままの値です。",
        ),
        "reason_needed": Text(
            "{setting} takes a safeguard away unless there is a reason for it.",
            "{setting} は、理由がなければ安全機能を外すことになります。",
        ),
        "in_database": Text(
            "The file is fine, but configurable_from_database is on: values in the database stand above it.",
            "ファイルに問題はありませんが、configurable_from_database が有効なため、データベースの値が優先されます。",
        ),
        "denied": Text(
            "fedisec's account may not read {path}, so its settings were not seen.",
            "fedisec のアカウントでは {path} を読めないため、設定を確認できませんでした。",
        ),
        "no_file": Text(
            "None of the places that fedisec knows holds a configuration file; its path can be named to the collector.",
            "fedisec の知る場所に設定ファイルがありませんでした。パスは収集スクリプトの設定に登録できます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    configs = configs_of(facts.get(Inside), facts.maybe(Software))
    for file in configs.read:
        if sample := next((key for key in SECRETS if file.values.get(key) == "sample"), ""):
            return failed("sample", key=sample).seen(f"inside: {file.path}", f"{sample}: value of the sample")
    for file in configs.read:
        if setting := _first(file, ALWAYS_WRONG):
            return failed("on", setting=setting).seen(f"inside: {file.path}", setting)
    for file in configs.read:
        if setting := _first(file, RARELY_RIGHT):
            return warned("reason_needed", setting=setting).seen(f"inside: {file.path}", setting)
    if configs.denied:
        return unknown("denied", Reason.DENIED, path=configs.denied[0])
    if not any(file.values for file in configs.read):
        return unknown("no_file", Reason.NOT_ASKED)
    shown = "\n".join(file.path for file in configs.read)
    if any(file.database_rules and file.family != "pixelfed" for file in configs.read):
        return unknown("in_database", Reason.NOT_ASKED).seen("inside", shown)
    return passed("off").seen("inside: configuration files read", shown)


def _first(file: AppConfig, switches: dict[str, tuple[str, ...]]) -> str:
    """The first switch of a table that stands in a file with one of its values, as KEY=VALUE."""
    for key, bad in switches.items():
        value = file.text(key)
        if key == "SMTP_OPENSSL_VERIFY_MODE" and file.mails_locally:
            continue  # on the way to the same machine nobody sits in between
        if value and (value.lower() in bad or (ANY in bad and file.flag(key) is not False)):
            return f"{key}={value}"
    return ""
