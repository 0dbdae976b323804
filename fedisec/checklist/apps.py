from django.apps import AppConfig


class ChecklistConfig(AppConfig):
    name = "fedisec.checklist"
