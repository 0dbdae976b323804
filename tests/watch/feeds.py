"""Feeds in the forms that the publishers document, made up by the tests: the words are ours, the fields theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_DAY = timedelta(days=1)


def github(repository: str, *tags: str, notes: str = "Fixes.", newest: datetime = NOW) -> str:
    """releases.atom of GitHub: the newest first, one a day."""
    entries = "".join(
        f"""
  <entry>
    <id>tag:github.com,2008:Repository/1/{escape(tag)}</id>
    <updated>{(newest - number * _DAY).isoformat()}</updated>
    <link rel="alternate" type="text/html" href="https://github.com/{repository}/releases/tag/{escape(tag)}"/>
    <title>Release {escape(tag)}</title>
    <content type="html">{escape(f"<h2>Changes</h2><p>{notes}</p>")}</content>
    <author><name>somebody</name></author>
  </entry>"""
        for number, tag in enumerate(tags)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en-US">
  <id>tag:github.com,2008:https://github.com/{repository}/releases</id>
  <link type="text/html" rel="alternate" href="https://github.com/{repository}/releases"/>
  <title>Release notes</title>
  <updated>{newest.isoformat()}</updated>{entries}
</feed>"""


def gitlab_tags(base: str, *tags: str, newest: datetime = NOW) -> str:
    """tags?format=atom of GitLab: the id is the address of the tag."""
    entries = "".join(
        f"""<entry><id>{base}/-/tags/{tag}</id><link href="{base}/-/tags/{tag}"/><title>{tag}</title>
  <summary type="html"></summary><updated>{(newest - number * _DAY):%Y-%m-%dT%H:%M:%SZ}</updated>
  <content type="html">&lt;p&gt;tagged&lt;/p&gt;</content></entry>"""
        for number, tag in enumerate(tags)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<title>tags</title><link href="{base}/-/tags?format=atom" rel="self"/><id>{base}/-/tags</id>{entries}</feed>"""


def forgejo(base: str, *tags: str, newest: datetime = NOW) -> str:
    """releases.rss of Forgejo: the title is the release's own, the tag stands in the link."""
    items = "".join(
        f"""<item><title>Autumn release</title><link>{base}/releases/tag/{tag}</link><description></description>
  <content:encoded>&lt;p&gt;notes&lt;/p&gt;</content:encoded><author>somebody</author>
  <guid>{number + 1}: {base}/releases/tag/{tag}</guid>
  <pubDate>{format_datetime(newest - number * _DAY)}</pubDate></item>"""
        for number, tag in enumerate(tags)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Releases</title>
<link>{base}/releases</link><description></description>{items}</channel></rss>"""


def jvndb(
    *items: dict[str, str], newest: datetime = NOW, mod_sec: str = "http://jvn.jp/rss/mod_sec/3.0/"
) -> str:
    """JVN iPedia's RSS 1.0: items beside the channel, with `sec:`.  Keys: id title cpe score severity cve text."""
    rows = []
    for number, given in enumerate(items):
        url = f"https://jvndb.jvn.jp/ja/contents/2026/{given['id']}.html"
        when = (newest - number * _DAY).strftime("%Y-%m-%dT%H:%M:%S+09:00")
        cve = given.get("cve", "")
        reference = (
            f'<sec:references source="CVE" id="{cve}">https://example.org/</sec:references>' if cve else ""
        )
        cpes = "".join(
            f'<sec:cpe version="2.2" vendor="V" product="P">{cpe}</sec:cpe>'
            for cpe in given.get("cpe", "").split()
        )
        score = given.get("score", "")
        severity = given.get("severity", "Critical")
        cvss = (
            f'<sec:cvss score="{score}" severity="{severity}" vector="CVSS:3.0/AV:N" version="3.0" type="Base"/>'
            if score
            else ""
        )
        rows.append(f"""<item rdf:about={quoteattr(url)}><title>{escape(given["title"])}</title><link>{url}</link>
<description>{escape(given.get("text", "概要です。"))}</description><dc:creator>IPA</dc:creator>
<sec:identifier>{given["id"]}</sec:identifier>{reference}{cpes}{cvss}
<dc:date>{when}</dc:date><dcterms:issued>{when}</dcterms:issued><dcterms:modified>{when}</dcterms:modified></item>""")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:sec="{mod_sec}"
 xml:lang="ja"><channel rdf:about="https://jvndb.jvn.jp/ja/rss/jvndb_new.rdf"><title>JVNDB</title>
<link>https://jvndb.jvn.jp/</link><description>new</description></channel>{"".join(rows)}</rdf:RDF>"""


def jpcert(*titles: str, newest: datetime = NOW) -> str:
    """JPCERT/CC's RSS 1.0: no identifiers, the link is all there is to know an item by."""
    rows = "".join(
        f"""<item rdf:about="https://www.jpcert.or.jp/at/2026/at26{number:04}.html"><title>{escape(title)}</title>
<link>https://www.jpcert.or.jp/at/2026/at26{number:04}.html</link><description></description>
<dc:date>{(newest - number * _DAY).strftime("%Y-%m-%dT%H:%M+09:00")}</dc:date></item>"""
        for number, title in enumerate(titles)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><rdf:RDF xmlns="http://purl.org/rss/1.0/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://www.jpcert.or.jp/rss/jpcert.rdf"><title>JPCERT</title></channel>{rows}</rdf:RDF>"""


def rss2(*titles: str, newest: datetime = NOW) -> str:
    """RSS 2.0 as Ubuntu's notices and ScanNetSecurity's news have it."""
    rows = "".join(
        f"""<item><title>{escape(title)}</title><link>https://news.example/{number}</link>
<description>{escape("<p>Some <b>words</b> &amp; more</p>")}</description>
<pubDate>{format_datetime(newest - number * _DAY)}</pubDate></item>"""
        for number, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>News</title><link>https://news.example/</link>{rows}</channel></rss>'


def json_feed(*titles: str, newest: datetime = NOW) -> str:
    rows = ",".join(
        f'{{"id": "{number}", "url": "https://news.example/{number}", "title": "{title}",'
        f' "content_html": "<p>words</p>", "date_published": "{(newest - number * _DAY).isoformat()}"}}'
        for number, title in enumerate(titles)
    )
    return f'{{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [{rows}]}}'


LAUGHS = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss version="2.0"><channel><item><title>&b;</title><guid>1</guid></item></channel></rss>"""
FOREIGN = """<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<rss version="2.0"><channel><item><title>&a;</title><guid>1</guid></item></channel></rss>"""
DEEP = '<rss version="2.0"><channel>' + "<a>" * 100_000 + "</a>" * 100_000 + "</channel></rss>"
WIDE = '<rss version="2.0"><channel>' + "<i/>" * 200_000 + "</channel></rss>"


def myjvn(*items: dict[str, str], total: int = 0, first: int = 1, newest: datetime = NOW) -> str:
    """getVulnOverviewList: JVNRSS with the status behind its items; with none of these the status alone."""
    status = (
        f'<status:Status xmlns:status="http://jvndb.jvn.jp/myjvn/Status" version="3.3"'
        f' method="getVulnOverviewList" feed="hnd" lang="ja" retCd="0" retMax="50" errCd="" errMsg=""'
        f' totalRes="{total or len(items)}" totalResRet="{len(items)}" firstRes="{first if items else 0}"/>'
    )
    if not items:
        return f'<?xml version="1.0" encoding="UTF-8"?><Result version="3.3">{status}</Result>'
    return jvndb(*items, newest=newest).replace("</rdf:RDF>", f"{status}</rdf:RDF>")


def myjvn_error(code: str, message: str) -> str:
    """What it says under HTTP 200 when it does not like a question."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Result xmlns:status="http://jvndb.jvn.jp/myjvn/Status">'
        f'<status:Status version="3.3" method="getVulnOverviewList" feed="hnd" retCd="1" errCd="{code}"'
        f' errMsg="{message}" totalRes="" totalResRet="" firstRes=""/></Result>'
    )


def debian_flaw(
    release: str, status: str, fixed: str = "", urgency: str = "not yet assigned", **more: str
) -> Any:
    """What the tracker says of one flaw in one release."""
    said = {"status": status, "urgency": urgency, "repositories": {release: "1.0-1"}, **more}
    if fixed:
        said["fixed_version"] = fixed
    return {"description": "Words.", "scope": "remote", "debianbug": 1000000, "releases": {release: said}}


def ubuntu_cve(name: str, package: str, release: str, status: str, about: str = "", **more: str) -> Any:
    """One CVE as Ubuntu's web site has it."""
    pocket = more.pop("pocket", "security")
    said = {"release_codename": release, "status": status, "description": about, "pocket": pocket}
    other = {"release_codename": "upstream", "status": "released", "description": "9.9", "pocket": "security"}
    packages = [
        {"name": package, "source": "", "ubuntu": "", "debian": "", "statuses": [other, said]},
        {"name": "another", "source": "", "ubuntu": "", "debian": "", "statuses": [said]},
    ]
    return {
        "id": name, "published": "2026-11-01T00:00:00", "priority": "medium", "cvss3": 7.5, "status": "active",
        "notes": [{"author": "somebody", "note": "words"}], "packages": packages, "notices_ids": [], **more,
    }  # fmt: skip


def ubuntu(*cves: Any, total: int = 0, offset: int = 0) -> str:
    return json.dumps({"cves": cves, "limit": 20, "offset": offset, "total_results": total or len(cves)})
