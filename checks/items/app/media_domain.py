"""Do uploads come from another (sub)domain than the instance?

What sets uploads apart best is another registered domain; a name under the same one shares its cookies.  Wherever
they lie, they are harmless if they come with a policy under which nothing runs (sandbox, or no scripts at all), or
only to be saved: that is acceptable on the same origin, too."""

from urllib.parse import urlsplit

from checks.data.suffixes import same_registrable
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact, seen
from checks.facts.http import FrontPage, MediaSample, Page
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
    passed,
    warned,
)
from checks.parse.answers import header_lines, readable
from checks.parse.csp import is_inert, parse_csp
from checks.parse.headers import is_nosniff
from checks.parse.host.app_config import AppConfig, parse_app_config
from checks.parse.host.sections import lines_if_any

KEYS = {
    "mastodon": "S3_ALIAS_HOST",
    "akkoma": "Pleroma.Upload.base_url",
    "pleroma": "Pleroma.Upload.base_url",
}

AKKOMA = """
    config :pleroma, Pleroma.Upload,
      base_url: "https://media.example.social/media\""""

MASTODON = """
    S3_ALIAS_HOST=files.example.social"""

NGINX = """
    location ~ ^/(system|media|files|storage)/ {
        add_header X-Content-Type-Options "nosniff" always;
        add_header Content-Security-Policy "default-src 'none'; form-action 'none'; sandbox" always;
    }"""

SEE = """
    curl -sI https://files.example.social/PATH | grep -iE "content-security-policy|x-content-type-options\""""

item = Item(
    __name__,
    level=Level.RECOMMENDED,
    settles=(
        OUTSIDE,
        INSIDE,
    ),
    sources=(Source("004", "Upload base_url"),),
    references=(
        Reference(
            "Mastodon: Proxying object storage through nginx",
            "https://docs.joinmastodon.org/admin/optional/object-storage-proxy/",
        ),
        Reference(
            "Akkoma: Configuration cheat sheet", "https://docs.akkoma.dev/stable/configuration/cheatsheet/"
        ),
    ),
    title=Text(
        "Uploaded media come from a domain of their own",
        "アップロードされたメディアを別ドメインで配信している",
    ),
    why=Text(
        "Uploads are files of strangers, and the domain is the border that browsers and ActivityPub draw. On the same domain an HTML or SVG file that slips through acts with the rights of the instance.",
        "アップロードは他人のファイルであり、ブラウザも ActivityPub もドメインを境界として扱います。同じドメインでは、検査をすり抜けた HTML や SVG がインスタンスの権限で動きます。",
    ),
    expected=Text(
        "Media come from another host name, best another domain, or at least with a policy of sandbox or default-src 'none'. A sub-domain of the same domain without such a policy gives a warning.",
        "メディアを別のホスト名（できれば別ドメイン）で配信している状態。少なくとも sandbox か default-src 'none' のポリシーが付いている状態。同じドメインのサブドメインで、そのポリシーがない場合は「注意」になります。",
    ),
    fix=Fix(
        Text(
            "Give uploads a host name of their own, with its own server block and certificate. Until then let the proxy make them inert; the path differs with the software:\n"
            + NGINX,
            "アップロード用に別のホスト名と証明書を用意します。それまでは、プロキシで次のように無害化しておきます（パスはソフトウェアによって異なります）。\n"
            + NGINX,
        ),
        variants=(
            (
                "Akkoma, Pleroma",
                Text(
                    "Answer 404 to /media on the main host afterwards.\n" + AKKOMA,
                    "設定後、元のホストの /media には 404 を返すようにします。\n" + AKKOMA,
                ),
            ),
            (
                "Mastodon",
                Text(
                    "With object storage; local files are covered by the nginx lines of the distribution's sample.\n"
                    + MASTODON,
                    "オブジェクトストレージを使う場合の設定です。ローカル保存なら、配布されている nginx の見本に無害化の設定が含まれています。\n"
                    + MASTODON,
                ),
            ),
        ),
    ),
    verify=Text(
        "Open an avatar in a tab of its own: the host name is not the instance's. Its address must come with nosniff and a policy that holds sandbox or default-src 'none':\n"
        + SEE,
        "アイコン画像を別のタブで開き、ホスト名がインスタンスと異なることを確認します。その URL に nosniff と、sandbox か default-src 'none' を含むポリシーが付いていることも確かめます。\n"
        + SEE,
    ),
    codes={
        "separate": Text(
            "Media come from {host}, with headers that keep them inert.",
            "メディアは {host} から、無害化のヘッダ付きで配信されています。",
        ),
        "separate_bare": Text(
            "Media come from {host}, but without nosniff or a restricting policy.",
            "メディアは {host} から配信されていますが、nosniff や制限するポリシーがありません。",
        ),
        "subdomain": Text(
            "Media come from {host}, under the same registered domain as the instance; another one keeps cookies apart as well.",
            "メディアは {host}（インスタンスと同じ登録ドメイン）から配信されています。別の登録ドメインにすると Cookie も分離できます。",
        ),
        "same_inert": Text(
            "Media come from the instance's own host, but with a policy that keeps them inert.",
            "同じホストから配信されていますが、無害化するポリシーが付いています。",
        ),
        "configured": Text(
            "No upload was seen, but {key} sends them to {host}, another registered domain.",
            "アップロードされたファイルは確認できませんでしたが、{key} により別の登録ドメイン {host} から配信されます。",
        ),
        "configured_near": Text(
            "No upload was seen, but {key} sends them to {host}, under the same registered domain; with which headers could not be seen.",
            "アップロードされたファイルは確認できませんでしたが、{key} により同じ登録ドメインの {host} から配信されます。ヘッダは確認できませんでした。",
        ),
        "same": Text(
            "Media come from the instance's own host, and nothing keeps an active file from running.",
            "インスタンスと同じホストから、無害化されずに配信されています。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    try:
        return _from_outside(facts)
    except MissingFact:
        if (inside := _from_inside(facts)) is None:
            raise
        return inside


def _from_inside(facts: Facts) -> Verdict | None:
    """Where the software is told to serve uploads from; only a host of their own can be read off."""
    software, lines = facts.maybe(Software), lines_if_any(facts, "app_config")
    files = parse_app_config(lines).of(software.family if software else "").read if lines is not None else ()
    for file in files:
        key, value = KEYS.get(file.family, ""), file.text(KEYS.get(file.family, ""))
        media = urlsplit(value if "//" in value else f"//{value}").hostname or ""
        own = _own_host(file, facts)
        unused = file.family == "mastodon" and not file.flag("S3_ENABLED")
        if unused or "." not in media or not own or media == own or file.database_rules:
            continue
        near = same_registrable(media, own)
        verdict = (
            warned("configured_near", key=key, host=media)
            if near
            else passed("configured", key=key, host=media)
        )
        return verdict.seen(f"inside: {file.path}", f"{key}={value}")
    return None


def _own_host(file: AppConfig, facts: Facts) -> str:
    front = facts.maybe(FrontPage)
    seen_host = urlsplit(front.page.url).hostname if front else ""
    return seen_host or file.text("WEB_DOMAIN") or file.text("LOCAL_DOMAIN")


def _from_outside(facts: Facts) -> Verdict:
    media = facts.get(MediaSample)
    page = seen(readable(media.page))
    if not 200 <= page.status < 300:  # nothing was served, so nothing was served from there
        raise MissingFact(Missing(Reason.WITHHELD, f"HTTP {page.status}"))
    host = urlsplit(facts.get(FrontPage).page.url).hostname or ""
    where = f"GET {page.url}"
    lines = header_lines(page, "content-security-policy", "x-content-type-options", "content-disposition")
    inert = _is_inert(page)
    if media.host == host:
        if inert:
            return passed("same_inert").seen(where, lines)
        return failed("same").seen(where, lines)
    if inert:
        return passed("separate", host=media.host).seen(where, lines)
    if same_registrable(media.host, host):
        return warned("subdomain", host=media.host).seen(where, lines)
    if is_nosniff(page.header_values("x-content-type-options")):
        return passed("separate", host=media.host).seen(where, lines)
    return warned("separate_bare", host=media.host).seen(where, lines)


def _is_inert(page: Page) -> bool:
    kind = (page.header("content-disposition") or "").split(";")[0].strip().lower()
    policies = parse_csp(page.header_values("content-security-policy"))
    return kind == "attachment" or any(is_inert(policy) for policy in policies)
