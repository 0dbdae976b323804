"""What a key may do beside its command, asked of a real OpenSSH; and the key that a server shows."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from checks.errors import ProbeError, Reason
from checks.probes.ssh_session import read_access
from checks.probes.ssh_trial import Powers, powers_of, shown_host_key
from tests.checks.inside.servers import REPORT, Enrolled, Pair, enrolled, program
from tests.checks.ssh.servers import LOOPBACK, speaker

SFTP = "Subsystem sftp internal-sftp"


def dial(server: Enrolled) -> socket.socket:
    return socket.create_connection((LOOPBACK, server.port), 5)


def ask(server: Enrolled) -> Powers:
    return powers_of(dial(server), read_access(server.access(forced=True)), 10)


def test_a_restricted_key_may_do_nothing_beside_its_command(tmp_path: Path) -> None:
    script = program(tmp_path, f"cat <<E{chr(10)}{REPORT}E")
    with enrolled(SFTP, before_key=f'restrict,command="{script}"') as server:
        assert ask(server) == Powers(terminal=False, forwarding=False, files=False)
        assert server.log.count("Accepted publickey") == 1


def test_a_command_alone_restricts_neither_terminal_nor_forwarding(tmp_path: Path) -> None:
    script = program(tmp_path, f"cat <<E{chr(10)}{REPORT}E")
    with enrolled(SFTP, before_key=f'command="{script}"') as server:
        assert ask(server) == Powers(terminal=True, forwarding=True, files=False)


def test_a_key_without_options_may_do_everything() -> None:
    with enrolled(SFTP) as server:
        assert ask(server) == Powers(terminal=True, forwarding=True, files=True)


def test_a_server_without_file_transfer_offers_none() -> None:
    with enrolled() as server:
        assert ask(server).files is False


def test_what_a_server_does_not_answer_is_not_seen() -> None:
    with enrolled("MaxSessions 0", "AllowTcpForwarding no") as server:
        assert ask(server) == Powers(terminal=None, forwarding=False, files=None)


def test_nothing_is_asked_of_a_server_with_another_key() -> None:
    with enrolled() as server:
        login = read_access(server.access(host_key=Pair.new().public))
        with pytest.raises(ProbeError) as caught:
            powers_of(dial(server), login, 10)
        assert caught.value.reason is Reason.HOST_KEY_CHANGED
        assert "Accepted" not in server.log


def test_the_key_of_a_server_is_shown_and_nobody_logs_in() -> None:
    with enrolled() as server:
        assert shown_host_key(dial(server), "", 10) == server.host_key
        assert "publickey" not in server.log and "none" not in server.log


def test_what_is_no_ssh_server_shows_no_key() -> None:
    def mail(connection: socket.socket, _: object) -> None:
        connection.sendall(b"220 mail.example ESMTP\r\n" * 3)

    with speaker(mail) as port, pytest.raises(ProbeError) as caught:
        shown_host_key(socket.create_connection((LOOPBACK, port), 5), "", 5)
    assert caught.value.reason in {Reason.MALFORMED, Reason.CONNECTION_LOST}
