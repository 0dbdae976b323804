"""Does the SSH server offer public-key authentication?  RFC 4252 sections 5.2 and 7.  What it offers decides;
where it does not answer, its configuration tells."""

from checks.facts import Facts, seen
from checks.facts.inside import Inside
from checks.facts.ssh import SshService
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
    passed,
    unknown,
)
from checks.parse.host.sshd import Sshd, sshd_of

KEY = """
    ssh-keygen -t ed25519
    ssh-copy-id -i ~/.ssh/id_ed25519.pub admin@example.social"""

CONF = """
    PubkeyAuthentication yes"""

MODES = """
    chmod 700 ~/.ssh
    chmod 600 ~/.ssh/authorized_keys"""

SELINUX = """
    restorecon -Rv ~/.ssh"""

VERIFY = """
    ssh -o PreferredAuthentications=publickey admin@example.social true"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(OUTSIDE, INSIDE),
    sources=(Source("000", "Basic"),),
    references=(
        Reference(
            "RFC 4252 section 7: The Secure Shell (SSH) Authentication Protocol",
            "https://www.rfc-editor.org/rfc/rfc4252#section-7",
        ),
        Reference("ssh-keygen(1)", "https://man.openbsd.org/ssh-keygen"),
    ),
    title=Text(
        "SSH offers public-key authentication",
        "SSH で公開鍵認証を使える",
    ),
    why=Text(
        "A key on your own computer cannot be guessed and is never sent to the server. It is what lets you switch passwords off.",
        "手元の鍵は推測できず、サーバに送られることもありません。公開鍵認証があるからこそ、パスワードログインを止められます。",
    ),
    expected=Text(
        "The server offers the method publickey, and each admin logs in with a key of their own that has a passphrase or lies on a security key.",
        "サーバが publickey を提示し、管理者がそれぞれ自分の鍵（パスフレーズ付き、またはセキュリティキー上の鍵）でログインしている状態。",
    ),
    fix=Fix(
        Text(
            "Make a key on your own computer and bring its public half to the server:\n"
            + KEY
            + "\n\nsshd allows keys by default. If somebody switched them off, set in its configuration and reload:\n"
            + CONF
            + "\n\nThe folder and the file must belong to the user alone:\n"
            + MODES,
            "手元の PC で鍵を作り、公開鍵をサーバに登録します。\n"
            + KEY
            + "\n\n公開鍵認証は sshd の既定で有効です。無効になっている場合は、設定して再読み込みします。\n"
            + CONF
            + "\n\nフォルダとファイルは本人だけが読み書きできるようにします。\n"
            + MODES,
        ),
        variants=(
            (
                "RHEL/Fedora",
                Text(
                    "With SELinux a copied file may carry the wrong label:\n" + SELINUX,
                    "SELinux では、コピーしたファイルのラベルを直す必要がある場合があります。\n" + SELINUX,
                ),
            ),
        ),
    ),
    verify=Text(
        "This must log in without asking for the account's password:\n" + VERIFY,
        "アカウントのパスワードを聞かれずにログインできることを確認します。\n" + VERIFY,
    ),
    codes={
        "offered": Text(
            "The server offers publickey to {user}.",
            "{user} に対して publickey が提示されます。",
        ),
        "not_offered": Text(
            "On port {port} the server offers {user} no publickey, only: {methods}.",
            "{port} 番ポートで、{user} に publickey が提示されません（提示された方式は {methods}）。",
        ),
        "allowed": Text(
            "From outside no SSH server answered; its configuration allows keys.",
            "外部からは SSH の応答がありませんが、設定では公開鍵認証が有効です。",
        ),
        "switched_off": Text(
            "PubkeyAuthentication is switched off in the configuration of the server.",
            "サーバの設定で PubkeyAuthentication が無効になっています。",
        ),
        "not_seen": Text(
            "No SSH server answers fedisec on port {port} or 22; the inside must tell.",
            "{port} 番と22番では SSH が fedisec に応答しないため、内部から確認する必要があります。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    inside, ssh = facts.maybe(Inside), facts.maybe(SshService)
    heard = ssh is not None and ssh.speaking and all(isinstance(one.methods, tuple) for one in ssh.speaking)
    sshd = sshd_of(inside) if inside is not None and not heard else None
    if isinstance(sshd, Sshd):
        verdict = passed("allowed") if sshd.one("pubkeyauthentication") == "yes" else failed("switched_off")
        return verdict.seen(f"inside: {sshd.source}", sshd.shown())
    return _by_wire(facts.get(SshService))


def _by_wire(ssh: SshService) -> Verdict:
    if not ssh.speaking:
        return unknown("not_seen", ssh.unseen, port=ssh.named_port)
    for one in ssh.speaking:
        methods = seen(one.methods)
        shown = ", ".join(methods) or "none"
        if "publickey" not in methods:
            return failed("not_offered", port=one.port, user=ssh.user, methods=shown).seen(
                f"SSH {one.address} port {one.port}", f"{one.banner}\nmethods for {ssh.user}: {shown}"
            )
    first = ssh.speaking[0]
    return passed("offered", user=ssh.user).seen(f"SSH {first.address} port {first.port}", first.banner)
