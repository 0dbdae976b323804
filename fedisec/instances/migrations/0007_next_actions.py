from django.db import migrations, models
from django.db.models import OuterRef, Subquery
import django.db.models.deletion

BATCH = 500


def carry_over(apps, schema_editor):
    """The five of each instance from one column into rows, and the time of its last whole look beside them."""
    Glance, NextAction = apps.get_model("instances", "Glance"), apps.get_model("instances", "NextAction")
    Scan = apps.get_model("scans", "Scan")
    whole = Scan.objects.filter(instance=OuterRef("pk"), state="done").exclude(reason="item").order_by("-pk")
    Glance.objects.update(looked_at=Subquery(whole.values("finished_at")[:1]))
    rows = Glance.objects.exclude(looked_at=None).values_list("pk", "actions")
    NextAction.objects.bulk_create(
        (
            NextAction(instance_id=pk, item_id=item_id, state=state, weight=weight)
            for pk, actions in rows.iterator(BATCH)
            for weight, item_id, state in actions
        ),
        batch_size=BATCH,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("instances", "0006_proof"),
        ("scans", "0009_spans_stay"),
    ]

    operations = [
        migrations.AddField("glance", "looked_at", models.DateTimeField(blank=True, null=True)),
        migrations.CreateModel(
            name="NextAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("item_id", models.CharField(max_length=60)),
                ("state", models.CharField(max_length=20)),
                ("weight", models.PositiveIntegerField()),
                (
                    "instance",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="next_actions",
                        to="instances.instance",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["item_id", "-weight", "instance"], name="actions_of_item")],
                "constraints": [
                    models.UniqueConstraint(fields=("instance", "item_id"), name="one_action_of_an_item")
                ],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("glance", "actions"),
    ]
