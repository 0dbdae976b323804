"""What was seen of TLS, as lines that a person can verify with a tool of their own."""

from __future__ import annotations

from checks.facts import Missing
from checks.facts.tls import Negotiated, RevocationList, Timestamps, TlsEndpoint, WebCertificate


def endpoint_label(endpoint: TlsEndpoint) -> str:
    return f"TLS {endpoint.address}"


def versions_text(endpoint: TlsEndpoint) -> str:
    """One line per version that was asked for."""
    lines = [f"{a.version}: {_word(a.offered)}" for a in endpoint.versions]
    if endpoint.ssl2_ciphers:
        lines.append(f"SSLv2 lists {', '.join(endpoint.ssl2_ciphers)}")
    return "\n".join(lines)


def suites_text(endpoint: TlsEndpoint) -> str:
    """What was chosen from each family, and from all of them."""
    lines = [f"{a.family}: {_choice(a.chosen)}" for a in endpoint.suites]
    older = endpoint.older
    if older is not None and not isinstance(older, Missing):
        lines.insert(0, f"strongest first: {older.preferred} ({older.version})")
        lines.insert(1, f"weakest first: {_choice(older.last_resort)}")
        lines.insert(2, f"order: {_order(older.server_decides)}")
    if isinstance(endpoint.dh_bits, int):
        lines.append(f"DHE prime: {endpoint.dh_bits} bits")
    return "\n".join(lines)


def certificate_label(address: str) -> str:
    return f"Certificate {address}"


def certificate_text(certificate: WebCertificate) -> str:
    """The lines of the leaf that its verdicts rest on."""
    names = ", ".join(certificate.names[:10]) + (" …" if len(certificate.names) > 10 else "")
    size = f" {certificate.key_bits}" if certificate.key_bits else ""
    return "\n".join(
        (
            f"subject: {certificate.subject or '-'}",
            f"names: {names or '-'}",
            f"issuer: {certificate.issuer_name} ({certificate.issuer_organisation or '-'})",
            f"valid: {certificate.not_before:%Y-%m-%d %H:%M} to {certificate.not_after:%Y-%m-%d %H:%M} UTC",
            f"key: {certificate.key_kind}{size} {certificate.curve}".rstrip()
            + f", signed with {certificate.signature_hash or certificate.key_kind}",
            f"sent: {len(certificate.chain)} certificates; SHA-256 {certificate.fingerprint}",
            f"key proven by a signature: {'yes' if certificate.proven else 'not seen'}",
            f"OCSP staple: {_staple(certificate)}",
            f"revocation list: {_list(certificate.crl)}",
            f"log timestamps: {_timestamps(certificate.timestamps)}",
        )
    )


def _staple(certificate: WebCertificate) -> str:
    staple = certificate.staple
    wanted = " (must-staple)" if certificate.must_staple else ""
    if staple is None:
        return f"none{wanted}"
    if isinstance(staple, Missing):
        return f"not seen ({staple.detail or staple.reason}){wanted}"
    until = f" to {staple.next_update:%Y-%m-%d %H:%M}" if staple.next_update else ""
    signed = "signature checked" if staple.verified is True else "signature not checked"
    return f"{staple.status} {staple.this_update:%Y-%m-%d %H:%M}{until} UTC, {signed}{wanted}"


def _list(found: RevocationList | Missing) -> str:
    if isinstance(found, Missing):
        return f"not checked ({found.detail or found.reason})"
    return f"{found.status}, {found.this_update:%Y-%m-%d %H:%M} to {found.next_update:%Y-%m-%d %H:%M} UTC"


def _timestamps(found: Timestamps | Missing) -> str:
    if isinstance(found, Missing):
        return f"not seen ({found.detail or found.reason})"
    places = (
        f"{found.embedded} in the certificate, {found.handshake} in the handshake, {found.staple} stapled"
    )
    return f"{places}; {found.logs} logs"


def _order(server_decides: bool | Missing) -> str:
    if isinstance(server_decides, Missing):
        return f"not seen ({server_decides.reason})"
    return "the server's" if server_decides else "the client's"


def _word(offered: bool | Missing) -> str:
    if isinstance(offered, Missing):
        return f"not seen ({offered.reason})"
    return "offered" if offered else "not offered"


def _choice(chosen: Negotiated | Missing | str | None) -> str:
    if isinstance(chosen, Missing):
        return f"not seen ({chosen.reason})"
    if isinstance(chosen, Negotiated):
        return f"{chosen.suite} ({chosen.version})"
    return chosen or "not offered"
