"""The one row that tells whether the key file is the one this database was sealed with."""

from __future__ import annotations

from django.db import models

from fedisec.lib.sealed import SealedField


class Canary(models.Model):
    """At most one row, with the key 1.  Made at the first start, opened at every start."""

    sealed = SealedField("canary")

    def __str__(self) -> str:
        return "canary"


class Backup(models.Model):
    """One backup that was written and read back; the newest tells how long ago that was.  Rows tell of files
    as they were then: nobody looks whether they are still there."""

    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=255)  # of the file, without its folder
    kind = models.CharField(max_length=10)  # sqlite, pg_dump, export
    size = models.BigIntegerField()  # bytes
    seconds = models.FloatField()

    def __str__(self) -> str:
        return self.name
