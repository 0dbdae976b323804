"""A warning is no fall any more, of no item: what was open for one is closed."""

from django.db import migrations
from django.utils import timezone


def close(apps, schema_editor):
    Incident, ItemState = apps.get_model("scans", "Incident"), apps.get_model("scans", "ItemState")
    warned = ItemState.objects.filter(item_id="tls.certificate_lasts", settled="warn", alerted=True)
    over = Incident.objects.filter(
        item_id="tls.certificate_lasts", closed_at=None, instance__in=warned.values("instance")
    )
    over.update(closed_at=timezone.now(), closed_by="rejudged")
    warned.update(alerted=False)


class Migration(migrations.Migration):

    dependencies = [("scans", "0007_pulse")]

    operations = [migrations.RunPython(close, migrations.RunPython.noop)]
