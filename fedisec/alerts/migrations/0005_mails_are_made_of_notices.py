from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("alerts", "0004_first_notices")]

    operations = [
        migrations.RemoveField(model_name="delivery", name="data"),
        migrations.RemoveField(model_name="delivery", name="scan"),
    ]
