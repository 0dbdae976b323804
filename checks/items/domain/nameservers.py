"""Do two or more name servers answer, all alike?  RFC 2182, RFC 1034 4.1.

A server that answers but not for the zone (lame) is a fail, and so is one whose name has no address: whoever
gets hold of that name answers for the zone.  One that stays silent to us may answer others, so it is left out,
and two that answer are enough for a pass.
"""

from checks.errors import Reason
from checks.facts import Facts, Missing, seen
from checks.facts.dns import NameServer, NameServers, ServerReply
from checks.model import OUTSIDE, Fix, Item, Level, Reference, Source, Text, Verdict, failed, passed, warned

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 2182: Selection and Operation of Secondary DNS Servers",
            "https://www.rfc-editor.org/rfc/rfc2182",
        ),
        Reference(
            "RFC 1034: Domain Names: Concepts and Facilities", "https://www.rfc-editor.org/rfc/rfc1034"
        ),
    ),
    title=Text(
        "Two or more name servers answer for the domain, all alike",
        "2台以上のネームサーバが稼働し、同じ内容を返している",
    ),
    why=Text(
        "When the only name server is down, the instance and its mail are gone for everybody, however well the server itself runs. Servers that differ make faults that come and go.",
        "唯一のネームサーバが止まると、本体が動いていてもサイトとメールは誰からも見えなくなります。内容が食い違うと、出たり消えたりする障害の原因になります。",
    ),
    expected=Text(
        "At least two names in the NS set, in different networks, each authoritative for the zone with the same serial number.",
        "NS レコードに2つ以上のサーバがあり、それぞれ別のネットワークに置かれ、いずれも権威サーバとして同じシリアル番号を返す状態。",
    ),
    fix=Fix(
        Text(
            "Use a DNS service that brings several servers, or add a secondary in another network. Take names that no longer serve the zone out of the NS set, both in the zone and at the registrar.",
            "複数のサーバを備えた DNS サービスを使うか、別のネットワークにセカンダリを追加します。ゾーンを持っていないサーバは、ゾーン内と登録事業者の両方の NS から削除してください。",
        )
    ),
    verify=Text(
        "All servers answer, with the same serial number:\n\n    dig example.social NS +short\n    dig example.social SOA +nssearch",
        "すべてのサーバが同じシリアル番号を返すことを確認します。\n\n    dig example.social NS +short\n    dig example.social SOA +nssearch",
    ),
    codes={
        "alike": Text(
            "{count} name servers of {zone} answer with the same serial.",
            "{zone} のネームサーバ {count} 台が同じシリアル番号を返しています。",
        ),
        "one_server": Text("{zone} has one name server only.", "{zone} のネームサーバは1台だけです。"),
        "lame": Text(
            "{server} is named as a server of {zone} but does not answer for it ({rcode}).",
            "{server} は {zone} のネームサーバに指定されていますが、権威のある応答を返しません（{rcode}）。",
        ),
        "no_address": Text(
            "{server} is named as a server of {zone}, but that name has no address. Take it out: whoever registers the name answers for your domain.",
            "{server} は {zone} のネームサーバに指定されていますが、アドレスがありません。その名前を取得した第三者がドメインを乗っ取れるため、NS から外してください。",
        ),
        "serials": Text(
            "The servers of {zone} have different serials: {serials}.",
            "{zone} のネームサーバのシリアル番号が一致していません（{serials}）。",
        ),
        "one_address": Text(
            "All name servers of {zone} have the same single address ({address}).",
            "{zone} のネームサーバがすべて同じ1つのアドレス（{address}）になっています。",
        ),
        "one_network": Text(
            "All name servers of {zone} stand in one network ({network}).",
            "{zone} のネームサーバがすべて同じネットワーク（{network}）にあります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(NameServers)
    zone = found.zone
    answered = [(s, s.reply) for s in found.servers if isinstance(s.reply, ServerReply)]
    if found.count < 2:
        return failed("one_server", zone=zone).seen(f"NS {zone}", _names(found))
    for server, reply in answered:
        if reply.rcode != "NOERROR" or not reply.authoritative or reply.serial is None:
            told = f"{reply.rcode}, {'authoritative' if reply.authoritative else 'not authoritative'}"
            return failed("lame", server=server.name, zone=zone, rcode=reply.rcode).seen(server.name, told)
    for server in found.servers:
        if isinstance(server.addresses, Missing) and server.addresses.reason is Reason.NO_SUCH_NAME:
            failure = failed("no_address", server=server.name, zone=zone)
            return failure.seen(f"NS {zone}", _names(found)).seen(server.name, "no A and no AAAA record")
    if len(answered) < 2:
        for server in found.servers:
            seen(server.reply)
    serials = sorted({str(reply.serial) for _, reply in answered})
    if len(serials) > 1:
        verdict = warned("serials", zone=zone, serials=", ".join(serials))
    elif address := _one_address([server for server, _ in answered]):
        verdict = warned("one_address", zone=zone, address=address)
    elif network := _one_network([server for server, _ in answered]):
        verdict = warned("one_network", zone=zone, network=network)
    else:
        verdict = passed("alike", zone=zone, count=len(answered))
    for server, reply in answered:
        verdict = verdict.seen(server.name, f"SOA serial {reply.serial}")
    return verdict


def _names(found: NameServers) -> str:
    return ", ".join(server.name for server in found.servers)


def _one_address(servers: list[NameServer]) -> str:
    addresses = {a for s in servers if not isinstance(s.addresses, Missing) for a in s.addresses}
    return addresses.pop() if len(addresses) == 1 else ""


def _one_network(servers: list[NameServer]) -> str:
    """The /24 that holds every address; "" where there are several or IPv6 among them."""
    addresses = [a for s in servers if not isinstance(s.addresses, Missing) for a in s.addresses]
    if any(":" in address for address in addresses):
        return ""
    networks = {address.rpartition(".")[0] for address in addresses}
    return f"{networks.pop()}.0/24" if len(networks) == 1 else ""
