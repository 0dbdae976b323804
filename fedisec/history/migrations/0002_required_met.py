from django.db import migrations, models

APART = {"accepted", "not_applicable"}


def fill(apps, schema_editor):
    standings = apps.get_model("history", "Standing").objects
    met = []
    for pk, counts in standings.values_list("pk", "counts").iterator(500):
        states = (counts or {}).get("required", {})
        counting = sum(number for state, number in states.items() if state not in APART)
        if states and states.get("met", 0) == counting:
            met.append(pk)
    for start in range(0, len(met), 500):
        standings.filter(pk__in=met[start : start + 500]).update(required_met=True)


class Migration(migrations.Migration):
    dependencies = [("history", "0001_counts")]

    operations = [
        migrations.AddField("standing", "required_met", models.BooleanField(default=False)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
