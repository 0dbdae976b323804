"""What follows for sign-up, law and set-up from the answers of each family: judged once by a person, held since."""

from __future__ import annotations

import asyncio

import pytest

from checks.evaluate import judge
from checks.facts import Facts
from checks.facts.http import SourceOffer
from checks.facts.software import Software
from checks.items import all_items
from tests.checks.instance.samples import Recorded, facts_of
from tests.checks.instance.test_families import TABLE

ITEMS = (
    "signup.closed", "signup.approval", "signup.captcha", "signup.email_verified",
    "legal.terms_prohibit", "legal.privacy_policy", "legal.source_published", "app.setup_finished",
)  # fmt: skip
# One word per item of ITEMS, in their order: status and code, or the reason where there is no code.
WANTED = {
    "Mastodon, closed": "pass:closed na:closed na:closed na:closed pass:rules pass:own pass:upstream pass:none",
    "Mastodon nightly": "fail:open fail:not_approved manual:not_shown pass:required pass:rules pass:own pass:upstream pass:none",
    "glitch-soc, approval": "warn:approval pass:approved manual:not_shown pass:required pass:rules pass:own pass:own pass:none",
    "glitch-soc of the main branch": "pass:closed na:closed na:closed na:closed pass:rules pass:own pass:own pass:none",
    "hometown under Mastodon's name": "pass:closed na:closed na:closed na:closed pass:rules pass:own pass:own pass:none",
    "hometown under its own name": "pass:closed na:closed na:closed na:closed unknown:not_asked manual:not_shown unknown:no_link pass:none",
    "Mastodon before the second API": "pass:invites na:closed na:closed na:closed unknown:not_asked manual:not_shown unknown:no_link pass:none",
    "Mastodon, limited federation": "pass:closed na:closed na:closed na:closed unknown:withheld unknown:withheld unknown:no_link pass:none",
    "Mastodon that hides its version": "pass:closed na:closed na:closed na:closed unknown:not_asked manual:not_shown unknown:no_link pass:none",
    "Pleroma": "pass:invites na:closed na:closed na:closed pass:terms manual:not_shown pass:own pass:none",
    "Akkoma between releases": "warn:approval pass:approved fail:off manual:not_shown pass:terms manual:not_shown pass:own pass:none",
    "Misskey": "pass:invites na:closed na:closed na:closed pass:rules fail:none pass:upstream pass:finished",
    "Misskey, a fork by its version": "fail:open fail:not_approved pass:on pass:required pass:rules fail:none pass:own pass:finished",
    "Misskey with the API closed": "pass:invites na:closed na:closed na:closed unknown:withheld unknown:withheld unknown:no_link unknown:withheld",
    "Sharkey, with approval": "warn:approval pass:approved pass:on pass:required pass:rules fail:none pass:own pass:finished",
    "Iceshrimp.NET, Mastodon's API alone": "pass:closed na:closed na:closed na:closed unknown:not_asked manual:not_shown unknown:no_link unknown:not_asked",
    "Pixelfed, curated": "warn:approval pass:approved manual:not_shown manual:not_shown pass:rules manual:not_shown pass:upstream unknown:not_asked",
    "Pixelfed of glitch": "warn:approval pass:approved manual:not_shown manual:not_shown pass:rules manual:not_shown fail:mismatch unknown:not_asked",
    "pixelfed-brasil": "warn:approval pass:approved manual:not_shown manual:not_shown pass:rules manual:not_shown fail:mismatch unknown:not_asked",
    "GoToSocial": "pass:closed na:closed na:closed na:closed fail:none manual:not_shown pass:upstream pass:none",
    "GoToSocial that pretends to be Mastodon": "pass:closed na:closed na:closed na:closed fail:none manual:not_shown pass:upstream pass:none",
    "Friendica": "warn:approval pass:approved manual:not_shown manual:not_shown pass:rules manual:not_shown manual:no_link unknown:not_asked",
    "Friendica, candidate": "warn:approval pass:approved manual:not_shown manual:not_shown pass:rules manual:not_shown manual:no_link unknown:not_asked",
    "Lemmy": "warn:approval pass:approved pass:on pass:required pass:terms pass:own manual:no_link pass:finished",
    "Lemmy, closed": "pass:closed na:closed na:closed na:closed pass:terms pass:own manual:no_link pass:finished",
    "Lemmy of the next API": "warn:approval pass:approved pass:on pass:required pass:terms pass:own manual:no_link pass:finished",
    "PeerTube": "warn:approval pass:approved manual:not_shown pass:required pass:rules manual:not_shown manual:no_link pass:none",
}  # fmt: skip


def word(item: str, facts: Facts) -> str:
    verdict = judge(all_items()[item], facts)
    return f"{verdict.status}:{verdict.code or verdict.reason}".replace("not_applicable", "na")


@pytest.mark.parametrize("name", TABLE)
def test_what_follows_from_the_answers_of_a_server(name: str) -> None:
    facts = Facts().with_facts(*asyncio.run(facts_of(Recorded("site.test", dict(TABLE[name][0])))))
    facts = facts.with_facts(SourceOffer(facts.get(Software).source_url or "", 200))
    assert [word(item, facts) for item in ITEMS] == WANTED[name].split()
