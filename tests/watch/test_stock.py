"""What an instance is made of, beside what news are matched with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from checks.facts import Fact, Facts
from checks.facts.http import FrontPage, Page
from checks.facts.software import Software
from fedisec.instances.models import Instance
from fedisec.watch import stacks, stock
from fedisec.watch.models import Stack
from fedisec.watch.stock_models import Stated, Stock
from tests.factories import a_recorded_scan, a_user, an_instance
from tests.watch.test_stacks import INSIDE, MASTODON

pytestmark = pytest.mark.django_db
FRONT = FrontPage(
    Page("https://social.example/", 200, (("server", "nginx/1.27.0"), ("x-powered-by", "PHP/8.2.1")), "")
)


def looked(instance: Instance, *facts: Fact, ago_h: int = 0) -> None:
    a_recorded_scan(instance, Facts().with_facts(*facts), timezone.now() - timedelta(hours=ago_h))
    stacks.refresh()
    stock.refresh()


def parts_of(instance: Instance) -> dict[str, tuple[str, str]]:
    """name -> (version, source)."""
    return {row[1]: (row[2], row[3]) for row in Stock.objects.get(instance=instance).parts}


def test_the_inside_is_believed_over_what_strangers_are_told() -> None:
    instance = an_instance()
    looked(instance, MASTODON, INSIDE, FRONT)
    found = parts_of(instance)
    assert found["nginx"] == ("1.22.1", "distribution") and found["php"] == ("8.2.1", "outside")
    assert found["mastodon"] == ("4.7.2+glitch", "outside") and found["redis"] == ("7.2", "image")
    products = [tuple(pair) for pair in Stack.objects.get().products]
    assert ("nginx", "1.22.1") in products and ("nginx", "1.27.0") not in products
    assert ("php", "8.2.1") in products


def test_without_the_inside_strangers_words_are_what_there_is() -> None:
    instance = an_instance()
    looked(instance, MASTODON, FRONT)
    assert parts_of(instance)["nginx"] == ("1.27.0", "outside")
    assert ["nginx", "1.27.0"] in Stack.objects.get().products


def test_what_a_later_look_cannot_see_is_kept() -> None:
    instance = an_instance()
    looked(instance, MASTODON, INSIDE, FRONT, ago_h=9)
    before = parts_of(instance)
    for ago_h in (7, 5, 3, 1):  # more looks than facts are kept of
        looked(instance, ago_h=ago_h)
    after = parts_of(instance)
    assert {name: after[name] for name in ("nginx", "redis", "mastodon")} == {
        name: before[name] for name in ("nginx", "redis", "mastodon")
    }
    assert "php" not in after, "what strangers are told is as of the last look"
    looked(instance, Software("misskey", "misskey", "2026.9.1", "2026.9.1"))
    assert "mastodon" not in parts_of(instance) and "misskey" in parts_of(instance)


def test_a_line_by_hand_is_matched_with_news_until_it_ends() -> None:
    owner = a_user()
    instance = an_instance(owner)
    looked(instance, MASTODON)
    stock.state(instance, owner, "postgresql", "14.19")
    assert [stack.pk for stack in stacks.refresh()] == [instance.pk], (
        "warnings of the last weeks are compared"
    )
    assert ["postgresql", "14.19"] in Stack.objects.get().products
    stock.remove(Stated.objects.get(), owner)
    stacks.refresh()
    assert ["postgresql", "14.19"] not in Stack.objects.get().products
