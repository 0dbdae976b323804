"""What people had been told of and still fails is an incident that is open."""

from django.db import migrations


def begin(apps, schema_editor):
    Incident, ItemState = apps.get_model("scans", "Incident"), apps.get_model("scans", "ItemState")
    alerted = ItemState.objects.filter(alerted=True, settled_since__isnull=False)
    Incident.objects.bulk_create(
        Incident(instance_id=state.instance_id, item_id=state.item_id, opened_at=state.settled_since)
        for state in alerted.order_by("pk")
    )


class Migration(migrations.Migration):

    dependencies = [("scans", "0004_incidents_and_outlook")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
