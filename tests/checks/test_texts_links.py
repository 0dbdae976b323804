"""Where the texts lead: every link on https, to a host that somebody looked at; addresses that nobody owns."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from checks.items import all_items
from checks.model import Item
from checks.sources import FIELD_PRACTICE, TEXTS, address_of
from tests.checks.test_items import texts_of
from tests.checks.test_texts import commands, is_command

# Standards, documentation and advisories; a new host is added by whoever has read the page.
KNOWN_HOSTS = frozenset(
    """
    akkoma.dev blog.illixion.com boothlabs.me cabforum.org caddyserver.com cheatsheetseries.owasp.org
    chrony-project.org coreruleset.org csrc.nist.gov datatracker.ietf.org decrypt.fail developer.mozilla.org
    developers.cloudflare.com dnf-plugins-core.readthedocs.io dnf.readthedocs.io docs.akkoma.dev
    docs.aws.amazon.com docs.crowdsec.net docs.docker.com docs.gotosocial.org docs.hetzner.com
    docs.joinmastodon.org docs.kernel.org docs.redhat.com documentation.wazuh.com
    eff-certbot.readthedocs.io endoflife.date eur-lex.europa.eu falco.org fetch.spec.whatwg.org firewalld.org
    github.com hackmd.io hstspreload.org install.crowdsec.net joinmastodon.org jvn.jp jvndb.jvn.jp
    keepassxc.org laravel.com laws.e-gov.go.jp letsencrypt.org lookup.icann.org man.openbsd.org man7.org
    manpages.debian.org misskey-hub.net nginx.org nmap.org nodejs.org osv.dev owasp.org packages.wazuh.com
    pages.nist.gov pkg.cloudflare.com publicsuffix.org redis.io restic.readthedocs.io
    ssl-config.mozilla.org support.google.com techblog.securesky-tech.com terrapin-attack.com ubuntu.com
    valkey.io wiki.debian.org wiki.mozilla.org wiki.nftables.org www.antiphishing.jp www.cloudflare.com
    www.debian.org www.eff.org www.freedesktop.org www.gnu.org www.icann.org www.internethotline.jp
    www.jpcert.or.jp www.postfix.org www.postgresql.org www.ppc.go.jp www.rfc-editor.org www.ruby-lang.org
    www.ssllabs.com www.w3.org
    """.split()
)
# RFC 2606 and RFC 6761: names that nobody owns.
EXAMPLE = re.compile(r"(^|\.)(example\.(social|net|com|org)|spam\.example|origin\.invalid|localhost)$")
ADDRESS = re.compile(r"https?://[a-z0-9$][^\s\"'<>、。（）「」|;]+")
# RFC 5737 and this machine, link and private networks; beside them addresses that are meant.
MEANT = {"9.9.9.9", "173.245.48.0", "0.0.0.0"}  # Quad9, Cloudflare's first range, any address
DOCUMENTATION = [
    ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def links_of(item: Item) -> Iterator[tuple[str, str]]:
    yield from (("source", source.url) for source in item.sources if source.url)
    yield from (("reference", reference.url) for reference in item.references)
    for what, text in texts_of(item):
        for string in (text.en, text.ja):
            yield from ((what, found.rstrip(".,:)")) for found in ADDRESS.findall(string))


def test_links_lead_to_known_hosts() -> None:
    for item in all_items().values():
        for what, url in links_of(item):
            parts = urlsplit(url)
            host = parts.hostname or ""
            if EXAMPLE.search(host) or re.fullmatch(r"[\d.]+|\$host.*", host) or host == "backend":
                continue
            assert parts.scheme == "https", (what, url)
            assert host in KNOWN_HOSTS, (what, url)


def test_no_host_is_known_in_vain() -> None:
    used = {urlsplit(url).hostname for item in all_items().values() for _, url in links_of(item)}
    assert sorted(KNOWN_HOSTS - used) == []


def test_addresses_in_commands_belong_to_nobody() -> None:
    for item in all_items().values():
        for what, text in texts_of(item):
            for line in commands(text.en):
                for found in re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", line):
                    address = ipaddress.ip_address(found)
                    documented = any(address in net for net in DOCUMENTATION)
                    assert documented or address.is_private or address.is_loopback or found in MEANT, (
                        what,
                        line,
                    )


def test_names_in_commands_are_examples() -> None:
    """Mail addresses and the instance's own name: placeholders that nobody can be bothered by."""
    for item in all_items().values():
        for what, text in texts_of(item):
            for string in (text.en, text.ja):
                for line in filter(is_command, string.split("\n")):
                    for host in re.findall(r"[\w.+-]@([a-z0-9-]+(?:\.[a-z0-9-]+)+)", line):
                        ok = EXAMPLE.search(host) or host in {"openssh.com", "backup.example.net"}
                        assert ok or re.fullmatch(r"[\d.]+", host), (what, line)


def test_every_source_has_its_page() -> None:
    for number, text in TEXTS.items():
        assert text.url.startswith("https://"), number
        assert text.language in {"en", "ja"}
        assert address_of(number) == text.url
    assert address_of(FIELD_PRACTICE) == ""


def test_a_section_with_an_anchor_is_reached_directly() -> None:
    hardening = "https://docs.akkoma.dev/stable/configuration/hardening/"
    assert address_of("004", "systemd") == f"{hardening}#systemd"
    assert address_of("004", "no such section") == hardening


def test_sources_are_the_five_texts_or_field_practice() -> None:
    for item in all_items().values():
        assert {source.text for source in item.sources} <= {*TEXTS, FIELD_PRACTICE}
        for source in item.sources:
            anchors = TEXTS[source.text].anchors if source.text in TEXTS else {}
            known = not anchors or not source.section or source.section in anchors
            assert known, f"{source.text} has no section {source.section!r}"
