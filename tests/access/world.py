"""One filled world: two teams with one of everything each, and a person of every role.

Every argument of every address is the key of something in it, so that an answer of "not found" is about the
person who asks, and never about a thing that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from fedisec.accounts.invitations import invite, link_for
from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.accounts.signin_models import OpenSession
from fedisec.accounts.team_models import Invitation
from fedisec.alerts.models import Channel, Delivery, Subscription
from fedisec.alerts.unsubscribe import Purpose, Ticket, sealed
from fedisec.api.models import Token
from fedisec.checklist import daily
from fedisec.checklist.models import Note, OwnItem, Undo
from fedisec.enrolment.models import SshAccess
from fedisec.instances.models import Instance, SavedView
from fedisec.lib.sessions import SessionStore, name_of
from fedisec.scans.models import Incident, Scan
from fedisec.share.models import Share
from fedisec.watch.models import Concern, Entry, Source
from fedisec.watch.stock_models import Stated
from tests.factories import a_user
from tests.share.conftest import furnish

ITEM = "http.hsts"
PASSWORD = "a sentence nobody guesses"
ROLES = ("anonymous", "stranger", "viewer", "editor", "owner", "operator")


@dataclass(frozen=True)
class Plot:
    """What one team has: one of each kind."""

    team: Team
    owner: User
    instance: Instance
    older: Scan
    newer: Scan
    own: OwnItem
    channel: Channel
    share: Share
    note: Note
    undo: Undo
    concern: Concern
    stated: Stated
    view: SavedView
    delivery: Delivery
    session: OpenSession
    token: Token
    invitation: Invitation
    member: Membership


@dataclass(frozen=True)
class World:
    """`theirs` is the team that is asked for, `other` the one of the stranger."""

    people: dict[str, User | None]
    theirs: Plot
    other: Plot
    source: Source
    passkey: Authenticator  # of somebody else

    def arguments(self, name: str, plot: Plot) -> dict[str, Any]:
        """What an address may need, whatever it calls it; `pk` and `token` mean another thing on each."""
        keys: dict[str, Any] = {
            "undo": plot.undo,
            "view_drop": plot.view,
            "news_say": plot.concern,
            "inventory_line": plot.stated,
            "mail_again": plot.delivery,
            "session_end": plot.session,
            "token_revoke": plot.token,
            "team": plot.team,
            "member_role": plot.team,
            "member_remove": plot.team,
        }
        by_start = {
            "team_": plot.team,
            "own_item_": plot.own,
            "channel": plot.channel,
            "source_": self.source,
            "mfa_": self.passkey,
        }
        thing = keys.get(name) or next(
            (one for start, one in by_start.items() if name.startswith(start)), None
        )
        ticket = Ticket(Purpose.DIGEST, plot.owner.pk)
        tokens = {"unsubscribe": sealed(ticket), "public": plot.share.token, "badge": plot.share.token}
        tokens["invitation"] = link_for(plot.invitation).split("/")[-2]
        return {
            "domain": plot.instance.domain,
            "item_id": ITEM,
            "kind": "webhook",
            "rest": "instances",
            "invitation": plot.invitation.pk,
            "member": plot.member.pk,
            "pk": thing.pk if thing is not None else None,
            "token": tokens.get(name, "x" * 43),
            "key": "x" * 20,
            "uidb36": "1",
        }


def build() -> World:
    theirs, other = _plot("social.example"), _plot("other.example")
    people: dict[str, User | None] = {
        "anonymous": None,
        "stranger": other.owner,
        "viewer": a_user(email="viewer@social.example"),
        "editor": theirs.undo.by,
        "owner": theirs.owner,
        "operator": a_user(email="operator@example.org", is_superuser=True),
    }
    for person in filter(None, people.values()):
        person.set_password(PASSWORD)
        person.save()
    viewer = people["viewer"]
    assert viewer is not None
    Membership.objects.create(team=theirs.team, user=viewer, role=Role.VIEWER)
    source = Source.objects.create(
        slug="own-1", kind="warnings", title="Ours", url="https://feed.example/", own=True
    )
    passkey = Authenticator.objects.create(
        user=a_user(), type="webauthn", data={"name": "x", "credential": {}}
    )
    return World(people, theirs, other, source, passkey)


def _plot(domain: str) -> Plot:
    now = timezone.now()
    owner, editor = a_user(email=f"owner@{domain}"), a_user(email=f"editor@{domain}")
    team = Team.objects.create(name=f"Team of {domain}")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    member = Membership.objects.create(team=team, user=editor, role=Role.EDITOR)
    instance = Instance.objects.create(team=team, domain=domain, created_by=owner)
    if domain == "social.example":
        Instance.objects.create(team=team, domain="demo.example", demo=True)
    older = Scan.objects.create(
        instance=instance, state="done", reason="first", finished_at=now - timedelta(days=1)
    )
    furnish(instance, owner)
    daily.note(instance, now, scanned=True)
    Incident.objects.create(instance=instance, item_id=ITEM, opened_at=now)
    Subscription.objects.create(user=owner, instance=instance)
    SshAccess.objects.create(
        instance=instance,
        sealed_key="sealed",
        public_key=f"ssh-ed25519 {'A' * 68} fedisec",
        offered_host_key=f"ssh-ed25519 {'B' * 68}",
    )
    channel = Channel.objects.create(
        team=team, created_by=owner, kind="webhook", name="Ops", shown="https://hooks.example"
    )
    note = Note.objects.create(instance=instance, item_id=ITEM, by=editor, text="looked at it")
    steps = {"made": {"note": [note.pk]}, "ended": {}, "items": [ITEM]}
    elsewhere = SessionStore()
    elsewhere.create()
    return Plot(
        team,
        owner,
        instance,
        older,
        Scan.objects.whole().filter(instance=instance).exclude(pk=older.pk).get(),
        OwnItem.objects.create(team=team, title=f"The phone of {domain} is charged"),
        channel,
        Share.objects.create(instance=instance, shows="items"),
        note,
        Undo.objects.create(instance=instance, by=editor, steps=steps),
        _concern(instance),
        Stated.objects.create(
            instance=instance, product="redis", version="7.4", valid_until=timezone.now() + timedelta(days=90)
        ),
        SavedView.objects.create(user=owner, name="To do", query="is=needs_a_hand"),
        Delivery.objects.create(
            kind="regression", about=domain, channel=channel, instance=instance, message_id=f"<1@{domain}>"
        ),
        OpenSession.objects.create(user=owner, name=name_of(str(elsewhere.session_key))),
        Token.objects.create(user=owner, name="backup", scopes="read", token_hash=domain),
        invite(team, f"guest@{domain}", Role.VIEWER, owner)[0],
        member,
    )


def _concern(instance: Instance) -> Concern:
    feed, _made = Source.objects.get_or_create(slug="warnings-1", defaults={"kind": "warnings", "title": "W"})
    entry, _made = Entry.objects.get_or_create(source=feed, guid="1", defaults={"title": "CVE"})
    return Concern.objects.create(instance=instance, entry=entry, product="rails", matched="rails")
