"""May this name be looked at?  One question to the DNS before an instance is stored."""

from __future__ import annotations

import asyncio

from checks.errors import ForbiddenAddress, NoSuchName, ProbeError
from checks.probes.dns import Resolver
from checks.probes.net import Net
from checks.target import Limits
from fedisec.lib.vantage import vantage


def refusal(domain: str) -> str:
    """ "" where the name leads to addresses that may be dialled, else a code of `forms.REFUSED`."""
    place = vantage()
    resolver = Resolver(place, Net(place, Limits(wall_s=10.0)))
    try:
        asyncio.run(resolver.addresses_of(domain))
    except NoSuchName:
        return "no_such_name"
    except ForbiddenAddress:
        return "private"
    except ProbeError:
        return "dns_failed"
    return ""
