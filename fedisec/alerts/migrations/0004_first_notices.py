"""A mail of before becomes what it is made of: a notice for each thing that it tells."""

from django.db import migrations

_KINDS = {"regressed": "regression", "recovered": "recovery"}


def split(apps, schema_editor):
    Delivery, Notice = apps.get_model("alerts", "Delivery"), apps.get_model("alerts", "Notice")
    Change = apps.get_model("scans", "Change")
    for mail in Delivery.objects.order_by("pk").iterator():
        common = {"instance_id": mail.instance_id, "user_id": mail.user_id, "delivery_id": mail.pk}
        common["created_at"] = mail.created_at
        if mail.kind != "regression":
            Notice.objects.create(kind=mail.kind, about=mail.about, data=mail.data, **common)
            continue
        for change in Change.objects.filter(scan_id=mail.scan_id, kind__in=list(_KINDS)).order_by("pk"):
            kind = _KINDS[change.kind]
            Notice.objects.create(kind=kind, about=str(change.pk), change_id=change.pk, **common)


class Migration(migrations.Migration):

    dependencies = [("alerts", "0003_notices_and_channels")]

    operations = [migrations.RunPython(split, migrations.RunPython.noop)]
