"""Does a DKIM signature of a pasted mail hold?  RFC 6376 section 6.1, RFC 8301, RFC 8463.

The arithmetic is dkimpy's.  What it would accept although receivers must not (SHA-1, short keys, keys for
something else), or would compute on for seconds (giant keys), is turned away before.
"""

from __future__ import annotations

import logging
import re

import dkim
from dkim.util import InvalidTagValueList

from checks.errors import ParseError
from checks.facts import Missing
from checks.facts.dns import Lookup
from checks.facts.mail import Proof, ProvenSignature
from checks.parse.dkim import DkimKey, parse_dkim
from checks.parse.dkim_message import PastedMail, Signature
from checks.parse.tags import parse_tags

RSA_LEAST = 1024
_KEY_MAX = 1500  # characters of p=: RSA with 8192 bits; a larger one may cost seconds
_CLOCK_SLACK_S = 3600  # of the server that signed
_SILENT = logging.Logger("dkimpy")  # it would log the mail
_SILENT.addHandler(logging.NullHandler())

# Everything that dkimpy is seen to raise on odd input: its own, and what its decoding raises.
_DKIMPY_ERRORS = (dkim.DKIMException, InvalidTagValueList, ValueError, TypeError, IndexError, AssertionError)


def prove(mail: PastedMail, number: int, answer: Lookup | Missing, now_s: float) -> ProvenSignature:
    """What signature `number` of the mail proves, with the answer to its key record."""
    signature = mail.signatures[number]
    early = _before_the_key(signature, now_s)
    if early is not None:
        return _told(signature, *early)
    if isinstance(answer, Missing):
        return _told(signature, Proof.UNSEEN, f"{answer.reason.value} {answer.detail}".strip())
    if not answer.records:
        return _told(signature, Proof.NO_KEY, answer.outcome.value)
    try:
        if len(answer.records) > 1:
            raise ParseError(f"{len(answer.records)} records")
        key = parse_dkim(answer.records[0])
    except ParseError as error:
        return _told(signature, Proof.BAD_KEY, str(error))
    unfit = _unfit(signature, key, answer.records[0])
    if unfit is not None:
        return _told(signature, *unfit, bits=key.bits)
    if mail.body is None:
        return _told(signature, Proof.HEADER_ONLY, bits=key.bits)
    return _told(signature, *_verified(mail, number, answer.records[0]), bits=key.bits)


def _told(signature: Signature, proof: Proof, detail: str = "", bits: int = 0) -> ProvenSignature:
    partial = signature.length is not None
    return ProvenSignature(
        signature.domain, signature.selector, signature.algorithm, proof, detail[:200], bits, partial
    )


def _before_the_key(signature: Signature, now_s: float) -> tuple[Proof, str] | None:
    if signature.fault:
        return Proof.MALFORMED, signature.fault
    if signature.algorithm == "rsa-sha1":
        return Proof.SHA1, ""
    if signature.expires_s is not None and signature.expires_s + _CLOCK_SLACK_S < now_s:
        return Proof.EXPIRED, f"x={signature.expires_s}"
    if signature.signed_s is not None and signature.signed_s - _CLOCK_SLACK_S > now_s:
        return Proof.MALFORMED, f"t={signature.signed_s} lies ahead"
    return None


def _unfit(signature: Signature, key: DkimKey, text: str) -> tuple[Proof, str] | None:
    """Why receivers do not use this key for this signature (3.6.1)."""
    tags = dict(parse_tags(text, strict=True))
    if key.revoked:
        return Proof.REVOKED, ""
    if key.kind != signature.algorithm.partition("-")[0]:
        return Proof.BAD_KEY, f"a {key.kind} key, but a={signature.algorithm}"
    if key.kind == "rsa" and key.bits < RSA_LEAST:
        return Proof.WEAK_KEY, str(key.bits)
    if len("".join(tags["p"].split())) > _KEY_MAX:
        return Proof.BAD_KEY, f"a key of {key.bits} bits, which nobody uses"
    if key.hashes and "sha256" not in key.hashes:
        return Proof.BAD_KEY, "h= does not allow sha256"
    if not key.for_mail:
        return Proof.BAD_KEY, "s= is not for mail"
    flags = [flag.strip().lower() for flag in tags.get("t", "").split(":")]
    if "s" in flags and signature.identity != signature.domain:
        return Proof.BAD_KEY, "t=s, but i= is a subdomain"
    return None


def _verified(mail: PastedMail, number: int, record: str) -> tuple[Proof, str]:
    verifier = dkim.DKIM(None, logger=_SILENT, minkey=RSA_LEAST)
    verifier.headers = [[name, rest] for name, rest in mail.fields]
    verifier.body = _body(mail, mail.signatures[number].body_form)
    key = _plain_key(record)
    try:
        holds = verifier.verify(number, dnsfunc=lambda name, timeout=0: key)
    except dkim.ValidationError as error:
        if "body hash mismatch" in str(error):
            return Proof.BODY_DIFFERS, ""
        return Proof.MALFORMED, "dkimpy: " + str(error)[:150]
    except _DKIMPY_ERRORS as error:
        return Proof.NO_MATCH, f"dkimpy: {type(error).__name__}"
    return (Proof.VERIFIED, "") if holds is True else (Proof.NO_MATCH, "")


def _body(mail: PastedMail, form: str) -> bytes:
    """The body for dkimpy.  Where the relaxed form makes one blank of many anyhow, it is done here: dkimpy
    first takes those off line ends with a pattern that needs quadratic time for long rows of them."""
    body = mail.body or b""
    if form == "simple":
        return body
    return re.sub(rb"[\t ]+", b" ", body)


def _plain_key(record: str) -> bytes:
    """The record as dkimpy reads it without tripping over case, blanks or unknown service types."""
    tags = dict(parse_tags(record, strict=True))
    packed = "".join(tags["p"].split())
    return f"v=DKIM1; k={tags.get('k', 'rsa').lower()}; p={packed}".encode("latin-1")
