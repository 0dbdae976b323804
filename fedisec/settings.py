"""Settings.  Everything that differs between installations comes from the environment; nothing needs to.

Without DATABASE_URL and REDIS_URL: SQLite, no broker.  With both: PostgreSQL, Celery behind Redis.
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from fedisec.lib import env
from fedisec.wiring import *  # noqa: F403  # names alone; Django takes what is in capitals

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = env.data_folder(BASE_DIR)
VERSION = "0.1.0"

DEBUG = env.flag("FEDISEC_DEBUG")
SECRET_KEY = env.secret_key(DATA)
SECRET_KEY_FALLBACKS = list(env.words("FEDISEC_SECRET_KEY_FALLBACKS"))
# What seals the SSH keys in the database; apart from it, so that its dump or backup alone opens none.
KEY_FILE = env.text("FEDISEC_KEY_FILE") or str(DATA / env.KEY_FILE)
KEYS_SETTLE_S = 240  # longer than any request or job: who had read the file before a new key came has stored

# The address people use; links in mails are built from it, never from a request.
PORT = env.number("PORT", 8000, 1, 65535)
_address = env.parsed(
    "FEDISEC_URL", env.web_address, "an http or https address", default=f"http://127.0.0.1:{PORT}"
)
PUBLIC_URL = _address.geturl()
HTTPS = _address.scheme == "https"
_host = str(_address.hostname)
ALLOWED_HOSTS = [_host, *env.words("FEDISEC_HOSTS")]
if _host in {"127.0.0.1", "localhost"}:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "[::1]"]
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "FEDISEC_HOSTS must name hosts; * would let a stranger choose the links we mail"
    )
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "fedisec.lib",
    "fedisec.accounts",
    "fedisec.instances",
    "fedisec.enrolment",
    "fedisec.scans",
    "fedisec.history",
    "fedisec.checklist",
    "fedisec.alerts",
    "fedisec.watch",
    "fedisec.share",
    "fedisec.moving",
    "fedisec.system",
    "fedisec.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "fedisec.lib.middleware.headers",
    "csp.middleware.CSPMiddleware",
    "fedisec.api.problems.problems",
    "fedisec.lib.middleware.door",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "fedisec.lib.visible.visible",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "fedisec.accounts.sessions_watch.watch",
    "fedisec.lib.middleware.viewer",
    "fedisec.instances.choosing.Choosing",
]

ROOT_URLCONF = "fedisec.urls"
WSGI_APPLICATION = "fedisec.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fedisec.lib.context.site",
            ],
        },
    },
]

# Database.  SQLite: a deferred transaction that upgrades fails with "database is locked" whatever the
# timeout, so each begins IMMEDIATE; WAL lets pages read while a scan is stored.
DATABASE_URL = env.text("DATABASE_URL")
if DATABASE_URL:
    DATABASES = {"default": env.parsed("DATABASE_URL", env.database, "postgres://user:password@host/name")}
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "fedisec.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
            },
        }
    }
# Whom `prepare` gives the rights of a worker, so that a worker need not own the database.
WORKER_DATABASE_URL = env.text("FEDISEC_WORKER_DATABASE_URL") if DATABASE_URL else ""
if WORKER_DATABASE_URL:
    env.parsed("FEDISEC_WORKER_DATABASE_URL", env.database, "postgres://user:password@host/name")
SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Jobs.  The broker is a doorbell: a message may get lost or come twice, the database decides.
REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and SQLITE:
    raise ImproperlyConfigured(
        "REDIS_URL needs DATABASE_URL (PostgreSQL): SQLite cannot be shared by workers"
    )
CELERY_BROKER_URL = REDIS_URL or "memory://"
# A worker takes from all of them unless -Q names some: see fedisec.scans.bell.
CELERY_TASK_DEFAULT_QUEUE = "outside"
CELERY_TASK_QUEUES = [Queue("outside"), Queue("inside"), Queue("mail")]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the database re-queues; the broker would do so for ever
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 150
CELERY_TASK_TIME_LIMIT = 180
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

RUNNERS = env.number("FEDISEC_RUNNERS", 2, 1, 32)
SCAN_INTERVAL_S = env.number("FEDISEC_SCAN_INTERVAL", 86_400, 1, 30 * 86_400)
SCAN_NOW_PAUSE_S = env.number("FEDISEC_SCAN_NOW_PAUSE", 600, 0, 86_400)
# An operator, and a look at a single item, which costs little, wait a minute at most.
SCAN_ITEM_PAUSE_S = SCAN_NOW_PAUSE_OPERATOR_S = min(60, SCAN_NOW_PAUSE_S)
TEAM_SCANS = env.number("FEDISEC_TEAM_SCANS", 2, 1, 100)  # at once, while another team waits
# How much a team may keep; see fedisec.lib.bounds.
BOUNDS = {
    "instances": env.number("FEDISEC_TEAM_INSTANCES", 100, 1, 100_000),
    "members": env.number("FEDISEC_TEAM_MEMBERS", 100, 1, 10_000),
    "own_items": env.number("FEDISEC_TEAM_OWN_ITEMS", 200, 1, 10_000),
    "channels": env.number("FEDISEC_TEAM_CHANNELS", 20, 1, 1000),
    "notes": env.number("FEDISEC_ITEM_NOTES", 200, 1, 10_000),
}
API_RATE = env.number("FEDISEC_API_RATE", 300, 1, 100_000)  # requests a minute of one token
CONFIRM_AFTER_S = env.number("FEDISEC_CONFIRM_AFTER", 300, 0, 86_400)  # second look before an alarm
SCAN_LEASE_S = env.number(
    "FEDISEC_SCAN_LEASE", 60, 1, 3600
)  # a heartbeat older than this: the scan is re-queued
SCAN_ATTEMPTS = 3
SCAN_RETRY_PAUSES_S = (10, 60)  # before the second and the third try of a scan that broke off
MAIL_LEASE_S = CELERY_TASK_TIME_LIMIT + 20  # no send outlives its process, so none is taken over while alive
JOB_SOFT_LIMIT_S, JOB_HARD_LIMIT_S = CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT  # for runners
MAIL_GROUP_S = env.number("FEDISEC_MAIL_GROUP", 30, 0, 3600)  # an alarm waits that long for others
TICK_S = env.number("FEDISEC_TICK", 2, 1, 60)
FEEDS = env.flag("FEDISEC_FEEDS", default=True)  # releases and warnings are read from the internet

# Whether a team has to show that a domain is its own before it is looked at; see fedisec.instances.proof.
PROOF = env.parsed("FEDISEC_PROOF", env.one_of("off", "required"), "off or required", default="off")
PROOF_OF_OPERATOR = env.flag("FEDISEC_PROOF_OF_OPERATOR")  # the operator's own teams too
# What the texts that show it are made of; on its own for workers that have no SECRET_KEY of the dashboard.
PROOF_KEY = env.text("FEDISEC_PROOF_KEY") or SECRET_KEY

# Where fedisec looks from (operator's settings, never a form's).
RESOLVER = env.parsed("FEDISEC_RESOLVER", env.resolver, "ADDRESS or ADDRESS:PORT")
TRUST_CA = env.text("FEDISEC_TRUST_CA")
ALLOW_NETWORKS = env.parsed("FEDISEC_ALLOW_NETWORKS", env.networks, "networks such as 10.0.0.0/8")
DENY_NETWORKS = env.parsed("FEDISEC_DENY_NETWORKS", env.networks, "networks such as 198.51.100.0/24")
# Where its connections come from, for the `from=` of SSH keys; "" = keys are not bound to an address.
OUTGOING_ADDRESSES = env.parsed(
    "FEDISEC_OUTGOING_ADDRESSES", env.sources, "addresses or networks such as 192.0.2.7,2001:db8::/64"
)
# Named in the user agent; a page of the project by default, so that scans do not tell where fedisec runs.
CONTACT_URL = env.text("FEDISEC_CONTACT", "https://github.com/fedisec/fedisec")
DNSSEC_SECURE_NAME = env.text("FEDISEC_DNSSEC_SECURE_NAME", ".")
DNSSEC_BOGUS_NAME = env.text("FEDISEC_DNSSEC_BOGUS_NAME", "dnssec-failed.org")
DNSSEC_ANCHOR = env.text("FEDISEC_DNSSEC_ANCHOR")
RDAP_BOOTSTRAP = env.text("FEDISEC_RDAP_BOOTSTRAP")
# What answers whenever this machine has a network: asked before a server is said to be silent.  Or none.
ANCHORS = env.parsed(
    "FEDISEC_ANCHORS", env.anchors, "names and HOST:PORT such as example.org,192.0.2.1:443, or none"
)
# A sign of life goes there once a minute, for a watch that calls when it does not come.
DEADMAN_URL = env.parsed("FEDISEC_DEADMAN_URL", env.optional_web_address, "an http or https address")

# Mail: by the relay that EMAIL_URL names, else by the one that was set by form, else into a folder.
EMAIL_URL = env.text("EMAIL_URL")
if EMAIL_URL:
    env.parsed("EMAIL_URL", env.mail, "like smtp+tls://user:password@host:587")
# A worker that sends no mail need not know the relay; that there is one, it tells the items about alerts.
HAS_RELAY = bool(EMAIL_URL) or env.flag("FEDISEC_HAS_RELAY")
EMAIL_BACKEND = "fedisec.alerts.relay.Backend"
EMAIL_FILE_PATH = DATA / "mail"
EMAIL_TIMEOUT = 60  # seconds for one mail, from the look-up of the relay's name to its last answer
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("FEDISEC_FROM") or f"fedisec@{_host}"

# Sign-in.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "fedisec.accounts.adapter.ClosedAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # signing in needs no mail; alerts need it, see fedisec.alerts.confirming
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[fedisec] "
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a stranger has no mails sent in our name
# Wrong passwords and codes: see fedisec.accounts.tries, which allauth's own limit would stand beside.
ACCOUNT_RATE_LIMITS = {"login_failed": "", "mail_test": "5/h/user"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60  # see fedisec.accounts.sudo
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"
SECOND_FACTOR = env.parsed("FEDISEC_SECOND_FACTOR", env.second_factor, "optional, editors or everybody")
MFA_ADAPTER = "fedisec.accounts.factors.SealedAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are our own: see fedisec.accounts.codes
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up here: an account is made for a person
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "fedisec.accounts.factors.CodeForm",
    "reauthenticate": "fedisec.accounts.factors.CodeAgainForm",
    "activate_totp": "fedisec.accounts.factors.AppForm",
    "authenticate_webauthn": "fedisec.accounts.factors.PasskeyForm",
    "login_webauthn": "fedisec.accounts.factors.PasskeySignInForm",
    "reauthenticate_webauthn": "fedisec.accounts.factors.PasskeyAgainForm",
    "add_webauthn": "fedisec.accounts.factors.AddPasskeyForm",
}

# Signing in by an OpenID provider; needs the extra `oidc`.
OIDC_ISSUER = env.parsed("FEDISEC_OIDC_ISSUER", env.issuer, "an https address")
if OIDC_ISSUER:
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    _client = {
        "client_id": env.text("FEDISEC_OIDC_CLIENT_ID"),
        "secret": env.text("FEDISEC_OIDC_CLIENT_SECRET"),
    }
    if not all(_client.values()):
        raise ImproperlyConfigured(
            "FEDISEC_OIDC_ISSUER needs FEDISEC_OIDC_CLIENT_ID and FEDISEC_OIDC_CLIENT_SECRET"
        )
    _app = {**_client, "provider_id": "sign-in", "name": "OpenID", "settings": {"server_url": OIDC_ISSUER}}
    SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [_app], "OAUTH_PKCE_ENABLED": True}}
    SOCIALACCOUNT_ADAPTER = "fedisec.accounts.oidc.KnownPeople"
    SOCIALACCOUNT_LOGIN_ON_GET = True  # a form's way to another origin is closed by the policy of the pages
    SOCIALACCOUNT_STORE_TOKENS = False

SESSION_ENGINE = "fedisec.lib.sessions"
SESSION_COOKIE_AGE = 14 * 86_400
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    LANGUAGE_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = (
        ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("FEDISEC_BEHIND_PROXY") else None
    )
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = env.flag("FEDISEC_HSTS_PRELOAD", default=True)
# Who may say for whom a request is and over what it came; without a proxy nobody.
PROXIES: tuple[str, ...] = env.parsed(
    "FEDISEC_PROXIES",
    env.networks,
    "networks such as 172.18.0.0/16",
    default="127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7",
)
if not env.flag("FEDISEC_BEHIND_PROXY"):
    PROXIES = ()
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# Where browsers tell what the policy stopped: an address of the operator's own choice, by default nowhere.
CSP_REPORTS = env.parsed("FEDISEC_CSP_REPORTS", env.optional_web_address, "an http or https address")
if CSP_REPORTS:
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["report-uri"] = [CSP_REPORTS]

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5  # a mail, for its signatures, is the only one

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
FORMAT_MODULE_PATH = ["fedisec.lib.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.parsed("TZ", env.time_zone, "a time zone such as Asia/Tokyo", default="UTC")

STATIC_URL = "static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("FEDISEC_STATIC") or DATA / "static")
STORAGES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
}
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"clean": {"()": "fedisec.lib.logs.CleanFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["clean"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "paramiko": {"level": "CRITICAL"},
        "httpx": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "waitress.queue": {"level": "ERROR"},
    },
}
