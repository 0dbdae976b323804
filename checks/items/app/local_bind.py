"""Does the application port listen on loopback or a socket only?  From outside: does it answer at all?"""

from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.ports import OpenPorts, PortState
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
)

# The ports on which the known software listens by default, and those of its metrics.
_APP_PORTS = frozenset({3000, 4000, 4021, 8080, 8536, 9000, 9394, 9464})

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
            "None of the usual application ports answers from outside.",
            "よく使われるアプリのポートは、どれも外部から応答しません。",
        ),
        "answers": Text(
            "Port {port} answers from outside on {address}.",
            "{address} の {port} 番ポートが外部から応答します。",
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
    if ports.behind_cdn and not ports.addresses:
        return not_applicable("behind_cdn", cdn=ports.behind_cdn)
    tried = [(a.address, p) for a in ports.addresses for p in a.ports if p.port in _APP_PORTS]
    for address, port in tried:
        if port.state is PortState.OPEN:
            verdict = failed("answers", port=port.port, address=address)
            return verdict.seen(f"{address} port {port.port}", port.answer or "connection accepted")
    blind = [port.state for _, port in tried if isinstance(port.state, Missing)]
    if blind or not tried:
        raise MissingFact(blind[0] if blind else Missing(Reason.NOT_ASKED))
    return passed("closed").seen("ports", ", ".join(f"{p.port} {p.state}" for _, p in tried))
