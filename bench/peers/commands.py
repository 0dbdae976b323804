"""The peers' command lines: every question of the matrix that the tool has a word for, and nothing else."""

from __future__ import annotations

from pathlib import Path

from bench.peers import Ask

SSLYZE = Path(__file__).parents[1] / ".env" / "bin" / "sslyze"
SSLSCAN, NMAP, TESTSSL = Path("/usr/bin/sslscan"), Path("/usr/bin/nmap"), Path("/usr/bin/testssl")


def sslyze(ask: Ask) -> tuple[str, ...]:
    versions = ("sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3")
    looks = (*versions, "certinfo", "compression", "reneg", "ems", "elliptic_curves")
    where = f"{ask.host}:{ask.port}{{{ask.address}}}"
    files = (f"--json_out={ask.report}", f"--certinfo_ca_file={ask.ca_file}")
    return (*files, *(f"--{look}" for look in looks), where)


def sslscan(ask: Ask) -> tuple[str, ...]:
    return (
        f"--xml={ask.report}",
        "--ocsp",
        "--no-colour",
        f"--sni-name={ask.host}",
        f"{ask.address}:{ask.port}",
    )


def nmap(ask: Ask) -> tuple[str, ...]:
    scripts = ("ssl-enum-ciphers", "ssl-cert", "tls-alpn", "sslv2")
    return ("-Pn", "-n", "-sT", "-p", str(ask.port), "--script", ",".join(f"+{name}" for name in scripts),
            "--script-args", f"tls.servername={ask.host}", "-oX", str(ask.report), ask.address)  # fmt: skip


def testssl(ask: Ask) -> tuple[str, ...]:
    # Protocols, preference, certificates, forward secrecy, renegotiation, compression, every suite.
    looks = ("-p", "-P", "-S", "-f", "-R", "-C", "-E")
    quiet = ("--jsonfile", str(ask.report), "--quiet", "--color", "0", "--warnings", "off", "--sneaky")
    return (*quiet, "--add-ca", str(ask.ca_file), "--ip", ask.address, *looks, f"{ask.host}:{ask.port}")
