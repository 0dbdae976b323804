"""Figures for Prometheus."""

from __future__ import annotations

from fedisec.api.models import Token

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


def text_for(token: Token) -> str:
    return ""
