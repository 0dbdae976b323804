"""Support that ends, in the mail of news and in the digest."""

from __future__ import annotations

from typing import Any

import pytest

from fedisec.alerts.letter import letter_of
from fedisec.alerts.models import MailKind
from fedisec.instances.models import Instance
from tests.alerts.letters.samples import Post, a_digest, a_week


def an_end(
    product: str, branch: str, day: str, goes_to: str = "", support: str = "regular", **runs: str
) -> dict[str, Any]:
    named = [{"domain": f"{name}.example", "version": version} for name, version in runs.items()]
    return {
        "product": product,
        "branch": branch,
        "support": support,
        "day": day,
        "goes_to": goes_to,
        "instances": named,
    }


def test_one_end_stands_in_the_subject_with_its_day(post: Post, instance: Instance) -> None:
    end = an_end("PostgreSQL", "14", "2026-12-11", "18.6", social="14.19")
    post.tell(MailKind.NEWS, instance=instance, data={"kind": "ends", "ends": [end]})
    mail = letter_of(post.delivery())
    assert mail.subject.endswith(": support of PostgreSQL 14 ends on 11 Dec 2026")
    assert "Support that ends:" in mail.body and "- PostgreSQL 14\n" in mail.body
    assert "Support ends on 11 Dec 2026, in 20 days. Go to 18.6." in mail.body
    assert "social.example (14.19)" in mail.body


def test_many_ends_on_many_servers_are_one_mail_beside_other_news(post: Post, instance: Instance) -> None:
    ends = [
        an_end("Debian", "12", "2026-12-20", "13", "long_term", a="12", b="12.5"),
        an_end("PHP", "8.2", "2026-11-28", a="8.2.29"),
    ]
    post.tell(MailKind.NEWS, data={"kind": "ends", "ends": ends})
    post.tell(MailKind.NEWS, instance=instance, data={"kind": "warning", "title": "nginx: a flaw"})
    mail = letter_of(post.delivery())
    assert "support of 2 products ends" in mail.subject and "1 warning" in mail.subject
    body = mail.body
    assert body.index("PHP 8.2") < body.index("Debian 12"), "the nearest first"
    assert "Long-term support ends on 20 Dec 2026, in 29 days. Go to 13." in body
    assert "Support ends on 28 Nov 2026, in 7 days." in body and "a.example (12), b.example (12.5)" in body


@pytest.mark.parametrize(
    "ends",
    [None, "x", [1], [{}], [{"product": "x"}], [{"product": "x", "day": "soon"}],
     [{"product": "x\x1b[31m\n", "branch": {}, "day": "2020-01-01", "instances": [1, {}, {"domain": "y"}]}]],
)  # fmt: skip
def test_whatever_stands_in_a_notice_a_mail_comes_of_it(post: Post, instance: Instance, ends: Any) -> None:
    post.tell(MailKind.NEWS, instance=instance, data={"kind": "ends", "ends": ends})
    mail = letter_of(post.delivery())
    assert mail.subject and "\x1b" not in f"{mail.body}{mail.subject}"


def test_the_digest_names_what_ends_within_a_month(post: Post, instance: Instance) -> None:
    week = a_week(instance.domain, coming=[["PostgreSQL", "14", "regular", "2026-12-11", "18.6"], "x"])
    post.tell(MailKind.DIGEST, data=a_digest(week))
    mail = letter_of(post.delivery())
    assert "Support that ends:" in mail.body and "PostgreSQL 14" in mail.body and "Go to 18.6." in mail.body
    post.tell(MailKind.DIGEST, data=a_digest(a_week(instance.domain)))
    assert "Support that ends:" not in letter_of(post.delivery()).body
