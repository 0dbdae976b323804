"""Where everything of the lab lives: names and addresses."""

from __future__ import annotations

GOOD = "good.fedi.test"
BAD = "bad.fedi.test"
MEDIA = "files.good-media.test"  # good's uploads, on another registrable domain
MEDIA_SUB = "media.good.fedi.test"  # the same host under good's own domain
MX = "mx.good.fedi.test"
MTA_STS = "mta-sts.good.fedi.test"
RDAP = "rdap.fedi.test"  # the registry of what is below fedi.test
BAD_MAIL = "mailhost.bad.fedi.test"
SECURE_NAME = GOOD  # signed well
BOGUS_NAME = "bogus.fedi.test"  # signed wrongly

RESOLVER_IP = "127.66.0.53"
# Two networks, because name servers in one /24 are one fault away from silence.
NS1_IP, NS2_IP = "127.66.0.54", "127.66.1.54"
RDAP_IP = "127.66.0.14"
GOOD_IP, MEDIA_IP, MX_IP, MTA_STS_IP = "127.66.0.10", "127.66.0.11", "127.66.0.12", "127.66.0.13"
BAD_IP, BAD_MAIL_IP = "127.66.0.20", "127.66.0.22"
RECEIVER_IP = "127.66.0.25"

GOOD_IP6, MEDIA_IP6, MX_IP6, MTA_STS_IP6 = "fd66::10", "fd66::11", "fd66::12", "fd66::13"
NS1_IP6, NS2_IP6 = "fd66::54", "fd66::1:54"
# 127.0.0.0/8 needs no adding; of IPv6 only these exist.  fd66::30 to fd66::3f are free for tests.
IPV6 = (
    GOOD_IP6, MEDIA_IP6, MX_IP6, MTA_STS_IP6, NS1_IP6, NS2_IP6,
    "fd66::20", "fd66::22", "fd66::25", "fd66::53",
    *(f"fd66::{n:x}" for n in range(0x30, 0x40)),
)  # fmt: skip
NETWORKS = ("127.66.0.0/16", "fd66::/64")
