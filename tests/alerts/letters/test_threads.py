"""Which mail stands below which, and what else its headers say."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMultiAlternatives

from fedisec.alerts.letter import letter_of
from fedisec.alerts.models import Delivery, DeliveryState, MailKind
from fedisec.instances.models import Instance
from fedisec.scans.models import Change
from tests.alerts.letters.samples import NOW, Post, a_change, a_pair, a_reader


@pytest.fixture
def pair(instance: Instance) -> tuple[Change, Change]:
    return a_pair(instance, "mail.spf", NOW, NOW)


def sent(delivery: Delivery) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.SENT)
    return delivery


def told(post: Post, *changes: Change) -> Delivery:
    for change in changes:
        post.change(MailKind.REGRESSION if change.after == "fail" else MailKind.RECOVERY, change)
    return post.delivery()


def below(mail: EmailMultiAlternatives) -> tuple[str | None, str | None]:
    message = mail.message()
    return message["In-Reply-To"], message["References"]


def test_an_alarm_begins_a_thread(post: Post, pair: tuple[Change, Change]) -> None:
    delivery = told(post, pair[0])
    message = letter_of(delivery).message()
    assert message["Message-ID"] == delivery.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] and message["Precedence"] is None
    assert (message["In-Reply-To"], message["References"]) == (None, None)


def test_its_end_and_its_reminders_stand_below_the_first_alarm(
    post: Post, instance: Instance, pair: tuple[Change, Change]
) -> None:
    first = sent(told(post, pair[0]))
    post.tell(MailKind.REMINDER, instance=instance, incident=pair[0].incident)
    reminder = sent(post.delivery())
    end = told(post, pair[1])
    for mail in (reminder, end):
        assert below(letter_of(mail)) == (first.message_id, first.message_id)


def test_what_never_arrived_is_no_thread(post: Post, pair: tuple[Change, Change]) -> None:
    told(post, pair[0])
    assert below(letter_of(told(post, pair[1]))) == (None, None)


def test_the_thread_of_somebody_else_is_none_of_mine(
    post: Post, instance: Instance, pair: tuple[Change, Change]
) -> None:
    sent(told(Post(a_reader(instance)), pair[0]))
    assert below(letter_of(told(post, pair[1]))) == (None, None)


def test_a_mail_that_ends_several_names_the_oldest_thread_and_refers_to_all(
    post: Post, instance: Instance, pair: tuple[Change, Change]
) -> None:
    other = a_pair(instance, "domain.caa", NOW, NOW)
    roots = [sent(told(post, pair[0])).message_id, sent(told(post, other[0])).message_id]
    assert below(letter_of(told(post, pair[1], other[1]))) == (roots[0], f"{roots[1]} {roots[0]}")


def test_new_bad_news_begins_a_thread_of_its_own(
    post: Post, instance: Instance, pair: tuple[Change, Change]
) -> None:
    sent(told(post, pair[0]))
    mail = letter_of(told(post, pair[1], a_change(instance, "domain.caa")))
    assert below(mail) == (None, None)


def test_a_long_list_of_threads_stays_a_header_that_relays_take(post: Post, instance: Instance) -> None:
    ends = []
    for number in range(40):
        down, up = a_pair(instance, f"mail.x{number}", NOW, NOW)
        sent(told(post, down))
        ends.append(up)
    lines = letter_of(told(post, *ends)).message().as_bytes().splitlines()
    assert max(map(len, lines)) <= 998


def test_an_alarm_can_be_ended_with_one_click(post: Post, pair: tuple[Change, Change]) -> None:
    mail = letter_of(told(post, pair[0]))
    message = mail.message()
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert link.startswith("https://fedisec.example/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"  # RFC 8058 section 2
    for part in (str(mail.body), str(mail.alternatives[0][0])):
        assert link in part and "https://fedisec.example/account/notifications/" in part


def test_what_always_comes_has_no_way_to_end_it(post: Post) -> None:
    post.tell(MailKind.TEST)
    mail = letter_of(post.delivery())
    assert mail.message()["List-Unsubscribe"] is None and "End mails" not in mail.body
