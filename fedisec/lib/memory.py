"""What a web process keeps for ever is set aside: no page waits while the collector walks through it."""

from __future__ import annotations

import gc

from django.urls import get_resolver

from checks.items import all_items


def settle() -> None:
    """Loads code, texts and addresses, and takes them out of the collector's sight.  Walking through them
    takes as long as making a page does, and would happen in the middle of one."""
    all_items()
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
