"""What runs, in which version, where from, and for how long it is repaired."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from checks.data.support import os_releases, stack
from checks.errors import Reason
from checks.evaluate import judge
from checks.facts import Facts
from checks.facts.dns import Addresses
from checks.facts.ends import EndsOfLife, ReadEnds, ReadRelease
from checks.facts.inside import Inside
from checks.facts.stated import StatedProduct, StatedStack
from checks.model import Status, Verdict
from checks.parse.host.packages import parse_packages
from checks.parse.host.versions import Origin, Product, in_use, inventory, parse_images, parse_versions
from tests.checks.inside.host_cases import Case, check_case, item_named, report, uncovered

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE, MANUAL = (
    Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN, Status.NOT_APPLICABLE, Status.MANUAL,
)  # fmt: skip
BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian'
VERSIONS = """nginx nginx version: nginx/1.22.1
redis-server Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0
psql psql (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
postgres postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
node v18.20.4
ruby ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]
erl 25.2.3
docker Docker version 20.10.24+dfsg1, build 297e128
openssl OpenSSL 3.0.22 7 Apr 2026 (Library: OpenSSL 3.0.22 7 Apr 2026)"""
PACKAGES = """ii \tdocker.io\t20.10.24+dfsg1-1+deb12u1+b6\tdocker.io\t20.10.24+dfsg1-1+deb12u1
un \tdocker-ce\t\t\t
ii \terlang-base\t1:25.2.3+dfsg-1+deb12u4\terlang\t1:25.2.3+dfsg-1+deb12u4
ii \tnginx\t1.22.1-9+deb12u10\tnginx\t1.22.1-9+deb12u10
ii \tnodejs\t18.20.4+dfsg-1~deb12u3\tnodejs\t18.20.4+dfsg-1~deb12u3
ii \topenssl\t3.0.22-1~deb12u2\topenssl\t3.0.22-1~deb12u2
ii \tpostgresql\t15+248+deb12u2\tpostgresql-common\t248+deb12u2
ii \tpostgresql-15\t15.20-0+deb12u1\tpostgresql-15\t15.20-0+deb12u1
ii \tredis-server\t5:7.0.15-1~deb12u10\tredis\t5:7.0.15-1~deb12u10
ii \truby\t1:3.1\truby-defaults\t1:3.1"""
NO_DOCKER = "== version absent\n== ps absent\n== daemon\n== socket\n== podman absent"
DENIED_DOCKER = "== version denied\n== ps\npermission denied while trying to connect to the Docker daemon socket\n== podman absent"


BY_HAND = StatedStack((StatedProduct("postgresql", "16.4", date(2027, 2, 1)),))


def docker(*images: str) -> str:
    rows = "\n".join(f"id{n}\tapp-{n}\t{image}\t\tUp 3 days" for n, image in enumerate(images))
    return f"== version\n27.1\n== ps\n{rows}\n== daemon\n== podman absent"


def stack_of(
    versions: str = VERSIONS, packages: str = PACKAGES, docker: str = NO_DOCKER, release: str = BOOKWORM
) -> dict[str, str]:
    return {"versions": versions, "packages": packages, "docker": docker, "release": release}


ITEM = "updates.stack_supported"
LATER = EndsOfLife(
    (ReadEnds("haproxy", date(2026, 11, 20), (ReadRelease("3.5", date(2027, 9, 1)), ReadRelease("3.4", date(2026, 11, 1)),
                                              ReadRelease("3.3", date(2027, 6, 1)))),)
)  # fmt: skip
STACK = [
    Case(ITEM, PASS, "by_distribution", stack_of(), "redis 7.0.15 (5:7.0.15-1~deb12u10, distribution)"),
    Case(ITEM, PASS, "supported", stack_of(docker=docker("postgres:16-alpine", "redis:7", "ghcr.io/mastodon/mastodon:v4.5.3")), "postgres:16-alpine", data={"count": 2}),
    Case(ITEM, FAIL, "ended", stack_of(docker=docker("docker.io/library/redis:6.0-alpine")), "redis:6.0-alpine", data={"product": "Redis", "ended": "2022-05-31"}),
    Case(ITEM, FAIL, "ended", stack_of(VERSIONS.replace("v18.20.4", "v20.19.0"), PACKAGES.replace("18.20.4+dfsg-1~deb12u3", "20.19.0-1nodesource1")), "vendor", data={"product": "Node.js"}),
    Case(ITEM, FAIL, "ended", stack_of(VERSIONS + "\nruby-rbenv 3.2.3\nruby-rbenv 3.1.0"), "ruby 3.2.3", data={"version": "3.2.3"}),
    Case(ITEM, PASS, "supported", stack_of(VERSIONS + "\nruby-rbenv 3.4.7\nruby-rbenv 3.1.0"), "build", data={"count": 1}),
    Case(ITEM, WARN, "ends_soon", stack_of(docker=docker("redis:8.0.5")), data={"ends": "2026-12-01"}),
    # The sample compose of Mastodon, nine days after the end of that PostgreSQL.
    Case(ITEM, FAIL, "ended", stack_of(docker=docker("postgres:14-alpine", "redis:8.0.5", "ghcr.io/mastodon/mastodon:v4.5.3")), "postgres:14-alpine, image): 2026-11-12, next 18.6", data={"product": "PostgreSQL", "version": "14", "ended": "2026-11-12"}),
    Case(ITEM, FAIL, "ended", stack_of(docker=docker("redis:6.0-alpine", "postgres:13")), "postgresql 13", data={"product": "Redis"}),
    Case(ITEM, FAIL, "ended_long_ago", stack_of(docker=docker("node:3.3")), "node:3.3, image): ended, next 26.7.0", data={"product": "Node.js"}),
    Case(ITEM, WARN, "ends_soon", stack_of(docker=docker("php:8.2.29-fpm")), "next 8.5.9", data={"ends": "2026-12-31"}),
    Case(ITEM, PASS, "supported", stack_of(docker=docker("haproxy:3.3")), data={"count": 1}, facts=(LATER,)),
    Case(ITEM, FAIL, "ended", stack_of(docker=docker("haproxy:3.4")), "next 3.5", facts=(LATER,)),
    # Rails is Mastodon's to renew, in whatever state it is.
    Case(ITEM, PASS, "by_distribution", stack_of(VERSIONS + "\nrails 8.0.4\nlaravel 10.48.29")),
    Case(ITEM, UNKNOWN, "not_listed", stack_of(docker=docker("postgres:99"))),
    Case(ITEM, FAIL, "distribution_ended", stack_of(release=BOOKWORM.replace('"12"', '"11"')), "distribution", data={"ended": "2026-08-31"}),
    Case(ITEM, UNKNOWN, "images_hidden", stack_of(docker=DENIED_DOCKER), reason=Reason.DENIED),
    Case(ITEM, UNKNOWN, "packages_hidden", stack_of(packages="")),
    Case(ITEM, UNKNOWN, "packages_hidden", stack_of("node v18.20.4", "nginx-1.26.2-r0\nopenssl-3.3.2-r1")),
    Case(ITEM, UNKNOWN, "nothing", stack_of("sudo Sudo version 1.9.13p3")),
    Case(ITEM, UNKNOWN, "nothing", stack_of("")),
    Case("updates.inventory_known", PASS, "known", stack_of(), "nginx 1.22.1 (1.22.1-9+deb12u10)", data={"count": 9}),
    Case("updates.inventory_known", UNKNOWN, "images_hidden", stack_of(docker=DENIED_DOCKER), "bookworm", Reason.DENIED),
    Case("updates.inventory_known", PASS, "known", stack_of(), facts=(BY_HAND,), data={"count": 9}),
    Case("updates.inventory_known", UNKNOWN, "images_hidden", stack_of("node v20.1.0", docker=DENIED_DOCKER), facts=(BY_HAND,)),
    Case("updates.inventory_known", PASS, "with_hand", stack_of(docker=DENIED_DOCKER), "PostgreSQL 16.4", facts=(BY_HAND,), data={"by_hand": 1}),
    Case("updates.inventory_known", UNKNOWN, "release_unseen", stack_of(release="")),
    Case("updates.inventory_known", UNKNOWN, "nothing", stack_of("")),
]  # fmt: skip

NGINX = """# configuration file /etc/nginx/nginx.conf:
ssl_protocols TLSv1.2 TLSv1.3;
# configuration file /etc/nginx/sites-enabled/mastodon:
listen 443 ssl http2;
listen [::]:443 ssl http2;"""
LOOPBACK = NGINX.replace("listen 443", "listen 127.0.0.1:443").replace("[::]:443", "[::1]:443")
NO_TUNNEL = "== units\nId=cloudflared.service\nLoadState=not-found\nActiveState=inactive"
TUNNEL = NO_TUNNEL.replace("not-found\nActiveState=inactive", "loaded\nActiveState=active")
DIRECT = Addresses("good.fedi.test", ("127.66.0.10",), ())
BEHIND = Addresses("good.fedi.test", ("104.16.1.1",), ())


def origin(proxy: str = NGINX, egress: str = NO_TUNNEL) -> dict[str, str]:
    return {"proxy": proxy, "egress": egress}


ORIGIN = [
    Case("tls.origin_strong", MANUAL, "strong", origin(), "TLSv1.2 TLSv1.3", facts=(BEHIND,)),
    Case("tls.origin_strong", WARN, "old", origin(NGINX.replace("TLSv1.2", "TLSv1 TLSv1.2")), "TLSv1 TLSv1.2", facts=(BEHIND,), data={"versions": "TLSv1"}),
    Case("tls.origin_strong", UNKNOWN, "mixed", origin(NGINX + "\nssl_protocols TLSv1.1 TLSv1.2;"), "TLSv1.1 TLSv1.2", facts=(BEHIND,)),
    Case("tls.origin_strong", NOT_APPLICABLE, "direct", origin(), "127.66.0.10", facts=(DIRECT,)),
    Case("tls.origin_strong", PASS, "tunnel", origin(LOOPBACK, TUNNEL), facts=(BEHIND,), data={"unit": "cloudflared"}),
    Case("tls.origin_strong", MANUAL, "strong", origin(NGINX, TUNNEL), facts=(DIRECT,)),
    Case("tls.origin_strong", UNKNOWN, "denied", origin("denied /etc/nginx/nginx.conf"), facts=(BEHIND,), reason=Reason.DENIED),
    Case("tls.origin_strong", UNKNOWN, "not_seen", origin("# configuration file /etc/nginx/nginx.conf:"), facts=(BEHIND,)),
    Case("tls.origin_strong", UNKNOWN, "no_nginx", origin("== nginx absent"), facts=(BEHIND,)),
]  # fmt: skip

CASES = [*STACK, *ORIGIN]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    check_case(case)


def test_every_code_has_a_case() -> None:
    items = {case.item for case in CASES}
    elsewhere = {("updates.inventory_known", code) for code in ("by_hand", "by_hand_partly")}
    assert uncovered(CASES, items) - {(ITEM, "stale_data")} - elsewhere == set()


WRITTEN = {"debian": "13", "nginx": "1.26.3", "postgresql": "17.2", "ruby": "3.4.7"}


def _by_hand(**named: str) -> Verdict:
    rows = [
        StatedProduct(name, version, date(2027, 2, day))
        for day, (name, version) in enumerate(named.items(), 1)
    ]
    return judge(item_named("updates.inventory_known"), Facts().with_facts(StatedStack(tuple(rows))))


def test_a_list_by_hand_counts_once_it_is_whole() -> None:
    verdict = _by_hand(**WRITTEN)
    assert (verdict.status, verdict.code) == (PASS, "by_hand")
    assert verdict.data == {"count": 4, "until": "2027-02-01"}
    assert "PostgreSQL 17.2" in verdict.evidence[0].text
    for part in WRITTEN:
        less = _by_hand(**{name: version for name, version in WRITTEN.items() if name != part})
        assert (less.status, less.code) == (MANUAL, "by_hand_partly"), part
    assert _by_hand().status is UNKNOWN, "nothing written, nothing connected"


def test_what_only_a_package_tells_is_on_the_list() -> None:
    more = PACKAGES + (
        "\nii \tlibvips42\t8.14.1-3+deb12u2\tvips\t8.14.1-3+deb12u2"
        "\nii \tlibmagickcore-6.q16-6\t8:6.9.11.60+dfsg-1.6+deb12u3\timagemagick\tx"
        "\nii \tcontainerd.io\t1.7.27-1\tcontainerd.io\tx\nii \topenssh-server\t1:9.2p1-2+deb12u7\topenssh\tx"
    )
    found = {one.name: one for one in inventory(report(**stack_of(packages=more)))}
    assert found["libvips"] == Product(
        "libvips", "8.14.1", Origin.DISTRIBUTION, "8.14.1-3+deb12u2", "libvips42"
    )
    assert (found["imagemagick"].version, found["openssh"].version) == ("6.9.11.60", "9.2")
    assert found["containerd"].origin is Origin.VENDOR
    both = inventory(report(**stack_of(VERSIONS + "\nvips vips-8.17.3", packages=more)))
    assert [one.version for one in both if one.name == "libvips"] == ["8.17.3"], (
        "the program itself knows better"
    )


def test_the_newest_ruby_is_the_one_in_use() -> None:
    found = inventory(report(**stack_of("ruby-rbenv 3.10.1\nruby-rbenv 3.9.2\nnode v24.1.0")))
    assert {one.name: one.version for one in in_use(found)} == {"nodejs": "24.1.0", "ruby": "3.10.1"}


def test_old_tables_say_nothing_good() -> None:
    found = report(**stack_of())
    later = Inside(1, 0, found.seen_at + timedelta(days=200), found.sections)
    verdict = judge(item_named(ITEM), Facts().with_facts(later))
    assert (verdict.status, verdict.code) == (UNKNOWN, "stale_data")


def test_the_inventory_tells_where_things_come_from() -> None:
    versions = VERSIONS + "\nnode v22.1.0\ncertbot 2.1.0"
    found = inventory(
        report(**stack_of(versions, docker=docker("valkey/valkey:8.1", "misskey/misskey:latest")))
    )
    assert Product("nodejs", "18.20.4", Origin.DISTRIBUTION, "18.20.4+dfsg-1~deb12u3", "node") in found
    assert Product("nodejs", "22.1.0", Origin.BUILD, "", "node") in found
    assert Product("ruby", "3.1.2", Origin.DISTRIBUTION, "1:3.1", "ruby") in found
    assert Product("valkey", "8.1", Origin.IMAGE, "", "valkey/valkey:8.1") in found
    assert Product("misskey", "", Origin.IMAGE, "", "misskey/misskey:latest") in found


def test_a_label_tells_what_the_tag_hides() -> None:
    lines = ("== ps", "a1\tweb\tghcr.io/mastodon/mastodon:latest\t\tUp", "b2\tdb\tpostgres@sha256:1f\t\tUp",
             "== inspect", "a1\tfalse\tnet\t\tsha256:1f\tv4.5.3", "b2\tfalse\tnet\t\tsha256:1f\t")  # fmt: skip
    assert parse_images(lines) == (
        ("mastodon", "4.5.3", "ghcr.io/mastodon/mastodon:latest"),
        ("postgresql", "", "postgres@sha256:1f"),
    )


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("php PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)", "8.2.29"),
        ("caddy v2.6.2 h1:abc", "2.6.2"),
        ("erl 25", "25"),
        ("systemctl systemd 252 (252.39-1~deb12u1)", "252.39"),
        ("certbot 2.1.0", "2.1.0"),
    ],
)
def test_the_number_is_found_in_what_programs_say(line: str, version: str) -> None:
    assert parse_versions((line,)) == ((line.split()[0], version),)


def test_what_names_no_number_is_left_out() -> None:
    assert (
        parse_versions(("elixir sh: 1: elixir: not found", "magick", "hello 1.2.3", "node Error 127")) == ()
    )


@pytest.mark.parametrize(
    ("row", "by_vendor"),
    [
        ("nodejs\t20.19.0-1nodesource1", True),
        ("postgresql-16\t16.4-1.pgdg120+1", True),
        ("docker-ce\t5:27.0.3-1~debian.12~bookworm", True),
        ("nginx\t1.27.0-1~bookworm", True),
        ("redis\t6:7.4.0-1rl1~bookworm1", True),
        ("php8.3\t8.3.6-1+0~20240601.40+debian12~1.gbpf8f8f4", True),
        ("php8.3\t8.3.6-1+ubuntu22.04.1+deb.sury.org+1", True),
        ("caddy\t2.8.4", True),
        ("caddy\t2.6.2-5", False),
        ("openssl\t3.0.22-1~deb12u2", False),
        ("nginx\t1.24.0-2ubuntu7.5", False),
        ("redis-server\t5:8.0.2-3~bpo12+1", False),
        ("nginx\t1:1.20.1-14.el9_2.1", False),
    ],
)
def test_vendors_are_told_from_distributions(row: str, by_vendor: bool) -> None:
    (package,) = parse_packages((f"ii \t{row}\tx\t1",))
    assert package.by_vendor is by_vendor


def _days(table: dict[str, Any]) -> int:
    return sum(len(rows) for rows in table.values())


def test_the_tables_are_whole() -> None:
    assert _days(os_releases()) > 40 and len(stack()) >= 18
    for rows in os_releases().values():
        for dates in rows.values():
            assert dates.ends <= dates.last
    for title, releases, _, _ in stack().values():
        assert title and releases
