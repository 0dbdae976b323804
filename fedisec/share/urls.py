"""Addresses of what leaves the house."""

from __future__ import annotations

from django.urls import URLPattern, path

from fedisec.share import demo_views, exports, public_views, share_views

urlpatterns: list[URLPattern] = [
    path("export/", exports.export_overview, name="export_overview"),
    path("demo/", demo_views.demo_page, name="demo"),
    path("instances/<str:domain>/export/", exports.export_instance, name="export"),
    path("instances/<str:domain>/share/", share_views.share, name="share"),
    path("instances/<str:domain>/share/rotate/", share_views.share_rotate, name="share_rotate"),
    path("instances/<str:domain>/share/close/", share_views.share_close, name="share_close"),
    path("p/<str:token>/", public_views.public, name="public"),
    path("p/<str:token>/badge.svg", public_views.badge, name="badge"),
]
