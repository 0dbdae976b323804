"""Addresses of what leaves the house."""

from __future__ import annotations

from django.urls import URLPattern, path

from fedisec.share import exports

urlpatterns: list[URLPattern] = [
    path("export/", exports.export_overview, name="export_overview"),
    path("instances/<str:domain>/export/", exports.export_instance, name="export"),
]
