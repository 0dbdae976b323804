"""Addresses of an instance's SSH page."""

from __future__ import annotations

from django.urls import path

from fedisec.enrolment import views

urlpatterns = [
    path("instances/<str:domain>/ssh/", views.connect, name="ssh"),
    path("instances/<str:domain>/ssh/script/", views.script, name="ssh_script"),
    path("instances/<str:domain>/ssh/test/", views.test, name="ssh_test"),
    path("instances/<str:domain>/ssh/confirm/", views.confirm, name="ssh_confirm"),
    path("instances/<str:domain>/ssh/disconnect/", views.disconnect, name="ssh_disconnect"),
]
