"""What is taken and given, in the words of the dashboard.  Times are RFC 3339 with a zone; a text for people
is in the language of Accept-Language, a code never changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field

from checks.model import Level, Status
from fedisec.checklist.state import By, State
from fedisec.scans.models import ScanState, Side

T = TypeVar("T")


class Given(Schema):
    """A body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema, Generic[T]):
    results: list[T]
    next_cursor: str | None = Field(description="null at the end")


class TeamOut(Schema):
    id: int
    name: str
    role: str = Field(description="of the token's person: viewer, editor or owner")


class TokenOut(Schema):
    name: str
    scopes: list[str]
    team: int | None = Field(description="null: all teams of its person")
    person: str
    made_at: datetime
    expires_at: datetime | None


class TeamRef(Schema):
    id: int
    name: str


class Count(Schema):
    met: int
    applicable: int
    accepted: int


class Posture(Schema):
    """Where an instance stands.  Accepted items are counted apart, never as met."""

    sentence: str
    levels: dict[Level, Count]
    states: dict[State, int]
    required_not_met: int
    not_met_since: datetime | None


class InstanceOut(Schema):
    id: int
    domain: str = Field(description="A-labels, lower case")
    name: str = Field(description="as people write it")
    team: TeamRef
    url: str = Field(description="its page")
    demo: bool
    paused: bool
    tags: list[str]
    mail_from: str
    dkim_selectors: list[str]
    origins: list[str]
    ssh_port: int
    ssh_user: str
    interval_s: int
    inside_interval_s: int | None = Field(description="null: with every look from outside")
    created_at: datetime
    next_scan_at: datetime | None
    looked_at: datetime | None = Field(description="end of the last whole look that ended well")
    is_scanning: bool
    software: str
    posture: Posture


Name = Annotated[str, Field(max_length=2048)]
Words = Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=10)]


class More(Given):
    """What only the admin of a server knows."""

    mail_from: Name = ""
    dkim_selectors: Words = []
    origins: Words = []
    ssh_port: Annotated[int, Field(ge=1, le=65535)] = 22
    ssh_user: Annotated[str, Field(max_length=32)] = "root"


class InstanceIn(More):
    domain: Name
    team: int | None = Field(None, description="needed where the token's person edits several teams")


class InstanceChange(Given):
    """Fields that are not named stay as they are."""

    mail_from: Name | None = None
    dkim_selectors: Words | None = None
    origins: Words | None = None
    ssh_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    ssh_user: Annotated[str, Field(max_length=32)] | None = None
    tags: Words | None = None
    interval_s: Annotated[int, Field(ge=1, le=30 * 86_400)] | None = None
    inside_interval_s: Annotated[int, Field(ge=1, le=30 * 86_400)] | None = Field(
        None, description="null: with every look from outside"
    )
    paused: bool | None = None


class Evidence(Schema):
    label: str
    text: str


class Machine(Schema):
    """What the last look said of an item."""

    status: Status
    code: str
    reason: str | None = Field(description="why it could not be seen")
    detail: str
    data: dict[str, Any]
    evidence: list[Evidence]
    since: datetime
    looked_at: datetime


class AttestationOut(Schema):
    met: bool
    note: str
    link: str
    by: str | None
    at: datetime
    until: datetime


class WaiverOut(Schema):
    kind: str
    reason: str
    by: str | None
    at: datetime
    until: datetime | None


class ItemOut(Schema):
    id: str
    topic: str
    level: Level
    title: str
    state: State
    decided_by: By
    since: datetime | None
    summary: str
    expected: str
    machine: Machine | None
    attestation: AttestationOut | None
    waiver: WaiverOut | None
    takes_answers: bool
    basis: str = Field(description="names the answers that stand; send it back to be told of others")
    url: str = Field(description="its page")


Basis = Annotated[str, Field(max_length=50)]
Long = Annotated[str, Field(max_length=2000)]


class AttestationIn(Given):
    met: bool
    note: Long = Field("", description="a must for required items")
    link: Annotated[str, Field(max_length=500)] = ""
    days: Literal[30, 90, 180, 365] | None = Field(None, description="null: as long as the item says")
    basis: Basis | None = None


class WaiverIn(Given):
    kind: Literal["accepted_risk", "false_positive", "not_applicable", "compensated"]
    reason: Annotated[str, Field(min_length=10, max_length=2000)]
    until: Annotated[str, Field(max_length=10, description="a day such as 2027-03-31")] | None = Field(
        None, description="a year ahead at most; null only for not_applicable"
    )
    basis: Basis | None = None


class AnswerOut(Schema):
    """An answer that stands, whether its time is over or not."""

    item_id: str
    kind: Literal["attestation", "waiver"]
    attestation: AttestationOut | None
    waiver: WaiverOut | None


class Phase(Schema):
    phase: str
    done: int
    total: int


class ScanOut(Schema):
    id: int
    instance: int
    state: ScanState
    reason: str = Field(description="first, scheduled, manual, confirm or item")
    side: Side
    only: list[str] = Field(description="ids of the items looked at; empty: all")
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: list[Phase]
    error: str
    counts: dict[str, dict[str, int]] = Field(description="level -> status -> how many")
    connections: dict[str, int]
    checks_version: str


class ChangeOut(Schema):
    id: int
    instance: int
    domain: str
    scan: int
    item_id: str = Field(description="“reach” stands for the server as a whole")
    title: str
    kind: str
    before: str
    after: str
    code: str
    summary: str
    data: dict[str, Any]
    evidence: list[Evidence]
    at: datetime


class WarningOut(Schema):
    """Something that a feed said, and that names what an instance runs."""

    id: int
    instance: int
    domain: str
    product: str
    matched: str
    by_cpe: bool
    severity: str
    title: str
    url: str
    summary: str
    source: str
    published_at: datetime | None
    said: str = Field(description="what a person said: “” (nothing yet), concerns, not or done")
    said_at: datetime | None
    at: datetime
