from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lib', '0002_canary'),
    ]

    operations = [
        migrations.CreateModel(
            name='Backup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
                ('name', models.CharField(max_length=255)),
                ('kind', models.CharField(max_length=10)),
                ('size', models.BigIntegerField()),
                ('seconds', models.FloatField()),
            ],
        ),
    ]
