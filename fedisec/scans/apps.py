from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "fedisec.scans"
