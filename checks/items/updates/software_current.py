"""Does no known advisory affect the running version, and is its branch supported?

Only advisories whose affected versions were read in the advisory itself fail; inferred ones warn.  A fork may have
taken a fix over without changing its version, so it is warned, not failed, unless it follows upstream's numbers
(glitch-soc) or the advisory is its own; so it is where upstream has given up the branch that it builds on.
Prereleases and builds between releases cannot be compared: unknown, save a nightly build that names a day so long
ago that security releases came since.  What other servers see decides; where it names no version, the tag of the
image that runs on the server does.  A dashboard gives what it has fetched since; without one the shipped table counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from checks.data.tables import Releases, advisories, advisories_as_of, releases
from checks.errors import ParseError, Reason
from checks.facts import Facts
from checks.facts.advisories import AdvisoriesKnown, Advisory, Offer
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
    unknown,
    warned,
)
from checks.parse.advisories import applying, ends_in, merged
from checks.parse.release_lines import branch_of, days_behind, refreshed, way_out
from checks.parse.running import days_since_build, running
from checks.parse.severity import severity
from checks.parse.versions import comparable

_SETTLED = timedelta(days=30)  # a new feature release is not pressed on anybody before that
_STALE = timedelta(days=200)  # older tables cannot say that nothing is known
_OLD_BUILD = timedelta(days=45)  # about one security release a month
_ENDS_SOON = timedelta(days=90)
_FOLLOWS_UPSTREAM = frozenset({"", "glitch"})
_LISTED, _LISTED_CHARS = 12, 3800  # whole lines within what a piece of evidence may hold

MASTODON = """
    cd /home/mastodon/live
    git fetch --tags
    git checkout TAG
    bundle install && yarn install --immutable
    RAILS_ENV=production SKIP_POST_DEPLOYMENT_MIGRATIONS=true bin/rails db:migrate
    RAILS_ENV=production bin/rails assets:precompile"""

AKKOMA = """
    sudo -u akkoma /opt/akkoma/bin/pleroma_ctl update --branch stable
    sudo systemctl stop akkoma
    sudo -u akkoma /opt/akkoma/bin/pleroma_ctl migrate
    sudo systemctl start akkoma"""

MISSKEY = """
    git fetch && git checkout TAG && git submodule update --init
    NODE_ENV=production pnpm install --frozen-lockfile
    NODE_ENV=production pnpm run build && pnpm run migrate
    sudo systemctl restart misskey"""

PIXELFED = """
    git fetch --tags && git checkout TAG
    composer install --no-ansi --no-interaction --optimize-autoloader
    php artisan migrate --force
    php artisan config:cache && php artisan route:cache && php artisan view:cache
    php artisan horizon:terminate"""

DOCKER = """
    docker compose pull
    docker compose up -d"""

SEE = """
    curl -s https://example.social/nodeinfo/2.0 | grep -o '"version":"[^"]*"'"""

item = Item(
    __name__,
    level=Level.REQUIRED,
    settles=(
        OUTSIDE,
        INSIDE,
    ),
    sources=(Source("003", "運用/脆弱性対応"),),
    references=(
        Reference(
            "Mastodon: Security advisories", "https://github.com/mastodon/mastodon/security/advisories"
        ),
        Reference("Mastodon: Upgrading to a new release", "https://docs.joinmastodon.org/admin/upgrading/"),
        Reference(
            "Akkoma: Updating your instance", "https://docs.akkoma.dev/stable/administration/updating/"
        ),
        Reference(
            "Misskey: Security advisories", "https://github.com/misskey-dev/misskey/security/advisories"
        ),
    ),
    title=Text(
        "The fediverse software has all known security fixes",
        "分散SNSソフトウェアに既知の脆弱性が残っていない",
    ),
    why=Text(
        "Holes in fediverse software are used within days, and every server shows its version to the whole network. Roughly once a month there is a release that should not wait.",
        "分散SNSの脆弱性は数日で悪用され始めますが、バージョンは全サーバに公開されています。待たずに入れるべき更新は、月に1回ほど出ています。",
    ),
    expected=Text(
        "The running version is the newest of a supported branch, and no published advisory names it. A newer branch that came out more than 30 days ago gives a warning, and so does a branch whose support ends within 90 days.",
        "サポート中の系列の最新版で、公表済みの脆弱性に該当しない状態。より新しい系列が出て30日を過ぎたとき、またはサポート終了まで90日を切ったときは「注意」になります。",
    ),
    fix=Fix(
        Text(
            "Make a backup, read the release notes up to the newest release of your branch, and update. If the branch has ended, plan the step to the next one now.",
            "バックアップを取り、同じ系列の最新版までのリリースノートを読んでから更新します。系列のサポートが終わっている場合は、次の系列への移行を今すぐ計画してください。",
        ),
        variants=(
            (
                "Mastodon",
                Text(
                    "TAG is the release you go to; its notes say which steps are needed and in which order. Restart the services afterwards.\n"
                    + MASTODON,
                    "TAG は更新先のバージョンです。必要な手順と順番はリリースノートに従い、最後に各サービスを再起動します。\n"
                    + MASTODON,
                ),
            ),
            (
                "Akkoma, Pleroma",
                Text(
                    "For a release (OTP); for Pleroma read pleroma for akkoma:\n" + AKKOMA,
                    "リリース版（OTP）の場合です。Pleroma では akkoma を pleroma に読み替えてください。\n"
                    + AKKOMA,
                ),
            ),
            (
                "Misskey",
                Text(
                    "TAG is the release you go to. Run as the misskey user in the folder of Misskey, the last line as an admin:\n"
                    + MISSKEY,
                    "TAG は更新先のバージョンです。misskey ユーザで Misskey のディレクトリから実行します（最後の行は管理者で）。\n"
                    + MISSKEY,
                ),
            ),
            (
                "Pixelfed",
                Text(
                    "TAG is the release you go to:\n" + PIXELFED,
                    "TAG は更新先のバージョンです。\n" + PIXELFED,
                ),
            ),
            (
                "GoToSocial",
                Text(
                    "Stop it, make a copy of the database, unpack the new release over the old program and its web folder, compare config.yaml with the new sample, and start it. Migrations run by themselves.",
                    "停止してデータベースを複製し、新しいリリースのプログラムと web フォルダを上書きで展開します。config.yaml を新しい見本と見比べてから起動してください。マイグレーションは自動で実行されます。",
                ),
            ),
            (
                "Docker",
                Text(
                    "Set the new version in the Compose file first; run the migrations of the release notes after the pull.\n"
                    + DOCKER,
                    "先に Compose ファイルのバージョンを書き換えます。pull の後で、リリースノートにあるマイグレーションを実行します。\n"
                    + DOCKER,
                ),
            ),
        ),
    ),
    verify=Text(
        "The version that other servers see:\n" + SEE, "他サーバから見えるバージョンを確認します。\n" + SEE
    ),
    codes={
        "current": Text(
            "{version} is up to date; no advisory known on {as_of} names it.",
            "{version} は最新です。{as_of} 時点で該当する脆弱性情報はありません。",
        ),
        "vulnerable": Text(
            "{version} has {count} known flaws, the worst of severity {severity} (by {by}); {fixed} has none of them.",
            "{version} には既知の脆弱性が {count} 件あります（最大の深刻度は {severity}、出典は {by}）。{fixed} ではすべて修正されています。",
        ),
        "vulnerable_unrated": Text(
            "{version} has {count} known flaws, whose severity nobody has given; {fixed} has none of them.",
            "{version} には既知の脆弱性が {count} 件あります（深刻度は公表されていません）。{fixed} ではすべて修正されています。",
        ),
        "vulnerable_unfixed": Text(
            "{version} has {count} known flaws, and no release is known that has none of them.",
            "{version} には既知の脆弱性が {count} 件あり、すべてが修正されたリリースはまだ確認できていません。",
        ),
        "urgent_update": Text(
            "The makers mark {latest} as urgent for who runs {version}.",
            "開発元は、{version} からの緊急の更新として {latest} を公開しています。",
        ),
        "branch_ended": Text(
            "Support for {branch} ended on {ended}; it gets no more fixes.",
            "{branch} 系のサポートは {ended} に終了しており、修正は提供されません。",
        ),
        "fork_branch_ended": Text(
            "Upstream ended support for {branch}, on which {fork} builds, on {ended}; find out whether {fork} still takes fixes over.",
            "{fork} のもとになっている {branch} 系のサポートは、本家では {ended} に終了しています。{fork} が修正を取り込み続けているか確認してください。",
        ),
        "old_build": Text(
            "{version} was built {days} days ago; security releases have come out since.",
            "{version} は {days} 日前のビルドで、その後のセキュリティ修正が含まれていません。",
        ),
        "maybe_vulnerable": Text(
            "{version} is probably affected by {count} advisories; the exact versions, or what your fork took over, are not certain.",
            "{version} は {count} 件の脆弱性に該当する可能性があります（影響範囲、またはフォークでの修正状況が不確かです）。",
        ),
        "branch_ending": Text(
            "No known flaw, but support for {branch} ends on {ends}; plan the step to {latest}.",
            "既知の脆弱性はありませんが、{branch} 系のサポートは {ends} に終了します。{latest} への移行を計画してください。",
        ),
        "behind_patch": Text(
            "{latest} is the newest release of your branch; this server runs {version}, which was replaced {days} days ago.",
            "同じ系列の最新版は {latest} ですが、{days} 日前に置き換えられた {version} が動いています。",
        ),
        "newer_patch": Text(
            "{latest} is the newest release of your branch; this server runs {version}.",
            "同じ系列の最新版は {latest} ですが、{version} が動いています。",
        ),
        "newer_branch": Text(
            "No known flaw, but {latest} came out more than 30 days ago.",
            "既知の脆弱性はありませんが、{latest} が出てから30日以上たっています。",
        ),
        "prerelease": Text(
            "{version} is a prerelease or a build between releases, which advisories do not name.",
            "{version} は開発版のため、脆弱性情報と照合できません。",
        ),
        "not_comparable": Text(
            "The version {version} of {name} cannot be compared with its upstream.",
            "{name} のバージョン {version} は、本家のバージョンと比べられません。",
        ),
        "no_data": Text(
            "fedisec knows no releases of {name}.", "fedisec は {name} のリリース情報を持っていません。"
        ),
        "stale_data": Text(
            "The release data of this fedisec is from {as_of}, too old to say that all is well.",
            "この fedisec のリリース情報は {as_of} 時点のもので、問題なしと判断するには古すぎます。",
        ),
    },
)


@dataclass(frozen=True)
class _Case:
    """One version, and what is known of its platform."""

    version: str
    platform: str
    fork: str
    table: Releases | None  # with the news on top
    advisories: tuple[Advisory, ...]
    known: AdvisoriesKnown | None
    today: date

    @property
    def as_of(self) -> str:
        """The day up to which flaws are known."""
        news = self.known.as_of if self.known else None
        return str(max(advisories_as_of(), news.date()) if news else advisories_as_of())


@item.check
def check(facts: Facts) -> Verdict:
    software = running(facts)
    via, line = software.via, f"{software.name} {software.version}"
    if software.prerelease:
        days = days_since_build(software)
        if days > _OLD_BUILD.days:
            return warned("old_build", version=software.version, days=days).seen(via, line)
        return unknown("prerelease", Reason.NOT_ASKED, version=software.version).seen(via, line)
    known = facts.maybe(AdvisoriesKnown)
    all_known = _all_known(known)
    version, platform, fork = software.base_version, software.family, software.fork
    if software.name != software.family and applying(all_known, software.name, software.version):
        version, platform, fork = software.version, software.name, ""  # its own numbers, its own advisories
    try:
        comparable(version)
    except ParseError:
        return unknown("not_comparable", Reason.NOT_ASKED, name=software.name, version=software.version)
    table, today = _releases(platform, known, software.seen_at)
    case = _Case(version, platform, fork, table, all_known, known, today)
    return _judged(case, software.name).seen(via, line)


def _judged(case: _Case, name: str) -> Verdict:
    hits = applying(case.advisories, case.platform, case.version)
    sure = [hit for hit in hits if hit.seen] if case.fork in _FOLLOWS_UPSTREAM else []
    if sure:
        return _vulnerable(case, sure)
    urgent = _urgent(case)
    if urgent is not None:
        verdict = failed("urgent_update", version=case.version, latest=urgent.version)
        return verdict.seen("releases", f"{urgent.version} {urgent.kind} urgent {urgent.url}".strip())
    if case.table is None and not hits:
        return unknown("no_data", Reason.NOT_ASKED, name=name)
    branch = branch_of(case.table, case.version) if case.table else None
    if branch is not None and branch.ends and branch.ends <= case.today:
        if case.fork not in _FOLLOWS_UPSTREAM:
            return warned("fork_branch_ended", branch=branch.name, fork=case.fork, ended=str(branch.ends))
        return failed("branch_ended", branch=branch.name, ended=str(branch.ends))
    if hits:
        verdict = warned("maybe_vulnerable", version=case.version, count=len(hits))
        return verdict.seen("advisories", _list(hits, case.version))
    assert case.table is not None
    return _by_releases(case, case.table)


def _all_known(known: AdvisoriesKnown | None) -> tuple[Advisory, ...]:
    """What fedisec came with, and what was fetched since; each flaw once."""
    return merged((*advisories(), *known.advisories)) if known and known.advisories else advisories()


def _releases(
    platform: str, known: AdvisoriesKnown | None, seen_at: datetime | None
) -> tuple[Releases | None, date]:
    """The branches of a platform, and the day of the look."""
    table = releases().get(platform)
    if table is None:
        return None, seen_at.date() if seen_at else advisories_as_of()
    if known is not None and known.releases:
        table = refreshed(table, known.releases, known.as_of.date() if known.as_of else None)
    return table, seen_at.date() if seen_at else table.as_of


def _urgent(case: _Case) -> Offer | None:
    """What the makers of upstream press on who runs this version; a fork may have taken it over."""
    if case.known is None or case.fork not in _FOLLOWS_UPSTREAM:
        return None
    here = comparable(case.version)
    urgent = []
    for offer in case.known.offers:
        try:
            newer = comparable(offer.version) > here
        except ParseError:
            continue
        if offer.urgent and newer:
            urgent.append(offer)
    return min(urgent, key=lambda offer: (offer.kind != "patch", comparable(offer.version)), default=None)


def _vulnerable(case: _Case, hits: list[Advisory]) -> Verdict:
    """`hits`: the worst first."""
    worst = severity(hits[0].ratings)
    fixed = way_out(case.version, hits, case.advisories, case.table, case.today)
    data: dict[str, str | int] = {"version": case.version, "count": len(hits)}
    if not fixed:
        verdict = failed("vulnerable_unfixed", **data)
    elif worst.word:
        verdict = failed("vulnerable", **data, severity=worst.word, by=worst.by, fixed=fixed)
    else:
        verdict = failed("vulnerable_unrated", **data, fixed=fixed)
    return verdict.seen("advisories", _list(hits, case.version))


def _list(hits: Sequence[Advisory], version: str) -> str:
    """A line each: name, severity with who says so, title, the release that ends it, address."""
    lines = []
    for hit, fixed in zip(hits[:_LISTED], ends_in(hits[:_LISTED], version), strict=True):
        sure = "" if hit.seen else ", versions inferred"
        end = f" < {fixed}" if fixed else ""
        lines.append(f"{hit.id} ({severity(hit.ratings)}{sure}): {hit.title[:120]}{end} {hit.url}".rstrip())
    while sum(map(len, lines)) > _LISTED_CHARS:
        lines.pop()
    rest = [f"+{len(hits) - len(lines)}"] if len(hits) > len(lines) else []
    return "\n".join(lines + rest)


def _by_releases(case: _Case, table: Releases) -> Verdict:
    """No advisory applies: is there something newer that should be running?"""
    version, today, newest = case.version, case.today, table.branches[0]
    branch = branch_of(table, version)
    if branch and comparable(version) < comparable(branch.latest):
        days = days_behind(version, case.known.releases if case.known else (), today)
        if days > _OLD_BUILD.days:
            return warned("behind_patch", version=version, latest=branch.latest, days=days)
        return warned("newer_patch", version=version, latest=branch.latest)
    if today - table.as_of > _STALE:
        return unknown("stale_data", Reason.NOT_ASKED, as_of=str(table.as_of))
    if branch and branch.ends and branch.ends - today <= _ENDS_SOON:
        return warned("branch_ending", branch=branch.name, ends=str(branch.ends), latest=newest.latest)
    old = newest.released is None or today - newest.released > _SETTLED
    if branch is not newest and comparable(version) < comparable(newest.latest) and old:
        return warned("newer_branch", latest=newest.latest)
    return passed("current", version=version, as_of=case.as_of)
