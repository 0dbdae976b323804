"""Addresses of the first account, and of what belongs to a person."""

from __future__ import annotations

from django.urls import path

from fedisec.accounts import views

urlpatterns = [
    path("setup/<str:token>/", views.setup, name="setup"),
    path("theme/", views.theme, name="theme"),
]
