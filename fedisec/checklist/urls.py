"""Addresses of the pages people look at first."""

from __future__ import annotations

from django.urls import path

from fedisec.checklist import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("instances/<str:domain>/", views.instance, name="instance"),
]
