"""No view reaches an object around fedisec.instances.access.

A view may begin a query at a manager only where the query says at once whose the rows are: of an instance that
`access` gave, of the reader, or of the reader's teams (`of_teams`).  What does neither is listed, with a reason."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from django.urls import URLPattern, URLResolver, get_resolver

# (module, model): why its query needs nobody's consent.
ALLOWED = {
    ("fedisec.accounts.views", "SetupLink"): "the token is the consent",
    ("fedisec.accounts.views", "User"): "whether there is anybody at all",
    ("fedisec.accounts.views", "Team"): "makes the first one",
    ("fedisec.accounts.audit_views", "AuditEvent"): "the newest number; the lines come from trail.seen_by",
    ("fedisec.accounts.team_views", "Team"): "for who runs the installation: names, and who is in them",
    ("fedisec.alerts.address_views", "User"): "whether an address is taken",
    ("fedisec.alerts.channels.views", "Delivery"): "of channels that of_teams gave",
    ("fedisec.checklist.moving", "Team"): "locks one that teams_for gave",
    ("fedisec.checklist.moving", "Instance"): "counts those of such a team; moves one that access gave",
    ("fedisec.share.exports", "Team"): "those of instances_for",
    ("fedisec.alerts.wish_views", "Instance"): "of instances_for; and for a sealed ticket, its name",
    ("fedisec.checklist.views", "Glance"): "by the key of an instance that access gave",
    ("fedisec.history.views", "Span"): "of scans of an instance that access gave",
    ("fedisec.share.public_views", "Share"): "the token is the consent",
    ("fedisec.watch.views", "Source"): "feeds are the installation's, and their list is everybody's",
    ("fedisec.watch.views", "Entry"): "what feeds said is public",
}
_OWNED = {"instance", "user"}  # the filters that say whose the rows are
_NARROW = {"filter", "create", "update_or_create", "get_or_create"}
_SHORT = {"get_object_or_404", "get_list_or_404"}


def views() -> list[ModuleType]:
    """The modules of the project that have a view behind some address."""
    names = {name for name in _modules(get_resolver()) if name.startswith("fedisec.")}
    return [import_module(name) for name in sorted(names)]


def _modules(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _modules(pattern)
        else:
            assert isinstance(pattern, URLPattern)
            yield inspect.unwrap(pattern.callback).__module__


def around(source: str) -> list[tuple[int, str]]:
    """(line, model) of each query that does not say whose the rows are."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"}:
            chain = list(_chain(node, parents))
            if not any(_says_whose(step) for step in chain):
                found.append((node.lineno, ast.unparse(node.value)))
        if isinstance(node, ast.Call) and _is_short(node) and not _is_owned(node):
            found.append((node.lineno, ast.unparse(node.args[0])))
    return found


def _chain(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.Call]:
    """The calls that the manager goes through: its own methods, and functions that it is handed to."""
    while isinstance(up := parents.get(node), ast.Attribute | ast.Call):
        if isinstance(up, ast.Call):
            yield up
        node = up


def _says_whose(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "of_teams"
    return isinstance(call.func, ast.Attribute) and call.func.attr in _NARROW and _is_owned(call)


def _is_short(call: ast.Call) -> bool:
    """get_object_or_404 on a model; where a function has said among which, that function is looked at."""
    return ast.unparse(call.func) in _SHORT and not isinstance(call.args[0], ast.Call)


def _is_owned(call: ast.Call) -> bool:
    return any(word.arg in _OWNED for word in call.keywords)


def test_no_view_goes_around() -> None:
    found = {
        (module.__name__, model): line
        for module in views()
        for line, model in around(inspect.getsource(module))
    }
    assert {
        f"{name}:{line} {model}" for (name, model), line in found.items() if (name, model) not in ALLOWED
    } == set()
    assert set(ALLOWED) - set(found) == set(), "no longer needed"


def test_the_check_sees_a_way_around() -> None:
    assert around("x = Scan.objects.filter(instance=found).first()") == []
    assert around("x = Scan.objects.whole().filter(instance=found)") == []
    assert around("x = of_teams(Channel.objects.filter(pk=pk), user, Role.EDITOR).first()") == []
    assert around("x = Scan.objects.filter(pk=pk).first()") == [(1, "Scan")]
    assert around("x = Instance.objects.get(domain=domain)") == [(1, "Instance")]
    assert around("x = get_object_or_404(Scan, pk=pk)") == [(1, "Scan")]
    assert around("x = get_object_or_404(SavedView, pk=pk, user=user)") == []
