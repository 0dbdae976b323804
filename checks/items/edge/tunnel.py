"""Does cloudflared or another tunnel carry inbound traffic?

From outside a tunnel looks like any other server or CDN: what can be seen is shown, the answer is the admin's.
Inside its unit shows; whether the origin still answers past it is seen from outside again."""

from checks.data.network import cdn_in_front
from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.facts.edge import OriginExposure
from checks.facts.ports import OpenPorts, PortState
from checks.model import (
    INSIDE,
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    passed,
    warned,
)
from checks.parse.host.egress import parse_egress
from checks.parse.host.sections import lines_if_any

INSTALL = """
    sudo mkdir -p --mode=0755 /usr/share/keyrings
    curl -fsSL https://pkg.cloudflare.com/cloudflare-main.gpg | sudo tee /usr/share/keyrings/cloudflare-main.gpg >/dev/null
    echo 'deb [signed-by=/usr/share/keyrings/cloudflare-main.gpg] https://pkg.cloudflare.com/cloudflared any main' | sudo tee /etc/apt/sources.list.d/cloudflared.list
    sudo apt update && sudo apt install cloudflared
    sudo cloudflared service install TOKEN"""

RHEL = """
    curl -fsSL https://pkg.cloudflare.com/cloudflared-ascii.repo | sudo tee /etc/yum.repos.d/cloudflared.repo
    sudo dnf install cloudflared
    sudo cloudflared service install TOKEN"""

CLOSE = """
    sudo ufw delete allow 80/tcp
    sudo ufw delete allow 443"""

ORIGIN = """
    originRequest:
      originServerName: example.social"""

OTHERS = """
    server {
      listen 10.8.0.2:443 ssl;
    }"""

VERIFY = """
    systemctl is-active cloudflared
    sudo ss -tnp | grep cloudflared
    curl -s -m 5 --resolve example.social:443:203.0.113.5 https://example.social/"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(INSIDE, OUTSIDE, MANUAL),
    sources=(Source("001", "Setting up"),),
    references=(
        Reference(
            "Cloudflare: Tunnel",
            "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/",
        ),
    ),
    title=Text(
        "A tunnel carries the inbound traffic",
        "外部からの通信をトンネル経由で受けている",
    ),
    why=Text(
        "With a tunnel the server itself dials out and opens no web port at all, so nobody can reach it past the shield, and a home connection does not show its address. All traffic then depends on one provider.",
        "トンネルではサーバ側から接続しに行くため、ウェブのポートを開ける必要がなく、CDN を迂回されません。自宅の回線でもアドレスを知られずに済みますが、通信のすべてを1つの事業者に頼ることになります。",
    ),
    expected=Text(
        "cloudflared (or a WireGuard tunnel to a rented front server, frp, Tailscale Funnel) runs as a service, and ports 80 and 443 of the origin are closed to the internet.",
        "cloudflared などのトンネル（借りたサーバへの WireGuard や frp、Tailscale Funnel も可）がサービスとして動き、オリジンの 80 と 443 がインターネットから閉じている状態。",
    ),
    fix=Fix(
        Text(
            "Make a tunnel in the provider's dashboard with a permanent name (not a trial one), send it to the web server on this host, test, and then close the web ports:\n"
            + CLOSE
            + "\n\nA self-signed certificate between the tunnel and the web server on the same host is fine; do not switch verification off where that stretch leaves the host.",
            "事業者のダッシュボードで、恒久的なホスト名（試用のものではないもの）のトンネルを作り、このホストのウェブサーバに向けます。動作を確認してから、ウェブのポートを閉じます。\n"
            + CLOSE
            + "\n\nトンネルとウェブサーバが同じホストにあれば、その間は自己署名証明書で構いません。ホストの外を通る区間では、証明書の検証を無効にしないでください。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "The token comes from the dashboard:\n" + INSTALL,
                    "TOKEN はダッシュボードに表示されます。\n" + INSTALL,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "The token comes from the dashboard:\n" + RHEL,
                    "TOKEN はダッシュボードに表示されます。\n" + RHEL,
                ),
            ),
            (
                "cloudflared",
                Text(
                    "With a real certificate on the origin, name it rather than switching verification off:\n"
                    + ORIGIN,
                    "オリジンに正規の証明書があるなら、検証を無効にせず名前を指定します。\n" + ORIGIN,
                ),
            ),
            (
                "WireGuard",
                Text(
                    "A small rented server in front forwards 80 and 443 through the tunnel; the web server listens on the tunnel's address alone:\n"
                    + OTHERS,
                    "手前に借りた小さなサーバが、80 と 443 をトンネル越しに転送します。ウェブサーバはトンネルのアドレスだけで待ち受けます。\n"
                    + OTHERS,
                ),
            ),
        ),
    ),
    verify=Text(
        "The service is active and connected, and the origin's own address (here 203.0.113.5) does not answer:\n"
        + VERIFY,
        "サービスが動いて接続済みであり、オリジンのアドレス（例では 203.0.113.5）が応答しないことを確認します。\n"
        + VERIFY,
    ),
    codes={
        "behind_cdn": Text(
            "{cdn} answers for the name. Whether a tunnel leads from there to the server cannot be seen from outside; please answer.",
            "この名前には {cdn} が応答します。その先がトンネルかどうかは外部からわからないため、回答してください。",
        ),
        "no_cdn": Text(
            "The name leads to {address}, no CDN's address. Whether a tunnel begins there cannot be seen from outside; please answer.",
            "この名前は CDN ではないアドレス {address} を指します。そこからトンネルを通るかどうかは外部からわからないため、回答してください。",
        ),
        "only_way": Text(
            "{unit} is active, and the origin's ports 80 and 443 are closed from outside.",
            "{unit} が動いていて、オリジンの 80 と 443 は外部から閉じています。",
        ),
        "open_beside": Text(
            "{unit} is active, but the origin {address} answers on port {port} past it.",
            "{unit} は動いていますが、オリジン {address} のポート {port} がトンネルを通さずに応答します。",
        ),
        "origin_unseen": Text(
            "{unit} is active. Name the origin's address to have its ports 80 and 443 tried past the tunnel, or answer.",
            "{unit} が動いています。オリジンのアドレスを登録すると、80 と 443 が閉じているかも調べます。登録しない場合は回答してください。",
        ),
        "down": Text(
            "{unit} is installed, but it is {state}.",
            "{unit} は導入されていますが、動いていません（{state}）。",
        ),
    },
    attest_days=180,
)


@item.check
def check(facts: Facts) -> Verdict:
    lines = lines_if_any(facts, "egress")
    if lines is None:
        return _from_outside(facts)
    ways = parse_egress(lines)
    if ways.tunnels:
        return _with_tunnel(facts, ways.tunnels[0]).seen(
            "inside: systemctl show", f"{ways.tunnels[0]}: active"
        )
    if ways.down:
        name, state = ways.down[0], ways.inbound[ways.down[0]]
        return warned("down", unit=name, state=state).seen("inside: systemctl show", f"{name}: {state}")
    outside = _from_outside(facts)
    return outside.seen("inside: VPN that is up", ", ".join(ways.vpn_signs)) if ways.vpn_signs else outside


def _with_tunnel(facts: Facts, unit: str) -> Verdict:
    """Outside decides whether the origin is closed; only addresses that are not the CDN's own count."""
    exposure, ports = facts.maybe(OriginExposure), facts.maybe(OpenPorts)
    for one in exposure.answers if exposure else ():
        if one.serves_site:
            verdict = warned("open_beside", unit=unit, address=one.address, port=443)
            return verdict.seen("outside: GET past the CDN", one.address)
    tried = ports.addresses if ports is not None and ports.behind_cdn else ()
    web = [(one.address, port) for one in tried for port in one.ports if port.port in {80, 443}]
    for address, port in web:
        if port.state is PortState.OPEN:
            verdict = warned("open_beside", unit=unit, address=address, port=port.port)
            return verdict.seen("outside: TCP", f"{address} port {port.port}: open")
    if not web or any(port.state not in {PortState.CLOSED, PortState.FILTERED} for _, port in web):
        return asked("origin_unseen", unit=unit)
    shown = "\n".join(f"{address} port {port.port}: {port.state}" for address, port in web)
    return passed("only_way", unit=unit).seen("outside: TCP", shown)


def _from_outside(facts: Facts) -> Verdict:
    addresses = facts.get(Addresses)
    cdn, every = cdn_in_front(addresses), addresses.v4 + addresses.v6
    verdict = asked("behind_cdn", cdn=cdn.name) if cdn else asked("no_cdn", address=every[0])
    return verdict.seen(f"A, AAAA {addresses.host}", "\n".join(every))
