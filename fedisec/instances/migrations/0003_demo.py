from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('instances', '0002_ssh_user'),
    ]

    operations = [
        migrations.AddField(
            model_name='instance',
            name='demo',
            field=models.BooleanField(default=False),
        ),
    ]
