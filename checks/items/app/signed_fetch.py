"""Is an unsigned ActivityPub request for a public actor refused?  Optional: it breaks some software.

Unmodified Misskey has no such mode (its forks may), so there is nothing to ask for there."""

from checks.errors import Reason
from checks.facts import Facts, MissingFact
from checks.facts.http import SignedFetch
from checks.facts.software import Software
from checks.model import (
    INSIDE,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checks.parse.host.app_config import parse_app_config
from checks.parse.host.sections import lines_if_any

SWITCHES = {
    "mastodon": ("AUTHORIZED_FETCH", "LIMITED_FEDERATION_MODE"),
    "akkoma": (":activitypub.authorized_fetch_mode",),
    "pleroma": (":activitypub.authorized_fetch_mode",),
}

MASTODON = """
    AUTHORIZED_FETCH=true"""

AKKOMA = """
    config :pleroma, :activitypub,
      authorized_fetch_mode: true"""

SEE = """
    curl -si -H "Accept: application/activity+json" https://example.social/users/NAME | head -n 1"""

item = Item(
    __name__,
    level=Level.OPTIONAL,
    settles=(
        OUTSIDE,
        INSIDE,
    ),
    sources=(Source("+"),),
    references=(
        Reference("Mastodon: AUTHORIZED_FETCH", "https://docs.joinmastodon.org/admin/config/#federation"),
        Reference("Mastodon: Security", "https://docs.joinmastodon.org/spec/security/"),
        Reference(
            "GoToSocial: HTTP signatures", "https://docs.gotosocial.org/en/latest/federation/http_signatures/"
        ),
    ),
    title=Text(
        "Posts and profiles are handed only to signed requests",
        "署名のないリクエストに投稿やプロフィールを渡さない",
    ),
    why=Text(
        "With authorized fetch a server must say who it is before it gets a post, so blocked servers cannot read on. It does not stop a determined reader, costs some work, and a few programs cannot cope with it.",
        "セキュアモード（authorized fetch）では、相手サーバは名乗らなければ投稿を取得できず、ブロックした相手に読まれにくくなります。ただし万全ではなく、負荷が増え、連合できなくなるソフトウェアもあります。",
    ),
    expected=Text(
        "An unsigned request for a profile as ActivityPub is answered with 401. Leaving it open is a fair choice too.",
        "署名のない ActivityPub のリクエストに 401 を返す状態。開けておくのも1つの選択です。",
    ),
    fix=Fix(
        Text(
            "Read what your software says about it first, and watch the log for servers that drop out.",
            "先にドキュメントで影響を確認し、有効にした後は連合できなくなったサーバがないかログを見てください。",
        ),
        variants=(
            ("Mastodon", Text("Set these lines:\n" + MASTODON, "設定例：\n" + MASTODON)),
            ("Akkoma, Pleroma", Text("Set these lines:\n" + AKKOMA, "設定例：\n" + AKKOMA)),
            (
                "Misskey, GoToSocial",
                Text(
                    "GoToSocial always asks for a signature. Misskey has no such mode.",
                    "GoToSocial は常に署名を求めます。Misskey にこの機能はありません。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Look at the header:\n" + SEE + "\n\nThe first line must say 401.",
        "ヘッダを確認します。\n" + SEE + "\n\n1行目が 401 であることを確認します。",
    ),
    codes={
        "required": Text("An unsigned request is refused.", "署名のないリクエストは拒否されます。"),
        "open": Text(
            "An unsigned request gets the profile; closing this is optional.",
            "署名がなくてもプロフィールを取得できます（対応は任意です）。",
        ),
        "no_mode": Text(
            "{software} has no mode that asks for signatures.", "{software} に署名を求める機能はありません。"
        ),
        "set": Text(
            "{setting} asks for signatures; the answer to an unsigned request was not seen, or does not tell.",
            "{setting} により署名が求められます（署名のないリクエストへの応答からは判断できませんでした）。",
        ),
        "unclear": Text(
            "The answer to an unsigned request (status {status}) tells neither.",
            "署名のないリクエストへの応答（ステータス {status}）からは判断できません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    try:
        outside = _from_outside(facts)
    except MissingFact:
        if (inside := _from_inside(facts)) is None:
            raise
        return inside
    return (_from_inside(facts) or outside) if outside.code == "unclear" else outside


def _from_inside(facts: Facts) -> Verdict | None:
    """Only a switch that is on tells: what the file leaves out, the database may hold."""
    software, lines = facts.maybe(Software), lines_if_any(facts, "app_config")
    files = parse_app_config(lines).of(software.family if software else "").read if lines is not None else ()
    for file in files:
        for key in SWITCHES.get(file.family, ()):
            if file.flag(key) and not file.database_rules:
                return passed("set", setting=f"{key}=true").seen(f"inside: {file.path}", f"{key}=true")
    return None


def _from_outside(facts: Facts) -> Verdict:
    software = facts.maybe(Software)
    upstream = software is not None and software.name == "misskey" and not software.fork
    if software is not None and upstream and facts.maybe(SignedFetch) is None:
        return not_applicable("no_mode", software=software.name)
    fetch = facts.get(SignedFetch)
    where, line = f"GET {fetch.url}", f"Accept: application/activity+json, unsigned: HTTP {fetch.status}"
    if fetch.status == 401:
        return passed("required").seen(where, line)
    if fetch.is_actor:
        return failed("open").seen(where, line)
    return unknown("unclear", Reason.WITHHELD, status=fetch.status).seen(where, line)
