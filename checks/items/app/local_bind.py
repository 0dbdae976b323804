"""Does the application port listen on loopback or a socket only?  From outside: does it answer at all?  What
answers there decides; the inside tells what it is bound to."""

from checks.data.network import app_ports
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.facts.ports import OpenPorts
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Status,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.exposure import gap_of, labels, open_of, proof
from checks.parse.host.firewall import Fate
from checks.parse.host.sockets import Listener
from checks.parse.host.sockets_reach import Open, lines, names, sockets_of

_PROXIES = ("nginx", "apache2", "httpd", "caddy", "traefik", "haproxy", "varnish", "crowdsec", "ssh")

MASTODON = """
    BIND=127.0.0.1"""

AKKOMA = """
    config :pleroma, Pleroma.Web.Endpoint,
      http: [ip: {127, 0, 0, 1}, port: 4000]"""

MISSKEY = """
    socket: /run/misskey/misskey.sock
    chmodSocket: '770'"""

COMPOSE = """
    ports:
      - "127.0.0.1:3000:3000\""""

GTS = """
    bind-address: "127.0.0.1\""""

SEE = """
    ss -ltn"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        INSIDE,
        OUTSIDE,
    ),
    sources=(Source("004", "http"),),
    references=(
        Reference("Mastodon: Deployment", "https://docs.joinmastodon.org/admin/config/#deployment"),
        Reference(
            "GoToSocial: General configuration",
            "https://docs.gotosocial.org/en/latest/configuration/general/",
        ),
    ),
    title=Text(
        "The application port is reachable through the proxy only",
        "アプリのポートにはプロキシ経由でしか接続できない",
    ),
    why=Text(
        "Behind the proxy the software trusts what the proxy says about visitors, https and limits. Whoever reaches its port directly can forge all of that and goes round the CDN as well.",
        "ソフトウェアは、接続元や https かどうかなどの情報をプロキシから受け取り、信用しています。ポートに直接つながると、それらを偽装でき、CDN も素通りできます。",
    ),
    expected=Text(
        "The port (3000, 4000, 8080 …) listens on 127.0.0.1, ::1 or a Unix socket.",
        "アプリのポート（3000・4000・8080 など）が 127.0.0.1・::1・Unix ソケットのいずれかだけで待ち受けている状態。",
    ),
    fix=Fix(
        Text(
            "Bind the application to the loopback address, restart it, and test that the site still works through the proxy.",
            "アプリをループバックアドレスで待ち受けるようにして再起動し、プロキシ経由で表示できることを確認します。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "The variable belongs into the unit's Environment, not into .env.production:\n"
                    + MASTODON,
                    ".env.production ではなく、ユニットの Environment に書きます。\n" + MASTODON,
                ),
            ),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Docker",
                Text(
                    "A published port without an address goes past ufw. Name the address in front (Misskey's sample does not):\n"
                    + COMPOSE,
                    "アドレスを省いて公開したポートは ufw を素通りします。先頭にアドレスを付けてください（Misskey の見本には付いていません）。\n"
                    + COMPOSE,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Misskey listens on all addresses by its port. In .config/default.yml, put a socket in place of port and let the proxy pass to it; or keep the port and close it in the firewall.\n"
                    + MISSKEY,
                    "Misskey は port の番号をすべてのアドレスで待ち受けます。.config/default.yml で port の代わりにソケットを指定し、プロキシからそこへ渡してください。port を使い続けるなら、ファイアウォールで閉じます。\n"
                    + MISSKEY,
                ),
            ),
            ("GoToSocial", Text("Set these lines:\n" + GTS, "設定例：\n" + GTS)),
        ),
    ),
    verify=Text(
        "No line of the application may show 0.0.0.0, an asterisk or [::]:\n" + SEE,
        "アプリの行に 0.0.0.0・*・[::] が出ないことを確認します。\n" + SEE,
    ),
    codes={
        "closed": Text(
            "The ports on which this software usually listens ({ports}) do not answer from outside.",
            "このソフトウェアが通常使うポート（{ports}）は、外部から応答しません。",
        ),
        "answers": Text(
            "An application port answers web requests from outside: {ports}.",
            "アプリのポートが、外部からのウェブリクエストに直接応答します（{ports}）。",
        ),
        "accepts": Text(
            "An application port accepts connections from outside, but did not answer a web request: {ports}.",
            "アプリのポートが外部からの接続を受け付けますが、ウェブリクエストには応答しませんでした（{ports}）。",
        ),
        "loopback": Text(
            "The application listens on the loopback address only ({ports}). It was not looked at from outside.",
            "アプリはループバックアドレスだけで待ち受けています（{ports}）。外部からは調べていません。",
        ),
        "closed_but_listening": Text(
            "The application listens on all addresses ({ports}). Strangers do not reach it now, but the firewall alone keeps them out.",
            "アプリがすべてのアドレスで待ち受けています（{ports}）。現在外部からは届きませんが、ファイアウォールだけに頼っています。",
        ),
        "listens_open": Text(
            "The application listens on all addresses, and the host's rules let strangers in: {ports}.",
            "アプリがすべてのアドレスで待ち受けており、ホストのルールでも遮断されていません（{ports}）。",
        ),
        "listens_wide": Text(
            "The application listens on all addresses ({ports}); whether strangers reach it was not seen.",
            "アプリがすべてのアドレスで待ち受けています（{ports}）。外部から届くかどうかは確認できていません。",
        ),
        "no_listener": Text(
            "No TCP port of the application was found on the server; it may use a Unix socket or a container.",
            "サーバ上にアプリの TCP ポートが見つかりませんでした。Unix ソケットかコンテナを使っている可能性があります。",
        ),
        "port_not_known": Text(
            "On which port this software listens is not known; only the inside can tell.",
            "このソフトウェアの使うポートがわからないため、外部からは判断できません。",
        ),
        "behind_cdn": Text(
            "{cdn} stands in front; name the origin's address to have it looked at.",
            "手前に {cdn} があります。オリジンのアドレスを登録すると調べられます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ports, sockets = facts.maybe(OpenPorts), sockets_of(facts.maybe(Inside))
    if sockets is None:
        verdict = (
            _by_wire(facts.get(OpenPorts), facts.get(Software)) if _is_scanned(facts.get(OpenPorts)) else None
        )
        if isinstance(verdict, Missing):
            raise MissingFact(verdict)
        return verdict or not_applicable("behind_cdn", cdn=facts.get(OpenPorts).behind_cdn)
    software = facts.maybe(Software)
    numbers = app_ports(software.family) if software is not None else ()
    seen = (
        _by_wire(ports, software)
        if ports is not None and software is not None and _is_scanned(ports)
        else None
    )
    wide = [one for one in sockets.open if _is_app(one.listener, numbers)]
    local = [one for one in sockets.all if one.is_private and _is_app(one, numbers)]
    if isinstance(seen, Verdict) and seen.status is not Status.UNKNOWN:
        return _with_inside(seen, wide, local)
    return _by_listening(wide, local)


def _is_scanned(ports: OpenPorts) -> bool:
    return bool(ports.addresses)


def _by_wire(ports: OpenPorts, software: Software) -> Verdict | Missing:
    numbers = app_ports(software.family)
    if not numbers:
        return unknown("port_not_known", Reason.NOT_CONNECTED)
    found = [one for one in open_of(ports) if one.seen.port in numbers and one.seen.service != "ssh"]
    speaking = [one for one in found if one.seen.service]
    if speaking:
        return failed("answers", ports=labels(speaking)).seen("TCP connect", proof(speaking))
    if found:
        return warned("accepts", ports=labels(found)).seen("TCP connect", proof(found))
    tried = [(one.address, p) for one in ports.addresses for p in one.ports if p.port in numbers]
    gap = gap_of(ports, numbers) or (None if tried else Missing(Reason.NOT_ASKED))
    if gap is not None:
        return gap
    shown = ", ".join(str(number) for number in numbers)
    states = "\n".join(f"{address} port {p.port}: {p.state}" for address, p in tried)
    return passed("closed", ports=shown).seen("TCP connect", states)


def _with_inside(verdict: Verdict, wide: list[Open], local: list[Listener]) -> Verdict:
    text = lines(wide) or "\n".join(one.shown() for one in local)
    if verdict.code == "closed" and wide:
        tested = verdict.evidence[0]
        worse = warned("closed_but_listening", ports=names(wide)).seen("inside: ss", text)
        return worse.seen(tested.label, tested.text)
    return verdict.seen("inside: ss", text) if text else verdict


def _by_listening(wide: list[Open], local: list[Listener]) -> Verdict:
    if any(one.fate is Fate.ACCEPT for one in wide):
        return failed("listens_open", ports=names(wide)).seen("inside: ss", lines(wide))
    if wide and all(one.fate is Fate.DROP for one in wide):
        return warned("closed_but_listening", ports=names(wide)).seen("inside: ss", lines(wide))
    if wide:
        return warned("listens_wide", ports=names(wide)).seen("inside: ss", lines(wide))
    if not local:
        return unknown("no_listener", Reason.NOT_ASKED)
    text = "\n".join(one.shown() for one in local)
    ports = ", ".join(dict.fromkeys(str(one.port) for one in local))
    return passed("loopback", ports=ports).seen("inside: ss", text)


def _is_app(one: Listener, numbers: tuple[int, ...]) -> bool:
    """The software's own unit; or one of its usual ports, unless another known program holds it."""
    if one.protocol != "tcp":
        return False
    return bool(one.app) or (one.port in numbers and not one.unit.startswith(_PROXIES) and not one.database)
