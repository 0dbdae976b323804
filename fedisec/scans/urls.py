"""Addresses where instances are added and set, and scans begun and watched."""

from __future__ import annotations

from django.urls import path

from fedisec.scans import views

urlpatterns = [
    path("instances/add/", views.instance_add, name="instance_add"),
    path("instances/<str:domain>/settings/", views.instance_edit, name="instance_edit"),
    path("instances/<str:domain>/remove/", views.instance_remove, name="instance_remove"),
    path("instances/<str:domain>/scan/", views.scan_now, name="scan_now"),
    path("instances/<str:domain>/progress/", views.progress, name="progress"),
]
