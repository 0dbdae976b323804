"""Guessing stops, and a stranger who guesses locks nobody out."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fedisec.accounts import tries
from fedisec.accounts.models import AuditEvent, User
from fedisec.accounts.signin_models import Bucket, Device
from tests.accounts.signin.conftest import PASSWORD, code_of, enter, is_in
from tests.factories import signed_in

pytestmark = pytest.mark.django_db
WRONG = "another sentence"
ACCOUNTS_LIMIT, ADDRESS_LIMIT = tries.ACCOUNT.size, tries.ADDRESS.size


def hammer(times: int, email: str = "ann@example.org", address: str = "198.51.100.{n}") -> None:
    """A stranger tries, each time from another address."""
    for n in range(times):
        enter(Client(), WRONG, email, address.format(n=n))


def test_the_21st_try_is_refused_with_the_right_password(client: Client, ann: User) -> None:
    hammer(ACCOUNTS_LIMIT)
    assert enter(client).status_code == 200
    assert not is_in(client)


def test_one_address_cannot_go_through_accounts(ann: User) -> None:
    for n in range(ADDRESS_LIMIT):
        enter(Client(), WRONG, f"person{n}@example.org", "198.51.100.1")
    there, elsewhere = Client(), Client()
    enter(there, address="198.51.100.1")
    enter(elsewhere, address="198.51.100.2")
    assert not is_in(there) and is_in(elsewhere)


def test_a_whole_v6_network_is_one_address(ann: User) -> None:
    for n in range(ADDRESS_LIMIT):
        enter(Client(), WRONG, f"person{n}@example.org", f"2001:db8::{n + 1:x}")
    there, elsewhere = Client(), Client()
    enter(there, address="2001:db8::ffff:1")
    enter(elsewhere, address="2001:db8:0:1::1")
    assert not is_in(there) and is_in(elsewhere)


def test_tries_come_back_with_time(client: Client, ann: User) -> None:
    hammer(ACCOUNTS_LIMIT)
    Bucket.objects.update(at=F("at") - tries.ACCOUNT.per / ACCOUNTS_LIMIT)  # so long ago it was
    enter(client)
    assert is_in(client)


def test_a_clock_that_was_put_back_gives_no_tries(client: Client, ann: User) -> None:
    hammer(ACCOUNTS_LIMIT)
    Bucket.objects.update(at=F("at") + timedelta(days=30))
    enter(client)
    assert not is_in(client)


def test_the_right_password_costs_nothing(ann: User) -> None:
    for n in range(ACCOUNTS_LIMIT + 2):
        client = Client()
        enter(client, address=f"198.51.100.{n}")
        assert is_in(client)
    assert all(bucket.left >= 19.9 for bucket in Bucket.objects.all())


def test_the_owners_device_gets_in_while_strangers_hammer(client: Client, ann: User) -> None:
    enter(client)
    client.post("/account/logout/")
    hammer(ACCOUNTS_LIMIT + 5)
    enter(client, address="203.0.113.77")  # the same browser somewhere else
    assert is_in(client)
    stranger = Client()
    enter(stranger, address="203.0.113.77")  # another one where that was used last
    assert is_in(stranger)


def test_the_device_of_somebody_else_opens_no_way(client: Client, ann: User) -> None:
    """Nor does an invented token."""
    other = User.objects.create_user("bob@example.org", PASSWORD)
    enter(client, email=other.email, address="203.0.113.9")
    hammer(ACCOUNTS_LIMIT)
    enter(client, address="203.0.113.10")
    assert client.get("/account/email/").context["user"] == other  # not Ann
    forged = Client()
    forged.cookies["device"] = "x" * 43
    enter(forged)
    assert not is_in(forged)


def test_a_known_device_cannot_guess_either(client: Client, ann: User) -> None:
    enter(client)
    client.post("/account/logout/")
    for _ in range(tries.DEVICE.size):
        enter(client, WRONG)
    enter(client)
    assert not is_in(client)


def test_a_device_is_forgotten(client: Client, ann: User) -> None:
    enter(client)
    client.post("/account/logout/")
    Device.objects.update(seen_at=timezone.now() - tries.KNOWN_FOR - timedelta(minutes=1))
    hammer(ACCOUNTS_LIMIT)
    enter(client)
    assert not is_in(client)


def test_codes_cannot_be_guessed_by_who_has_the_password(ann: User, secret: str) -> None:
    for n in range(tries.CODE.size):
        guesser = Client()
        enter(guesser, address=f"198.51.100.{n}")
        guesser.post("/account/2fa/authenticate/", {"code": "000000"}, REMOTE_ADDR=f"198.51.100.{n}")
    late = Client()
    enter(late, address="198.51.100.200")
    late.post("/account/2fa/authenticate/", {"code": code_of(secret)}, REMOTE_ADDR="198.51.100.200")
    assert not is_in(late)


def test_asking_again_is_limited_too(client: Client, ann: User) -> None:
    signed_in(client, ann, lately=False)
    for _ in range(ADDRESS_LIMIT):
        client.post("/account/reauthenticate/?next=/audit/", {"password": WRONG})
    client.post("/account/reauthenticate/?next=/audit/", {"password": PASSWORD})
    assert client.get("/audit/export/?format=csv").status_code == 302


def test_a_forwarded_address_counts_from_trusted_proxies_alone(ann: User) -> None:
    for n in range(ADDRESS_LIMIT):
        form = {"login": f"person{n}@example.org", "password": WRONG}
        Client().post("/account/login/", form, REMOTE_ADDR="198.51.100.1", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}")
    there = Client()
    enter(there, address="198.51.100.1")
    assert not is_in(there)


def test_the_command_unlocks(client: Client, ann: User, capsys: pytest.CaptureFixture[str]) -> None:
    hammer(ACCOUNTS_LIMIT)
    call_command("unlock", "Ann@example.org")
    assert "ann@example.org" in capsys.readouterr().out
    enter(client)
    assert is_in(client)
    assert AuditEvent.objects.filter(action="account.unlocked", subject_id=ann.pk).count() == 1
    with pytest.raises(CommandError, match="nobody"):
        call_command("unlock", "nobody@example.org")


def test_no_address_of_a_person_stands_in_the_buckets(ann: User) -> None:
    hammer(1)
    assert not any(
        "ann" in key or "198" in key[:3] and "." in key for key in Bucket.objects.values_list("pk", flat=True)
    )


# nobody learns who has an account


class Counting(hashers.MD5PasswordHasher):
    """Counts how often a password is hashed: that, and nothing else here, takes time."""

    done: Counter[str] = Counter()

    def encode(self, password: str, salt: str) -> str:
        self.done["hashes"] += 1
        return str(super().encode(password, salt))


@pytest.fixture
def hashes(settings: Settings, ann: User) -> Counter[str]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    ann.set_password(PASSWORD)
    ann.save()
    Counting.done.clear()
    return Counting.done


def _work(hashes: Counter[str], email: str) -> tuple[int, bytes]:
    hashes.clear()
    answer = enter(Client(), WRONG, email)
    return hashes["hashes"], plain(answer.content, email)


def plain(body: bytes, email: str) -> bytes:
    """Without what differs for one and the same person, too."""
    lines = body.replace(email.encode(), b"").splitlines()
    return b"\n".join(line for line in lines if b"csrf" not in line)


def test_a_wrong_password_costs_the_same_for_known_and_unknown(hashes: Counter[str], ann: User) -> None:
    known = _work(hashes, "ann@example.org")
    assert known[0] == 1
    assert _work(hashes, "nobody@example.org") == known
    ann.is_active = False
    ann.save()
    assert _work(hashes, "ann@example.org") == known
    ann.is_active = True
    ann.set_unusable_password()
    ann.save()
    assert _work(hashes, "ann@example.org") == known


def test_too_many_tries_look_the_same_for_known_and_unknown(hashes: Counter[str]) -> None:
    hammer(ACCOUNTS_LIMIT)
    hammer(ACCOUNTS_LIMIT, "nobody@example.org", "203.0.113.{n}")
    known = _work(hashes, "ann@example.org")
    assert known[0] == 0
    assert _work(hashes, "nobody@example.org") == known


def test_a_forgotten_password_says_the_same_to_known_and_unknown(hashes: Counter[str]) -> None:
    said = []
    for email in ("ann@example.org", "nobody@example.org"):
        hashes.clear()
        answer = Client().post("/account/password/reset/", {"email": email}, follow=True)
        said.append((hashes["hashes"], answer.redirect_chain, plain(answer.content, email)))
    assert said[0] == said[1] and said[0][0] == 0


def test_buckets_that_have_long_been_full_are_forgotten() -> None:
    hammer(1, address="198.51.100.7")
    Bucket.objects.update(at=F("at") - timedelta(days=3))
    hammer(1, address="198.51.100.8", email="bob@example.org")
    assert Bucket.objects.count() == 2  # of the second try alone: its address and its account
