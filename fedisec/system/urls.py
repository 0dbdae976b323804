"""Addresses of the system page and of what load balancers ask."""

from __future__ import annotations

from django.urls import path

from fedisec.system import views

urlpatterns = [
    path("system/", views.system, name="system"),
    path("readyz", views.readyz, name="readyz"),
]
