"""Addresses of what was seen when."""

from __future__ import annotations

from django.urls import path

from fedisec.history import views

urlpatterns = [
    path("instances/<str:domain>/scans/", views.scans, name="scans"),
    path("instances/<str:domain>/compare/", views.compare, name="compare"),
    path("instances/<str:domain>/changes/", views.changes, name="changes"),
    path("instances/<str:domain>/trend/", views.trend, name="trend"),
]
