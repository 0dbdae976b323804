"""The firewall for web requests on the server: ModSecurity or Coraza in nginx, ModSecurity in Apache."""

from __future__ import annotations

from dataclasses import dataclass

from checks.parse.host.common import parts, units


@dataclass(frozen=True, slots=True)
class Firewall:
    """`server`: the web server with the module, "" where none has it.  `engine`: what SecRuleEngine is set to
    ("on", "detectiononly", "off"), "mixed" where files disagree, "" where no file could be read."""

    server: str
    switched_on: bool
    engine: str
    core_rules: bool  # the OWASP rules lie on the server
    active: str  # ActiveState of the web server's unit, "" where it was not shown
    reload_failed: bool
    denied: bool


def parse_waf(lines: tuple[str, ...]) -> Firewall:
    """The section "waf".  A module that is loaded does nothing until it is switched on."""
    found = {part.label: part.lines for part in parts(lines)}
    nginx = [line.strip().rstrip("; ").split() for line in found.get("nginx", ())]
    apache = [line.partition(":")[2].split() for line in found.get("apache", ())]
    in_nginx = any(words[0] in {"modsecurity", "coraza", "load_module"} for words in nginx if words)
    in_apache = any(words[0].lower() == "loadmodule" for words in apache if words)
    server = "nginx" if in_nginx else "apache" if in_apache else ""
    if server == "nginx":
        switched = any(words[:2] in (["modsecurity", "on"], ["coraza", "on"]) for words in nginx)
    else:
        switched = in_apache
    named = [words[1] for words in nginx if len(words) > 1 and words[0].endswith("_rules_file")]
    unit = units(found.get("unit", ())).get("nginx.service" if server == "nginx" else "apache2.service", {})
    return Firewall(
        server,
        switched,
        _engine(_engines(found.get("engine", ()) + found.get("apache", ())), named),
        bool([line for line in found.get("crs", ()) if line.startswith("/")]),
        unit.get("ActiveState", ""),
        any(unit.get(key, "success") not in {"", "success"} for key in ("Result", "ReloadResult")),
        any(line.startswith("denied /") for line in found.get("nginx", ())),
    )


def _engines(lines: tuple[str, ...]) -> dict[str, str]:
    """File -> the last SecRuleEngine in it."""
    found = {}
    for line in lines:
        path, _, setting = line.partition(":")
        words = setting.split()
        if len(words) == 2 and words[0].lower() == "secruleengine":
            found[path] = words[1].lower()
    return found


def _engine(engines: dict[str, str], named: list[str]) -> str:
    """What the rules file that nginx names says itself counts for more than files that it may include."""
    own = {engines[path] for path in named if path in engines}
    values = own or set(engines.values())
    return "mixed" if len(values) > 1 else next(iter(values), "")
