"""The servers of the matrix: each with its configuration and, beside it, what is therefore true of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.checks.tls.matrix.truth import ONLY_13, Truth

GCM_EC = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
GCM_RSA = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
CBC_RSA = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"


class Mood(StrEnum):
    """What may be asked of an observer."""

    PLAIN = "every fact can be seen"
    LIMITED = "a fact may stay unseen, none may be wrong"
    HOSTILE = "nothing can be seen, and nothing may be said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """One server block of nginx with Debian's OpenSSL.  `groups`: by name, as newer OpenSSL has others by itself."""

    protocols: str = "TLSv1.2 TLSv1.3"
    ciphers: str = GCM_EC
    groups: str = "X25519:prime256v1:secp384r1"
    lines: tuple[
        str, ...
    ] = ()  # DH1024 and DH2048 stand for files of parameters, OCSP for the responder's port, REVOKED for its answer
    http2: bool = True
    leaf: str = "good"
    second: str = ""
    named_only: bool = False  # a client that names another host, or none, is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A TLS server in Node.js: the old one has OpenSSL 1.0.1q with all of its sins, the new one OpenSSL 3.5.
    `options`: of tls.createServer; `without`: versions that are switched off."""

    program: str
    ciphers: str
    options: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    leaf: str = "good"
    dh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GnuTls:
    """gnutls-serv with a priority string; it listens on every address, so on a port of its own."""

    priority: str
    leaf: str = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caddy:
    """Caddy, for the TLS of Go."""

    lines: tuple[str, ...] = ()
    leaf: str = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fake:
    """A behaviour of `fakes`."""

    behaviour: str


Server = Nginx | Node | GnuTls | Caddy | Fake


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    server: Server
    truth: Truth
    mood: Mood = Mood.PLAIN

    @property
    def needs_node(self) -> bool:
        return isinstance(self.server, Node)

    @property
    def completes(self) -> bool:
        """Whether a handshake can be brought to its end here, as most scanners want it."""
        return not isinstance(self.server, Fake) or self.server.behaviour not in {"compression", "impostor"}


# One suite up to TLS 1.2: no order to be seen.
_ONE = "ECDHE-ECDSA-AES128-GCM-SHA256"
_ONE_RSA = "ECDHE-RSA-AES128-GCM-SHA256"
_LAX = ":@SECLEVEL=0"
_OURS, _THEIRS = ("ssl_prefer_server_ciphers on;",), ("ssl_prefer_server_ciphers off;",)

NGINX = (
    Target("modern", Nginx(lines=_THEIRS), Truth(server_order=False)),
    Target(
        "intermediate",
        Nginx(ciphers=f"{GCM_RSA}:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384",
              lines=("ssl_dhparam DH2048;", *_THEIRS), leaf="rsa"),
        Truth(families="AEAD DHE", dh_bits=2048, keys="RSA 2048", server_order=False),
    ),
    Target(
        "old",
        Nginx(protocols="TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", leaf="rsa",
              ciphers=f"{GCM_RSA}:{CBC_RSA}:DHE-RSA-AES128-SHA:AES128-SHA{_LAX}", lines=("ssl_dhparam DH2048;", *_OURS)),
        Truth(versions="TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3", families="AEAD CBC DHE RSA", dh_bits=2048,
              keys="RSA 2048", server_order=True),
    ),
    Target(
        "tls10_11",
        Nginx(protocols="TLSv1 TLSv1.1", ciphers=CBC_RSA + _LAX, leaf="rsa", lines=_THEIRS),
        Truth(versions="TLSv1.0 TLSv1.1", families="CBC", http2=True, group13="", keys="RSA 2048", server_order=False),
    ),
    Target("tls12_only", Nginx(protocols="TLSv1.2", lines=_OURS), Truth(versions="TLSv1.2", group13="", server_order=True)),
    Target("tls13_only", Nginx(protocols="TLSv1.3"), Truth(versions="TLSv1.3", **ONLY_13)),  # type: ignore[arg-type]
    Target("server_first", Nginx(lines=_OURS), Truth(server_order=True)),
    Target("no_h2", Nginx(http2=False, ciphers=_ONE), Truth(http2=False)),
    Target("p384_only", Nginx(groups="secp384r1", ciphers=_ONE), Truth(group13="secp384r1")),
    Target("p521_only", Nginx(groups="secp521r1", ciphers=_ONE), Truth(group13="secp521r1")),
    Target("x448_only", Nginx(groups="X448", protocols="TLSv1.3"), Truth(versions="TLSv1.3", group13="x448", **ONLY_13)),  # type: ignore[arg-type]
    Target(
        "cbc_only",
        Nginx(protocols="TLSv1.2", ciphers="ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384", leaf="rsa", lines=_THEIRS),
        Truth(versions="TLSv1.2", families="CBC", group13="", keys="RSA 2048", server_order=False),
    ),
    Target(
        "rsa_kx",
        Nginx(protocols="TLSv1.2", ciphers="AES128-GCM-SHA256:AES256-SHA", leaf="rsa", lines=_THEIRS),
        Truth(proven=False, versions="TLSv1.2", families="RSA CBC", group13="", keys="RSA 2048", server_order=False),
    ),
    Target(
        "rsa_kx_gcm",
        Nginx(protocols="TLSv1.2", ciphers="AES128-GCM-SHA256", leaf="rsa"),
        Truth(proven=False, versions="TLSv1.2", families="RSA", group13="", keys="RSA 2048"),
    ),
    Target(
        "dh_1024",
        Nginx(protocols="TLSv1.2", ciphers=f"DHE-RSA-AES128-GCM-SHA256{_LAX}", lines=("ssl_dhparam DH1024;",), leaf="rsa"),
        Truth(versions="TLSv1.2", families="AEAD DHE", dh_bits=1024, group13="", keys="RSA 2048"),
    ),
    Target(
        "dh_2048",
        Nginx(protocols="TLSv1.2", ciphers="DHE-RSA-AES128-SHA", lines=("ssl_dhparam DH2048;",), leaf="rsa"),
        Truth(versions="TLSv1.2", families="CBC DHE", dh_bits=2048, group13="", keys="RSA 2048"),
    ),
    Target(
        "null_anon",
        Nginx(protocols="TLSv1.2", leaf="rsa", lines=("ssl_dhparam DH2048;", *_THEIRS),
              ciphers=f"{_ONE_RSA}:ECDHE-RSA-NULL-SHA:NULL-SHA256:ADH-AES128-SHA:AECDH-AES128-SHA{_LAX}"),
        Truth(versions="TLSv1.2", families="AEAD NULL anon", group13="", keys="RSA 2048", server_order=False),
    ),
    Target(
        "null_only",
        Nginx(protocols="TLSv1.2", ciphers=f"NULL-SHA256{_LAX}", leaf="rsa"),
        Truth(proven=False, versions="TLSv1.2", families="NULL", group13="", keys="RSA 2048"),
    ),
    Target(
        "camellia_only",
        Nginx(protocols="TLSv1.2", ciphers="ECDHE-RSA-CAMELLIA128-SHA256", leaf="rsa"),
        Truth(versions="TLSv1.2", families="CBC", group13="", keys="RSA 2048"),
    ),
    Target(
        "ccm_only",
        Nginx(protocols="TLSv1.2", ciphers="ECDHE-ECDSA-AES128-CCM"),
        Truth(versions="TLSv1.2", group13=""),
    ),
    Target(
        "aria_only",
        Nginx(protocols="TLSv1.2", ciphers="ECDHE-ECDSA-ARIA256-GCM-SHA384"),
        Truth(versions="TLSv1.2", group13=""),
    ),
    Target("rare_beside_13", Nginx(ciphers="ECDHE-ECDSA-ARIA256-GCM-SHA384"), Truth()),
    Target("dual", Nginx(ciphers=f"{GCM_EC}:{GCM_RSA}", second="rsa", lines=_THEIRS), Truth(keys="EC 256, RSA 2048", server_order=False)),
    Target("sni_only", Nginx(named_only=True, ciphers=_ONE), Truth()),
    Target("client_certificate", Nginx(lines=("ssl_verify_client optional_no_ca;",), ciphers=_ONE), Truth()),
    Target("limit_conn", Nginx(lines=("limit_conn few 1;",), ciphers=_ONE), Truth()),
    Target("ed25519", Nginx(leaf="ed25519", ciphers=_ONE), Truth(keys="Ed25519 0")),
    Target("ed448", Nginx(leaf="ed448", ciphers=_ONE), Truth(keys="Ed448 0")),
    Target("no_san", Nginx(leaf="no_san", ciphers=_ONE), Truth(name_matches=False, trusted=None)),
    Target("long_chain", Nginx(leaf="long_chain", ciphers=_ONE), Truth(sent=7)),
    Target(
        "brainpool_only",
        Nginx(protocols="TLSv1.2", groups="brainpoolP256r1", ciphers=_ONE),
        Truth(versions="TLSv1.2", group13=""),
    ),
    Target(
        "ffdhe_only",
        Nginx(protocols="TLSv1.3", groups="ffdhe2048"),
        Truth(versions="TLSv1.3", group13="ffdhe2048", **ONLY_13),  # type: ignore[arg-type]
        Mood.LIMITED,  # the group is named in the clear; to read on takes a key of it
    ),
    Target("p384_key", Nginx(leaf="p384", ciphers=_ONE), Truth(keys="EC 384")),
    Target("rsa_1024", Nginx(leaf="rsa_1024", ciphers=_ONE_RSA + _LAX), Truth(keys="RSA 1024")),
    Target("sha1", Nginx(leaf="sha1", ciphers=_ONE_RSA + _LAX), Truth(keys="RSA 2048", hash="sha1", trusted=None)),  # whom SHA-1 satisfies is a matter of taste
    Target("expired", Nginx(leaf="expired", ciphers=_ONE), Truth(expired=True, days_left=-2)),
    Target("seven_days", Nginx(leaf="seven_days", ciphers=_ONE), Truth(days_left=7)),
    Target("wrong_host", Nginx(leaf="wrong_host", ciphers=_ONE), Truth(name_matches=False)),
    Target("wildcard", Nginx(leaf="wildcard", ciphers=_ONE), Truth()),
    Target("self_signed", Nginx(leaf="self_signed", ciphers=_ONE), Truth(trusted=False, self_signed=True, sent=1)),
    Target("unknown_ca", Nginx(leaf="unknown_ca", ciphers=_ONE), Truth(trusted=False)),
    Target("no_intermediate", Nginx(leaf="no_intermediate", ciphers=_ONE), Truth(trusted=False, sent=1)),
    Target("wrong_order", Nginx(leaf="wrong_order", ciphers=_ONE), Truth(sent=3)),
    Target("must_staple_bare", Nginx(leaf="must_staple", ciphers=_ONE), Truth(must_staple=True, revoked=None)),
    Target(
        "staple",
        Nginx(ciphers=_ONE, lines=("ssl_stapling on;", "ssl_stapling_responder http://127.0.0.1:OCSP/;")),
        Truth(stapled=True),
    ),
    Target(
        "revoked",
        Nginx(leaf="revoked", ciphers=_ONE, lines=("ssl_stapling on;", 'ssl_stapling_file "REVOKED";')),
        Truth(stapled=True, revoked=True),
    ),
    Target("logged", Nginx(leaf="logged", ciphers=_ONE), Truth(logs=2)),
    Target(
        "must_staple",
        Nginx(leaf="must_staple", ciphers=_ONE,
              lines=("ssl_stapling on;", "ssl_stapling_responder http://127.0.0.1:OCSP/;")),
        Truth(must_staple=True, stapled=True),
    ),
)  # fmt: skip

_OLD = {"http2": False, "extended_master_secret": False, "group13": ""}
_WITHOUT_12 = ("SSLv2", "TLSv1_1", "TLSv1_2")
_ALL_OLD = "SSLv2 SSLv3 TLSv1.0 TLSv1.1 TLSv1.2"

NODE = (
    Target(
        "museum",
        Node(program="old", ciphers="ALL:COMPLEMENTOFALL", leaf="rsa_512", dh="DH1024", options={"honorCipherOrder": False}),
        Truth(versions=_ALL_OLD, families="NULL anon EXPORT RC4 DES 3DES RSA DHE CBC AEAD", dh_bits=1024,
              keys="RSA 512", server_order=False, **_OLD),  # type: ignore[arg-type]
    ),
    Target(
        "sslv2_only",
        Node(program="old", ciphers="ALL", leaf="rsa", without=("SSLv3", "TLSv1", "TLSv1_1", "TLSv1_2")),
        Truth(proven=False, versions="SSLv2", families="", http2=False, extended_master_secret=None, secure_renegotiation=None,
              compression=None, group13="", keys="RSA 2048", sent=1),
        Mood.LIMITED,  # a hello of SSL 2.0 names no host: whose certificate comes is not known
    ),
    Target(
        "sslv3_only",
        Node(program="old", ciphers="AES128-SHA:DES-CBC3-SHA:RC4-SHA", leaf="rsa", without=("SSLv2", "TLSv1", "TLSv1_1", "TLSv1_2"),
             options={"honorCipherOrder": True}),
        # Extensions do not exist in SSL 3.0; the signalling suite of RFC 5746 is not offered.
        Truth(proven=False, versions="SSLv3", families="RC4 3DES RSA CBC", http2=False, extended_master_secret=None,
              secure_renegotiation=None, group13="", keys="RSA 2048", server_order=True),
    ),
    Target(
        "rc4_only",
        Node(program="old", ciphers="ECDHE-RSA-RC4-SHA:RC4-MD5", leaf="rsa", without=("SSLv2", "SSLv3"), options={"honorCipherOrder": True}),
        Truth(versions="TLSv1.0 TLSv1.1 TLSv1.2", families="RC4 RSA", keys="RSA 2048", server_order=True, **_OLD),  # type: ignore[arg-type]
    ),
    Target(
        "triple_des_only",
        Node(program="old", ciphers="ECDHE-RSA-DES-CBC3-SHA", leaf="rsa", without=("SSLv2", "SSLv3")),
        Truth(versions="TLSv1.0 TLSv1.1 TLSv1.2", families="3DES", keys="RSA 2048", **_OLD),  # type: ignore[arg-type]
    ),
    Target(
        "des_only",
        Node(program="old", ciphers="DES-CBC-SHA", leaf="rsa", without=_WITHOUT_12),
        Truth(proven=False, versions="SSLv3 TLSv1.0", families="DES RSA", keys="RSA 2048", **_OLD),  # type: ignore[arg-type]
    ),
    Target(
        "export_only",
        Node(program="old", ciphers="EXP-RC4-MD5:EXP-DES-CBC-SHA", leaf="rsa_512", without=_WITHOUT_12, options={"honorCipherOrder": True}),
        Truth(proven=False, versions="SSLv3 TLSv1.0", families="EXPORT", keys="RSA 512", server_order=True, **_OLD),  # type: ignore[arg-type]
    ),
    Target(
        "hybrid",
        Node(program="new", ciphers=f"TLS_AES_128_GCM_SHA256:{_ONE}", options={"ecdhCurve": "X25519MLKEM768:X25519:P-256", "ALPNProtocols": ["h2", "http/1.1"]}),
        # No tuples in the list: the share that is there already decides.
        Truth(post_quantum=True),
    ),
    Target(
        "hybrid_only",
        Node(program="new", ciphers="TLS_AES_128_GCM_SHA256", options={"ecdhCurve": "X25519MLKEM768", "minVersion": "TLSv1.3"}),
        Truth(versions="TLSv1.3", http2=False, group13="X25519MLKEM768", post_quantum=True, **ONLY_13),  # type: ignore[arg-type]
    ),
    Target(
        "hybrid_p256",
        Node(program="new", ciphers="TLS_AES_128_GCM_SHA256", options={"ecdhCurve": "SecP256r1MLKEM768", "minVersion": "TLSv1.3"}),
        Truth(versions="TLSv1.3", http2=False, group13="SecP256r1MLKEM768", post_quantum=None, **ONLY_13),  # type: ignore[arg-type]
        Mood.LIMITED,
    ),
    Target(
        "ccm8_only",
        Node(program="new", ciphers="TLS_AES_128_CCM_8_SHA256:DEFAULT:@SECLEVEL=0", options={"ecdhCurve": "X25519", "minVersion": "TLSv1.3"}),
        Truth(versions="TLSv1.3", http2=False, **ONLY_13),  # type: ignore[arg-type]
    ),
    Target(
        "hybrid_p256_beside_12",
        Node(
            program="new",
            ciphers="TLS_AES_128_GCM_SHA256:AES128-GCM-SHA256",
            options={"ecdhCurve": "SecP256r1MLKEM768", "minVersion": "TLSv1.2"},
            leaf="rsa",
        ),
        Truth(
            families="RSA",
            http2=False,
            keys="RSA 2048",
            group13="SecP256r1MLKEM768",
            post_quantum=None,
            proven=False,
        ),
        Mood.LIMITED,
    ),
    Target(
        "ccm8_beside_12",
        Node(
            program="new",
            ciphers="TLS_AES_128_CCM_8_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0",
            options={"ecdhCurve": "X25519", "minVersion": "TLSv1.2"},
        ),
        Truth(http2=False),
    ),
    Target(
        "no_hybrid",
        Node(program="new", ciphers=f"TLS_CHACHA20_POLY1305_SHA256:{_ONE}", options={"ecdhCurve": "P-256:P-384"}),
        Truth(http2=False, group13="secp256r1"),
    ),
)  # fmt: skip

_GROUPS = ":+GROUP-X25519:+GROUP-SECP256R1:+SIGN-ALL:+COMP-NULL"

OTHERS = (
    Target(
        "gnutls",
        GnuTls(priority=f"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-128-GCM:+AES-256-GCM:+ECDHE-ECDSA:+AEAD{_GROUPS}"),
        Truth(http2=False),
    ),
    Target(
        "gnutls_3des",
        GnuTls(priority=f"NONE:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:+ARCFOUR-128:+RSA:+SHA1{_GROUPS}", leaf="rsa"),
        Truth(proven=False, versions="TLSv1.0 TLSv1.1", families="3DES RC4 RSA", http2=False, group13="", keys="RSA 2048"),
    ),
    Target(
        "unsafe_renegotiation",
        GnuTls(priority=f"NONE:+VERS-TLS1.2:+AES-128-GCM:+ECDHE-ECDSA:+AEAD{_GROUPS}:%DISABLE_SAFE_RENEGOTIATION:%NO_SESSION_HASH"),
        Truth(versions="TLSv1.2", http2=False, group13="", secure_renegotiation=False, extended_master_secret=False),
    ),
    Target("caddy", Caddy(), Truth(extended_master_secret=None)),  # Go has it from 1.21 on
    Target(
        "compression",
        Fake(behaviour="compression"),
        Truth(proven=False, versions="TLSv1.2", families="RSA CBC", http2=False, group13="", keys="RSA 2048", compression=True,
              extended_master_secret=False, trusted=False, sent=1),
    ),
    Target(
        "impostor",
        Fake(behaviour="impostor"),
        Truth(versions="TLSv1.2", http2=False, group13="", keys="RSA 2048", extended_master_secret=False,
              trusted=False, proven=False, sent=1),
        Mood.LIMITED,
    ),
    Target("crumbs", Fake(behaviour="crumbs"), Truth(server_order=False)),
    Target("splinters", Fake(behaviour="splinters"), Truth(server_order=False)),
    Target("limit_reset", Fake(behaviour="limit_reset"), Truth(server_order=False), Mood.LIMITED),
    Target("limit_close", Fake(behaviour="limit_close"), Truth(server_order=False), Mood.LIMITED),
    *(Target(name, Fake(behaviour=name), Truth(), Mood.HOSTILE) for name in ("tarpit", "reset", "closes", "ssh", "drip", "flood", "noise")),
)  # fmt: skip

TARGETS = {target.name: target for target in (*NGINX, *NODE, *OTHERS)}
