"""The dashboard: Django around the checks library."""

from fedisec.celery import app as celery_app

__all__ = ("celery_app",)
