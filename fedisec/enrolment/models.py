"""How fedisec logs in to a server: one key of its own per instance, made here and sealed here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from checks.target import Access
from fedisec.enrolment.keys import fingerprint, label
from fedisec.instances.models import Instance
from fedisec.lib.sealed import SealedField, opened


class Mode(models.TextChoices):
    """What the key may do on the server."""

    FORCED = "forced", _("A fixed command: the key can run fedisec's script and nothing else")
    SUDO = "sudo", _("A fixed command as root: the same, and the script sees all it asks for")
    PLAIN = "plain", _("A plain account: nothing is installed, but the key opens a shell")


class SshAccess(models.Model):
    """The access to one instance.  `host_key` is what a person confirmed ("" = nobody yet), the offered one
    what the server showed last; both as "TYPE BASE64".  While `changed_at` is set fedisec logs in no more."""

    instance = models.OneToOneField(Instance, models.CASCADE, primary_key=True, related_name="ssh_access")
    host = models.CharField(max_length=253, blank=True)  # address or name; "" = the instance's own
    port = models.PositiveIntegerField(default=22)
    user = models.CharField(max_length=32, default="fedisec")
    mode = models.CharField(max_length=10, default=Mode.FORCED)
    sealed_key = SealedField("ssh key")
    public_key = models.CharField(max_length=200)  # "ssh-ed25519 BASE64"
    host_key = models.TextField(blank=True)
    offered_host_key = models.TextField(blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_to = models.CharField(max_length=200, blank=True)  # the other key's type and fingerprint
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    report = models.JSONField(default=dict, blank=True)  # a trial.Trial of the last login, by test or scan
    report_at = models.DateTimeField(null=True, blank=True)
    powers = models.JSONField(default=dict, blank=True)  # what the key may do beside, by the last test
    busy_until = models.DateTimeField(null=True, blank=True)  # a test holds the access until then
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"access to {self.instance_id} as {self.user}"

    @property
    def is_forced(self) -> bool:
        """A command of the server's own choosing runs, whatever is asked for."""
        return self.mode != Mode.PLAIN

    @property
    def is_confirmed(self) -> bool:
        return bool(self.host_key)

    @property
    def is_stopped(self) -> bool:
        """The server showed another host key than the confirmed one, and nobody has looked at it yet."""
        return self.changed_at is not None

    @property
    def fingerprint(self) -> str:
        """Of the confirmed host key, as ssh-keygen prints it; "" where there is none."""
        return fingerprint(self.host_key)

    @property
    def offered_label(self) -> str:
        """Type and fingerprint of the key that the server showed last; "" where it showed none."""
        return label(self.offered_host_key)

    def opened(self) -> Access:
        """The access with its private key; for the length of one look.  While it is stopped without a host
        key, so that nobody is logged in.  CannotOpen without the right key file."""
        key = opened(self, "sealed_key")
        trusted = "" if self.is_stopped else self.host_key
        return Access(self.host, self.port, self.user, key, trusted, self.is_forced)
