"""Addresses of what fedisec reads, and of what of it concerns an instance."""

from __future__ import annotations

from django.urls import path

from fedisec.watch import inventory_views, views

urlpatterns = [
    path("watch/", views.sources, name="sources"),
    path("watch/add/", views.source_add, name="source_add"),
    path("watch/<int:pk>/turn/", views.source_turn, name="source_turn"),
    path("watch/<int:pk>/read/", views.source_read, name="source_read"),
    path("watch/<int:pk>/remove/", views.source_remove, name="source_remove"),
    path("instances/<str:domain>/inventory/", inventory_views.inventory, name="inventory"),
    path("instances/<str:domain>/inventory/<int:pk>/", inventory_views.line, name="inventory_line"),
    path("instances/<str:domain>/news/", views.news, name="news"),
    path("instances/<str:domain>/news/<int:pk>/", views.news_say, name="news_say"),
]
