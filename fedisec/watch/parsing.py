"""Feeds as strangers write them, to entries: Atom, RSS 2.0, RSS 1.0 (RDF, with JVN's `sec:`) and JSON Feed.

Pure.  XML is read by defusedxml without any document type, within a size, a depth and a number of elements;
a feed that breaks one of these is no feed.  Out comes plain, cleaned, cut text and addresses of web pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, TreeBuilder
from xml.etree.ElementTree import ParseError as XmlError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from checks.clean import clean
from checks.errors import ParseError
from checks.parse.json_caps import list_at, load_object, text_at

ENTRIES_MAX = 200
BYTES_MAX = 1024 * 1024
TITLE_MAX, SUMMARY_MAX, URL_MAX, GUID_MAX = 300, 1000, 500, 300
_DEPTH_MAX = 40
_ELEMENTS_MAX = 40_000
_NAMES_MAX = 20  # identifiers and products of one entry
_HTML_READ = 20_000  # characters of a summary that are looked at

_ATOM = "{http://www.w3.org/2005/Atom}"
_RSS1 = "{http://purl.org/rss/1.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_TERMS = "{http://purl.org/dc/terms/}"
_SEC = ("{http://jvn.jp/rss/mod_sec/}", "{http://jvn.jp/rss/mod_sec/3.0/}")
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}"

# The whole XML declaration, with the encoding that it names.
_ENCODING = re.compile(rb"""\s{0,9}<\?xml[^>?]{0,80}encoding=["']([A-Za-z0-9_-]{1,20})["'][^>?]{0,40}\?>""")
_JAPANESE = {
    "shift_jis": "cp932", "windows-31j": "cp932", "cp932": "cp932", "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
}  # fmt: skip

_TAG = re.compile(r"<[^<>]{0,2000}>")
_SPACE = re.compile(r"\s+")
_CVE = re.compile(r"CVE-\d{4}-\d{4,9}", re.IGNORECASE)
_CPE = re.compile(r"cpe:(?:/|2\.3:)[aoh]:([^:\s]{1,80}):([^:\s]{1,80})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cvss:
    """As the source gives it."""

    score: str
    severity: str = ""
    vector: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One thing that a feed says.  `guid` is never empty; `url` is http(s) or ""."""

    guid: str
    title: str
    url: str
    summary: str
    published_at: datetime | None
    ids: tuple[str, ...] = ()  # JVNDB-…, CVE-…, as the feed names them
    cpes: tuple[str, ...] = ()  # "vendor:product", lower case
    cvss: Cvss | None = None


def parse_feed(body: bytes, base: str) -> tuple[FeedEntry, ...]:
    """The entries of a feed in its order, each guid once, at most ENTRIES_MAX.  `base`: its own address, for
    relative links.  ParseError for what is no feed; a feed without entries is one."""
    if len(body) > BYTES_MAX:
        raise ParseError("more than 1 MiB of feed")
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return _once(_json_entries(body, base) if start.startswith(b"{") else _xml_entries(read_xml(body), base))


def entries_of(root: Element, base: str) -> tuple[FeedEntry, ...]:
    """`parse_feed` of XML that was read before."""
    return _once(_xml_entries(root, base))


def _once(found: Iterable[FeedEntry | None]) -> tuple[FeedEntry, ...]:
    by_guid: dict[str, FeedEntry] = {}
    for entry in found:
        if entry is not None:
            by_guid.setdefault(entry.guid, entry)
        if len(by_guid) >= ENTRIES_MAX:
            break
    return tuple(by_guid.values())


class _Builder(TreeBuilder):
    """Counts what it builds: a deep or wide document ends the reading where it passes a limit."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: Any) -> Element:  # the stubs know no names for these
        self._depth += 1
        self._elements += 1
        if self._depth > _DEPTH_MAX or self._elements > _ELEMENTS_MAX:
            raise ParseError("XML too deep or too wide")
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Element:
        self._depth -= 1
        return super().end(tag)


def read_xml(body: bytes) -> Element:
    """The root of a document within the limits; ParseError for every other."""
    if len(body) > BYTES_MAX:
        raise ParseError("more than 1 MiB of XML")
    body = _in_utf8(body)
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(body)
        root = parser.close()
    except DefusedXmlException as error:
        raise ParseError(f"XML that is refused: {type(error).__name__}") from error
    except (XmlError, ValueError, LookupError, AssertionError) as error:  # LookupError: an unknown encoding
        raise ParseError("not XML") from error
    if not isinstance(root, Element):
        raise ParseError("not XML")
    return root


def _in_utf8(body: bytes) -> bytes:
    """The document as UTF-8 where it says that it is in one of the encodings of Japanese, which expat cannot
    read."""
    declared = _ENCODING.match(body[:200])
    name = declared[1].decode("ascii").lower() if declared else ""
    if name not in _JAPANESE:
        return body
    return body[declared.end() if declared else 0 :].decode(_JAPANESE[name], "replace").encode()


def _xml_entries(root: Element, base: str) -> Iterator[FeedEntry | None]:
    if root.tag == f"{_ATOM}feed":
        yield from (_atom(entry, base) for entry in root.iterfind(f"{_ATOM}entry"))
    elif root.tag.endswith("}RDF"):
        yield from (_rss1(item, base) for item in root.iterfind(f"{_RSS1}item"))
    elif root.tag == "rss":
        yield from (_rss2(item, base) for item in root.iterfind("channel/item"))
    else:
        raise ParseError("XML, but no feed")


def _atom(entry: Element, base: str) -> FeedEntry | None:
    links = [(link.get("rel", "alternate"), link.get("href", "")) for link in entry.iterfind(f"{_ATOM}link")]
    url = next((href for rel, href in links if rel == "alternate"), "")
    text = _text(entry, f"{_ATOM}summary") or _text(entry, f"{_ATOM}content")
    when = _text(entry, f"{_ATOM}published") or _text(entry, f"{_ATOM}updated")
    return _entry(_text(entry, f"{_ATOM}id"), _text(entry, f"{_ATOM}title"), url, text, when, base)


def _rss2(item: Element, base: str) -> FeedEntry | None:
    when = _text(item, "pubDate") or _text(item, f"{_DC}date")
    text = _text(item, "description") or _text(item, f"{_CONTENT}encoded")
    url = _text(item, "link")
    return _entry(_text(item, "guid") or url, _text(item, "title"), url, text, when, base)


def _rss1(item: Element, base: str) -> FeedEntry | None:
    url = _text(item, f"{_RSS1}link")
    when = _text(item, f"{_TERMS}issued") or _text(item, f"{_DC}date") or _text(item, f"{_TERMS}modified")
    names = [_text(item, f"{_DC}identifier"), _text(item, f"{_DC}relation")]
    cpes, cvss = [], None
    for sec in _SEC:
        names.append(_text(item, f"{sec}identifier"))
        names += [one.get("id", "") for one in item.iterfind(f"{sec}references")]
        cpes += [one.text or "" for one in item.iterfind(f"{sec}cpe")]
        cvss = max((_cvss(one) for one in item.iterfind(f"{sec}cvss")), key=_newest, default=cvss)
    guid = next((name for name in names if name.startswith("JVN")), "") or url
    text = _text(item, f"{_RSS1}description")
    made = _entry(guid, _text(item, f"{_RSS1}title"), url, text, when, base, names, cpes)
    return _with(made, cvss)


def _with(entry: FeedEntry | None, cvss: Cvss | None) -> FeedEntry | None:
    return replace(entry, cvss=cvss) if entry is not None and cvss is not None and cvss.score else entry


def _cvss(found: Element) -> Cvss:
    names = ("score", "severity", "vector", "version")
    return Cvss(*(clean(found.get(name, ""), 120, newlines=False) for name in names))


def _newest(cvss: Cvss) -> str:
    return cvss.version


def _json_entries(body: bytes, base: str) -> Iterator[FeedEntry | None]:
    """JSON Feed 1.1.  A list of GitHub's releases or of advisories is none: it has no stable outer form."""
    try:
        document = load_object(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8") from error
    if not (text_at(document, "version") or "").startswith("https://jsonfeed.org/version/"):
        raise ParseError("JSON, but no feed")
    for item in list_at(document, "items") or ():
        url = text_at(item, "url", limit=URL_MAX) or ""
        text = text_at(item, "content_text", limit=_HTML_READ) or text_at(
            item, "content_html", limit=_HTML_READ
        )
        when = text_at(item, "date_published") or text_at(item, "date_modified") or ""
        guid = text_at(item, "id", limit=GUID_MAX) or url
        yield _entry(guid, text_at(item, "title", limit=TITLE_MAX) or "", url, text or "", when, base)


def _entry(
    guid: str,
    title: str,
    url: str,
    text: str,
    when: str,
    base: str,
    names: Iterable[str] = (),
    cpes: Iterable[str] = (),
) -> FeedEntry | None:
    """None for an entry that has nothing to know it by, or nothing to say."""
    shown, address = _plain(title, TITLE_MAX), web_address(url, base)
    known_by = clean(guid.strip() or address, GUID_MAX, newlines=False)
    if not known_by or not shown:
        return None
    ids = [found.upper() for name in (*names, shown) for found in _CVE.findall(name[:4000])]
    ids = [clean(name, 60, newlines=False) for name in names if name.startswith("JVN")] + ids
    products = [f"{m[1]}:{m[2]}".lower() for cpe in cpes if (m := _CPE.match(cpe.strip()))]
    return FeedEntry(
        known_by,
        shown,
        address,
        _plain(text, SUMMARY_MAX),
        parse_date(when),
        tuple(dict.fromkeys(ids))[:_NAMES_MAX],
        tuple(dict.fromkeys(clean(one, 160, newlines=False) for one in products))[:_NAMES_MAX],
    )


def _text(element: Element, name: str) -> str:
    found = element.find(name)
    return "".join(found.itertext()).strip() if found is not None else ""


def _plain(text: str, limit: int) -> str:
    """HTML as one line of plain text: tags out, then entities once, then what remains of tags."""
    bare = html.unescape(_TAG.sub(" ", text[:_HTML_READ]))
    return clean(_SPACE.sub(" ", _TAG.sub(" ", bare)).strip(), limit, newlines=False)


def web_address(url: str, base: str) -> str:
    """An absolute http(s) address without a password in it, or ""."""
    try:
        whole = urljoin(base, url.strip()) if url.strip() else ""
        parts = urlsplit(whole)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            return ""
    except ValueError:
        return ""
    fine = len(whole) <= URL_MAX and whole.isprintable() and not any(c in whole for c in ' "<>\\')
    return clean(whole, URL_MAX, newlines=False) if fine else ""


def parse_date(text: str) -> datetime | None:
    """A moment of RFC 3339 or RFC 5322; without an offset it is UTC.  None for anything else."""
    text = text.strip()[:60]
    try:
        when = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return when.astimezone(UTC) if 1990 <= when.year <= 2200 else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
