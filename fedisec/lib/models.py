"""The one row that tells whether the key file is the one this database was sealed with."""

from __future__ import annotations

from django.db import models

from fedisec.lib.sealed import SealedField


class Canary(models.Model):
    """At most one row, with the key 1.  Made at the first start, opened at every start."""

    sealed = SealedField("canary")

    def __str__(self) -> str:
        return "canary"
