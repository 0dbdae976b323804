"""Every kind of mail: what it says, in both languages, and that both of its forms say the same."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.html import strip_tags

from checks.items import all_items
from fedisec.alerts.letter import letter_of, summary_of
from fedisec.alerts.letters.compose import TELLERS
from fedisec.alerts.letters.words import SUBJECT_MAX
from fedisec.alerts.models import MailKind
from fedisec.instances.models import Instance
from tests.alerts.letters import samples
from tests.alerts.letters.samples import NOW, SAMPLES, Post, a_change, a_channel, a_fall, a_pair, a_week

LOADS = re.compile(r"<(img|script|link|style|iframe|form|object|base)|\ssrc=|url\(|\son\w+=", re.IGNORECASE)


@pytest.fixture(autouse=True)
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are written when the samples take place."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def written(name: str, post: Post, instance: Instance, language: str = "en") -> EmailMultiAlternatives:
    assert post.user is not None
    post.user.language = language
    post.user.save()
    return letter_of(SAMPLES[name](post, instance))


def html_of(mail: EmailMultiAlternatives) -> str:
    return str(mail.alternatives[0][0])


def squeezed(text: str) -> str:
    return " ".join(text.split())


def shown(page: str) -> str:
    """What a reader of the HTML part sees, in one line."""
    text = re.sub(
        r"</?(br|p|li|pre|h\d|div|ol|ul)\b[^>]*>", " ", re.sub(r"<head>.*</head>", "", page, flags=re.S)
    )
    return squeezed(strip_tags(text).replace("&#x27;", "'").replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", SAMPLES)
def test_both_forms_say_the_same_words_and_load_nothing(
    name: str, language: str, post: Post, instance: Instance
) -> None:
    mail = written(name, post, instance, language)
    page = html_of(mail)
    seen = shown(page)
    for line in mail.body.splitlines():
        words = squeezed(re.sub(r"^\s*(\d+\.|-)\s|^\s*https://fedisec\S+$|^=+$|^\s*-- $", "", line))
        assert words in seen or words.startswith("http"), words
    left = seen
    for words in sorted(re.split(r"\n|(?<=\S) \[", str(mail.body)), key=len, reverse=True):
        left = left.replace(squeezed(re.sub(r"^\s*(\d+\.|-)\s", "", words)).strip("[]"), "")
    assert not re.search(r"\w{3}", left), left  # and no word stands in the HTML alone
    assert f'<html lang="{language}">' in page and not LOADS.search(page)
    assert set(re.findall(r'href="([^"/]*//[^"/]*)', page)) <= {
        "https://fedisec.example", "https://github.com", "https://jvndb.jvn.jp",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_subject_is_one_short_line_with_the_name(
    name: str, language: str, post: Post, instance: Instance
) -> None:
    subject = written(name, post, instance, language).subject
    assert subject.startswith("[fedisec] ") and len(subject) <= SUBJECT_MAX
    assert "%" not in subject and "  " not in subject and "{" not in subject


def test_every_kind_has_words() -> None:
    assert set(TELLERS) == {kind.value for kind in MailKind}


SAID = {
    "regression": (
        "2 items are no longer met, 1 of them required; 2 items are met again",
        "No longer met:\n\n1. SSH offers no login by password [required]\n\n   Seen: On port 22 the server offers root",
        "   SSH 198.51.100.7 port 22: userauth methods for root: publickey,password\n",
        "   Why it matters: Robots try passwords",
        "   First step: Make sure first that your key works",
        "       PasswordAuthentication no\n",
        "https://fedisec.example/instances/example.social/items/ssh.password_login_off/",
        "Met again:\n\n- A CAA record",
        "  It was not met from 21 Nov 2026, 20:31 to 21:02 (CET).\n",
        "Besides this, 3 items are still not met.",
    ),
    "recovery": ("1 item is met again", "Nothing that fedisec checks is failing."),
    "many": (
        "4 servers: 1 does not answer; 6 required items are no longer met",
        "server2.example\n===============\nhttps://fedisec.example/instances/server2.example/\n",
        "Why and first step: as said above for server2.example.",
        "Besides this, 1 item is still not met.",
    ),
    "unreachable": (
        "example.social: does not answer",
        "Nothing at example.social answers from outside, since 21 Nov 2026, 21:15 (CET).",
        "Tried:\n   198.51.100.7 port 443: timeout\n   2001:db8::7 port 443: timeout\n",
        "Not met in the same look:\n\n- Every name in use is signed",
        "       curl -sI https://example.social/\n",
    ),
    "reached-again": (
        "did not answer for a while",
        "It did not answer from 21 Nov 2026, 18:31 to 21:31 (CET). Now it answers again.",
    ),
    "flapping": (
        "1 item goes to and fro; 1 item came to rest",
        "it has kept still for 24 hours",
        "  It is met.\n",
    ),
    "blind": (
        "3 items could not be seen",
        "That says nothing about whether it is met",
        "It never takes that for a fault.",
    ),
    "certificate": (
        "example.social: the certificate ends in 6 days",
        "never twice for the same step.",
        "The certificate of example.social ends in 6 days, on 28 Nov 2026, 19:31 (CET).",
        "Seen at:\n   198.51.100.7\n",
        "       certbot renew --dry-run\n",
    ),
    "host-key": ("another SSH host key", "Confirmed:\n   ssh-ed25519 SHA256:Xw3b", "ssh-keygen -lf"),
    "reminder": (
        "2 servers: 3 items are still not met",
        "the oldest since 12 Oct 2026.",
        "acknowledged (no more reminders of it) or set aside",
        "- The server does not answer\n  since 12 Nov 2026, for 1 week\n",
    ),
    "ending": (
        "1 answer has ended; 2 answers end soon",
        "It was set aside until 21 Nov 2026, and counts again.",
        "Your answer holds until 5 Dec 2026, then it is a question again.",
        "does it still hold?",
    ),
    "digest": (
        "3 servers: this week 1 worse, 2 better; silent 1 time; 2 required items are not met",
        "2 required items are not met, the oldest since 3 Nov 2026. There are 3 warnings.",
        "Judged anew by new rules; the server did not change:",
        "Could not be seen for more than three days:",
        "It is set aside until 30 Nov 2026",
        "Nothing changed on:",
        "- friends.example\n  No required item fails. 3 items wait for your answer.\n",
    ),
    "calm-digest": ("example.social: this week nothing changed", "\n\nNothing changed.\n\n"),
    "news": (
        "Mastodon 4.5.19 is out (urgent); 1 warning",
        "- Mastodon 4.5.19 [urgent]",
        "Runs here: example.social (4.5.4)",
        "https://github.com/mastodon/mastodon/releases/tag/v4.5.19",
        "OpenSSH: a race in the signal handler of sshd",
    ),
    "outage": (
        "scanner1: no network for a while",
        "scanner1, which scans for fedisec, had no network from 21 Nov 2026, 20:51 to 21:31 (CET).",
        "- 212 scans waited; their turn is now.",
        "- 3 looks saw only our own fault",
    ),
    "standstill": (
        "[fedisec] fedisec did not run for a while",
        "fedisec did not run from 21 Nov 2026, 12:31 to 21:31 (CET).",
        "- 14 servers were not looked at in time",
    ),
    "trial": ("[fedisec] a test, and it arrived", "This is the test that was asked for"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_what_each_kind_says(name: str, post: Post, instance: Instance) -> None:
    mail = written(name, post, instance)
    text = f"{mail.subject}\n\n{mail.body}"
    for part in SAID[name]:
        assert part in text, part


def test_days_and_hours_are_those_of_the_reader(post: Post, instance: Instance) -> None:
    assert post.user is not None
    post.user.time_zone = "Asia/Tokyo"
    text = written("outage", post, instance, "ja").body
    assert "2026年11月22日4:51" in text and "5:31" in text and "JST" in text


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=12), "ends in 12 days"),
        (timedelta(days=1, hours=22), "ends in 46 hours"),
        (timedelta(hours=1, minutes=5), "ends in 1 hour"),
        (timedelta(minutes=-5), "ended"),
    ],
)
def test_what_is_left_of_a_certificate(left: timedelta, words: str, post: Post, instance: Instance) -> None:
    post.tell(MailKind.CERTIFICATE, instance=instance, data={"not_after": (NOW + left).isoformat()})
    mail = letter_of(post.delivery())
    assert words in mail.body and words in mail.subject


def test_thresholds_that_waited_together_are_one(post: Post, instance: Instance) -> None:
    for threshold in ("late", "7d"):
        data = {
            "fingerprint": "aa",
            "threshold": threshold,
            "not_after": (NOW + timedelta(days=5)).isoformat(),
        }
        post.tell(MailKind.CERTIFICATE, instance=instance, data=data)
    post.change(MailKind.REGRESSION, a_change(instance, "tls.certificate_lasts"))
    mail = letter_of(post.delivery())
    assert mail.body.count("The certificate of") == 1
    assert mail.subject == "[fedisec] example.social: the certificate ends in 5 days"


@pytest.mark.parametrize(
    "code", ["no_name", "dns_fails", "refused", "silent", "web_refused", "web_silent", "of tomorrow"]
)
def test_each_way_of_not_answering_has_words(code: str, post: Post, instance: Instance) -> None:
    post.change(MailKind.UNREACHABLE, a_change(instance, "reach", data={"code": code}))
    text = letter_of(post.delivery()).body
    assert ("dig +trace example.social" in text) == (code in {"no_name", "dns_fails"})
    assert ("The web server does not answer:" in text) == code.startswith("web_")
    assert ("its items are not judged" in text) != code.startswith("web_")
    assert "Look here first:" in text and "failing" not in text


def test_a_server_that_answers_again_says_since_when_it_had_not(post: Post, instance: Instance) -> None:
    post.change(MailKind.UNREACHABLE, a_pair(instance, "reach", NOW - timedelta(hours=30), NOW)[1])
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] example.social: answers again"
    assert "from 20 Nov 2026, 15:31 to 21 Nov 2026, 21:31 (CET)" in mail.body


def test_a_reminder_of_what_is_met_by_now_says_so(post: Post, instance: Instance) -> None:
    mail = samples.reminder(post, instance)
    for notice in mail.notices.all():
        assert notice.incident is not None
        notice.incident.closed_at = NOW
        notice.incident.save()
    letter = letter_of(mail)
    assert "nothing is left to remind you of" in letter.subject
    assert "All of it is met again" in letter.body


def test_a_quiet_week_of_many_servers_is_one_line_each(post: Post, instance: Instance) -> None:
    weeks = [a_week(f"calm{number}.example") for number in range(25)]
    post.tell(MailKind.DIGEST, data=samples.a_digest(*weeks, instances=40))
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] 40 servers: this week nothing changed"
    assert mail.body.count("No required item fails.") == 21  # one of them over all
    assert "And on 20 more." in mail.body


def test_a_channel_gets_the_same_words_and_plain_values(post: Post, instance: Instance) -> None:
    channel = Post(channel=a_channel(instance))
    notice = channel.change(MailKind.REGRESSION, a_fall(instance, samples.SSH, samples.SSH_SEEN))
    said = summary_of(channel.delivery())
    assert "1 required item is no longer met" in said.subject and "Robots try passwords" in said.text
    assert "<html" in said.html
    assert json.loads(json.dumps(said.facts)) == {
        "type": "instance.regressed",
        "instance": "example.social",
        "items": [
            {
                "id": "ssh.password_login_off",
                "instance": "example.social",
                "level": "required",
                "title": "SSH offers no login by password",
                "status": "regressed",
                "summary": "On port 22 the server offers root these ways in: publickey, password.",
                "evidence": "SSH 198.51.100.7 port 22: userauth methods for root: publickey,password",
                "link": "https://fedisec.example/instances/example.social/items/ssh.password_login_off/",
            }
        ],
        "counts": {"regressed": 1},
        "link": "https://fedisec.example/instances/example.social/",
    }
    assert notice.delivery_id is None  # as it was read before


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_has_plain_values(name: str, post: Post, instance: Instance) -> None:
    facts = summary_of(SAMPLES[name](Post(channel=a_channel(instance)), instance)).facts
    assert json.loads(json.dumps(facts)) == facts
    assert facts["type"] and facts["link"].startswith("https://fedisec.example/")


def test_titles_of_own_items_are_as_typed(post: Post, instance: Instance) -> None:
    from fedisec.checklist.models import OwnItem

    own = OwnItem.objects.create(team=instance.team, title="The spare keys are in the safe", level="required")
    data = {"kind": "attestation", "item": own.item_id, "at": NOW.isoformat(), "days": 0}
    post.tell(MailKind.ENDING, instance=instance, data=data)
    assert "- The spare keys are in the safe [required]\n" in letter_of(post.delivery()).body


def test_the_language_of_the_mail_does_not_leak(post: Post, instance: Instance) -> None:
    with translation.override("en"):
        written("regression", post, instance, "ja")
        assert translation.get_language() == "en"
    assert "ssh.password_login_off" in all_items()


@pytest.mark.parametrize("name", ["calm-digest", "news", "regression"])
def test_a_name_is_shown_as_people_write_it(name: str, post: Post, instance: Instance) -> None:
    instance.domain = "xn--wgv71a.example"
    instance.save()
    mail = written(name, post, instance)
    assert mail.subject.startswith("[fedisec] 日本.example: ")
    assert "https://fedisec.example/instances/xn--wgv71a.example/" in mail.body


def test_a_week_in_which_only_rules_or_ends_moved(post: Post, instance: Instance) -> None:
    rules = a_week(instance.domain, rejudged=1, changes=[["http.csp", "rejudged", "warn"]])
    post.tell(MailKind.DIGEST, data=samples.a_digest(rules))
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] example.social: new rules this week"
    assert "Nothing changed." not in mail.body and "the server did not change:" in mail.body
    ends = a_week(instance.domain, ends=1, endings=[["waiver", "edge.cdn", "", NOW.isoformat(), False]])
    post.tell(MailKind.DIGEST, data=samples.a_digest(ends))
    mail = letter_of(post.delivery())
    assert mail.subject == "[fedisec] example.social: this week nothing changed"
    assert "Nothing changed." in mail.body and "Ends within 14 days:" in mail.body
