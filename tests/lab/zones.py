"""The zones of the lab as text: a root, test, and the domains of the good and the bad instance."""

from __future__ import annotations

from tests.lab import places as at
from tests.lab.ca import CAA_ISSUER

_TTL = 300
_NS_OF_LAB = ("ns1.fedi.test.", "ns2.fedi.test.")


def zone_texts(dkim_key: str, tlsa: tuple[str, ...]) -> dict[str, str]:
    """Zone name with final dot -> master file without DS.  `dkim_key` is base64, `tlsa` whole record data."""
    return {
        ".": _root(),
        "test.": _test(),
        "fedi.test.": _fedi(),
        "good.fedi.test.": _good(dkim_key, tlsa),
        "good-media.test.": _good_media(),
        "bad.fedi.test.": _bad(),
        "bogus.fedi.test.": _bogus(),
    }


def _head(zone: str, servers: tuple[str, ...]) -> str:
    soa = f"{servers[0]} hostmaster.fedi.test. 2026112101 3600 900 604800 {_TTL}"
    lines = [f"$ORIGIN {zone}", f"$TTL {_TTL}", f"@ IN SOA {soa}", *(f"@ IN NS {name}" for name in servers)]
    return "\n".join(lines) + "\n"


def _servers(zone: str) -> str:
    """Addresses of ns1 and ns2 below `zone`; as glue in the parent, as answers in the zone."""
    return (
        f"ns1.{zone} IN A {at.NS1_IP}\nns1.{zone} IN AAAA {at.NS1_IP6}\n"
        f"ns2.{zone} IN A {at.NS2_IP}\nns2.{zone} IN AAAA {at.NS2_IP6}\n"
    )


def _delegation(zone: str, *servers: str) -> str:
    return "".join(f"{zone} IN NS {server}\n" for server in servers)


def _txt(name: str, text: str) -> str:
    """A TXT record; a string holds 255 bytes, longer text becomes several strings."""
    strings = (text[i : i + 250] for i in range(0, len(text), 250))
    return f"{name} IN TXT " + " ".join(f'"{s}"' for s in strings) + "\n"


def _root() -> str:
    return _head(".", _NS_OF_LAB) + _delegation("test.", *_NS_OF_LAB) + _servers("fedi.test.")


def _test() -> str:
    return (
        _head("test.", _NS_OF_LAB)
        + _delegation("fedi.test.", *_NS_OF_LAB)
        + _delegation("good-media.test.", *_NS_OF_LAB)
        + _servers("fedi.test.")
    )


def _fedi() -> str:
    good, bad = "good.fedi.test.", "bad.fedi.test."
    return (
        _head("fedi.test.", _NS_OF_LAB)
        + _servers("fedi.test.")
        + f"@ IN MX 10 smtp.fedi.test.\nsmtp IN A {at.RECEIVER_IP}\nrdap IN A {at.RDAP_IP}\n"
        # A mail server of the bad domain in a zone that is signed, where DANE names another key.
        + f"oldmx IN A {at.MX_IP}\n_25._tcp.oldmx IN TLSA 3 1 1 {'0' * 64}\n"
        + _delegation(good, f"ns1.{good}", f"ns2.{good}")
        + _servers(good)
        + _delegation(bad, f"ns.{bad}")
        + f"ns.{bad} IN A {at.NS1_IP}\n"
        + _delegation("bogus.fedi.test.", *_NS_OF_LAB)
    )


def _good(dkim_key: str, tlsa: tuple[str, ...]) -> str:
    zone = "good.fedi.test."
    return (
        _head(zone, (f"ns1.{zone}", f"ns2.{zone}"))
        + _servers(zone)
        + f"@ IN A {at.GOOD_IP}\n@ IN AAAA {at.GOOD_IP6}\n"
        + f'@ IN CAA 0 issue "{CAA_ISSUER}"\n@ IN CAA 0 issuewild ";"\n'
        + '@ IN CAA 0 iodef "mailto:admin@good.fedi.test"\n'
        + "@ IN MX 10 mx.good.fedi.test.\n"
        + _txt("@", f"v=spf1 ip4:{at.MX_IP} ip6:{at.MX_IP6} -all")
        + _txt("_dmarc", "v=DMARC1; p=reject; rua=mailto:dmarc@good.fedi.test")
        + _txt("fedi._domainkey", f"v=DKIM1; k=rsa; p={dkim_key}")
        + f"mx IN A {at.MX_IP}\nmx IN AAAA {at.MX_IP6}\n"
        + "".join(f"_25._tcp.mx IN TLSA {data}\n" for data in tlsa)
        + _txt("_mta-sts", "v=STSv1; id=20261101T000000")
        + f"mta-sts IN A {at.MTA_STS_IP}\nmta-sts IN AAAA {at.MTA_STS_IP6}\n"
        + _txt("_smtp._tls", "v=TLSRPTv1; rua=mailto:tlsrpt@good.fedi.test")
        + f"media IN A {at.MEDIA_IP}\nmedia IN AAAA {at.MEDIA_IP6}\n"
    )


def _good_media() -> str:
    return (
        _head("good-media.test.", _NS_OF_LAB)
        + f"files IN A {at.MEDIA_IP}\nfiles IN AAAA {at.MEDIA_IP6}\n"
        + f'@ IN CAA 0 issue "{CAA_ISSUER}"\n@ IN MX 0 .\n'
        + _txt("@", "v=spf1 -all")
    )


def _bad() -> str:
    return (
        _head("bad.fedi.test.", ("ns.bad.fedi.test.",))
        + f"ns IN A {at.NS1_IP}\n@ IN A {at.BAD_IP}\n"
        + "@ IN MX 0 .\n"  # "no mail", which must stand alone (RFC 7505 3)
        + "@ IN MX 10 mail.bad.fedi.test.\n"  # an alias, which RFC 2181 10.3 forbids
        + "@ IN MX 20 oldmx.fedi.test.\n@ IN MX 30 mx.bogus.fedi.test.\n"
        + '@ IN CAA 0 issue ";"\n'  # nobody, although a certificate is in use
        + _txt("_dmarc", "v=DMARC1; p=nothing")
        + _txt("_mta-sts", "v=STSv1; id=20240101T000000")  # without a policy
        + f"mail IN CNAME mailhost.bad.fedi.test.\nmailhost IN A {at.BAD_MAIL_IP}\n"
        + _txt("@", f"v=spf1 ip4:{at.BAD_MAIL_IP} ~all")
        + _txt("@", "v=spf1 +all")
    )


def _bogus() -> str:
    return (
        _head("bogus.fedi.test.", _NS_OF_LAB)
        + f"@ IN A {at.BAD_IP}\nmx IN A {at.BAD_MAIL_IP}\n"
        + _txt("@", "signed wrongly")
    )
