"""The checks: what is known about a fediverse server, and what follows from it.  Plain Python, no Django.

Flow: Target -> probes.gather() -> Facts -> evaluate() -> {item id: Verdict}.
"""

CHECKS_VERSION = "0.5.1"
