"""Who else is in the owner's team, and who is invited."""

from __future__ import annotations

import hashlib

from fedisec.accounts.models import Membership, Role, Team, User
from fedisec.accounts.team_models import Invitation

INVITED = "i" * 43  # the token of an invitation, as its link has it
GUEST = "guest-with-a-long-address-" + "w" * 24 + "@mail.example.org"


def furnish_team(team: Team, owner: User) -> None:
    """An editor, a viewer whose account is switched off, and two invitations."""
    for email, role, active in (
        ("editor@example.org", Role.EDITOR, True),
        ("viewer-" + "w" * 40 + "@mail.example.org", Role.VIEWER, False),
    ):
        user = User.objects.create_user(email, is_active=active)
        Membership.objects.create(team=team, user=user, role=role)
    for number, (email, role) in enumerate(((GUEST, Role.VIEWER), ("next@example.org", Role.OWNER))):
        token = INVITED if not number else f"{number}"
        Invitation.objects.create(
            team=team,
            email=email,
            role=role,
            salt=str(number),
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            created_by=owner,
        )
