"""Probes of the ports phase."""

from __future__ import annotations

from checks.probes.look import Probe

PROBES: tuple[Probe, ...] = ()
