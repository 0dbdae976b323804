"""Does anything but the web, SSH and wanted mail answer from outside?

Judged over the list in data/ports.toml, by TCP connects; a CDN's ports say nothing about the server.  The look
from outside decides what can be reached; the inside names who listens, and adds the ports that were not tried."""

from checks.data.network import Danger
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.inside import Inside
from checks.facts.mail import MailRoutes
from checks.facts.ports import OpenPorts
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
    unknown,
    warned,
)
from checks.parse.exposure import OpenPort, gap_of, labels, open_of, proof, receives_mail
from checks.parse.host.firewall import Fate
from checks.parse.host.sockets_reach import Sockets, lines, names, sockets_of

_EXPECTED = {Danger.WEB, Danger.SSH}
_EXPOSED = {Danger.DATABASE, Danger.CONTROL, Danger.LEGACY, Danger.METRICS}

LISTENING = """
    sudo ss -ltnp"""

UFW = """
    sudo ufw default deny incoming
    sudo ufw allow 80/tcp
    sudo ufw allow 443
    sudo ufw allow OpenSSH
    sudo ufw enable
    sudo ufw status numbered
    sudo ufw delete NUMBER"""

FIREWALLD = """
    sudo firewall-cmd --list-all
    sudo firewall-cmd --permanent --add-service=http --add-service=https --add-service=ssh
    sudo firewall-cmd --permanent --remove-port=3000/tcp
    sudo firewall-cmd --reload"""

COMPOSE = """
    ports:
      - "127.0.0.1:3000:3000\""""

NMAP = """
    nmap -Pn -p- example.social
    nmap -6 -Pn -p- example.social"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("003", "構築/ファイアウォール"), Source("000", "Basic")),
    references=(
        Reference("Nmap Reference Guide", "https://nmap.org/book/man.html"),
        Reference("Mastodon: Preparing your machine", "https://docs.joinmastodon.org/admin/prerequisites/"),
    ),
    title=Text(
        "Only web, SSH and wanted mail ports answer from outside",
        "外部に開いているのが HTTP・HTTPS・SSH と必要なメールのポートだけである",
    ),
    why=Text(
        "Every open port is a program that strangers may talk to, and scanners find it within hours. What visitors do not need is best not reachable at all.",
        "開いているポートの先にあるプログラムには、誰でも話しかけられます。スキャナに見つかるのも時間の問題なので、利用者に必要のないものは届かないようにするのが一番です。",
    ),
    expected=Text(
        "From the internet only 80, 443 and the SSH port answer, and the mail ports if the server receives mail, over IPv4 and IPv6 alike. The scan tries the ports that matter most, not all 65535.",
        "インターネットから応答するのが 80・443・SSH のポートだけで、IPv6 でも同じ状態。自前でメールを受けるサーバでは、メールのポートも含めて構いません。fedisec が調べるのは主要なポートで、65535個すべてではありません。",
    ),
    fix=Fix(
        Text(
            "Find the program behind the port. Bind it to 127.0.0.1 or stop it, then close the port in the firewall.\n"
            + LISTENING
            + "\n\nBefore you switch a firewall on over SSH, make sure that the SSH port is allowed, and keep a second session open.",
            "そのポートで待ち受けているプログラムを調べます。127.0.0.1 だけで待ち受けるようにするか、止めたうえで、ファイアウォールでも閉じてください。\n"
            + LISTENING
            + "\n\nSSH 越しにファイアウォールを有効にするときは、先に SSH のポートを許可し、別の SSH 接続を残したまま作業してください。",
        ),
        variants=(
            (
                "ufw",
                Text(
                    "For an SSH port other than 22, allow its number in place of OpenSSH.\n" + UFW,
                    "SSH のポートを変えている場合は、OpenSSH の代わりにその番号を許可します。\n" + UFW,
                ),
            ),
            (
                "firewalld",
                Text(
                    "Remove each port and service that has no business there.\n" + FIREWALLD,
                    "不要なポートやサービスを取り除きます。\n" + FIREWALLD,
                ),
            ),
            (
                "Docker",
                Text(
                    "A published port goes past ufw. Write the loopback address in front of it, or delete the entry.\n"
                    + COMPOSE,
                    "公開したポートは ufw を素通りします。先頭にループバックアドレスを書くか、その行を削除してください。\n"
                    + COMPOSE,
                ),
            ),
        ),
    ),
    verify=Text(
        "From another machine, outside the provider's network; 80, 443 and SSH are left:\n" + NMAP,
        "別の回線にあるマシンから調べ、80・443・SSH だけが残ることを確認します。\n" + NMAP,
    ),
    codes={
        "only_expected": Text(
            "Of the {count} ports tried, only the expected ones answer: {open}.",
            "調べた {count} 個のポートのうち、応答したのは想定どおりのものだけです（{open}）。",
        ),
        "exposed": Text(
            "Ports answer that no stranger should reach: {ports}.",
            "外部から届くべきでないポートが応答しています（{ports}）。",
        ),
        "unexpected": Text(
            "Ports answer that visitors do not need: {ports}.",
            "利用者に必要のないポートが応答しています（{ports}）。",
        ),
        "untried": Text(
            "From outside only the expected ports answer. On ports that were not tried, these listen and the host lets strangers in: {ports}.",
            "外部から応答するのは想定どおりのポートだけですが、調べていないポートで待ち受け、ホストのルールでも遮断されていないものがあります（{ports}）。",
        ),
        "filtered_inside": Text(
            "Apart from the expected ports, nothing listens on a public address that the host's rules let strangers reach. It was not looked at from outside.",
            "想定されるポートのほかに、不特定の相手から届くものは待ち受けていません（外部からは調べていません）。",
        ),
        "listening": Text(
            "These listen on public addresses, and the host lets strangers in: {ports}. It was not looked at from outside.",
            "公開アドレスで待ち受け、ホストのルールでも遮断されていないものがあります（{ports}）。外部からは調べていません。",
        ),
        "rules_not_seen": Text(
            "These listen on public addresses ({ports}); whether the host's rules keep strangers out was not shown.",
            "公開アドレスで待ち受けているものがありますが（{ports}）、ホストのルールで遮断されているかどうかは確認できませんでした。",
        ),
        "behind_cdn": Text(
            "{cdn} stands in front, so its ports were not tried. Name the address of the origin to have that one looked at.",
            "手前に {cdn} があるため、ポートは調べていません。オリジンのアドレスを登録すると、そちらを調べます。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ports, sockets = facts.maybe(OpenPorts), sockets_of(facts.maybe(Inside))
    verdict = _by_wire(ports, facts) if ports is not None and ports.addresses else None
    if isinstance(verdict, Verdict):
        return _with_inside(verdict, ports, sockets) if ports is not None and sockets is not None else verdict
    if sockets is not None:
        return _by_listening(sockets)
    if verdict is not None:
        raise MissingFact(verdict)
    return not_applicable("behind_cdn", cdn=facts.get(OpenPorts).behind_cdn)


def _by_wire(ports: OpenPorts, facts: Facts) -> Verdict | Missing:
    found = open_of(ports)
    exposed = [one for one in found if _is_exposed(one)]
    if exposed:
        return failed("exposed", ports=labels(exposed)).seen("TCP connect", proof(exposed))
    mail = [one for one in found if one.danger is Danger.MAIL]
    wanted = bool(mail) and receives_mail(facts.get(MailRoutes), [a.address for a in ports.addresses])
    odd = [one for one in found if one.danger not in _EXPECTED and not (wanted and one in mail)]
    if odd:
        return warned("unexpected", ports=labels(odd)).seen("TCP connect", proof(odd))
    gap = gap_of(ports) or (None if found else Missing(Reason.TIMEOUT))
    if gap is not None:
        return gap
    count = len({port.port for one in ports.addresses for port in one.ports})
    return passed("only_expected", count=count, open=labels(found)).seen("TCP connect", proof(found))


def _with_inside(verdict: Verdict, ports: OpenPorts, sockets: Sockets) -> Verdict:
    """Outside decides; the inside names who listens, and adds the ports that were not tried."""
    answering = {one.seen.port for one in open_of(ports)}
    holders = [one for one in sockets.open if one.listener.port in answering]
    untried = [one for one in sockets.untried(ports) if one.fate is Fate.ACCEPT and not one.is_expected]
    if verdict.code == "only_expected" and untried:
        tested = verdict.evidence[0]
        worse = warned("untried", ports=names(untried)).seen("inside: ss", lines(untried))
        return worse.seen(tested.label, tested.text)
    return verdict.seen("inside: ss", lines(holders)) if holders else verdict


def _by_listening(sockets: Sockets) -> Verdict:
    odd = [one for one in sockets.open if not one.is_expected]
    reached = [one for one in odd if one.fate is Fate.ACCEPT]
    if reached:
        return warned("listening", ports=names(reached)).seen("inside: ss", lines(reached))
    unclear = [one for one in odd if one.fate is Fate.MAYBE]
    if unclear:
        return unknown("rules_not_seen", Reason.DENIED, ports=names(unclear))
    return passed("filtered_inside").seen("inside: ss", lines(sockets.open) or "(no public socket)")


def _is_exposed(one: OpenPort) -> bool:
    return one.danger in _EXPOSED or (one.danger is Danger.APP and bool(one.seen.service))
