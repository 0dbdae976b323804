"""May this name be looked at?  One question to the DNS before an instance is stored."""

from __future__ import annotations

import asyncio

from checks.errors import ForbiddenAddress, NoSuchName, ProbeError
from checks.facts.dns import Lookup
from checks.probes.addresses import is_public
from checks.probes.dns import Resolver
from checks.probes.net import Net
from checks.target import Limits
from fedisec.lib.vantage import is_denied, vantage


def refusal(domain: str) -> str:
    """ "" where the name leads to addresses that may be dialled, else a code of `forms.REFUSED`.  One address
    that may not be dialled is enough: which of them a look would get is the name's owner's choice."""
    return asyncio.run(_refusal(domain))


async def _refusal(domain: str) -> str:
    place = vantage()
    net = Net(place, Limits(wall_s=10.0))
    resolver = Resolver(place, net)
    try:
        await resolver.addresses_of(domain)
    except NoSuchName:
        return "no_such_name"
    except ForbiddenAddress:
        return await _why_forbidden(resolver, net, domain)
    except ProbeError:
        return "dns_failed"
    return ""


async def _why_forbidden(resolver: Resolver, net: Net, domain: str) -> str:
    """Asks nothing anew: the resolver remembers."""
    found = [await resolver.ask(domain, kind) for kind in ("A", "AAAA")]
    addresses = [address for one in found if isinstance(one, Lookup) for address in one.records]
    refused = [address for address in addresses if not net.may_dial(address)]
    if any(map(is_denied, refused)):
        return "denied"
    return "own" if all(map(is_public, refused)) else "private"
