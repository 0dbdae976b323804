"""Is the name the admin's own for as long as they want it?  A handle holds the domain and cannot be moved.

A sub-domain that a hosting service lends for good passes: it lasts as long as the contract with the service.
"""

from checks.data.dns import lent_names, lent_suffix
from checks.errors import Reason
from checks.facts import Facts
from checks.facts.dns import DomainName
from checks.model import (
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    failed,
    passed,
    unknown,
    warned,
)

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(OUTSIDE,),
    sources=(Source("001", "Preface 3"),),
    references=(
        Reference("Mastodon: LOCAL_DOMAIN", "https://docs.joinmastodon.org/admin/config/#federation"),
        Reference("Public Suffix List", "https://publicsuffix.org/"),
    ),
    title=Text(
        "The domain is permanent, not a tunnel or dynamic DNS name",
        "一時的なトンネルやダイナミック DNS ではない、恒久的なドメインで運用している",
    ),
    why=Text(
        "The domain is part of every handle and of every post's address, and fediverse software cannot change it later. When a lent name goes, every account and every follower goes with it.",
        "ドメインは全員のアカウント名とすべての投稿の URL に含まれ、あとから変更できません。借り物の名前が失われると、アカウントもフォロー関係もすべて失われます。",
    ),
    expected=Text(
        "The name is registered by you under a public suffix, or lent for good by a hosting service you have a contract with.",
        "自分で登録したドメイン、または契約しているホスティングサービスから継続的に借りているサブドメインである状態。",
    ),
    fix=Fix(
        Text(
            "Register a domain of your own before anybody signs up. On a server that already federates, a new name means a new server: set up the new one, let each account move with the software's account migration, and keep the old one running for some months so that followers are carried over.",
            "利用者が増える前に、自分のドメインを登録してください。すでに連合しているサーバでは、名前を変えるには新しいサーバを立てるしかありません。新サーバを用意し、各アカウントを引っ越し機能で移し、フォロワーの移行が済むまで数か月は旧サーバも動かし続けます。",
        )
    ),
    verify=Text(
        "The registrar's account shows the domain as yours, with an end date:\n\n    whois example.social",
        "登録事業者の管理画面で、自分の名義と有効期限を確認します。\n\n    whois example.social",
    ),
    codes={
        "own": Text(
            "{name} is registered under the public suffix {suffix}.",
            "{name} は、公開サフィックス {suffix} の下に登録されたドメインです。",
        ),
        "dynamic": Text(
            "{name} is a dynamic DNS name under {suffix}: it lapses when it is not confirmed or the service ends.",
            "{name} は {suffix} のダイナミック DNS の名前です。更新を忘れたりサービスが終了したりすると失われます。",
        ),
        "tunnel": Text(
            "{name} is a temporary name of a tunnel service ({suffix}).",
            "{name} はトンネルサービス（{suffix}）の一時的な名前です。",
        ),
        "is_suffix": Text(
            "{name} is a public suffix itself; whose it is cannot be told.",
            "{name} 自体が公開サフィックスなので、誰の名前か判定できません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    found = facts.get(DomainName)
    lent, where = lent_names(), "public suffix list"
    if tunnel := lent_suffix(found.name, lent.tunnels):
        return failed("tunnel", name=found.name, suffix=tunnel).seen("tunnel services", tunnel)
    if dynamic := lent_suffix(found.name, lent.dynamic):
        return warned("dynamic", name=found.name, suffix=dynamic).seen("dynamic DNS services", dynamic)
    if found.registrable is None:
        return unknown("is_suffix", Reason.MALFORMED, name=found.name).seen(where, found.public_suffix)
    return passed("own", name=found.registrable, suffix=found.public_suffix).seen(where, found.registrable)
