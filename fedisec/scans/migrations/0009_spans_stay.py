"""What a scan saw of an item is not rewritten: the database refuses it.  Removing an instance removes its spans."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER spans_stay BEFORE UPDATE ON scans_span
BEGIN SELECT RAISE(ABORT, 'what a scan saw is not rewritten'); END
"""
POSTGRES = """
CREATE FUNCTION refuse_span_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'what a scan saw is not rewritten' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER spans_stay BEFORE UPDATE ON scans_span
FOR EACH ROW EXECUTE FUNCTION refuse_span_update()
"""


def refuse_updates(apps, schema_editor):
    """On SQLite a later migration that alters this table copies it, and the copy has no trigger: call this
    function again at its end (tests/scans/test_spans.py fails otherwise)."""
    schema_editor.execute(SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES)


def allow_updates(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER spans_stay")
    else:
        schema_editor.execute("DROP FUNCTION refuse_span_update CASCADE")


class Migration(migrations.Migration):

    dependencies = [("scans", "0008_warned_certificates")]

    operations = [migrations.RunPython(refuse_updates, allow_updates)]
