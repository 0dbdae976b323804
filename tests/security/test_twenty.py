"""The actions that matter: each, done as people do it, leaves exactly its line, with who, what, when and from where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts.models import AuditEvent, Membership, Role, Team, User
from fedisec.accounts.team_models import Invitation
from fedisec.alerts.models import Channel
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance
from tests.accounts.signin.conftest import code_of
from tests.factories import signed_in

FROM = "203.0.113.9"
PASSWORD, NEW = "a sentence nobody guesses", "another sentence nobody guesses"
DOMAIN = "social.example"
HOME = f"/instances/{DOMAIN}/"


@dataclass
class Scene:
    """Alice runs the installation and owns a team with a server; Bob may look."""

    alice: User
    bob: User
    instance: Instance
    client: Client  # Alice's
    stranger: Client
    settings: Settings

    def post(self, path: str, **form: Any) -> Any:
        return self.client.post(path, form)

    def login(self, password: str = PASSWORD) -> Client:
        self.stranger.post("/account/login/", {"login": self.alice.email, "password": password})
        return self.stranger

    def with_app(self) -> str:
        """The key of the app that Alice has from now on."""
        from fedisec.accounts.factors import PURPOSE
        from fedisec.lib.secrets import seal

        made = str(generate_totp_secret())
        sealed = seal(PURPOSE, str(self.alice.pk), made)
        Authenticator.objects.create(user=self.alice, type="totp", data={"secret": sealed})
        return made


@pytest.fixture
def scene(tmp_path: Path, settings: Settings) -> Scene:
    settings.KEY_FILE = str(tmp_path / "keys")
    settings.KEYS_SETTLE_S = 0
    (tmp_path / "keys").write_text("k" * 64)
    cache.clear()
    alice = User.objects.create_user("alice@example.org", PASSWORD, is_superuser=True)
    bob = User.objects.create_user("bob@example.org", PASSWORD)
    team = Team.objects.create(name="Servers")
    Membership.objects.create(team=team, user=alice, role=Role.OWNER)
    Membership.objects.create(team=team, user=bob, role=Role.VIEWER)
    instance = Instance.objects.create(team=team, domain=DOMAIN, created_by=alice)
    client = Client(REMOTE_ADDR=FROM)
    signed_in(client, alice)
    return Scene(alice, bob, instance, client, Client(REMOTE_ADDR=FROM), settings)


Do = Callable[[Scene], Any]


def reset_password(scene: Scene) -> None:
    from allauth.account.forms import default_token_generator

    key = default_token_generator.make_token(scene.alice)
    path = f"/account/password/reset/key/{user_pk_to_url_str(scene.alice)}-{key}/"
    form = scene.stranger.get(path)["Location"]
    scene.stranger.post(form, {"password1": NEW, "password2": NEW})


def second_step(scene: Scene) -> None:
    secret = scene.with_app()
    scene.login().post("/account/2fa/authenticate/", {"code": code_of(secret)})


def wrong_second_step(scene: Scene) -> None:
    scene.with_app()
    scene.login().post("/account/2fa/authenticate/", {"code": "000000"})


def add_app(scene: Scene) -> None:
    scene.client.get("/account/2fa/app/")
    secret = scene.client.session["mfa.totp.secret"]
    scene.post("/account/2fa/app/", code=code_of(secret))


def remove_app(scene: Scene) -> None:
    scene.with_app()
    scene.post("/account/2fa/app/remove/")


def renew_codes(scene: Scene) -> None:
    scene.with_app()
    scene.post("/account/2fa/recovery-codes/")


def end_others(scene: Scene) -> None:
    scene.login().get("/")
    AuditEventsBefore.forget()
    scene.post("/account/sessions/end-others/")


def access(scene: Scene) -> SshAccess:
    scene.post(f"{HOME}ssh/", mode="forced", user="fedisec", port="22", host="")
    return SshAccess.objects.get()


def confirm_host_key(scene: Scene) -> None:
    made = access(scene)
    key = f"ssh-ed25519 {'A' * 68}"
    SshAccess.objects.filter(pk=made.pk).update(offered_host_key=key)
    AuditEventsBefore.forget()
    scene.post(f"{HOME}ssh/confirm/", host_key=key)


def disconnect(scene: Scene) -> None:
    access(scene)
    AuditEventsBefore.forget()
    scene.post(f"{HOME}ssh/disconnect/", domain=DOMAIN)


MAIL = {
    "host": "relay.example", "port": "587", "security": "starttls", "username": "fedisec",
    "password": "sesame-sesame", "sender": "alerts@good.example", "reply_to": "",
}  # fmt: skip
CHANNEL = {
    "address": "https://hooks.example.org/T00/abc", "name": "Team", "kinds": ["regression"], "levels": ["required"],
    "which": "all", "language": "en", "time_zone": "UTC",
}  # fmt: skip


def add_instance(scene: Scene) -> None:
    """Whether its name leads anywhere would be asked of the network, which tests/dashboard/test_add.py has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fedisec.scans.keeping.refusal", lambda domain: "")
        scene.post("/instances/add/", domain="new.example")


def invite(scene: Scene) -> str:
    """The path of the link."""
    shown = scene.post(f"/teams/{scene.instance.team_id}/invite/", email="new@example.org", role="editor")
    found = re.search(r"/invitation/[\w-]+/", shown.content.decode())
    return found[0] if found else ""


def revoke(scene: Scene) -> None:
    invite(scene)
    AuditEventsBefore.forget()
    found = Invitation.objects.get()
    scene.post(f"/teams/{found.team_id}/invitations/{found.pk}/revoke/")


def accept(scene: Scene) -> None:
    link = invite(scene)
    AuditEventsBefore.forget()
    scene.stranger.post(link, {"password1": NEW, "password2": NEW})


def of_bob(scene: Scene, deed: str, **form: str) -> None:
    bob = Membership.objects.get(user=scene.bob)
    scene.post(f"/teams/{bob.team_id}/members/{bob.pk}/{deed}/", **form)


def remove_mail_server(scene: Scene) -> None:
    scene.post("/mail/", **MAIL)
    AuditEventsBefore.forget()
    scene.post("/mail/remove/")


def remove_channel(scene: Scene) -> None:
    scene.post("/channels/add/webhook/", **CHANNEL)
    AuditEventsBefore.forget()
    scene.post(f"/channels/{Channel.objects.get().pk}/remove/", name=CHANNEL["name"])


def close_page(scene: Scene) -> None:
    scene.post(f"{HOME}share/", shows="counts", badge="on")
    AuditEventsBefore.forget()
    scene.post(f"{HOME}share/close/")


def waive(scene: Scene) -> None:
    until = (timezone.localdate() + timedelta(days=30)).isoformat()
    form = {"kind": "accepted_risk", "reason": "A test server for a month.", "until": until}
    scene.post(f"{HOME}items/http.hsts/waive/", basis=basis(scene, "http.hsts"), **form)


def answer(scene: Scene) -> None:
    item = "plan.hosting_considered"
    form = {"met": "yes", "note": "Compared two hosters.", "days": "90", "basis": basis(scene, item)}
    scene.post(f"{HOME}items/{item}/answer/", **form)


def basis(scene: Scene, item: str) -> str:
    """What the page says that its reader has seen."""
    page = scene.client.get(f"{HOME}items/{item}/").content.decode()
    found = re.search(r'name="basis" value="([^"]*)"', page)
    return found[1] if found else ""


class AuditEventsBefore:
    """The lines of the steps that lead to an action do not count."""

    newest = 0

    @classmethod
    def forget(cls) -> None:
        cls.newest = AuditEvent.objects.values_list("pk", flat=True).first() or 0


@dataclass(frozen=True)
class Action:
    """`beside`: what the same deed leaves as lines of its own.  `by`: who; "" is somebody not signed in, or fedisec."""

    name: str
    do: Do
    by: str = "alice@example.org"
    beside: tuple[str, ...] = ()
    address: str = FROM
    commits: bool = False  # what is told when the transaction is over


ACTIONS = [
    Action("account.signed_in", lambda s: s.login()),
    Action("account.sign_in_failed", lambda s: s.login("wrong wrong wrong"), by=""),
    Action("account.signed_out", lambda s: s.post("/account/logout/")),
    Action("account.factor_used", second_step, beside=("account.signed_in",)),
    Action("account.factor_failed", wrong_second_step, by=""),
    Action("account.factor_added", add_app, beside=("account.codes_made",), commits=True),
    Action("account.factor_removed", remove_app),
    Action("account.codes_made", renew_codes),
    Action(
        "account.password_changed",
        lambda s: s.post("/account/password/change/", oldpassword=PASSWORD, password1=NEW, password2=NEW),
    ),
    Action("account.password_reset", reset_password),
    Action("account.session_ended", end_others),
    Action("account.unlocked", lambda s: call_command("unlock", s.alice.email), by="", address=""),
    Action("instance.added", add_instance),
    Action("instance.removed", lambda s: s.post(f"{HOME}remove/", domain=DOMAIN)),
    Action("ssh.key_made", access),
    Action("ssh.connected", confirm_host_key, beside=("ssh.tested",)),
    Action("ssh.disconnected", disconnect),
    Action("mail_server.changed", lambda s: s.post("/mail/", **MAIL)),
    Action("mail_server.removed", remove_mail_server),
    Action("channel.added", lambda s: s.post("/channels/add/webhook/", **CHANNEL)),
    Action("channel.removed", remove_channel),
    Action("answer.waived", waive),
    Action("answer.attested", answer),
    Action("export.taken", lambda s: s.client.get(f"{HOME}export/?format=csv")),
    Action("export.trail_taken", lambda s: s.client.get("/audit/export/?format=csv")),
    Action("share.opened", lambda s: s.post(f"{HOME}share/", shows="counts", badge="on")),
    Action("share.closed", close_page),
    Action("team.invited", invite),
    Action("team.uninvited", revoke),
    Action("team.joined", accept, by="new@example.org", beside=("account.created",)),
    Action("team.role_changed", lambda s: of_bob(s, "role", role="editor")),
    Action("team.removed", lambda s: of_bob(s, "remove")),
    Action("installation.keys_rotated", lambda s: call_command("rotate_keys"), by="", address=""),
]


@pytest.mark.parametrize(
    "action",
    [pytest.param(one, marks=pytest.mark.django_db(transaction=one.commits), id=one.name) for one in ACTIONS],
)
def test_each_leaves_exactly_one_line(scene: Scene, action: Action) -> None:
    AuditEventsBefore.newest = 0
    began = timezone.now()
    action.do(scene)
    lines = list(AuditEvent.objects.filter(pk__gt=AuditEventsBefore.newest).order_by("pk"))
    assert sorted(line.action for line in lines) == sorted([action.name, *action.beside])
    line = next(line for line in lines if line.action == action.name)
    assert line.actor_name == action.by
    assert line.address == action.address
    assert began <= line.at <= timezone.now()
    if line.team_id is None:
        assert line.subject_id == (None if action.name.startswith("installation.") else scene.alice.pk)
    told = json.dumps(line.data) + line.before + line.after + line.why
    assert not [secret for secret in (PASSWORD, NEW, MAIL["password"], "T00/abc") if secret in told]


def test_there_are_more_than_twenty() -> None:
    assert len({action.name for action in ACTIONS}) >= 20


@pytest.mark.django_db
def test_a_forwarded_address_is_nobodys_word(scene: Scene) -> None:
    """Without a proxy in the settings what a client says of its own address counts for nothing."""
    said = {"X-Forwarded-For": "192.0.2.66", "X-Real-IP": "192.0.2.66", "Forwarded": "for=192.0.2.66"}
    scene.stranger.post("/account/login/", {"login": scene.alice.email, "password": "wrong"}, headers=said)
    assert AuditEvent.objects.get(action="account.sign_in_failed").address == FROM


@pytest.mark.django_db
def test_what_a_stranger_types_is_not_kept(scene: Scene) -> None:
    """A password in the wrong field."""
    scene.stranger.post("/account/login/", {"login": "hunter2@example.org", "password": "x"})
    line = AuditEvent.objects.get()
    assert (line.action, line.subject_id) == ("account.sign_in_failed", None)
    assert "hunter2" not in str(list(AuditEvent.objects.values_list()))
