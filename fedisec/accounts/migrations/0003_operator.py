"""Whoever made the first account runs the installation."""

from django.db import migrations


def name(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    if not User.objects.filter(is_superuser=True).exists():
        first = User.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True).first()
        User.objects.filter(pk=first).update(is_superuser=True)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0002_audit_trail")]

    operations = [migrations.RunPython(name, migrations.RunPython.noop)]
