"""Does the SSH server offer broken algorithms?  Read from its KEXINIT (RFC 4253 7.1) and judged by
data/ssh_algorithms.toml; Terrapin is CVE-2023-48795."""

from checks.data.network import judge_algorithms, terrapin_modes
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.ssh import SshAlgorithms, SshService
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)

_KINDS = ("kex", "host_keys", "ciphers", "macs")

CONF = """
    Ciphers -*-cbc,arcfour*
    MACs -hmac-md5*,hmac-sha1*,umac-64*
    KexAlgorithms -diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1
    HostKeyAlgorithms -ssh-rsa,ssh-dss"""

TERRAPIN = """
    Ciphers -chacha20-poly1305@openssh.com,*-cbc"""

DEBIAN = """
    sudo apt update && sudo apt install --only-upgrade openssh-server
    sudoedit /etc/ssh/sshd_config.d/00-algorithms.conf
    sudo sshd -t && sudo systemctl reload ssh"""

RHEL = """
    sudo dnf upgrade openssh-server crypto-policies
    sudo update-crypto-policies --show
    sudo update-crypto-policies --set DEFAULT
    sudo systemctl restart sshd"""

VERIFY = """
    nmap -Pn -p 22 --script ssh2-enum-algos example.social"""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("+"),),
    references=(
        Reference(
            "RFC 9142: Key Exchange Method Updates and Recommendations for SSH",
            "https://www.rfc-editor.org/rfc/rfc9142",
        ),
        Reference("Terrapin Attack", "https://terrapin-attack.com/"),
        Reference("sshd_config(5): Ciphers", "https://man.openbsd.org/sshd_config#Ciphers"),
    ),
    title=Text(
        "SSH offers no broken algorithms, and Terrapin is countered",
        "SSH に破られた暗号方式がなく、Terrapin 対策済みである",
    ),
    why=Text(
        "What the server still offers, an attacker in the middle may bring both sides to use. Old algorithms stay in configurations long after the reason for them is gone.",
        "サーバが提示している古い方式は、通信に割り込んだ攻撃者に使わせられるおそれがあります。理由がなくなった後も、設定に残り続けていることがよくあります。",
    ),
    expected=Text(
        "No 3DES, RC4, Blowfish, DSA, MD5 or group1 is offered, no SHA-1 where it can be left out, and strict key exchange (or neither ChaCha20 nor CBC with encrypt-then-MAC) counters Terrapin.",
        "3DES・RC4・Blowfish・DSA・MD5・group1 を提示せず、SHA-1 も外していて、strict key exchange に対応している（または ChaCha20 も、encrypt-then-MAC と CBC の組み合わせもない）状態。",
    ),
    fix=Fix(
        Text(
            "Update OpenSSH first; current versions offer little of this by default. Then look for lines in sshd_config that name algorithms, and delete them. What is left can be taken out with a minus sign:\n"
            + CONF
            + "\n\nOnly where an update is impossible, against Terrapin:\n"
            + TERRAPIN
            + "\n\nA keyword counts once: put all names of one kind on one line.",
            "まず OpenSSH を更新してください。いまの版は、古い方式をほとんど提示しません。続いて、sshd_config で方式を指定している行を探して削除します。それでも残るものは、先頭にマイナスを付けて外せます。\n"
            + CONF
            + "\n\n更新できない場合に限り、Terrapin への対策として次のように書きます。\n"
            + TERRAPIN
            + "\n\n同じキーワードは最初の1行しか効かないため、まとめて書いてください。",
        ),
        variants=(
            (
                "Debian/Ubuntu",
                Text(
                    "Update, write the file, reload:\n" + DEBIAN,
                    "更新し、ファイルを書いて再読み込みします。\n" + DEBIAN,
                ),
            ),
            (
                "RHEL/Fedora",
                Text(
                    "Here the system-wide crypto policy decides; LEGACY should not stay:\n" + RHEL,
                    "システム全体の暗号ポリシーで決まります。LEGACY のままにしないでください。\n" + RHEL,
                ),
            ),
        ),
    ),
    verify=Text(
        "List what the server offers; the names above must be gone:\n" + VERIFY,
        "提示される方式の一覧を取り、上の名前がないことを確認します。\n" + VERIFY,
    ),
    codes={
        "sound": Text(
            "Only sound algorithms are offered, a post-quantum key exchange ({pq}) among them.",
            "問題のある方式はなく、耐量子の鍵交換（{pq}）にも対応しています。",
        ),
        "sound_classic": Text(
            "Only sound algorithms are offered. A post-quantum key exchange is not among them yet.",
            "問題のある方式はありません。耐量子の鍵交換にはまだ対応していません。",
        ),
        "broken": Text(
            "Broken algorithms are offered: {names}.", "破られた方式が提示されています（{names}）。"
        ),
        "terrapin": Text(
            "Terrapin is not countered: strict key exchange is missing while these modes are offered: {names}.",
            "Terrapin 攻撃への対策がありません。strict key exchange に非対応のまま、{names} が提示されています。",
        ),
        "weak": Text(
            "Weak algorithms are offered that a current client does not need: {names}.",
            "いまのクライアントには不要な、弱い方式が提示されています（{names}）。",
        ),
        "not_seen": Text(
            "No SSH server answers fedisec on port {port} or 22.",
            "{port} 番と22番では SSH が fedisec に応答しません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    ssh = facts.get(SshService)
    if not ssh.speaking:
        return unknown("not_seen", ssh.unseen, port=ssh.named_port)
    heard = [(f"KEXINIT {one.address} port {one.port}", seen(one.algorithms)) for one in ssh.speaking]
    lists = [(label, offered) for label, offered in heard if offered is not None]
    if not lists:
        raise MissingFact(Missing(Reason.NOT_ASKED))
    for label, offered in lists:
        broken = _named("broken", offered)
        if broken:
            return failed("broken", names=broken).seen(label, _shown(offered))
        open_modes = ", ".join(terrapin_modes(offered.kex, offered.ciphers, offered.macs))
        if open_modes:
            return failed("terrapin", names=open_modes).seen(label, _shown(offered))
    for label, offered in lists:
        weak = _named("weak", offered)
        if weak:
            return warned("weak", names=weak).seen(label, _shown(offered))
    label, offered = lists[0]
    hybrid = judge_algorithms("post_quantum", "kex", offered.kex)
    verdict = passed("sound", pq=hybrid[0]) if hybrid else passed("sound_classic")
    return verdict.seen(label, _shown(offered))


def _named(verdict: str, offered: SshAlgorithms) -> str:
    return ", ".join(n for kind in _KINDS for n in judge_algorithms(verdict, kind, getattr(offered, kind)))


def _shown(offered: SshAlgorithms) -> str:
    return "\n".join(f"{kind}: {', '.join(getattr(offered, kind))}" for kind in _KINDS)
