"""Sessions that stood under their id in clear end: whoever has an old backup of the table has nothing."""

from django.db import migrations


def end_all(apps, schema_editor):
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("sessions", "0001_initial")]

    operations = [migrations.RunPython(end_all, migrations.RunPython.noop)]
