from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0005_mails_are_made_of_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='channel',
            name='sealed_secret_before',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='channel',
            name='secret_made_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='channel',
            name='stopped_why',
            field=models.CharField(blank=True, max_length=20),
        ),
    ]
