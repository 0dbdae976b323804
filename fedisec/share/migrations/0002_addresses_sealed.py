from django.db import migrations, models

from fedisec.lib.secrets import seal
from fedisec.lib.tokens import hash_of


def seal_all(apps, schema_editor):
    share = apps.get_model("share", "Share")
    for pk, token in list(share.objects.values_list("pk", "token")):
        sealed = seal("public page", str(pk), token)
        share.objects.filter(pk=pk).update(token_hash=hash_of(token), sealed_token=sealed)


class Migration(migrations.Migration):
    dependencies = [("share", "0001_public_page")]

    operations = [
        migrations.AddField("share", "sealed_token", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddField("share", "token_hash", models.CharField(max_length=64, null=True)),
        migrations.RunPython(seal_all),
        migrations.AlterField("share", "token_hash", models.CharField(max_length=64, unique=True)),
        migrations.RemoveField("share", "token"),
    ]
