"""The question to the registry, over real TLS to a server that is honest, broken or hostile."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path

import pytest

from checks.errors import ProbeError, Reason
from checks.facts import Missing
from checks.facts.rdap import RegisteredName, Registration, RegistrationRecord, RegistryStatus
from checks.probes.dns import Resolver
from checks.probes.http import HttpClient
from checks.probes.look import Look
from checks.probes.net import Net
from checks.probes.rdap import PROBES, gather_registration
from checks.target import Limits, Target, Vantage
from tests.checks.http.server import Names, listening
from tests.checks.rdap.made import MASK, entity, field, text
from tests.lab.ca import LabCa

REGISTRY = "rdap.registry.test"
PORT = b"@@@@@"  # in an answer: the server's own port
Pages = Callable[[str], bytes]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCa]:
    yield LabCa(tmp_path_factory.mktemp("ca"))


def page(body: str, status: str = "200 OK", *lines: str) -> bytes:
    data = body.encode()
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close", *lines, "", ""]
    return "\r\n".join(head).encode() + data


def redirect(to: str) -> bytes:
    return page("", "302 Found", f"Location: {to}")


@dataclass
class World:
    """A registry on loopback and a look that knows only it; `asked` are the paths it was asked for."""

    look: Look
    port: int
    asked: list[str] = made(default_factory=list)
    heads: list[str] = made(default_factory=list)

    async def names(self) -> tuple[RegisteredName, ...]:
        [fact] = await gather_registration(self.look)
        assert isinstance(fact, Registration)
        return fact.names


@asynccontextmanager
async def registry(
    ca: LabCa, pages: Pages, target: Target, limits: Limits | None = None, name: str = REGISTRY
) -> AsyncIterator[World]:
    leaf = ca.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.chain, leaf.key)
    world: World

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        world.heads.append(head)
        world.asked.append(head.split()[1])
        answer = pages(world.asked[-1]).replace(PORT, f"{world.port:05}".encode())
        if answer:
            writer.write(answer)
            await writer.drain()
        else:
            await asyncio.sleep(30)

    async with listening(handle, tls=context) as port:
        file = ca.folder / f"bootstrap-{port}.json"
        file.write_text(json.dumps({"services": [[["test"], [f"https://{REGISTRY}:{port}/base"]]]}))
        vantage = Vantage("127.0.0.1", ca.file.read_text(), ("127.0.0.1/32",), rdap_bootstrap=str(file))
        net = Net(vantage, limits or Limits(request_s=1.0))
        names = Names({"inside.test": ("10.0.0.1",)})
        client = HttpClient(net, names, trust_pem=vantage.trust_pem, ports=frozenset({443, port}))
        world = World(Look(target, vantage, net, Resolver(vantage, net), client), port)
        try:
            yield world
        finally:
            client.close()


def asked(
    ca: LabCa, pages: Pages, target: Target | None = None, **more: object
) -> tuple[tuple[RegisteredName, ...], World]:
    async def run() -> tuple[tuple[RegisteredName, ...], World]:
        async with registry(ca, pages, target or Target("a.test"), **more) as world:  # type: ignore[arg-type]
            return await world.names(), world

    return asyncio.run(run())


def good(path: str) -> bytes:
    return page(text(ldhName=path.rpartition("/")[2]))


def test_the_registered_name_is_asked_for_once(ca: LabCa) -> None:
    [found], world = asked(ca, good, Target("social.a.test", mail_from="mail.a.test"))
    assert world.asked == ["/base/domain/a.test"]
    assert "accept: application/rdap+json" in world.heads[0].lower()
    assert "user-agent: fedisec/" in world.heads[0].lower()
    assert found.name == "a.test"
    assert found.server == REGISTRY
    assert isinstance(found.record, RegistrationRecord)
    assert found.record.statuses == (RegistryStatus.CLIENT_LOCK,)
    assert world.look.net.used["rdap"] == 1


def test_the_mail_domain_is_asked_for_where_it_is_another(ca: LabCa) -> None:
    names, world = asked(ca, good, Target("social.a.test", mail_from="b.test"))
    assert [found.name for found in names] == ["a.test", "b.test"]
    assert sorted(world.asked) == ["/base/domain/a.test", "/base/domain/b.test"]
    assert world.look.net.used["rdap"] == 2


MASKED = entity("registrant", field("fn", MASK))


def thin(registrar: bytes, link: str = "https://{host}/registrar/domain/A.TEST") -> Pages:
    """A registry without contacts, and the registrar it points to."""
    href = link.format(host=f"{REGISTRY}:{PORT.decode()}")
    registry = page(text(links=[{"rel": "related", "href": href}]))
    return lambda path: registrar if path.startswith("/registrar/") else registry


def test_the_contacts_of_a_thin_registry_come_from_the_registrar(ca: LabCa) -> None:
    [found], world = asked(ca, thin(page(text(MASKED, status=["client hold"]))))
    assert world.asked == ["/base/domain/a.test", "/registrar/domain/A.TEST"]
    assert isinstance(found.record, RegistrationRecord)
    assert [contact.masked for contact in found.record.contacts] == [True]
    assert not found.record.more_at_registrar
    assert found.record.statuses == (RegistryStatus.CLIENT_LOCK,), "the registry's word on the status stands"


@pytest.mark.parametrize(
    ("registrar", "link", "requests"),
    [
        (page("", "429 Too Many Requests"), "https://{host}/registrar/domain/a.test", 2),
        (page("", "404 Not Found"), "https://{host}/registrar/domain/a.test", 2),
        (page(text(ldhName="b.test")), "https://{host}/registrar/domain/a.test", 2),
        (page("<html>"), "https://{host}/registrar/domain/a.test", 2),
        (page(text(MASKED)), "http://{host}/registrar/domain/a.test", 1),
        (page(text(MASKED)), "https://{host}/registrar/domain/b.test", 1),
        (page(text(MASKED)), "https://inside.test/registrar/domain/a.test", 1),
    ],
)
def test_a_registrar_that_does_not_answer_leaves_a_gap(
    ca: LabCa, registrar: bytes, link: str, requests: int
) -> None:
    [found], world = asked(ca, thin(registrar, link))
    assert len(world.asked) == requests
    assert isinstance(found.record, RegistrationRecord)
    assert found.record.contacts == () and found.record.more_at_registrar


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page("", "429 Too Many Requests"), Reason.WITHHELD),
        (page("", "403 Forbidden"), Reason.WITHHELD),
        (page(text(), "503 Service Unavailable"), Reason.WITHHELD),
        (page("{}", "400 Bad Request"), Reason.MALFORMED),
        (page("{}"), Reason.MALFORMED),
        (page(text(ldhName="b.test")), Reason.MALFORMED),
        (page("<html>One moment please</html>"), Reason.MALFORMED),
        (page("[" * 100_000), Reason.MALFORMED),
        (page(text(notices=["x" * 300_000])), Reason.TOO_LARGE),
        (page(text())[:-20], Reason.CONNECTION_LOST),
        (b"\x00" * 200, Reason.MALFORMED),
        (b"", Reason.TIMEOUT),
        (redirect("http://rdap.registry.test/domain/a.test"), Reason.MALFORMED),
        (redirect("https://inside.test/domain/a.test"), Reason.FORBIDDEN_ADDRESS),
        (redirect("https://127.0.0.2/domain/a.test"), Reason.FORBIDDEN_ADDRESS),
        (redirect("https://rdap.registry.test:22/"), Reason.FORBIDDEN_ADDRESS),
        (redirect("https://["), Reason.MALFORMED),
        (redirect("/again"), Reason.MALFORMED),
    ],
)
def test_what_is_no_answer_is_unknown_with_its_reason(ca: LabCa, answer: bytes, reason: Reason) -> None:
    [found], world = asked(ca, lambda path: answer)
    assert isinstance(found.record, Missing)
    assert found.record.reason is reason, found.record
    assert len(world.asked) <= 3


def test_two_redirects_are_followed_and_no_third(ca: LabCa) -> None:
    def pages(path: str) -> bytes:
        step = int(path.rpartition("/")[2]) if "hop" in path else 0
        return good("a.test") if step == last else redirect(f"/hop/{step + 1}")

    last = 2
    [found], world = asked(ca, pages)
    assert isinstance(found.record, RegistrationRecord)
    assert (world.look.net.used["rdap"], world.look.net.used["rdap_hop"]) == (1, 2)
    last = 3
    [found], world = asked(ca, pages)
    assert isinstance(found.record, Missing)
    assert world.asked == ["/base/domain/a.test", "/hop/1", "/hop/2"]


def test_an_unknown_name_is_no_record(ca: LabCa) -> None:
    [found], _ = asked(ca, lambda path: page('{"errorCode": 404}', "404 Not Found"))
    assert (found.server, found.record) == (REGISTRY, None)


def test_a_registry_with_another_name_in_its_certificate_is_not_believed(ca: LabCa) -> None:
    [found], world = asked(ca, good, name="somebody.else.test")
    assert isinstance(found.record, Missing)
    assert found.record.reason is Reason.MALFORMED
    assert found.record.detail.startswith("certificate")
    assert world.asked == []


def test_a_spent_budget_asks_nothing(ca: LabCa) -> None:
    names, world = asked(
        ca, good, Target("a.test", mail_from="b.test"), limits=Limits(request_s=1.0, budget={"rdap": 1})
    )
    records = [found.record for found in names]
    assert len(world.asked) == 1
    assert [r.reason for r in records if isinstance(r, Missing)] == [Reason.BUDGET]


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("me.github.io", RegisteredName("me.github.io", lent_by="github.io")),
        ("me.duckdns.org", RegisteredName("me.duckdns.org", lent_by="duckdns.org")),
        ("x.trycloudflare.com", RegisteredName("x.trycloudflare.com", lent_by="trycloudflare.com")),
        ("example.jp", RegisteredName("example.jp")),
        ("co.jp", RegisteredName("co.jp", record=Missing(Reason.NOT_ASKED, "a public suffix itself"))),
    ],
)
def test_names_that_nobody_can_be_asked_about(ca: LabCa, host: str, wanted: RegisteredName) -> None:
    names, world = asked(ca, good, Target(host))
    assert names == (wanted,)
    assert world.asked == []


def test_an_entry_of_two_labels_registers_names_below_itself(ca: LabCa) -> None:
    async def run() -> tuple[RegisteredName, ...]:
        async with registry(ca, good, Target("www.good.fedi.test", mail_from="fedi.test")) as world:
            file = Path(world.look.vantage.rdap_bootstrap).with_name("two-labels.json")
            file.write_text(
                json.dumps({"services": [[["fedi.test"], [f"https://{REGISTRY}:{world.port}/"]]]})
            )
            world.look.vantage = Vantage(rdap_bootstrap=str(file))
            return await world.names()

    below, itself = asyncio.run(run())
    assert below.name == "good.fedi.test"
    assert isinstance(below.record, RegistrationRecord)
    assert itself.record == Missing(Reason.NOT_ASKED, "a public suffix itself")


@pytest.mark.parametrize("content", [None, b"", b"[]", b"\xff\xfe"])
def test_a_list_that_cannot_be_read_is_our_own_fault(
    ca: LabCa, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "list.json"
    if content is not None:
        file.write_bytes(content)

    async def run() -> None:
        async with registry(ca, good, Target("a.test")) as world:
            world.look.vantage = Vantage(rdap_bootstrap=str(file))
            with pytest.raises(ProbeError) as raised:
                await world.names()
            assert raised.value.reason is Reason.BUG

    asyncio.run(run())


def test_the_probe_is_counted_with_the_dns() -> None:
    assert [(probe.name, probe.phase, probe.gives) for probe in PROBES] == [("rdap", "dns", (Registration,))]
