"""Which services of Apprise may be used: those that are told over HTTPS, and nothing that acts on this
machine or speaks another protocol.  Mails go fedisec's own way, so `mailto` is none of them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Service:
    """`module`: below apprise.plugins.  `hosted`: run by its maker, so the address names no host of anybody's
    and what stands in its place may be a secret."""

    name: str
    module: str
    kind: str  # the class in the module
    hosted: bool = False


SERVICES: dict[str, Service] = {
    "discord": Service("Discord", "discord", "NotifyDiscord", hosted=True),
    "gchat": Service("Google Chat", "google_chat", "NotifyGoogleChat", hosted=True),
    "gotifys": Service("Gotify", "gotify", "NotifyGotify"),
    "line": Service("LINE", "line", "NotifyLine", hosted=True),
    "mastodons": Service("Mastodon", "mastodon", "NotifyMastodon"),
    "matrixs": Service("Matrix", "matrix", "NotifyMatrix"),
    "misskeys": Service("Misskey", "misskey", "NotifyMisskey"),
    "mmosts": Service("Mattermost", "mattermost", "NotifyMattermost"),
    "nctalks": Service("Nextcloud Talk", "nextcloudtalk", "NotifyNextcloudTalk"),
    "ntfys": Service("ntfy", "ntfy", "NotifyNtfy"),
    "pagerduty": Service("PagerDuty", "pagerduty", "NotifyPagerDuty", hosted=True),
    "pbul": Service("Pushbullet", "pushbullet", "NotifyPushBullet", hosted=True),
    "pover": Service("Pushover", "pushover", "NotifyPushover", hosted=True),
    "rockets": Service("Rocket.Chat", "rocketchat", "NotifyRocketChat"),
    "signals": Service("Signal", "signal_api", "NotifySignalAPI"),
    "slack": Service("Slack", "slack", "NotifySlack", hosted=True),
    "tgram": Service("Telegram", "telegram", "NotifyTelegram", hosted=True),
    "threema": Service("Threema", "threema", "NotifyThreema", hosted=True),
    "toots": Service("Mastodon", "mastodon", "NotifyMastodon"),
    "workflows": Service("Microsoft Teams", "workflows", "NotifyWorkflows", hosted=True),
    "wxteams": Service("Webex Teams", "webexteams", "NotifyWebexTeams", hosted=True),
    "zulip": Service("Zulip", "zulip", "NotifyZulip", hosted=True),
}
_SCHEMA = re.compile(r"([a-z]{2,20})://(?=.)", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9.-]{1,253}", re.IGNORECASE)


def is_there() -> bool:
    """True where the extra `apprise` is installed."""
    return find_spec("apprise") is not None


def schema_of(address: str) -> str:
    """In lower case; "" for what has none."""
    found = _SCHEMA.match(address)
    return found[1].lower() if found else ""


def service_of(address: str) -> Service | None:
    """None for a service that may not be used."""
    return SERVICES.get(schema_of(address))


def shown_of(address: str) -> str:
    """The service, and its host where that is no secret; "" for what may not be used."""
    service = service_of(address)
    if service is None:
        return ""
    host = host_of(address)
    return f"{service.name} · {host}" if host else service.name


def host_of(address: str) -> str:
    """The host of an address of one's own server; "" where what stands there may be a topic or a token: with
    a service of its maker's, in a single word, or as the only part of an address."""
    service = service_of(address)
    if service is None or service.hosted:
        return ""
    rest = re.split(r"[?#]", address.partition("://")[2])[0]
    place, _, path = rest.partition("/")
    host = place.rpartition("@")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not path.strip("/") and service.name == "ntfy":
        return ""  # a topic of the public server
    if _is_address(host):
        return host
    return host.lower() if "." in host and _NAME.fullmatch(host) else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
