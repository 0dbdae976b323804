"""Lines that belong to no team, the account they are about and the client's address; and no line goes away again."""

from importlib import import_module

from django.db import migrations, models

_second = import_module("fedisec.accounts.migrations.0002_audit_trail")

SQLITE = """
CREATE TRIGGER audit_stays BEFORE DELETE ON accounts_auditevent
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
POSTGRES = """
CREATE TRIGGER audit_stays BEFORE DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION refuse_audit_update()
"""


def refuse_all(apps, schema_editor):
    """On SQLite a later migration that alters this table copies it, and the copy has no triggers: call this
    function again at its end (tests/accounts/test_audit.py fails otherwise)."""
    _second.refuse_updates(apps, schema_editor)
    schema_editor.execute(SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES)


def allow_all(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER audit_stays")
    _second.allow_updates(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0003_operator")]

    operations = [
        migrations.RunPython(_second.allow_updates, _second.refuse_updates),
        migrations.AlterField("auditevent", "team_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("auditevent", "subject_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("auditevent", "address", models.CharField(blank=True, default="", max_length=45)),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["subject_id", "-id"], name="audit_of_person")
        ),
        migrations.RunPython(refuse_all, allow_all),
    ]
