"""WSGI entry point."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from fedisec.lib.head import without_body
from fedisec.lib.proxies import behind

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fedisec.settings")

application = behind(without_body(get_wsgi_application()), settings.PROXIES)
