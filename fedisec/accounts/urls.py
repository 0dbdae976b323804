"""Addresses of the first account, of what belongs to a person, and of the audit trail."""

from __future__ import annotations

from django.urls import include, path

from fedisec.accounts import audit_views, profile, sessions_views, views

urlpatterns = [
    path("", include("fedisec.accounts.team_urls")),
    path("setup/<str:token>/", views.setup, name="setup"),
    path("theme/", views.theme, name="theme"),
    path("account/profile/", profile.profile, name="profile"),
    path("account/sessions/", sessions_views.sessions, name="sessions"),
    path("account/sessions/<int:pk>/end/", sessions_views.end, name="session_end"),
    path("account/sessions/end-others/", sessions_views.end_others, name="sessions_end_others"),
    path("audit/", audit_views.audit, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
]
