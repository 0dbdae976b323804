"""Asks which one, where two teams of the reader watch the same domain."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from fedisec.instances.access import Several
from fedisec.instances.models import Instance

Handler = Callable[[HttpRequest], HttpResponse]


class Choosing:
    """Middleware: turns `Several` into a page of links (300), each to what was asked for, of one team.  No
    form has changed anything by then."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Several):
            return None
        context = {
            "name": error.instances[0].name,
            "choices": [(one.team, _link(request, one)) for one in error.instances],
            "unchanged": request.method not in {"GET", "HEAD"},
        }
        return render(request, "instances/choose.html", context, status=300)


def _link(request: HttpRequest, instance: Instance) -> str:
    """The same page of `instance`; of a form that was sent, the page of the instance."""
    instance.names_team = True
    match = request.resolver_match
    if match is None or not match.url_name or request.method not in {"GET", "HEAD"}:
        return reverse("instance", args=[instance.address])
    path = reverse(match.view_name, kwargs={**match.kwargs, "domain": instance.address})
    query = request.META.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path
