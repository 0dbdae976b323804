"""Addresses of the channels."""

from __future__ import annotations

from django.urls import path

from fedisec.alerts.channels import views

urlpatterns = [
    path("channels/", views.channels, name="channels"),
    path("channels/add/<str:kind>/", views.channel_add, name="channel_add"),
    path("channels/<int:pk>/", views.channel, name="channel"),
    path("channels/<int:pk>/edit/", views.channel_edit, name="channel_edit"),
    path("channels/<int:pk>/test/", views.channel_test, name="channel_test"),
    path("channels/<int:pk>/secret/", views.channel_secret, name="channel_secret"),
    path("channels/<int:pk>/rotate/", views.channel_rotate, name="channel_rotate"),
    path("channels/<int:pk>/remove/", views.channel_remove, name="channel_remove"),
    path("channels/<int:pk>/on/", views.channel_switch, {"on": True}, name="channel_on"),
    path("channels/<int:pk>/off/", views.channel_switch, {"on": False}, name="channel_off"),
]
