"""What calls what of the layer above it: settings by dotted path, so that no module imports upwards.

Before each stands what it is called with, and when."""

from __future__ import annotations

# (target, …) -> facts: how scans look.
GATHER = "checks.probes.gather"
# Each (instance) -> facts that only the dashboard knows.
SELF_FACTS = (
    "fedisec.alerts.watch.self_facts",
    "fedisec.watch.freshness.self_facts",
    "fedisec.watch.stock_facts.self_facts",
)
# Each (instance, facts of a look) -> what the dashboard knows of what that look saw.
SEEN_FACTS = ("fedisec.watch.advised.self_facts",)
ON_CONNECTED = "fedisec.scans.queue.queue_scan"  # (instance, reason), when somebody connected it over SSH
ON_RECORDED = "fedisec.checklist.answers.looked"  # (instance, now, scanned), in the same transaction
SILENCED = "fedisec.checklist.silence.silenced"  # (instance, now) -> ids of items of which nobody is to hear
# (instance, certificates that the web server shows, now, told), in the transaction that stores the look
ON_CERTIFICATES = "fedisec.alerts.certificates.seen"
# (now), once a round of the clock
ON_TICK = (
    "fedisec.checklist.daily.refresh",
    "fedisec.watch.clock.tick",
    "fedisec.watch.endings.tick",
    "fedisec.system.clock.tick",
)
# (instances, now) -> {instance: what comes to its end there}, for its page and for the digest
COMING_ENDS = "fedisec.watch.endings.coming"
COMING_OF_WEEK = "fedisec.watch.endings.of_week"
# (instances, since, until) -> {instance: warnings, releases and repairs of a week}, for the digest
NEWS_OF_WEEK = "fedisec.watch.weekly.news_of"
NEXT_JOB = "fedisec.watch.clock.next_job"  # (now, waited_s) -> what a runner may do beside scans and mails
ON_PREPARE = "fedisec.watch.catalogue.sync"  # (), when the tables are of this version
# (instance, confirmed key, new key, since when), in the transaction that stops the logins
ON_HOST_KEY_CHANGED = "fedisec.alerts.watch.host_key_changed"
ACCOUNT_NOTICE = "fedisec.alerts.account_letters.tell"  # (user, kind, address or "", values), queues a mail
RESET_PASSWORD = "fedisec.alerts.account_letters.ask_reset"  # (user), queues the mail with the link
MAIL_INVITATION = "fedisec.alerts.inviting.ask"  # (invitation), queues its mail, in the same transaction
CONFIRM_ADDRESS = "fedisec.alerts.asking.ask"  # (allauth's EmailAddress), to mail its owner a link
ON_INSTANCE_ADDED = "fedisec.alerts.watch.subscribe_creator"  # (instance), in the same transaction
# (host, since, until, waited, dropped), when a machine has a network again, in the same transaction
ON_BACK = "fedisec.alerts.outage.back"
# (since, until, missed), when no clock had ticked for long, in the same transaction
ON_RETURN = "fedisec.alerts.outage.stood_still"

# Each (request) -> banners for every page of somebody who is signed in; see fedisec.lib.context.
BANNERS = (
    "fedisec.lib.room.banner",
    "fedisec.scans.banners.blind",
    "fedisec.instances.proof.banner",
    "fedisec.alerts.banners.of_mails",
    "fedisec.alerts.channels.banner.failing",
)
BANNERS_KEPT_S = 30  # what they found counts that long
MAIL_FOLDER = "fedisec.alerts.banners.mail_folder"  # () -> where mails go without a relay, or ""
