"""Addresses of what leaves the house."""

from __future__ import annotations

from django.urls import URLPattern, path

from fedisec.share import demo_views, exports

urlpatterns: list[URLPattern] = [
    path("export/", exports.export_overview, name="export_overview"),
    path("demo/", demo_views.demo_page, name="demo"),
    path("instances/<str:domain>/export/", exports.export_instance, name="export"),
]
