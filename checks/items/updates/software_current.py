"""Does no known advisory affect the running version, and is its branch supported?

Only advisories whose affected versions were read in the advisory itself fail; inferred ones warn.  A fork may have
taken a fix over without changing its version, so it is warned, not failed, unless it follows upstream's numbers
(glitch-soc); so it is where upstream has given up the branch that it builds on.  Prereleases and builds between releases
cannot be compared: unknown, save a nightly build that names a day so long ago that security releases came since.
What other servers see decides; where it names no version, the tag of the image that runs on the server does."""

import re
from datetime import date, datetime, timedelta

from packaging.version import Version

from checks.data.tables import Advisory, Branch, Releases, advisories, releases
from checks.errors import ParseError, Reason
from checks.facts import Facts, MissingFact
from checks.facts.inside import Inside
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
    unknown,
    warned,
)
from checks.parse.host.versions import parse_app_images
from checks.parse.versions import comparable, is_within, parse_version

_SETTLED = timedelta(days=30)  # a new feature release is not pressed on anybody before that
_STALE = timedelta(days=200)  # older tables cannot say that nothing is known
_OLD_BUILD = timedelta(days=45)  # about one security release a month
_NIGHTLY = re.compile(r"-nightly\.(\d{4}-\d\d-\d\d)(?!\d)")
_FOLLOWS_UPSTREAM = frozenset({"", "glitch"})

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
        "The running version is the newest of a supported branch, and no published advisory names it. A newer branch that came out more than 30 days ago gives a warning.",
        "サポート中の系列の最新版で、公表済みの脆弱性に該当しない状態。より新しい系列が出て30日を過ぎると「注意」になります。",
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
            "{version} has {count} known flaws, the worst of severity {severity}; they are fixed in {fixed}.",
            "{version} には既知の脆弱性が {count} 件あります（最大の深刻度は {severity}）。{fixed} で修正されています。",
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


@item.check
def check(facts: Facts) -> Verdict:
    software = _software(facts)
    version, platform = software.base_version, software.family
    line = f"{software.name} {software.version}"
    if software.prerelease:
        days = _days_since_build(software)
        if days > _OLD_BUILD.days:
            return warned("old_build", version=software.version, days=days).seen(software.via, line)
        return unknown("prerelease", Reason.NOT_ASKED, version=software.version).seen(software.via, line)
    if software.name != software.family and _hits(software.name, software.version):
        version, platform = software.version, software.name  # a fork with advisories of its own
    table = releases().get(platform)
    try:
        comparable(version)
    except ParseError:
        return unknown("not_comparable", Reason.NOT_ASKED, name=software.name, version=software.version)
    hits = _hits(platform, version)
    sure = [hit for hit in hits if hit.seen] if software.fork in _FOLLOWS_UPSTREAM else []
    if sure:
        return _vulnerable(version, sure, table, (software.via, line))
    if table is None and not hits:
        return unknown("no_data", Reason.NOT_ASKED, name=software.name)
    ended = _ended(table, version, software.seen_at) if table else None
    if ended is not None and software.fork not in _FOLLOWS_UPSTREAM:
        fork, day = software.fork, str(ended.ends)
        return warned("fork_branch_ended", branch=ended.name, fork=fork, ended=day).seen(software.via, line)
    if ended is not None:
        return failed("branch_ended", branch=ended.name, ended=str(ended.ends)).seen(software.via, line)
    if hits:
        verdict = warned("maybe_vulnerable", version=version, count=len(hits))
        return verdict.seen(software.via, line).seen("advisories", _list(hits))
    assert table is not None
    return _by_releases(table, version, software.seen_at).seen(software.via, line)


def _software(facts: Facts) -> Software:
    """As seen from outside, unless that names no version and the inside names one of the same family."""
    outside = facts.maybe(Software)
    if outside is not None and (outside.base_version or outside.prerelease):
        return outside
    inside = _seen_inside(facts)
    if inside is None or (outside is not None and outside.family not in {"", inside.family}):
        return facts.get(Software)
    return inside


def _seen_inside(facts: Facts) -> Software | None:
    """The software by the one published image of it that runs; None where there is none, or several differ."""
    report = facts.maybe(Inside)
    try:
        images = parse_app_images(report.lines("docker")) if report else ()
    except MissingFact:
        return None
    if report is None or len({(family, text) for family, text, _ in images}) != 1:
        return None
    family, text, image = images[0]
    try:
        read = parse_version(family, text)
    except ParseError:
        return None
    via = f"inside: docker ps ({image})"
    return Software(
        family,
        family,
        text.removeprefix("v"),
        read.base,
        read.fork,
        read.prerelease,
        None,
        via,
        report.seen_at,
    )


def _days_since_build(software: Software) -> int:
    """The age of a nightly build by its name, 0 where it names no day."""
    match = _NIGHTLY.search(software.version)
    try:
        return (
            (software.seen_at.date() - date.fromisoformat(match[1])).days if match and software.seen_at else 0
        )
    except ValueError:
        return 0


def _hits(platform: str, version: str) -> list[Advisory]:
    try:
        return [a for a in advisories() if a.platform == platform and is_within(version, a.ranges)]
    except ParseError:
        return []


def _vulnerable(
    version: str, hits: list[Advisory], table: Releases | None, seen_as: tuple[str, str]
) -> Verdict:
    """`fixed`: the newest release of the same branch where it has all fixes, else the highest one named."""
    order = ("critical", "high", "medium", "low")
    worst = min((hit.severity for hit in hits), key=order.index)
    needed = {
        fixed for hit in hits for pair in hit.ranges if is_within(version, (pair,)) for fixed in pair[1:]
    }
    branch = _branch(table, version) if table else None
    latest = max(needed | ({branch.latest} if branch else set()), key=_order, default="–")
    verdict = failed("vulnerable", version=version, count=len(hits), severity=worst, fixed=latest or "–")
    return verdict.seen(*seen_as).seen("advisories", _list(hits))


def _order(version: str) -> Version:
    return comparable(version or "0")


def _list(hits: list[Advisory]) -> str:
    return "\n".join(f"{h.id} ({h.severity}): {h.title}" for h in hits[:12])


def _branch(table: Releases, version: str) -> Branch | None:
    return next((b for b in table.branches if version == b.name or version.startswith(b.name + ".")), None)


def _ended(table: Releases, version: str, now: datetime | None) -> Branch | None:
    branch = _branch(table, version)
    today = now.date() if now else table.as_of
    return branch if branch and branch.ends and branch.ends <= today else None


def _by_releases(table: Releases, version: str, now: datetime | None) -> Verdict:
    """No advisory applies: is there something newer that should be running?"""
    today, newest = (now.date() if now else table.as_of), table.branches[0]
    branch = _branch(table, version)
    if branch and comparable(version) < comparable(branch.latest):
        return warned("newer_patch", version=version, latest=branch.latest)
    if today - table.as_of > _STALE:
        return unknown("stale_data", Reason.NOT_ASKED, as_of=str(table.as_of))
    old = newest.released is None or today - newest.released > _SETTLED
    if branch is not newest and comparable(version) < comparable(newest.latest) and old:
        return warned("newer_branch", latest=newest.latest)
    return passed("current", version=version, as_of=str(table.as_of))
