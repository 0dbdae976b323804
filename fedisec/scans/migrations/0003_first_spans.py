"""The history begins with what is known today: of each item its last verdict, since it has had its status."""

from bisect import bisect_left

from django.db import migrations


def begin(apps, schema_editor):
    Scan, ItemState, Span = (apps.get_model("scans", name) for name in ("Scan", "ItemState", "Span"))
    instances = ItemState.objects.order_by("instance").values_list("instance", flat=True).distinct()
    for instance in list(instances):
        done = Scan.objects.filter(instance=instance, state="done", finished_at__isnull=False)
        scans = sorted(done.values_list("finished_at", "pk"))
        if not scans:
            continue
        states = ItemState.objects.filter(instance=instance).order_by("pk")
        Span.objects.bulk_create([_span(Span, state, scans) for state in states])


def _span(Span, state, scans):
    place = bisect_left(scans, (state.since, 0))
    at, scan = scans[min(place, len(scans) - 1)]
    return Span(
        instance_id=state.instance_id,
        item_id=state.item_id,
        scan_id=scan,
        first_at=at,
        status=state.status,
        code=state.code,
        data=state.data,
        evidence=state.evidence,
        reason=state.reason,
    )


class Migration(migrations.Migration):

    dependencies = [("scans", "0002_spans_and_single_items")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
