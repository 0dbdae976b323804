from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scans", "0009_spans_stay")]

    operations = [
        migrations.AddIndex(
            "scan",
            models.Index(
                condition=models.Q(("state", "failed")), fields=["instance", "-id"], name="scan_failed"
            ),
        ),
    ]
