"""Steps that attack a running installation: wapiti, sqlmap, made-up requests, slow clients."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from tests.security.result import Result, program, run, version_of
from tests.security.site import Site

REQUESTS = 5000
# Every page that reads its query, with all parameters that it reads (fedisec/**: request.GET).
QUERIES = {
    "/": "is=needs_a_hand&team=1&tag=Japan&software=mastodon&q=social&sort=name&page=1",
    "/audit/": "action=answer.&person=fedisec&instance=social.example&since=2026-01-01&until=2026-12-31&before=9&after=1",
    "/audit/export/": "format=csv&action=ssh.&person=fedisec&instance=a&since=2026-01-01&until=2026-12-31",
    "/export/": "format=csv&lang=ja&is=needs_a_hand&tag=Japan&q=a",
    "/instances/social.example/": "level=required&state=not_met&q=hsts",
    "/instances/social.example/changes/": "from=1&to=2&days=30&page=1&by=machine",
    "/instances/social.example/compare/": "from=1&to=2",
    "/instances/social.example/export/": "format=csv&lang=ja&level=required&state=not_met&q=a",
    "/instances/social.example/trend/": "days=30&since=2026-01-01",
    "/instances/social.example/items/http.hsts/": "said=1&since=1",
    "/mail/log/": "page=1&state=failed",
    "/news/": "instance=social.example&source=1&state=open&page=1",
    "/p/4hUR9cKOw7bTQ2mD1xYzAg/": "lang=ja&format=csv",
    "/account/login/": "next=/audit/",
}
# It crawls by http, as on one's own machine, where no cookie can be Secure; over https they are __Host-.
NO_TLS = "Secure flag is not set"
SLOW_S, SLOW_LINES = 60, 200


def wapiti(site: Site) -> Result:
    findings: list[str] = []
    pages = []
    for who in ("anonymous", "owner"):
        out = site.folder / f"wapiti-{who}.json"
        argv = [program("wapiti", ".env-wapiti"), "-u", f"{site.url}/account/login/", "--scope", "domain"]
        argv += ["-x", f"{site.url}/account/logout/", "-x", f"{site.url}/static/*", "--no-bugreport"]
        argv += ["-m", WAPITI, "-d", "4", "--max-links-per-page", "30", "--flush-session", "-v", "0"]
        argv += ["--max-scan-time", "30", "--max-attack-time", "8", "--tasks", "4", "-t", "20"]
        argv += ["--store-session", str(site.folder / f"w-{who}"), "--store-config", str(site.folder / "wc")]
        argv += ["-f", "json", "-o", str(out)]
        if who == "owner":
            argv += ["-s", f"{site.url}/", "-s", f"{site.url}/instances/social.example/", "-C",
                     f"sessionid={site.sessions[0]}"]  # fmt: skip
        done = run(argv, 400, HOME=str(site.folder))
        if not out.exists():
            findings.append(f"wapiti wrote no report: {done.stdout[-300:]}{done.stderr[-300:]}")
            continue
        found = json.loads(out.read_text())
        pages.append(found["infos"].get("crawled_pages_nbr", 0))
        for kind in ("vulnerabilities", "anomalies"):
            for name, rows in found[kind].items():
                said = [f"{who}: {name}: {row['method']} {row['path']} {row['info'][:150]}" for row in rows]
                findings += [line for line in said if NO_TLS not in line]
    did = f"{' and '.join(map(str, pages))} pages crawled (anonymous, owner), modules {WAPITI.replace(',', ', ')}"
    return Result("wapiti", f"wapiti {version_of('wapiti3', '.env-wapiti')}", did, findings)


WAPITI = "common,csp,http_headers,cookieflags,crlf,redirect,file,exec,sql,ssrf,xss,permanentxss,xxe"


def sqlmap(site: Site) -> Result:
    """Each parameter of each page, at level 2, as the owner; the session travels with it."""

    def one(entry: tuple[int, tuple[str, str]]) -> list[str]:
        number, (path, query) = entry
        argv = [
            program("sqlmap"),
            "-u",
            f"{site.url}{path}?{query}",
            "--batch",
            "--level",
            "2",
            "--risk",
            "1",
        ]
        argv += ["-p", ",".join(part.partition("=")[0] for part in query.split("&")), "--dbms", "sqlite"]
        argv += ["--cookie", f"sessionid={site.sessions[number % len(site.sessions)]}", "--flush-session"]
        argv += [
            "--output-dir",
            str(site.folder / f"sqlmap{number}"),
            "--disable-coloring",
            "--timeout",
            "30",
        ]
        argv += ["--ignore-code", "400,404,422,429", "--technique", "BEUS", "--time-sec", "2", "--smart"]
        done = run(argv, 300, HOME=str(site.folder))
        said = done.stdout + done.stderr
        loud = re.findall(r".*(?:is vulnerable|identified the following injection).*", said)
        if "all tested parameters do not appear" not in said and "[WARNING]" not in said:
            loud.append(f"did not finish: {said[-200:]}")
        return [f"{path}: {line.strip()}" for line in loud]

    with ThreadPoolExecutor(2) as pool:
        findings = [line for lines in pool.map(one, enumerate(QUERIES.items())) for line in lines]
    parameters = sum(query.count("=") for query in QUERIES.values())
    did = f"{parameters} parameters of {len(QUERIES)} pages, level 2, boolean, error, union and stacked"
    return Result("sqlmap", f"sqlmap {version_of('sqlmap')}", did, findings)


def made_up(site: Site) -> Result:
    """Half of them anonymous, half signed in as the owner, at the same time."""
    half = REQUESTS // 2

    def one(sessions: list[str]) -> dict[str, object]:
        out = site.world.module("tests.security.fuzz", site.url, str(half), *sessions)
        found: dict[str, object] = json.loads(out.splitlines()[-1])
        return found

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(one, [[], site.sessions[:20]]))
    findings = [f"{what} ({times} times)" for found in both for what, times in found["findings"].items()]  # type: ignore[attr-defined]  # a dictionary
    if "Traceback" in site.logs():
        findings.append(f"a traceback in the log: {site.logs().rpartition('Traceback')[2][-800:]}")
    for found in both:
        findings += [f"never asked for: {path}" for path in found["missed"]]  # type: ignore[attr-defined]  # a list
    sent = sum(int(str(found["sent"])) for found in both)
    counts = [dict(sorted(found["answers"].items())) for found in both]  # type: ignore[attr-defined]  # a dictionary
    words = "; ".join(", ".join(f"{n} × {kind}" for kind, n in one.items()) for one in counts)
    did = (
        f"{sent} requests at {both[0]['addresses']} addresses (anonymous: {words.replace('; ', '; owner: ')})"
    )
    return Result("made-up requests", f"hypothesis {_hypothesis()}", did, findings)


def _hypothesis() -> str:
    import hypothesis

    return str(hypothesis.__version__)


def slow(site: Site) -> Result:
    tool = shutil.which("slowhttptest")
    if tool is None:
        why = "slowhttptest is missing (apt install slowhttptest)"
        return Result("slow clients", "slowhttptest", "", left_out=why)
    version = re.search(r"\d+\.\d+\.\d+", run([tool, "-h"], 20).stdout + run([tool, "-h"], 20).stderr)
    worst, findings = [], []
    for kind in ("-H", "-B"):
        watch = Watch(site.url)
        watch.start()
        argv = [tool, kind, "-c", str(SLOW_LINES), "-r", "50", "-i", "5", "-l", str(SLOW_S), "-p", "5"]
        done = run([*argv, "-u", f"{site.url}/account/login/"], SLOW_S + 60)
        watch.stop()
        worst.append(max(watch.took, default=99.0))
        if not watch.took or worst[-1] >= 1.0 or watch.failed:
            findings.append(f"{kind}: a page took {worst[-1]:.2f} s, {watch.failed} failed")
        if "service available:   NO" in done.stdout:
            findings.append(f"{kind}: slowhttptest saw the service go away")
    did = (
        f"{SLOW_LINES} connections with slow headers, then with slow bodies, up to {SLOW_S} s each; meanwhile the sign-in page "
        f"came in at most {worst[0]:.2f} s and {worst[1]:.2f} s"
    )
    return Result("slow clients", f"slowhttptest {version[0] if version else ''}", did, findings)


class Watch(threading.Thread):
    """Asks for a page twice a second and notes how long it takes."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._over = f"{url}/account/login/", threading.Event()
        self.took: list[float] = []
        self.failed = 0

    def run(self) -> None:
        while not self._over.wait(0.5):
            began = time.monotonic()
            try:
                with urllib.request.urlopen(self._url, timeout=10) as answer:
                    answer.read()
                self.took.append(time.monotonic() - began)
            except OSError:
                self.failed += 1

    def stop(self) -> None:
        self._over.set()
        self.join(15)


STEPS = {"made-up requests": made_up, "wapiti": wapiti, "sqlmap": sqlmap, "slow clients": slow}
