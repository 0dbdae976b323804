"""What a reader pastes: files that the programs themselves take, commands that a shell can read, programs that exist."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.items import all_items
from checks.model import INSIDE, OUTSIDE
from tests.checks.test_items import texts_of
from tests.checks.test_texts import is_command

# Programs that the commands call; a new one is added by whoever has read its manual.
PROGRAMS = frozenset(
    """
    aa-complain aa-enforce aa-logprof aa-status acme.sh adduser apachectl apk apt apt-config apt-get
    apt-mark augenrules ausearch awk aws bundle cat cd certbot chmod chown chronyc cloudflared
    composer cp createdb crontab cscli curl date df dig dnf do-release-upgrade docker dropdb du
    echo export fail2ban-client find firewall-cmd fixfiles free getenforce getent git gotosocial
    gpasswd gpg grep gunzip gzip hcloud head install ip6tables iptables journalctl keymgr knotc last
    leapp ls mariadb mail mariadb-dump mkdir nc needrestart nft nginx nmap node nsenter opendkim-genkey
    openssl passwd pdnsutil pg_dump pg_lsclusters pg_restore pg_upgradecluster php pkill pleroma_ctl
    pnpm podman postconf printf pro psql python3 rails rc-service rc-update reboot redis-cli
    redis-server restic restorecon rndc rpm rspamadm ruby sed semanage setenforce setsebool sh
    sha256sum sort sqlite3 ss ssh ssh-copy-id ssh-keygen sshd sudoedit systemctl tail tee
    timedatectl tootctl ufw uname unattended-upgrade update-crypto-policies update-grub useradd
    userdel usermod warp-cli whois wtmpdb xargs xcaddy yarn
    """.split()
)
# Words that stand before a program's name.
BEFORE = re.compile(r"(sudo|then|do|[A-Z_]+=\S*)$")
NGINX = re.compile(
    r"^(server \{|location |add_header |proxy_hide|proxy_set|ssl_|autoindex|set_real_ip_from)", re.M
)
SSHD = re.compile(
    r"(PasswordAuthentication|PermitRootLogin|Ciphers|Port|AllowUsers|ListenAddress|PubkeyAuthentication|Match) "
)


@dataclass(frozen=True)
class Block:
    """Some lines to paste together, and the text that they stand in."""

    where: str
    text: str


def blocks() -> Iterator[Block]:
    for item in all_items().values():
        for what, text in texts_of(item):
            for part in re.split(r"\n(?: {0,3}\S.*)?\n|\n(?= {0,3}\S)", text.en):
                lines = [line[4:] for line in part.split("\n") if is_command(line)]
                if lines:
                    yield Block(f"{item.id} {what}", "\n".join(lines))


ALL = list(blocks())


def program(words: list[str]) -> str:
    """The name of the program that a line or a part of a pipe calls; "" where there is none to name."""
    while words and (BEFORE.match(words[0]) or words[0] == "-u"):
        words = words[2:] if words[0] == "-u" else words[1:]
    return words[0].rpartition("/")[2] if words and not words[0].startswith(("'", "-")) else ""


def is_shell(line: str) -> bool:
    """Whether a line goes into a shell: it calls a program that we know, or asks for another user's rights."""
    words = line.split()
    return line.startswith("sudo ") or (program(words) in PROGRAMS and not line.endswith(";"))


def without_shell(block: Block) -> str:
    return "\n".join(line for line in block.text.split("\n") if not is_shell(line))


def test_nginx_takes_its_files(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    ask = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout {key} -out {certificate}"
    subprocess.run(ask.split(), check=True, capture_output=True)
    tls = f" ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
    whole, servers = [], []
    for number, block in enumerate(one for one in ALL if NGINX.search(one.text)):
        text = re.sub(r"(/etc/\S+/privkey\.pem|/etc/ssl/\S+\.key)", str(key), without_shell(block))
        text = re.sub(r"/etc/\S+\.pem", str(certificate), text)
        text = re.sub(r"listen (\[::\]:|10\.8\.0\.2:)?(80|443)", f"listen 127.0.0.1:{20_000 + number}", text)
        text = re.sub(r"(listen [^;]*) ssl( default_server)?;", rf"\1{tls}", text, count=1)
        text = re.sub(r"listen [^;]* ssl default_server;", "", text)
        text = re.sub(r"(listen [^;]*;)\s*listen [^;]*;", r"\1", text)
        text = text.replace("http://backend", "http://127.0.0.1:1")
        whole += [line for line in text.split("\n") if line.startswith("limit_req_zone")]
        text = "\n".join(
            line for line in text.split("\n") if not line.startswith(("limit_req_zone", "modsec"))
        )
        inner = (
            text
            if text.startswith("server {")
            else f"server {{ listen 127.0.0.1:{20_000 + number};\n{text}\n}}"
        )
        servers.append(f"# {block.where}\n{inner}")
    zones = "\n".join(
        dict.fromkeys(whole or ["limit_req_zone $binary_remote_addr zone=signup:10m rate=5r/m;"])
    )
    config = tmp_path / "nginx.conf"
    body = "\n".join([zones, *servers])
    config.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{body}\n}}\n"
    )
    done = subprocess.run(["nginx", "-t", "-c", str(config)], capture_output=True, text=True, check=False)
    assert len(servers) > 20
    assert done.returncode == 0, done.stderr


def test_sshd_takes_its_files(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    found = [block for block in ALL if SSHD.match(block.text)]
    assert len(found) >= 9
    for block in found:
        path = tmp_path / "sshd_config"
        path.write_text(f"HostKey {key}\n{without_shell(block)}\n")
        done = subprocess.run(["sshd", "-t", "-f", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr, (block.where, done.stderr)


def test_nft_takes_its_files(tmp_path: Path) -> None:
    found = [block for block in ALL if block.text.startswith("table inet")]
    assert len(found) == 2
    for block in found:
        path = tmp_path / "rules"
        path.write_text(re.sub(r'skuid (\{ )?"[^}]*?"(?=[ ,] |\s)(, "_apt" \})?', "skuid 0", block.text))
        done = subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (block.where, done.stderr)


def test_json_is_json() -> None:
    found = [block for block in ALL if block.text.startswith("{")]
    assert len(found) >= 2
    for block in found:
        json.loads(block.text)


@pytest.fixture(scope="module")
def shell_lines() -> list[Block]:
    return [
        Block(block.where, line)
        for block in ALL
        for line in block.text.split("\n")
        if is_shell(line) and "#!/" not in block.text
    ]


def test_a_shell_can_read_the_commands(shell_lines: list[Block], tmp_path: Path) -> None:
    """One function for each line, so that a message names it."""
    path = tmp_path / "commands"
    path.write_text("\n".join(f"f{number}() {{ {one.text}\n}}" for number, one in enumerate(shell_lines)))
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert len(shell_lines) > 150
    assert done.returncode == 0, done.stderr


def test_the_programs_are_known(shell_lines: list[Block]) -> None:
    called = set()
    for one in shell_lines:
        plain = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", one.text)
        for part in re.split(r"\s(?:\|\|?|&&)\s", plain):
            name = program(part.split())
            assert not name or name in PROGRAMS or name.endswith(".conf"), (one.where, part)
            called.add(name)
    assert sorted(PROGRAMS - called) == []


def test_one_name_for_one_tab() -> None:
    """The dashboard opens the tab of what runs here by its name: one thing, one name."""
    names: dict[frozenset[str], set[str]] = {}
    for item in all_items().values():
        for name, _ in item.fix.variants:
            names.setdefault(frozenset(re.findall(r"\w+", name.lower())), set()).add(name)
    assert [sorted(same) for same in names.values() if len(same) > 1] == []


# What only a person can try: the answer is not in what a command prints.
BY_HAND = {
    "app.dangerous_switches_off",  # the search of its fix, again
    "app.spam_protection",
    "app.trusted_proxies_set",
    "mail.provider_contract_known",
    "signup.email_blocklist_known",
    "signup.email_verified",
    "signup.rate_limited",
    "updates.inventory_known",
}


def test_what_a_machine_can_see_can_be_verified_by_a_command() -> None:
    by_machine = (OUTSIDE, INSIDE)
    without = {
        item.id
        for item in all_items().values()
        if set(item.settles) & set(by_machine) and not any(map(is_command, item.verify.en.split("\n")))
    }
    assert without == BY_HAND
