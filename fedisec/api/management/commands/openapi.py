"""`manage.py openapi`: writes fedisec/api/openapi.json anew, after the API changed."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from fedisec.api.gate import DOCUMENT


class Command(BaseCommand):
    help = "Writes the OpenAPI document of the API anew."

    def handle(self, *args: Any, **options: Any) -> None:
        from fedisec.api.v1.document import document

        DOCUMENT.write_text(json.dumps(document(), ensure_ascii=False, indent=1) + "\n", "utf-8")
