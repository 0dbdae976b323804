"""From where the machine's part of an item was seen."""

from __future__ import annotations

from enum import StrEnum

from checks.model import Item, Settles
from fedisec.scans.models import ItemState

_INSIDE = "inside"  # how a label of evidence from the server itself begins


class Side(StrEnum):
    """Where fedisec stood when it looked."""

    OUTSIDE = "outside"
    SERVER = "server"
    BOTH = "both"
    ITSELF = "itself"


def side_of(item: Item, machine: ItemState) -> Side:
    """Where a verdict was seen from.  Where either side can tell, the evidence says which one did."""
    if Settles.SELF in item.settles:
        return Side.ITSELF
    if Settles.INSIDE not in item.settles:
        return Side.OUTSIDE
    if Settles.OUTSIDE not in item.settles:
        return Side.SERVER
    places = {label.startswith(_INSIDE) for label, _ in machine.evidence}
    if places == {True, False}:
        return Side.BOTH
    return Side.SERVER if places == {True} else Side.OUTSIDE
