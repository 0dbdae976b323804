"""Named steps at which a process under test dies as if by kill -9.

A crash between two steps is the rarest of faults and the one that loses things; at a named step it comes
every time.  `settings.CRASH_AT` exists in the settings of tests alone: what stands in the environment of a
production process means nothing here.
"""

from __future__ import annotations

import os

from django.conf import settings

# In the order of a scan, then of what it brings about.
POINTS = (
    "claimed",  # the scan is ours, nothing was looked at
    "resolved",  # a first answer of the DNS is in
    "connected",  # and one of the server itself
    "before_commit",  # all is written, nothing is stored
    "after_commit",  # the scan is done, nobody was told
    "before_noticed",  # the change is marked as told of, and nothing is committed
    "noticed",  # who is to hear of it is stored
    "packed",  # the mail is stored
    "mail_claimed",  # a sender has it
    "after_data",  # the relay has the content, its answer was not read
    "after_250",  # the relay's answer was read
    "before_sent",  # and is to be stored next
)
# Of a rotation of the keys.
ROTATION = (
    "key_drafted",  # the new key file is written beside the old one
    "key_made",  # it has taken its place
    "batch_sealed",  # some rows are sealed anew, and not yet stored
    "batch_stored",  # and stored
    "all_sealed",  # all but the canary
    "before_drop",  # nothing is sealed with an old key any more
)
# Of a backup: its content is written by one of three ways, then under its name and nothing was noted.
BACKUP = ("backup_copied", "backup_dumped", "backup_exported", "backup_drafted")
KILLED = 137  # as a shell reports kill -9


def point(name: str) -> None:
    """Ends the process at once, without any clean-up, where the test asked for a crash at `name`."""
    if getattr(settings, "CRASH_AT", "") == name:
        os._exit(KILLED)
