import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Cast


def about_scans(apps, schema_editor):
    """Until now every mail was about a scan.  Each keeps its Message-ID."""
    rows = apps.get_model("alerts", "Delivery").objects.all()
    rows.update(kind="regression", about=Cast("scan_id", models.CharField(max_length=200)))


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='delivery',
            name='one_mail_per_scan_and_person',
        ),
        migrations.AddField(
            model_name='delivery',
            name='kind',
            field=models.CharField(default='', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='delivery',
            name='about',
            field=models.CharField(default='', max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='delivery',
            name='data',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='instance',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='instances.instance'),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='scan',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='scans.scan'),
        ),
        migrations.RunPython(about_scans, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('kind', 'about', 'user'), name='one_mail_per_thing_and_person'),
        ),
    ]
