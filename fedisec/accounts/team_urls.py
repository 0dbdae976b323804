"""Addresses of teams and invitations."""

from __future__ import annotations

from django.urls import path

from fedisec.accounts import invitation_views, team_views

urlpatterns = [
    path("teams/", team_views.my_teams, name="teams"),
    path("teams/<int:pk>/", team_views.team, name="team"),
    path("teams/<int:pk>/rename/", team_views.team_rename, name="team_rename"),
    path("teams/<int:pk>/leave/", team_views.team_leave, name="team_leave"),
    path("teams/<int:pk>/delete/", team_views.team_delete, name="team_delete"),
    path("teams/<int:pk>/invite/", team_views.team_invite, name="team_invite"),
    path(
        "teams/<int:pk>/invitations/<int:invitation>/revoke/", team_views.team_uninvite, name="team_uninvite"
    ),
    path("teams/<int:pk>/members/<int:member>/role/", team_views.member_role, name="member_role"),
    path("teams/<int:pk>/members/<int:member>/remove/", team_views.member_remove, name="member_remove"),
    path("invitation/<str:token>/", invitation_views.invitation, name="invitation"),
]
