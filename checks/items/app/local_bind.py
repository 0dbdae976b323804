"""Does the application port listen on loopback or a socket only?  From outside: does it answer at all?"""

from checks.data.network import app_ports
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.ports import OpenPorts
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.exposure import gap_of, labels, open_of, proof

MASTODON = """
    BIND=127.0.0.1"""

AKKOMA = """
    config :pleroma, Pleroma.Web.Endpoint,
      http: [ip: {127, 0, 0, 1}, port: 4000]"""

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
            ("Akkoma, Pleroma", Text("The lines for it:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Docker",
                Text(
                    "A published port without an address goes past ufw. Name the address in front (Misskey's sample does not):\n"
                    + COMPOSE,
                    "アドレスを省いて公開したポートは ufw を素通りします。先頭にアドレスを付けてください（Misskey の見本には付いていません）。\n"
                    + COMPOSE,
                ),
            ),
            ("GoToSocial", Text("The lines for it:\n" + GTS, "設定例：\n" + GTS)),
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
            "アプリのポートが、外部からの Web リクエストに直接応答します（{ports}）。",
        ),
        "accepts": Text(
            "An application port accepts connections from outside, but did not answer a web request: {ports}.",
            "アプリのポートが外部からの接続を受け付けますが、Web リクエストには応答しませんでした（{ports}）。",
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
    ports = facts.get(OpenPorts)
    if not ports.addresses:
        return not_applicable("behind_cdn", cdn=ports.behind_cdn)
    numbers = app_ports(facts.get(Software).family)
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
        raise MissingFact(gap)
    shown = ", ".join(str(number) for number in numbers)
    states = "\n".join(f"{address} port {p.port}: {p.state}" for address, p in tried)
    return passed("closed", ports=shown).seen("TCP connect", states)
