"""The words for what the doctor found: a title for each look, a cause and a cure for each code."""

from __future__ import annotations

from collections.abc import Mapping

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fedisec.system.line import Line, State

STATES: Mapping[State, Promise] = {
    State.OK: pgettext_lazy("system", "in order"),
    State.ATTENTION: pgettext_lazy("system", "wants attention"),
    State.BROKEN: pgettext_lazy("system", "broken"),
    State.UNKNOWN: pgettext_lazy("system", "not known"),
}
# State -> (class of the colour, shape of the sprite)
MARKS: Mapping[State, tuple[str, str]] = {
    State.OK: ("met", "met"),
    State.ATTENTION: ("warning", "warning"),
    State.BROKEN: ("not_met", "not-met"),
    State.UNKNOWN: ("could_not_check", "unseen"),
}

TITLES: Mapping[str, Promise] = {
    "clock": pgettext_lazy("system", "Clock"),
    "jobs": pgettext_lazy("system", "Workers"),
    "waiting": pgettext_lazy("system", "Queue of scans"),
    "broker": pgettext_lazy("system", "Broker"),
    "database": pgettext_lazy("system", "Database"),
    "migrations": pgettext_lazy("system", "Tables"),
    "disk": pgettext_lazy("system", "Disk"),
    "time": pgettext_lazy("system", "Time of day"),
    "network": pgettext_lazy("system", "Network"),
    "resolver": pgettext_lazy("system", "Resolver"),
    "ipv6": pgettext_lazy("system", "IPv6 to the outside"),
    "port_25": pgettext_lazy("system", "Port 25 to the outside"),
    "mail": pgettext_lazy("system", "Mail"),
    "keys": pgettext_lazy("system", "Key file"),
    "backup": pgettext_lazy("system", "Backup"),
    "feeds": pgettext_lazy("system", "Feeds"),
    "version": pgettext_lazy("system", "Version of fedisec"),
    "settings": pgettext_lazy("system", "Secure settings"),
}

_NONE = ""
_NO_SCAN = _("No scan of the last two days has seen this.")
_SCAN_SOON = _("Add a server, or ask for a scan; the answer stands here afterwards.")

# (look, code) -> (cause, cure); "" where there is nothing to do.
SAID: Mapping[tuple[str, str], tuple[str | Promise, str | Promise]] = {
    ("clock", "ticks"): (_("It ticked %(seconds)s seconds ago."), _NONE),
    ("clock", "never"): (
        _("No clock has ever ticked on this database."),
        _("Start one: manage.py ticker (the service “ticker”, or fedisec-clock.service)."),
    ),
    ("clock", "stopped"): (
        _("The last tick is %(seconds)s seconds ago: nothing is due, told or tidied any more."),
        _("Look into the log of manage.py ticker and start it again."),
    ),
    ("jobs", "runners"): (_("%(n)s runners of this machine are alive."), _NONE),
    ("jobs", "no_runner"): (
        _("No runner is alive: scans and mails wait."),
        _("Start fedisec with make run or manage.py up, and look into its log."),
    ),
    ("jobs", "workers"): (_("%(n)s workers answered the clock: %(names)s."), _NONE),
    ("jobs", "no_worker"): (
        _("No worker answered the clock: scans and mails wait."),
        _(
            "Start the workers (the services “worker” and “inside”, or fedisec-worker@…), and look into their logs."
        ),
    ),
    ("jobs", "no_broker"): (
        _("The broker does not answer, so nobody could be asked."),
        _("Bring the broker back; see its line."),
    ),
    ("jobs", "not_asked"): (
        _("The clock has not asked the workers within the last 15 minutes."),
        _("Wait five minutes; if this stays, look at the clock."),
    ),
    ("waiting", "none"): (_("No scan has been waiting for more than ten minutes."), _NONE),
    ("waiting", "long"): (
        _("A scan has been waiting for %(minutes)s minutes."),
        _(
            "If the workers are alive there are too few of them: raise FEDISEC_RUNNERS, or start more workers."
        ),
    ),
    ("broker", "answers"): (_("Redis answers."), _NONE),
    ("broker", "away"): (
        _("Redis does not answer (%(why)s). Nothing is lost; jobs wait in the database."),
        _("Start Redis, and compare REDIS_URL with its user and password."),
    ),
    ("database", "answers"): (_("%(engine)s %(version)s, %(size)s."), _NONE),
    ("database", "away"): (
        _("It does not answer: %(why)s."),
        _("Start it, and compare DATABASE_URL with its address, user and password."),
    ),
    ("database", "read_only"): (
        _("%(engine)s %(version)s is a read-only copy: nothing can be stored."),
        _("Point DATABASE_URL at the primary, or promote this one."),
    ),
    ("migrations", "current"): (_("They are of this version."), _NONE),
    ("migrations", "older"): (
        _("%(n)s steps are missing, the first is %(step)s."),
        _("Run manage.py prepare, or restart the web service, which does."),
    ),
    ("migrations", "newer"): (
        _("They belong to a newer version of fedisec (%(step)s)."),
        _("Start that version here, or restore the backup from before the upgrade."),
    ),
    ("disk", "room"): (_("%(free)s are free where %(folder)s lies."), _NONE),
    ("disk", "low"): (
        _("Only %(free)s are free where %(folder)s lies."),
        _("Make room, or enlarge the disk, before scans can no longer be stored."),
    ),
    ("disk", "full"): (
        _("The disk with %(folder)s is full: nothing new is stored."),
        _("Make room; fedisec goes on by itself."),
    ),
    ("time", "told"): (_("The kernel says that its clock is kept right."), _NONE),
    ("time", "untold"): (
        _("The kernel says that nothing keeps its clock right."),
        _("Run chrony or systemd-timesyncd; in a container or a guest, see to the host."),
    ),
    ("time", "not_told"): (
        _("The kernel does not say whether its clock is kept right."),
        _("See whether chrony or systemd-timesyncd runs on this machine."),
    ),
    ("time", "apart"): (
        _("This machine and the database are %(seconds)s seconds apart."),
        _("Run chrony or systemd-timesyncd on both of them."),
    ),
    ("network", "online"): (_("%(n)s machines that scan see the network."), _NONE),
    ("network", "offline"): (
        _("Without a network: %(hosts)s. Nothing is judged there."),
        _("See to their connection and resolver; what is asked is set by FEDISEC_ANCHORS."),
    ),
    ("network", "not_asked"): (_("No machine has asked its anchors within the last hour."), _SCAN_SOON),
    ("network", "switched_off"): (
        _("The guard is switched off (FEDISEC_ANCHORS=none)."),
        _("Remove that setting, or a cut line will look like servers that are down."),
    ),
    ("resolver", "validates"): (_("%(address)s validates DNSSEC."), _NONE),
    ("resolver", "does_not"): (
        _("%(address)s does not validate DNSSEC, so nothing about DNSSEC and DANE can be judged."),
        _("Run unbound on this machine and name it with FEDISEC_RESOLVER."),
    ),
    ("resolver", "silent"): (
        _("%(address)s gave no answer that would tell whether it validates."),
        _("See whether it answers from here; FEDISEC_RESOLVER names another one."),
    ),
    ("resolver", "no_scan"): (_NO_SCAN, _SCAN_SOON),
    ("ipv6", "open"): (_("IPv6 addresses are reached."), _NONE),
    ("ipv6", "closed"): (
        _("No IPv6 address is reached from here, so servers are looked at over IPv4 alone."),
        _("Give the machines that scan IPv6 (in Docker: a network with enable_ipv6)."),
    ),
    ("ipv6", "no_scan"): (_NO_SCAN, _SCAN_SOON),
    ("port_25", "open"): (_("Mail hosts answer on port 25."), _NONE),
    ("port_25", "closed"): (
        _(
            "No mail host was reached on port 25; many providers close it. Items about mail servers are “could not check”."
        ),
        _("Ask the provider to open port 25 to the outside, or run a worker somewhere else."),
    ),
    ("port_25", "no_scan"): (_NO_SCAN, _SCAN_SOON),
    ("mail", "taken"): (_("The relay takes mails."), _NONE),
    ("mail", "none_yet"): (
        _("A relay is set, and no mail has gone out by it yet."),
        _("Send yourself a test from the page “Mail server”."),
    ),
    ("mail", "no_relay"): (
        _("No relay is set: mails are written to %(folder)s and reach nobody."),
        _("Set one on the page “Mail server”, or by EMAIL_URL."),
    ),
    ("mail", "stuck"): (
        _("%(n)s mails wait after an error: %(why)s"),
        _("The page “Mail server” tests each step of the way."),
    ),
    ("keys", "right"): (_("It opens what is sealed in this database."), _NONE),
    ("keys", "new"): (_("It can be read; nothing is sealed with it yet."), _NONE),
    ("keys", "wrong"): (
        "%(why)s",
        _("Put the key file back from its own backup; docs/secrets.md says what belongs where."),
    ),
    ("backup", "fresh"): (_("%(name)s, written and read back."), _NONE),
    ("backup", "old"): (
        _("The newest, %(name)s, is %(days)s days old."),
        _("Run manage.py backup daily, and keep the file on another machine."),
    ),
    ("backup", "none"): (
        _("manage.py backup was never run here. Backups by other means are not seen."),
        _("Run manage.py backup daily, and keep the file on another machine."),
    ),
    ("feeds", "fresh"): (_("%(n)s feeds are read."), _NONE),
    ("feeds", "stale"): (
        _("%(n)s feeds that servers here need are out of date or not believed."),
        _("See the page “Sources of news”."),
    ),
    ("feeds", "none_read"): (_("No server here needs a feed yet, or none was read so far."), _NONE),
    ("feeds", "switched_off"): (
        _("FEDISEC_FEEDS is off: news of vulnerabilities and releases is not read."),
        _("Switch it on if this machine has a way to the internet."),
    ),
    ("version", "no_feed"): (
        _(
            "This is %(version)s. No feed of fedisec's own releases and advisories exists yet, so whether there is a newer one or a known hole is not known here."
        ),
        _("Look at the place that you got fedisec from now and then."),
    ),
    ("settings", "closed"): (_("No debug pages; passwords travel encrypted or not at all."), _NONE),
    ("settings", "debug"): (
        _("FEDISEC_DEBUG is on: errors show the inside of fedisec to whoever causes them."),
        _("Remove FEDISEC_DEBUG and restart."),
    ),
    ("settings", "no_https"): (
        _("People use %(url)s: passwords can be read on the way."),
        _(
            "Put a proxy with TLS in front (deploy/nginx.conf.example) and set FEDISEC_URL to its https address."
        ),
    ),
    ("settings", "no_proxy"): (
        _("The address is %(url)s, but no proxy is believed, so each request is sent in circles or refused."),
        _("Set FEDISEC_BEHIND_PROXY=True, and FEDISEC_PROXIES to where the proxy connects from."),
    ),
}
_ANY: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "no_database": (_("The database does not answer, so this could not be looked at."), _NONE),
    "not_looked": (
        _("This could not be looked at: %(why)s."),
        _("Run the doctor as the user that fedisec runs as."),
    ),
}
_BYTES = frozenset({"size", "free"})


def cause(line: Line) -> str:
    """What was seen, in the active language."""
    return _filled(line, 0)


def cure(line: Line) -> str:
    """What to do, "" where nothing is."""
    return _filled(line, 1)


def _filled(line: Line, which: int) -> str:
    said = SAID.get((line.name, line.code)) or _ANY[line.code]
    data = {key: filesizeformat(value) if key in _BYTES else value for key, value in line.data.items()}
    return str(said[which]) % data
