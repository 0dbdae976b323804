"""A mail that the admin pasted under mail.dkim: its signatures are verified, its selectors watched from now
on.  The mail itself is never stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from checks.clean import clean
from checks.data.suffixes import same_registrable
from checks.facts.mail import DkimMessage, Proof, ProvenSignature
from checks.items import all_items
from checks.model import Item
from checks.parse.dkim_message import PastedMail, selectors_to_watch
from checks.probes.dns import Resolver
from checks.probes.mail_message import prove_all
from checks.probes.net import Net
from checks.target import Limits
from fedisec.accounts.models import User
from fedisec.checklist import answers
from fedisec.instances.forms import SELECTORS_MAX
from fedisec.instances.models import Instance
from fedisec.lib.vantage import vantage

ITEM_ID = "mail.dkim"
_LOOK_S = 15.0


def item() -> Item:
    return all_items()[ITEM_ID]


def prove(mail: PastedMail) -> DkimMessage:
    """What its signatures prove, by the operator's resolver.  Network, so outside any transaction."""
    place = vantage()
    resolver = Resolver(place, Net(place, Limits(wall_s=_LOOK_S)))
    return asyncio.run(prove_all(mail, resolver.ask, datetime.now(UTC)))


def own_signatures(found: DkimMessage) -> tuple[ProvenSignature, ...]:
    """Those that count for the From address."""
    return tuple(s for s in found.signatures if s.domain and same_registrable(s.domain, found.from_domain))


def keep(instance: Instance, user: User, mail: PastedMail, found: DkimMessage) -> None:
    """Watches the selectors of the mail, and writes down as an answer what was verified, if anything was."""
    with transaction.atomic():
        locked = Instance.objects.select_for_update().get(pk=instance.pk)
        if mail.from_domain != locked.target.mail_domain:
            # The admin said so; keys of the domain before are of no more use.
            locked.mail_from = mail.from_domain if mail.from_domain != locked.domain else ""
            locked.dkim_selectors = []
        named = [*selectors_to_watch(mail, mail.from_domain), *locked.dkim_selectors]
        locked.dkim_selectors = list(dict.fromkeys(named))[:SELECTORS_MAX]
        locked.save(update_fields=["mail_from", "dkim_selectors"])
        if any(s.proof is Proof.VERIFIED for s in own_signatures(found)):
            note, days = told(found), item().attest_days
            answers.attest(locked, item(), user, met=True, note=note, link="", days=days)


def told(found: DkimMessage) -> str:
    """What was found, one line a signature, for the note of the answer and for the page."""
    first = _("A mail from %(domain)s, checked by fedisec:") % {"domain": found.from_domain}
    lines = [first, *(_line(s) for s in found.signatures)]
    return "\n".join(clean(line, 300, newlines=False) for line in lines)[:2000]


def _line(signature: ProvenSignature) -> str:
    where = f"s={signature.selector or '?'} d={signature.domain or '?'}"
    extra = [signature.algorithm] if signature.algorithm else []
    extra += [str(signature.bits)] if signature.bits and signature.algorithm.startswith("rsa") else []
    extra += [signature.detail] if signature.detail else []
    more = f" ({', '.join(extra)})" if extra else ""
    partial = _("; a part of the body is not signed (l=)") if signature.partial else ""
    return f"{where}: {_words(signature.proof)}{partial}{more}"


def _words(proof: Proof) -> str:
    return {
        Proof.VERIFIED: _("verified"),
        Proof.HEADER_ONLY: _("key found; without the text of the mail nothing can be verified"),
        Proof.UNSEEN: _("the key could not be asked for just now"),
        Proof.EXPIRED: _("the signature has expired; take a newer mail"),
        Proof.MALFORMED: _("the signature breaks the rules"),
        Proof.SHA1: _("signed with SHA-1, which receivers no longer accept"),
        Proof.NO_KEY: _("there is no key in the DNS"),
        Proof.BAD_KEY: _("the record is no key for this signature"),
        Proof.REVOKED: _("the key is revoked"),
        Proof.WEAK_KEY: _("the key is shorter than 1024 bits"),
        Proof.BODY_DIFFERS: _("the text is not what was signed; copying may have changed it"),
        Proof.NO_MATCH: _(
            "the headers are not what was signed, or by another key; copying may have changed them"
        ),
    }[proof]
