"""Does the source offer match what runs?  AGPL section 13.

Unmodified upstream with the upstream's link, or a fork with a repository of its own, is right; a fork marker with
the upstream's link (or a mirror's) is not.  A repository of its own has to answer a stranger: one that is private or
gone offers nothing.  The project's own is not asked for.  Whether changes without a marker exist nobody can see: the
admin answers."""

from checks.data.tables import families
from checks.errors import Reason
from checks.facts import Facts, Missing, MissingFact
from checks.facts.http import SourceOffer
from checks.facts.software import Software
from checks.model import (
    MANUAL,
    OUTSIDE,
    Fix,
    Item,
    Level,
    Reference,
    Source,
    Text,
    Verdict,
    asked,
    failed,
    not_applicable,
    passed,
    unknown,
    warned,
)
from checks.parse.source_offer import is_upstream

# Their public answers name no source: an admin is asked.
_NO_LINK = frozenset({"friendica", "lemmy", "peertube"})

MASTODON = """
    GITHUB_REPOSITORY=you/mastodon
    SOURCE_TAG=v4.x.y+you"""

SEE = """
    curl -s https://example.social/api/v2/instance | grep -o '"source_url":"[^"]*"'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(
        OUTSIDE,
        MANUAL,
    ),
    sources=(Source("003", "運用/コンプライアンス"),),
    references=(
        Reference(
            "GNU Affero General Public License version 3, section 13",
            "https://www.gnu.org/licenses/agpl-3.0.html#section13",
        ),
    ),
    title=Text(
        "The published source is the source that runs",
        "公開しているソースが実際に動いているものと一致している",
    ),
    why=Text(
        "Nearly all fediverse software is under the AGPL: whoever uses a changed version over the network has a right to its source. A link to the upstream project does not give them your changes.",
        "分散SNSのソフトウェアの多くは AGPL で、改変版をネットワーク越しに使う人にはソースを受け取る権利があります。本家へのリンクでは、改変部分を渡したことになりません。",
    ),
    expected=Text(
        "An unmodified version links to the upstream project; a changed one links to a public repository that holds exactly what runs.",
        "改変していなければ本家へのリンク、改変していれば動いているものと同じ内容の公開リポジトリへのリンクがある状態。",
    ),
    fix=Fix(
        Text(
            "If you changed anything, push the branch you deploy to a public repository, and set the link to it. Do that with each update.",
            "改変している場合は、実際に動かしているブランチを公開リポジトリに push し、リンク先をそこに設定します。更新のたびに行います。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "In .env.production; a full address goes into SOURCE_BASE_URL:\n" + MASTODON,
                    ".env.production に設定します。GitHub 以外は SOURCE_BASE_URL に URL を書きます。\n"
                    + MASTODON,
                ),
            ),
            (
                "Misskey",
                Text(
                    "Control panel, General: the repository URL; or publish a tarball with publishTarballInsteadOfProvideRepositoryUrl.",
                    "コントロールパネルでリポジトリの URL を設定します。publishTarballInsteadOfProvideRepositoryUrl で tarball を配布することもできます。",
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "The address comes from source_url in mix.exs: change it in your branch before you build.",
                    "URL は mix.exs の source_url から作られます。自分のブランチで書き換えてからビルドしてください。",
                ),
            ),
        ),
    ),
    verify=Text(
        "Follow the link for the source at the foot of the page; on Mastodon the API shows it as well:\n"
        + SEE,
        "ページ下部のソースコードへのリンクをたどって確認します。Mastodon では API でもわかります。\n" + SEE,
    ),
    codes={
        "upstream": Text(
            "Unmodified {software}, and the link leads to its project.",
            "改変していない {software} で、リンク先は本家です。",
        ),
        "own": Text(
            "A repository of its own is offered: {url}.", "独自のリポジトリが公開されています（{url}）。"
        ),
        "unreachable": Text(
            "A repository of its own is named, {url}, but a stranger cannot open it (status {status}).",
            "独自のリポジトリ（{url}）が示されていますが、部外者は開けません（ステータス {status}）。",
        ),
        "mismatch": Text(
            "The version is marked as {fork}, but the link leads to the upstream project, which does not hold those changes.",
            "バージョンに {fork} の印がありますが、リンク先は本家で、改変内容が含まれていません。",
        ),
        "no_link": Text(
            "No link to the source can be read from outside.", "ソースへのリンクを外部から確認できません。"
        ),
        "not_agpl": Text(
            "{software} is not known to be under the AGPL.",
            "{software} は AGPL のソフトウェアとして把握していません。",
        ),
    },
)


@item.check
def check(facts: Facts) -> Verdict:
    software = facts.get(Software)
    family = families().get(software.family)
    if family is None or not family.agpl:
        return not_applicable("not_agpl", software=software.name)
    if not software.source_url and software.family in _NO_LINK:
        return asked("no_link").seen(software.via, f"{software.name} {software.version}")
    if not software.source_url:
        return unknown("no_link", Reason.NOT_ASKED)
    lines = f"version {software.version}\nsource {software.source_url}"
    if not is_upstream(software.source_url, family):
        offer = facts.get(SourceOffer)
        if offer.status in {401, 403, 404, 410, 451}:
            answer = f"{lines}\nHTTP {offer.status}"
            return warned("unreachable", url=offer.url, status=offer.status).seen(f"GET {offer.url}", answer)
        if not 200 <= offer.status < 400:
            raise MissingFact(Missing(Reason.WITHHELD, f"{offer.url}: HTTP {offer.status}"))
        return passed("own", url=offer.url).seen(f"GET {offer.url}", f"{lines}\nHTTP {offer.status}")
    if software.fork:
        return failed("mismatch", fork=software.fork).seen("instance API", lines)
    return passed("upstream", software=software.name).seen("instance API", lines)
