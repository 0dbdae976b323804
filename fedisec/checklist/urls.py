"""Addresses of the pages people look at first, and of what they keep beside the checklist."""

from __future__ import annotations

from django.urls import path

from fedisec.checklist import moving, side_views, views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("words/", views.words, name="words"),
    path("views/save/", side_views.view_save, name="view_save"),
    path("views/<int:pk>/drop/", side_views.view_drop, name="view_drop"),
    path("instances/<str:domain>/", views.instance, name="instance"),
    path("instances/<str:domain>/move/", moving.instance_move, name="instance_move"),
    path("instances/<str:domain>/grades/", side_views.grade_note, name="grade_note"),
]
