"""Where a CDN is used: is the origin neither named in the DNS nor reachable past it?

What answers past the CDN is seen from outside alone.  Where nothing could be tried there, the server itself can
show that nothing but a tunnel leads to the site."""

from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.edge import DirectAnswer, OriginExposure
from checks.facts.ports import OpenPorts, PortState
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    warned,
)
from checks.parse.host.common import denied
from checks.parse.host.egress import parse_egress
from checks.parse.host.sections import lines_if_any
from checks.parse.host.sockets import parse_sockets

UFW = """
    for net in $(curl -s https://www.cloudflare.com/ips-v4; echo; curl -s https://www.cloudflare.com/ips-v6); do sudo ufw allow from "$net" to any port 443 proto tcp; done
    sudo ufw delete allow 443
    sudo ufw delete allow 80/tcp"""

PULLS = """
    ssl_client_certificate /etc/nginx/cloudflare-origin-pull-ca.pem;
    ssl_verify_client on;"""

DEFAULT = """
    server {
      listen 443 ssl default_server;
      listen [::]:443 ssl default_server;
      ssl_reject_handshake on;
    }"""

VERIFY = """
    curl -sk -m 5 --resolve example.social:443:203.0.113.5 https://example.social/.well-known/nodeinfo
    dig +short MX example.social
    dig +short TXT example.social | grep spf"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("001", "Setting up"),),
    references=(
        Reference(
            "Cloudflare: Authenticated Origin Pulls",
            "https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/",
        ),
        Reference("Cloudflare: IP Ranges", "https://www.cloudflare.com/ips/"),
    ),
    title=Text(
        "The origin behind the CDN is neither named nor reachable",
        "CDN の背後にあるオリジンが知られず、直接接続もできない",
    ),
    why=Text(
        "A shield protects only as long as nobody can walk around it. Attackers find the origin in mail records, old DNS data and certificates, and then aim at it directly.",
        "CDN の防御は、迂回されれば意味がありません。攻撃者は、メール関連のレコードや過去の DNS、証明書からオリジンのアドレスを探し出し、直接攻撃してきます。",
    ),
    expected=Text(
        "The origin accepts web traffic from the CDN or tunnel alone, and no record of the domain (A, AAAA, MX, SPF) leads to it. Without a CDN or tunnel the item does not apply.",
        "オリジンが CDN やトンネルからのウェブ通信だけを受け付け、ドメインのどのレコード（A・AAAA・MX・SPF）からもオリジンにたどり着けない状態。CDN もトンネルも使っていなければ対象外です。",
    ),
    fix=Fix(
        Text(
            "Close the origin for everybody but the CDN first. Then send mail through a relay and receive it elsewhere, so that no record names the origin; sent mail shows the address too. If the address was public before, ask the provider for a new one. Outgoing requests show it as well: see the item on masked outgoing traffic.",
            "まず、CDN 以外からオリジンに接続できないようにします。次に、メールの送信は中継サービスを、受信は別のホストを使い、レコードにオリジンを書かないようにします。送信したメールのヘッダにもアドレスは残ります。以前アドレスを公開していた場合は、事業者に依頼して変更してください。外向きの通信からも知られるため、そちらの項目も確認してください。",
        ),
        variants=(
            (
                "Cloudflare",
                Text(
                    "Let in only the published ranges, again whenever they change:\n"
                    + UFW
                    + "\n\nAnybody may have an account there, so ask for its client certificate as well (Authenticated Origin Pulls), in nginx:\n"
                    + PULLS
                    + "\n\nWith a tunnel, close 80 and 443 altogether.",
                    "公開されているアドレス範囲だけを許可し、変更があれば更新します。\n"
                    + UFW
                    + "\n\nCloudflare は誰でも利用できるため、クライアント証明書も要求します（Authenticated Origin Pulls）。nginx の設定：\n"
                    + PULLS
                    + "\n\nトンネルを使う場合は、80 と 443 を完全に閉じてください。",
                ),
            ),
            (
                "nginx",
                Text(
                    "Give strangers who do not know the name nothing, not even a certificate:\n" + DEFAULT,
                    "ホスト名を知らない相手には、証明書も含めて何も返さないようにします。\n" + DEFAULT,
                ),
            ),
        ),
    ),
    verify=Text(
        "With the origin's address in place of 203.0.113.5, from another network: the first must not answer, the others must not name it.\n"
        + VERIFY,
        "203.0.113.5 をオリジンのアドレスに置き換え、別の回線から試します。1行目に応答がなく、2行目と3行目にオリジンが現れないことを確認します。\n"
        + VERIFY,
    ),
    codes={
        "no_cdn": Text("No CDN stands in front of the server.", "サーバの手前に CDN はありません。"),
        "leaks": Text(
            "{record} names {address}, which serves the site past {cdn}.",
            "{record} に書かれた {address} が、{cdn} を経由せずにサイトを返します。",
        ),
        "answers": Text(
            "The origin {address} that you named serves the site past {cdn}.",
            "登録されたオリジン {address} が、{cdn} を経由せずにサイトを返します。",
        ),
        "refuses": Text(
            "The origin that you named does not serve the site past {cdn}.",
            "登録されたオリジンは、{cdn} を経由しない接続にサイトを返しません。",
        ),
        "only_tunnel": Text(
            "{unit} carries the traffic in, and nothing on the server listens for web requests from outside.",
            "通信は {unit} が受けており、サーバには外部からのウェブ接続を待ち受けるものがありません。",
        ),
        "origin_unknown": Text(
            "{cdn} stands in front, and fedisec found no DNS record that gives the origin away. Name the origin's address to have it tried directly.",
            "手前に {cdn} があり、fedisec が調べた DNS のレコードからオリジンは見つかりませんでした。オリジンのアドレスを登録すると、直接の接続も調べます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    try:
        outside = _from_outside(facts)
    except MissingFact:
        if (inside := _from_inside(facts)) is None:
            raise
        return inside
    return (_from_inside(facts) or outside) if outside.code == "origin_unknown" else outside


def _from_inside(facts: Facts) -> Verdict | None:
    """A tunnel that runs, and no web port beside it: neither a socket nor one that Docker publishes by rules."""
    exposure, names = facts.maybe(OriginExposure), ("egress", "sockets", "docker")
    egress, sockets, docker = (lines_if_any(facts, name) for name in names)
    if exposure is None or not exposure.cdn or egress is None or sockets is None or docker is None:
        return None
    tunnels, listeners = parse_egress(egress).tunnels, parse_sockets(sockets)
    web = [one for one in listeners if one.port in {80, 443} and not (one.is_loopback or one.is_private)]
    published = any(mark in line for line in docker for mark in (":80->", ":443->"))
    if not tunnels or not listeners or web or published or denied(docker):
        return None
    shown = "\n".join(one.shown() for one in listeners if one.protocol == "tcp")
    verdict = passed("only_tunnel", unit=tunnels[0]).seen("inside: systemctl show", f"{tunnels[0]}: active")
    return verdict.seen("inside: ss", shown)


def _from_outside(facts: Facts) -> Verdict:
    exposure = facts.get(OriginExposure)
    if not exposure.cdn:
        return not_applicable("no_cdn")
    serving = [one for one in exposure.answers if one.serves_site]
    leak = next((one for one in serving if one.named_by != "admin"), None)
    if leak is not None:
        verdict = failed("leaks", record=leak.named_by, address=leak.address, cdn=exposure.cdn)
        return verdict.seen(leak.named_by, leak.address).seen(f"GET {leak.address} port 443", _answer(leak))
    if serving:
        one = serving[0]
        verdict = warned("answers", address=one.address, cdn=exposure.cdn)
        return verdict.seen(f"GET {one.address} port 443", _answer(one))
    named = [one for one in exposure.answers if one.named_by == "admin"]
    if not named:
        for one in exposure.answers:
            seen(one.status)  # a record leads past the CDN, to where nobody answered us
        return not_applicable("origin_unknown", cdn=exposure.cdn)
    for one in named:
        # Silence proves a closed door only at a house that is known to stand there.
        if isinstance(one.status, Missing) and not _is_alive(facts, one.address):
            raise MissingFact(one.status)
    shown = "\n".join(f"{one.address}: {_answer(one)}" for one in named)
    return passed("refuses", cdn=exposure.cdn).seen("GET port 443", shown)


def _is_alive(facts: Facts, address: str) -> bool:
    ports = facts.maybe(OpenPorts)
    found = [p for one in (ports.addresses if ports else ()) if one.address == address for p in one.ports]
    return any(p.state is PortState.OPEN for p in found)


def _answer(one: DirectAnswer) -> str:
    if one.status is None:
        return "refused"
    if isinstance(one.status, Missing):
        return f"no answer ({one.status.reason})"
    return f"HTTP {one.status}" + (", NodeInfo of the site" if one.serves_site else ", not the site")
