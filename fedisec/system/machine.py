"""Room on the disk, and the time of day."""

from __future__ import annotations

import ctypes
import shutil
import struct
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone

from fedisec.lib.room import LOW_BYTES
from fedisec.system.line import Line, State

SCARCE_BYTES = 512 * 1024 * 1024
APART_S, FAR_APART_S = 2.0, 30.0  # leases and second looks are minutes long
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_STATUS = struct.Struct("@Illlli")  # modes, offset, freq, maxerror, esterror, status


def disk(now: datetime) -> Line:
    """Of the data folder; without PostgreSQL the database lies there too."""
    found = shutil.disk_usage(settings.DATA)
    data = {"free": found.free, "folder": str(settings.DATA)}
    if found.free < LOW_BYTES:
        return Line("disk", State.BROKEN, "full", data)
    low = found.free < SCARCE_BYTES
    return Line("disk", State.ATTENTION if low else State.OK, "low" if low else "room", data)


def time_of_day(now: datetime) -> Line:
    """Against the database's clock where that is another machine's; and whether the kernel is told."""
    if connection.vendor == "postgresql":
        before = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            theirs = cursor.fetchone()[0]
        after = timezone.now()
        apart = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
        if apart > APART_S:
            state = State.BROKEN if apart > FAR_APART_S else State.ATTENTION
            return Line("time", state, "apart", {"seconds": round(apart, 1)})
    synchronised = kernel_is_told()
    if synchronised is None:
        return Line("time", State.UNKNOWN, "not_told")
    return Line("time", State.OK if synchronised else State.ATTENTION, "told" if synchronised else "untold")


def kernel_is_told() -> bool | None:
    """Whether something keeps the kernel's clock right (adjtimex(2), which needs no rights to ask); None
    where it does not say."""
    buffer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None).adjtimex(buffer) < 0:
        return None
    status: int = _STATUS.unpack_from(buffer)[-1]
    return not status & _UNSYNCHRONISED
