"""Many servers on loopback, a wall that cuts the way to them, and a clock that is quicker than the real one.

The looks are short (one connection to each server, through the project's own dialler), everything from the
claim to the mail is the real thing, and so are the anchors: two ports and a resolver of their own.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import dns.flags
import dns.message
import dns.rrset
from django.utils import timezone

from checks import CHECKS_VERSION
from checks.errors import ProbeError
from checks.facts import Facts, Missing
from checks.facts.dns import Addresses
from checks.facts.http import PlainHttp
from checks.facts.tls import TlsOffer
from checks.probes import Gathered, Progress
from checks.probes.dns import Resolver
from checks.probes.net import Net
from checks.target import Limits, Target, Vantage
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.alerts import outbox
from fedisec.alerts.models import Preference, Subscription
from fedisec.instances.models import Instance
from fedisec.scans import clock, outlook
from fedisec.scans.models import ItemState, Reach, Scan
from fedisec.scans.run import run_scan
from tests.factories import a_user
from tests.fakes import ITEMS, Flags
from tests.scans import gone

SERVERS, ANCHORS, RESOLVER = "127.67.0.0/16", ("127.68.0.1", "127.68.1.1"), "127.68.0.53"
HALF = ("127.67.128.0/17", "127.68.1.0/24")  # of the servers, and one of the anchors
NETWORKS = (SERVERS, "127.68.0.0/16")
PORT = 6700
# What does not answer on loopback within that, does not answer.
CONNECT_S, DNS_S, ANCHORS_S = 0.05, 0.3, 0.4


def address_of(number: int) -> str:
    return f"127.67.{number % 256}.{number // 256 + 1}"


class NoWall(Exception):
    """This machine lets us filter nothing."""


class Wall:
    """Drops what goes to some networks of this namespace."""

    def __init__(self) -> None:
        self._nft("add table inet wall")
        self._nft("add chain inet wall out { type filter hook output priority 0 ; }")

    def cut(self, *networks: str) -> None:
        self._nft(f"add rule inet wall out ip daddr {{ {', '.join(networks)} }} drop")

    def heal(self) -> None:
        self._nft("flush chain inet wall out")

    def close(self) -> None:
        self._nft("delete table inet wall")

    def _nft(self, command: str) -> None:
        try:
            done = subprocess.run(["nft", command], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise NoWall("nft is missing") from None
        if done.returncode:
            raise NoWall(done.stderr.splitlines()[0])


@contextmanager
def listening() -> Iterator[None]:
    """One port for all servers, one for each anchor, and a resolver that knows the root."""
    with ExitStack() as until_over:
        for address, port in (("0.0.0.0", PORT), *((anchor, 53) for anchor in ANCHORS)):
            link = until_over.enter_context(socket.create_server((address, port), backlog=512))
            until_over.enter_context(_served(link, _accept))
        asked = until_over.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        asked.bind((RESOLVER, 53))
        until_over.enter_context(_served(asked, _answer))
        yield


@contextmanager
def _served(link: socket.socket, serve_one: Callable[[socket.socket], None]) -> Iterator[None]:
    over = threading.Event()
    link.settimeout(0.1)

    def serve() -> None:
        while not over.is_set():
            try:
                serve_one(link)
            except TimeoutError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _accept(link: socket.socket) -> None:
    link.accept()[0].close()


def _answer(link: socket.socket) -> None:
    data, sender = link.recvfrom(4096)
    query = dns.message.from_wire(data)
    answer = dns.message.make_response(query, recursion_available=True)
    if str(query.question[0].name) == ".":
        answer.answer.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root-servers.net."))
    link.sendto(answer.to_wire(), sender)


async def gather(target: Target, vantage: Vantage, *, progress: Progress) -> Gathered:
    """Stands in for `checks.probes.gather`: whether the server answers at all, and nothing else."""
    net = Net(vantage, replace(Limits(), connect_s=CONNECT_S, dns_s=DNS_S))
    try:
        return Gathered(await _look(Resolver(vantage, net), net, target), dict(net.used))
    finally:
        net.close()


async def _look(resolver: Resolver, net: Net, target: Target) -> Facts:
    known = await resolver.ask(".", "NS")
    if isinstance(known, Missing):
        return gone.facts({Addresses: known, TlsOffer: known, PlainHttp: known, Flags: known})
    try:
        (await net.connect(address_of(int(target.domain[1:].partition(".")[0])), PORT, "tcp")).close()
    except ProbeError as error:
        silent = Missing.of(error)
        return gone.facts({TlsOffer: gone.offer((gone.V4, silent)), PlainHttp: silent, Flags: silent})
    return gone.facts({PlainHttp: PlainHttp(closed=False), Flags: Flags()})


class Fleet:
    """`count` servers that are due now, with `readers` who hear of all of them, and a time of its own."""

    def __init__(self, count: int, readers: int = 2) -> None:
        self.now = timezone.now()
        self.operator = a_user(email="operator@example.org", is_superuser=True)
        team = Team.objects.create(name="A fleet")
        self.readers = [a_user(email=f"reader{n}@example.org") for n in range(readers)]
        for person in (self.operator, *self.readers):
            Preference.objects.create(user=person, digest=False)
        for reader in self.readers:
            Membership.objects.create(team=team, user=reader, role=Role.VIEWER)
        self.servers = Instance.objects.bulk_create(
            Instance(team=team, domain=f"n{n}.example", next_scan_at=self.now, interval_s=86_400)
            for n in range(count)
        )
        Subscription.objects.bulk_create(
            Subscription(user=reader, instance=one) for reader in self.readers for one in self.servers
        )

    def are_fine(self) -> None:
        """As after a look at each, long enough ago: every item and the server itself are settled as met."""
        fine = {"status": "pass", "settled": "pass", "since": self.now, "seen_at": self.now}
        fine |= {"settled_since": self.now, "checks_version": CHECKS_VERSION}
        Reach.objects.bulk_create(Reach(instance=one, code="answers", **fine) for one in self.servers)
        ItemState.objects.bulk_create(
            ItemState(instance=one, item_id=key, code="good", **fine) for one in self.servers for key in ITEMS
        )

    def pass_(self, minutes: float) -> None:
        """Lets time pass, as for processes that are started anew."""
        self.now += timedelta(minutes=minutes)
        outlook.forget()

    def work(self) -> int:
        """One round of the clock, and all that is due; returns how many looks that were."""
        clock.tick(self.now)
        outbox.tick(self.now)
        due = Scan.objects.filter(state="queued", due_at__lte=self.now).order_by("due_at", "pk")
        keys = list(due.values_list("pk", flat=True))
        for key in keys:
            run_scan(key)
        outbox.tick(self.now)
        return len(keys)

    def work_on(self, minutes: int, *, step: int = 1) -> None:
        """A round each minute, or each `step` minutes."""
        for _ in range(minutes // step):
            self.pass_(step)
            self.work()

    def are_due(self) -> None:
        Instance.objects.update(next_scan_at=self.now)


def mails_to(readers: Iterable[User]) -> dict[str, list[int]]:
    """reader -> of each mail, how many things it tells."""
    return {
        reader.email: [mail.notices.count() for mail in reader.deliveries.order_by("pk")]
        for reader in readers
    }
