"""Addresses of the first account, of what belongs to a person, and of the audit trail."""

from __future__ import annotations

from django.urls import path

from fedisec.accounts import audit_views, profile, views

urlpatterns = [
    path("setup/<str:token>/", views.setup, name="setup"),
    path("theme/", views.theme, name="theme"),
    path("account/profile/", profile.profile, name="profile"),
    path("audit/", audit_views.audit, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
]
