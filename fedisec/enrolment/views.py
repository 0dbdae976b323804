"""Connecting an instance over SSH: choose, run, test, confirm; and giving it up."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checks.probes.collector import collector_script, collector_sha256
from fedisec.accounts.models import Role, User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.enrolment import enrol, steps
from fedisec.enrolment.forms import AccessForm
from fedisec.enrolment.models import SshAccess
from fedisec.instances import proof
from fedisec.instances.access import instance_for, may_edit
from fedisec.instances.models import Instance
from fedisec.instances.typed import TypedDomainForm
from fedisec.lib.secrets import CannotOpen


def person(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_http_methods(["GET", "POST"])
@confirmed_lately(reading=False)
def connect(request: HttpRequest, domain: str) -> HttpResponse:
    """The whole of it on one page; POST stores step 1.  A viewer sees how it stands, and nothing to run."""
    role = Role.EDITOR if request.method == "POST" else Role.VIEWER
    instance = instance_for(person(request), domain, role)
    access = _access(instance)
    if request.method != "POST":
        return render(request, "enrolment/page.html", _page(request, instance, access))
    form = AccessForm(request.POST)
    if not form.is_valid():
        return render(request, "enrolment/page.html", _page(request, instance, access, form), status=422)
    try:
        enrol.enrol(instance, person(request), form.cleaned_data)
    except CannotOpen as error:
        _key_file_trouble(request, error)
        return redirect("ssh", instance.address)
    messages.success(request, _("Saved. Step 2 shows what to run on the server."))
    return _to(instance, "run")


@require_GET
def script(request: HttpRequest, domain: str) -> HttpResponse:
    """The collector, byte for byte what its SHA-256 is of."""
    instance_for(person(request), domain, Role.EDITOR)
    answer = HttpResponse(collector_script().encode(), content_type="text/x-shellscript; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{steps.DOWNLOAD}"'
    return answer


@require_POST
def test(request: HttpRequest, domain: str) -> HttpResponse:
    """Tries the connection; at most 20 seconds."""
    instance, access = _enrolled(request, domain)
    _test(request, access)
    return _to(instance, "test")


@require_POST
@confirmed_lately
def confirm(request: HttpRequest, domain: str) -> HttpResponse:
    """Trusts the host key that the page showed, and tests the connection with it."""
    instance, access = _enrolled(request, domain)
    if not enrol.confirm(access, person(request), request.POST.get("host_key", "")):
        messages.error(request, _("The server has shown another key meanwhile. Compare again."))
        return _to(instance, "test")
    access.refresh_from_db()
    _test(request, access)
    enrol.look_soon(access)
    return _to(instance, "test")


@require_http_methods(["GET", "POST"])
@confirmed_lately
def disconnect(request: HttpRequest, domain: str) -> HttpResponse:
    """Destroys the key once the domain was typed."""
    instance, access = _enrolled(request, domain)
    form = TypedDomainForm(instance, request.POST or None)
    if request.method == "POST" and form.is_valid():
        enrol.disconnect(access, person(request))
        messages.success(
            request, _("Disconnected. The key is destroyed; its line in authorized_keys can go.")
        )
        return redirect("instance", instance.address)
    context = {"instance": instance, "access": access, "form": form}
    return render(request, "enrolment/disconnect.html", context, status=422 if form.errors else 200)


def _enrolled(request: HttpRequest, domain: str) -> tuple[Instance, SshAccess]:
    instance = instance_for(person(request), domain, Role.EDITOR)
    access = _access(instance)
    if access is None:
        raise Http404
    return instance, access


def _access(instance: Instance) -> SshAccess | None:
    return (
        SshAccess.objects.select_related("instance__team", "confirmed_by").filter(instance=instance).first()
    )


def _test(request: HttpRequest, access: SshAccess) -> None:
    if not proof.holds(access.instance):
        messages.info(request, _("fedisec connects once it is proven that the domain is yours."))
        return
    try:
        if not enrol.test(access, person(request)):
            messages.info(request, _("A test is under way. Its result is here in a moment."))
    except CannotOpen as error:
        _key_file_trouble(request, error)


def _key_file_trouble(request: HttpRequest, error: CannotOpen) -> None:
    messages.error(request, _("The key file of this installation does not work: %(why)s.") % {"why": error})


def _to(instance: Instance, step: str) -> HttpResponse:
    answer = redirect("ssh", instance.address)
    answer["Location"] += f"#{step}"
    return answer


def _page(
    request: HttpRequest, instance: Instance, access: SshAccess | None, form: AccessForm | None = None
) -> dict[str, Any]:
    editor = may_edit(person(request), instance)
    context: dict[str, Any] = {"instance": instance, "access": access, "may_edit": editor}
    if access is not None:
        context |= {
            "trouble": steps.trouble(access),
            "sections": steps.seen_sections(access),
            "powers": steps.seen_powers(access),
            "is_unrestricted": any(access.powers.values()),
            "not_root": steps.not_root(access),
        }
    if editor:
        context["form"] = form or AccessForm.of(instance, access)
    if editor and access is not None:
        context |= {
            "commands": steps.commands_of(access),
            "script": collector_script(),
            "sha256": collector_sha256(),
            "compare": steps.compare_command(access.offered_host_key or access.host_key),
        }
    return context
