"""What a process keeps for ever is loaded first and set aside: no page waits while the collector walks
through it, and copies of the process share its memory."""

from __future__ import annotations

import gc

from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver
from django.utils.module_loading import import_string

from checks.items import all_items
from fedisec.lib import schema

_COPIED = ("web", "ticker", "runner")


def settle() -> None:
    """Loads code, texts and addresses, and takes them out of the collector's sight.  Walking through them
    takes as long as making a page does, and would happen in the middle of one; and where it walks, it writes:
    memory that copies shared becomes their own."""
    all_items()
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def settle_for_copies() -> None:
    """The same, with what web, clock and runners come to use."""
    known = get_commands()
    for name in _COPIED:
        load_command_class(known[name], name)
    import_string(settings.WSGI_APPLICATION)
    import_string(settings.GATHER)
    schema.known()
    settle()
