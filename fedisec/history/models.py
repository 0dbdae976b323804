"""Where each instance stands now, and where it stood at the end of each day: counted once, read often."""

from __future__ import annotations

from django.db import models

from fedisec.instances.models import Instance


class Standing(models.Model):
    """The latest count of an instance, with what machine and people say merged.  Written whenever either
    speaks; a page of a thousand instances reads these rows and merges nothing itself."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="standing", primary_key=True)
    counts = models.JSONField(default=dict)  # level -> {state: number}; states without items are left out
    required_not_met = models.PositiveSmallIntegerField(default=0)
    required_met = models.BooleanField(default=False)  # all of the required ones that apply, and some do
    not_met_since = models.DateTimeField(null=True, blank=True)  # the oldest of the required ones
    new = models.PositiveSmallIntegerField(default=0)  # of the required ones
    software = models.CharField(max_length=200, blank=True)
    good_until = models.DateTimeField(null=True, blank=True, db_index=True)  # then it changes by itself
    rules = models.CharField(max_length=40)  # version of fedisec and its checks; another one counts anew
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"standing of {self.instance_id}"


class DayCount(models.Model):
    """The last count of a day (of the installation's time zone): one point of a trend line."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    counts = models.JSONField(default=dict)  # as in `Standing`
    met = models.PositiveSmallIntegerField()  # over all levels
    applicable = models.PositiveSmallIntegerField()
    scanned = models.BooleanField(default=False)  # False: that day only people spoke

    class Meta:
        constraints = (models.UniqueConstraint(fields=["instance", "day"], name="one_count_a_day"),)

    def __str__(self) -> str:
        return f"{self.instance_id} on {self.day}: {self.met} of {self.applicable}"
