"""Addresses of the tokens, of the API and of the metrics."""

from __future__ import annotations

from django.urls import path

from fedisec.api import gate, token_views

urlpatterns = [
    path("account/tokens/", token_views.my_tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", token_views.revoke, name="token_revoke"),
    path("api/v1/openapi.json", gate.document, name="api_document"),
    path("api/v1/<path:rest>", gate.api, name="api"),
    path("metrics", gate.metrics, name="metrics"),
]
