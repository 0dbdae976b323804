"""What the demo is, and the way out of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from fedisec.instances.access import instances_for
from fedisec.scans.views import person
from fedisec.share import demo

WORD = "demo"  # typed by whoever removes it; the same in every language


@require_http_methods(["GET", "POST"])
def demo_page(request: HttpRequest) -> HttpResponse:
    """Tells which servers are made up, and removes them for who may edit them and types the word."""
    mine = demo.of_user(person(request))
    shown = list(instances_for(person(request)).filter(demo=True).order_by("domain"))
    if request.method != "POST":
        if not shown:
            raise Http404
        return render(request, "share/demo.html", {"servers": shown, "may_remove": mine.exists()})
    if not mine.exists():
        raise Http404
    if request.POST.get("word", "").strip().lower() != WORD:
        context = {"servers": shown, "may_remove": True, "mistyped": True}
        return render(request, "share/demo.html", context, status=422)
    gone = demo.remove(mine, person(request))
    told = ngettext("%(count)d demo server is gone.", "%(count)d demo servers are gone.", gone)
    messages.success(request, told % {"count": gone})
    return redirect("overview")
