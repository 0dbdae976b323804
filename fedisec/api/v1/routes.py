"""Every address below /api/v1/, for `fedisec.api.gate` alone: nobody gets here without a token."""

from __future__ import annotations

from django.urls import path

from fedisec.api.v1 import changes, instances, items, own, scans
from fedisec.api.v1.app import api

for part in (own, instances, items, scans, changes):
    api.add_router("", part.router)

urlpatterns = [path("", api.urls)]
