"""Feeds, what they said, and what of it concerns which instance."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from fedisec.instances.models import Instance


class SourceKind(models.TextChoices):
    RELEASE = "release"  # new versions of one software
    WARNINGS = "warnings"  # of vulnerabilities, in whatever products
    PACKAGES = "packages"  # what a distribution knows of the flaws in its packages
    ENDS = "ends"  # until when a product is supported
    ADVISORIES = "advisories"  # published flaws of one software, with the versions that have them


class Form(models.TextChoices):
    """How a source is asked, and what it answers."""

    FEED = "feed"  # Atom, RSS or JSON Feed, in one document
    MYJVN = "myjvn"  # getVulnOverviewList of MyJVN, by product, in pages
    DEBIAN = "debian"  # the JSON of Debian's security tracker, in one large document
    UBUNTU = "ubuntu"  # Ubuntu's CVEs as JSON, by package, in pages
    OSV = "osv"  # OSV's answer to a query for one package
    GITHUB = "github"  # the security advisories of one repository of GitHub
    OFFERS = "offers"  # what the makers of Mastodon offer to who runs a version


class Source(models.Model):
    """A feed.  Those of `data/feeds.toml` are kept equal to it, save their switch; `own` ones are an
    operator's.

    It is fetched by whoever claims it: `next_fetch_at` has come, and no lease is running.  NULL in
    `next_fetch_at`: nobody needs it at present."""

    slug = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10)  # a SourceKind
    form = models.CharField(max_length=10, default="feed")  # a Form
    title = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    asks = models.CharField(max_length=200, blank=True)  # of OSV: the ecosystem and the package, with a space
    page = models.CharField(max_length=500, blank=True)  # where a person reads the same
    language = models.CharField(max_length=8, blank=True)  # of its titles
    about = models.CharField(max_length=60, blank=True)  # a software, or a distribution; "" = anything
    every_s = models.PositiveIntegerField(default=3600)
    enabled = models.BooleanField(default=True)
    own = models.BooleanField(default=False)

    next_fetch_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=32, blank=True)  # of who is fetching
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)

    cursor = models.JSONField(default=dict, blank=True)  # how far a source that comes in pages was read
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)  # the last try, however it ended
    last_ok_at = models.DateTimeField(null=True, blank=True)  # the last answer that was believed
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    last_error = models.CharField(max_length=300, blank=True)
    error_reason = models.CharField(max_length=30, blank=True)  # a checks.errors.Reason, or http_<status>
    held = models.CharField(max_length=20, blank=True)  # why what it says now is not believed: a Doubt
    held_detail = models.CharField(max_length=300, blank=True)
    believe = models.BooleanField(default=False)  # an operator looked: take the next answer as it is

    class Meta:
        ordering = ("kind", "title", "pk")
        indexes = (models.Index(fields=["next_fetch_at"], condition=Q(enabled=True), name="source_queue"),)

    def __str__(self) -> str:
        return self.slug


class Entry(models.Model):
    """One thing that a feed said.  Texts are cleaned, cut and plain."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="entries")
    guid = models.CharField(max_length=300)
    story = models.CharField(max_length=80, default="")  # the same for the same news elsewhere
    title = models.CharField(max_length=300)
    url = models.CharField(max_length=500, blank=True)  # http or https, or nothing
    summary = models.CharField(max_length=1000, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=60, blank=True)  # of a release, to compare by
    prerelease = models.BooleanField(default=False)
    urgent = models.BooleanField(default=False)  # a release whose notes speak of security
    data = models.JSONField(
        default=dict, blank=True
    )  # id, cpe [vendor:product], cvss {score, severity, vector}
    first_seen_at = models.DateTimeField(default=timezone.now)
    matched = models.BooleanField(default=False)  # a warning that was compared with what instances run

    class Meta:
        ordering = ("-published_at", "-pk")
        constraints = (models.UniqueConstraint(fields=["source", "guid"], name="one_entry_of_a_guid"),)
        indexes = (
            models.Index(fields=["source", "-published_at"], name="entries_of_source"),
            models.Index(fields=["id"], condition=Q(matched=False), name="entries_unmatched"),
            models.Index(fields=["story"], name="entries_of_story"),
        )

    def __str__(self) -> str:
        return self.title


class Said(models.TextChoices):
    """What a person said of a warning."""

    OPEN = ""
    CONCERNS = "concerns"  # it concerns us, and something is to be done
    NOT = "not"  # it does not
    DONE = "done"


class Name(models.Model):
    """A name by which a story goes: JVNDB-…, JVN#…, or the CVEs that a warning is about, all of them."""

    name = models.CharField(max_length=80, primary_key=True)
    story = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Verdict(models.TextChoices):
    """What the distribution says of a flaw in the package that is installed."""

    REPAIRED = "repaired"  # the installed version has the repair, or never had the flaw
    UPDATE = "update"  # a newer package has it
    OPEN = "open"  # there is no repair yet
    IGNORED = "ignored"  # the distribution has decided to make none
    ENDED = "ended"  # it no longer looks after the package


class Concern(models.Model):
    """An entry that names something which an instance runs."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="concerns")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="concerns")
    story = models.CharField(max_length=80, default="")  # of the entry: one line for each
    product = models.CharField(max_length=40)  # what it names
    matched = models.CharField(max_length=60)  # by which "vendor:product" or word
    by_cpe = models.BooleanField(default=False)
    verdict = models.CharField(max_length=12, blank=True)  # a Verdict of the distribution, "" = it has none
    repaired_in = models.CharField(max_length=100, blank=True)  # version of the package
    said = models.CharField(max_length=10, blank=True)  # a Said
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    said_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)  # NULL: somebody is still to hear of it

    class Meta:
        ordering = ("-entry__published_at", "-pk")
        constraints = (models.UniqueConstraint(fields=["instance", "story"], name="one_concern_of_a_story"),)
        indexes = (
            models.Index(fields=["instance", "said"], name="reading_list"),
            models.Index(fields=["created_at"], condition=Q(told_at=None), name="concern_untold"),
        )

    def __str__(self) -> str:
        return f"{self.entry_id} for {self.instance_id}"


class Stack(models.Model):
    """What an instance runs, in the few words that feeds are matched by; made from its last whole look."""

    instance = models.OneToOneField(Instance, models.CASCADE, related_name="stack", primary_key=True)
    scan_id = models.BigIntegerField(default=0)  # the look it was made from
    products = models.JSONField(default=list)  # [[product, version], …]
    distribution = models.CharField(max_length=40, blank=True)  # ID of os-release(5)
    release = models.CharField(max_length=40, blank=True)  # its code name, "bookworm"
    packages = models.JSONField(default=list)  # [[source package, version], …] of the distribution's own
    owned = models.JSONField(default=dict)  # product -> source package, where no image or build runs it, too
    software = models.CharField(max_length=60, blank=True)  # as it calls itself
    family = models.CharField(max_length=40, blank=True)
    version = models.CharField(max_length=120, blank=True)  # as given
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"stack of {self.instance_id}"


class Flaw(models.Model):
    """What a distribution says of one flaw in one source package of one release; of packages that a server
    here has."""

    distribution = models.CharField(max_length=20)
    release = models.CharField(max_length=40)
    package = models.CharField(max_length=100)
    name = models.CharField(max_length=40)  # CVE-…, or the distribution's own
    state = models.CharField(max_length=12)  # a FlawState
    said = models.CharField(max_length=120, blank=True)  # as the source gives it: its word, its reason
    fixed = models.CharField(max_length=100, blank=True)  # version with the repair, "" = none
    urgency = models.CharField(max_length=30, blank=True)  # as given
    seen_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["distribution", "release", "package", "name"], name="one_flaw_of_a_package"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} in {self.package} of {self.release}"


class FlawState(models.TextChoices):
    FIXED = "fixed"  # in `Flaw.fixed`
    UNTOUCHED = "untouched"  # the package never had it
    OPEN = "open"
    IGNORED = "ignored"
    ENDED = "ended"


class PackageStanding(models.Model):
    """One package of one instance beside what its distribution says of it; made anew when either changes."""

    instance = models.ForeignKey(Instance, models.CASCADE, related_name="package_standings")
    package = models.CharField(max_length=100)
    installed = models.CharField(max_length=100)
    fixed = models.CharField(max_length=100, blank=True)  # the newest version that repairs something more
    update = models.PositiveIntegerField(default=0)  # flaws that this repairs
    open = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)
    ended = models.BooleanField(default=False)
    urgency = models.CharField(max_length=30, blank=True)  # the gravest of `update`, as given
    names = models.JSONField(default=list)  # some of `update`

    class Meta:
        ordering = ("-update", "package")
        constraints = (
            models.UniqueConstraint(fields=["instance", "package"], name="one_standing_of_a_package"),
        )

    def __str__(self) -> str:
        return f"{self.package} of {self.instance_id}"


class Advisory(models.Model):
    """What one source says of one published flaw; `fedisec.watch.advised` makes one list of all of them and
    of the shipped table."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="advisories")
    platform = models.CharField(max_length=60)  # the software that it is about
    name = models.CharField(max_length=60)  # CVE-…, GHSA-…, BIT-…
    aliases = models.JSONField(default=list)  # [name, …]
    title = models.CharField(max_length=300)
    url = models.CharField(max_length=500, blank=True)
    affected = models.JSONField(default=list)  # [[introduced, fixed, last], …] as checks.facts.advisories
    ratings = models.JSONField(default=list)  # [[by, word, vector], …] as given
    published = models.CharField(max_length=10, blank=True)  # YYYY-MM-DD
    changed = models.CharField(max_length=10, blank=True)
    seen = models.BooleanField(default=True)  # its versions are plain; a range without an end is not
    by_makers = models.BooleanField(default=False)
    withdrawn = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    weighed = models.BooleanField(default=False)  # compared with what instances run, as it stands here
    first = models.BooleanField(default=False)  # it came with the first reading: that is no news

    class Meta:
        ordering = ("-published", "pk")
        constraints = (models.UniqueConstraint(fields=["source", "name"], name="one_advisory_of_a_name"),)
        indexes = (
            models.Index(fields=["platform"], name="advisories_of_platform"),
            models.Index(fields=["id"], condition=Q(weighed=False), name="advisories_unweighed"),
        )

    def __str__(self) -> str:
        return self.name


class Offer(models.Model):
    """What the makers offered last to who runs `version`."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="offers")
    version = models.CharField(max_length=40)
    offered = models.JSONField(default=list)  # [[version, urgent, kind, url], …]
    asked_at = models.DateTimeField()
    weighed = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["source", "version"], name="one_offer_to_a_version"),)

    def __str__(self) -> str:
        return f"to {self.version}"


# The rest of this app's tables; they name those above by word only.
from fedisec.watch import stock_models  # noqa: E402, F401
