"""Probes of the web phase."""

from __future__ import annotations

from checks.probes.http_client import HttpClient, redirect_of, same_site
from checks.probes.look import Probe

__all__ = ["PROBES", "HttpClient", "redirect_of", "same_site"]

PROBES: tuple[Probe, ...] = ()
