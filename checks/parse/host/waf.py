"""The firewall for web requests on the server: ModSecurity or Coraza in nginx, ModSecurity in Apache."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts, units


@dataclass(frozen=True, slots=True)
class Firewall:
    """`server`: the web server with the module, "" where none has it.  `engine`: what SecRuleEngine is set to
    ("on", "detectiononly", "off"), "mixed" where files disagree, "" where not all of it could be read."""

    server: str
    switched_on: bool
    engine: str
    core_rules: bool  # the OWASP rules lie on the server
    active: str  # ActiveState of the web server's unit, "" where it was not shown
    reload_failed: bool
    denied: bool


def parse_waf(lines: tuple[str, ...]) -> Firewall:
    """The section "waf".  A module that is loaded does nothing until it is switched on."""
    headed = parts(lines)
    found = {part.label: part.lines for part in headed}
    nginx = [line.strip().rstrip("; ").split() for line in found.get("nginx", ())]
    apache = [line.partition(":")[2].split() for line in found.get("apache", ())]
    in_nginx = any(words[0] in {"modsecurity", "coraza", "load_module"} for words in nginx if words)
    in_apache = any(words[0].lower() == "loadmodule" for words in apache if words)
    server = "nginx" if in_nginx else "apache" if in_apache else ""
    if server == "nginx":
        switched = any(words[:2] in (["modsecurity", "on"], ["coraza", "on"]) for words in nginx)
    else:
        switched = in_apache
    loaded = {part.rest: part.lines for part in headed if part.label == "loaded"}
    unit = units(found.get("unit", ())).get("nginx.service" if server == "nginx" else "apache2.service", {})
    return Firewall(
        server,
        switched,
        _engine(nginx, found.get("apache", ()), found.get("engine", ()), loaded, server),
        bool([line for line in found.get("crs", ()) if line.startswith("/")]),
        unit.get("ActiveState", ""),
        any(unit.get(key, "success") not in {"", "success"} for key in ("Result", "ReloadResult")),
        any(line.startswith("denied /") for line in found.get("nginx", ())),
    )


def _engine(
    nginx: list[list[str]],
    apache: tuple[str, ...],
    lying: tuple[str, ...],
    loaded: dict[str, tuple[str, ...]],
    server: str,
) -> str:
    """What the files that the web server names end with, and what stands beside them in its own.  Files that
    only lie there (`lying`) count where it names none that was followed."""
    if server == "nginx":
        beside = {words[2].lower() for words in nginx if words[:1] == ["rules"] and len(words) == 3}
        files = [
            words[1].strip("\"'") for words in nginx if len(words) > 1 and words[0].endswith("_rules_file")
        ]
        named = [path if path.startswith("/") else f"/etc/nginx/{path}" for path in files]
    else:
        beside = {engine for path, engine in _pairs(apache) if path not in loaded}
        named = list(loaded)
    ends = {_last(loaded[path]) for path in named if path in loaded}
    if not ends:
        own = {engine for path, engine in _pairs(lying) if path in named}
        ends = own or {engine for _, engine in _pairs(lying)}
    values = (ends - {"none"}) | beside
    return "mixed" if len(values) > 1 else next(iter(values), "")


def _last(lines: tuple[str, ...]) -> str:
    """The engine that the rules leave behind: "none" where they set none, "" where one could not be read."""
    if any(line.startswith("denied ") for line in lines):
        return ""
    return next((engine for _, engine in reversed(_pairs(lines))), "none")


def _pairs(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """ "FILE:SecRuleEngine ENGINE", in their order."""
    split = [(path, setting.split()) for path, _, setting in (line.partition(":") for line in lines)]
    return [
        (path, words[1].lower())
        for path, words in split
        if len(words) == 2 and words[0].lower() == "secruleengine"
    ]
