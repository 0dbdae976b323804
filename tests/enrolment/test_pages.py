"""Who sees what, in both languages; and what stands there to copy."""

from __future__ import annotations

import hashlib
import html
import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from checks.probes.collector import collector_script
from fedisec.accounts.models import Membership, Role, User
from fedisec.enrolment.models import SshAccess
from fedisec.enrolment.steps import commands_of, key_line
from fedisec.instances.models import Instance
from fedisec.scans.models import ItemState

pytestmark = pytest.mark.django_db
PAGE = "/instances/social.example/ssh/"
POSTS = ("", "test/", "confirm/", "disconnect/")
GIVEN = {"mode": "forced", "user": "fedisec", "port": "22", "host": ""}


@pytest.fixture
def access(as_alice: Client, instance: Instance) -> SshAccess:
    assert as_alice.post(PAGE, GIVEN).status_code == 302
    return SshAccess.objects.get()


def text(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_stranger_sees_nothing(as_charlie: Client, access: SshAccess) -> None:
    for path in ("", "script/", "disconnect/"):
        assert as_charlie.get(PAGE + path).status_code == 404
    for path in POSTS:
        assert as_charlie.post(PAGE + path, GIVEN).status_code == 404
    assert Client().get(PAGE).status_code == 302  # to the sign-in


def test_a_viewer_sees_how_it_stands_and_changes_nothing(as_bob: Client, access: SshAccess) -> None:
    page = text(as_bob)
    assert "nobody has confirmed the server’s host key" in page
    assert access.public_key not in page and '<form method="post" action="/instances' not in page
    assert "useradd" not in page and "SHA-256" not in page
    for path in ("script/", "disconnect/"):
        assert as_bob.get(PAGE + path).status_code == 404
    for path in POSTS:
        assert as_bob.post(PAGE + path, GIVEN | {"domain": "social.example"}).status_code == 404
    assert SshAccess.objects.get() == access


def test_an_editor_may_connect(as_bob: Client, bob: User, instance: Instance) -> None:
    Membership.objects.filter(user=bob).update(role=Role.EDITOR)
    assert as_bob.post(PAGE, GIVEN).status_code == 302
    created = SshAccess.objects.get().created_by
    assert created == bob


def test_looking_at_the_pages_makes_no_key(as_alice: Client, instance: Instance) -> None:
    for path in ("", "script/"):
        assert as_alice.get(PAGE + path).status_code == 200
    assert as_alice.get(PAGE + "disconnect/").status_code == 404
    assert not SshAccess.objects.exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_both_languages_show_every_step(as_alice: Client, access: SshAccess, language: str) -> None:
    as_alice.cookies["language"] = language
    page = text(as_alice)
    assert f'<html lang="{language}"' in page
    for anchor in ('id="choose"', 'id="run"', 'id="test"'):
        assert anchor in page
    assert (
        f'restrict,command="/usr/local/sbin/fedisec-collect" {access.public_key} fedisec social.example'
        in page
    )
    assert collector_script() in page


def test_each_mode_shows_its_own_line_and_commands(
    as_alice: Client, access: SshAccess, settings: Settings
) -> None:
    settings.OUTGOING_ADDRESSES = ("192.0.2.7", "2001:db8::/64")
    key, source = access.public_key, 'from="192.0.2.7,2001:db8::/64"'
    lines = {
        "forced": f'restrict,command="/usr/local/sbin/fedisec-collect",{source} {key} fedisec social.example',
        "sudo": f'restrict,command="sudo -n /usr/local/sbin/fedisec-collect",{source} {key} fedisec social.example',
        "plain": f"restrict,{source} {key} fedisec social.example",
    }
    for mode, line in lines.items():
        as_alice.post(PAGE, GIVEN | {"mode": mode})
        page = text(as_alice)
        assert f'<pre class="command">{line}</pre>' in page
        assert ("visudo -cf" in page) == (mode == "sudo")
        assert ("sudo install -o root" in page) == (mode != "plain")
    assert SshAccess.objects.get().public_key == key  # another mode is no other key


def test_root_needs_neither_account_nor_sudo(as_alice: Client, access: SshAccess) -> None:
    as_alice.post(PAGE, GIVEN | {"mode": "sudo", "user": "root"})
    page = text(as_alice)
    assert "useradd" not in page and "visudo" not in page and "sudo -n" not in page
    assert 'restrict,command="/usr/local/sbin/fedisec-collect" ' in page


def test_the_sudoers_entry_is_one_that_visudo_takes(
    as_alice: Client, access: SshAccess, tmp_path: Path
) -> None:
    access.mode = "sudo"
    first = commands_of(access).sudoers.splitlines()[0]
    entry = subprocess.run(
        ["sh", "-c", first.partition(" | sudo tee")[0]], capture_output=True, text=True, check=True
    ).stdout
    assert entry == 'fedisec ALL=(root) NOPASSWD: /usr/local/sbin/fedisec-collect ""\n'
    visudo = shutil.which("visudo") or "/usr/sbin/visudo"
    if Path(visudo).exists():
        file = tmp_path / "entry"
        file.write_text(entry)
        file.chmod(0o440)
        subprocess.run([visudo, "-cf", file], check=True)


def test_the_commands_put_the_line_in_its_place(as_alice: Client, access: SshAccess, tmp_path: Path) -> None:
    """Run by a shell, with sudo and chown left out and another home."""
    commands = commands_of(access).authorize.replace("~fedisec", str(tmp_path))
    echo = next(line for line in commands.splitlines() if line.startswith("echo"))
    (tmp_path / ".ssh").mkdir()
    subprocess.run(["sh", "-ec", echo.replace("sudo ", "")], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / ".ssh" / "authorized_keys").read_text() == key_line(access) + "\n"


def test_the_download_is_what_the_digest_is_of(as_alice: Client, access: SshAccess, tmp_path: Path) -> None:
    answer = as_alice.get(PAGE + "script/")
    assert answer["Content-Disposition"] == 'attachment; filename="fedisec-collect"'
    digest = hashlib.sha256(answer.content).hexdigest()
    page = text(as_alice)
    assert digest in page
    (tmp_path / "fedisec-collect").write_bytes(answer.content)
    check = next(line for line in page.splitlines() if "sha256sum -c" in line)
    command = check.partition('<pre class="command">')[2]
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user", "a b"), ("user", "root;reboot"), ("user", "$(id)"), ("user", "-x"), ("user", "A"),
        ("user", "a" * 32), ("user", ""), ("port", "0"), ("port", "65536"), ("port", "x"), ("port", ""),
        ("host", "127.0.0.1"), ("host", "[::1]"), ("host", "10.1.2.3"), ("host", "localhost"),
        ("host", "a b"), ("mode", "root"), ("mode", ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_sentence(
    as_alice: Client, instance: Instance, field: str, value: str
) -> None:
    answer = as_alice.post(PAGE, GIVEN | {field: value})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'class="errorlist"' in page or 'class="error"' in page
    assert not SshAccess.objects.exists()


def test_another_server_has_to_show_its_key_anew(as_alice: Client, access: SshAccess) -> None:
    known = {"host_key": "ssh-ed25519 AAAA", "offered_host_key": "ssh-ed25519 AAAA"}
    SshAccess.objects.update(**known)
    as_alice.post(PAGE, GIVEN | {"mode": "sudo", "user": "other"})
    assert SshAccess.objects.get().host_key == "ssh-ed25519 AAAA"
    as_alice.post(PAGE, GIVEN | {"port": "2222"})
    access = SshAccess.objects.get()
    assert (access.host_key, access.offered_host_key) == ("", "")


def test_disconnecting_wants_the_domain_and_destroys_the_key(as_alice: Client, access: SshAccess) -> None:
    assert as_alice.post(PAGE + "disconnect/", {"domain": "other.example"}).status_code == 422
    assert SshAccess.objects.exists()
    answer = as_alice.post(PAGE + "disconnect/", {"domain": " Social.Example "})
    assert (answer.status_code, answer["Location"]) == (302, "/instances/social.example/")
    assert not SshAccess.objects.exists()
    as_alice.post(PAGE, GIVEN)
    assert SshAccess.objects.get().public_key != access.public_key


def test_what_a_server_says_is_text(as_alice: Client, access: SshAccess) -> None:
    evil = "<script>alert(1)</script>\x1b[31m"
    SshAccess.objects.update(report={"reason": "malformed", "detail": evil, "where": evil, "sections": []})
    page = as_alice.get(PAGE).content.decode()
    assert "<script>alert" not in page and "\x1b" not in page


def test_a_key_file_that_is_missing_is_told_and_nothing_stored(
    as_alice: Client, instance: Instance, settings: Settings
) -> None:
    settings.KEY_FILE = "/nowhere/keys"
    page = as_alice.post(PAGE, GIVEN, follow=True).content.decode()
    assert "The key file of this installation does not work: cannot read the key file /nowhere/keys" in page
    assert not SshAccess.objects.exists()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_instance_leads_there_where_only_the_inside_can_tell(
    as_alice: Client, as_bob: Client, scanned: Instance, language: str
) -> None:
    as_alice.cookies["language"] = language
    invitation = f'class="card hint block"><a href="{PAGE}"'
    assert invitation not in text(as_alice, "/instances/social.example/")
    waiting = ("ssh.login_notice", "host.fail2ban")
    ItemState.objects.filter(item_id__in=waiting).update(status="unknown", reason="not_connected", code="")
    page = text(as_alice, "/instances/social.example/")
    assert invitation in page
    if language == "en":
        assert "Connect over SSH to settle 2 more items" in page
    assert invitation not in text(as_bob, "/instances/social.example/")  # who cannot is not asked to
    assert (
        f'href="{PAGE}"' in text(as_alice, "/instances/social.example/items/host.fail2ban/").split("<dl")[1]
    )
    assert PAGE not in text(as_alice, "/instances/social.example/items/http.hsts/").split("<dl")[1]


def test_an_alarm_stands_on_the_instance_for_everybody(
    as_bob: Client, access: SshAccess, scanned: Instance
) -> None:
    SshAccess.objects.update(changed_at=timezone.now(), changed_to="ssh-ed25519 SHA256:other")
    for path in ("/instances/social.example/", PAGE):
        page = text(as_bob, path)
        assert "The server shows another host key" in page and "SHA256:other" in page
        assert "Compare the keys, and confirm" not in page


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Firewall rules of nftables"), ("ja", "nftables のルール")]
)
def test_what_the_script_saw_is_said_in_words(
    as_alice: Client, access: SshAccess, language: str, words: str
) -> None:
    seen = [["nft", "denied"], ["release", "fine"], ["of_tomorrow", "fine"]]
    SshAccess.objects.update(host_key="ssh-ed25519 AAAA", report={"sections": seen}, report_at=timezone.now())
    as_alice.cookies["language"] = language
    page = text(as_alice)
    assert f"<li>{words} <code>nft</code></li>" in page
    assert "<li>of_tomorrow</li>" in page
