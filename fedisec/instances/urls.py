"""Addresses of what concerns an instance before anything of it is looked at."""

from __future__ import annotations

from django.urls import path

from fedisec.instances import proof_views

urlpatterns = [path("instances/<str:domain>/proof/", proof_views.proof_page, name="proof")]
