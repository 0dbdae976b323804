"""The page of the mail server, for operators, and the test, for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fedisec.accounts import audit
from fedisec.accounts.models import User
from fedisec.accounts.sudo import confirmed_lately
from fedisec.alerts import mail_server as servers
from fedisec.alerts import relay
from fedisec.alerts.dialogue import Security, Server, Step, Talk
from fedisec.alerts.send import describe
from fedisec.alerts.server_forms import SECURITIES, MailServerForm
from fedisec.alerts.server_words import STEPS, Advice, advice
from fedisec.lib.secrets import CannotOpen

TEST_S = 20.0  # somebody waits for it


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@confirmed_lately
def mail_server(request: HttpRequest) -> HttpResponse:
    """Shows and sets the relay; what the environment names is shown alone."""
    user = _operator(request)
    given = relay.by_environment()
    if given is not None:
        words = dict(SECURITIES)
        context = {"given": given, "security": words[given.security.value]}
        return render(request, "alerts/server/mail_server.html", context)
    stored = servers.stored()
    form = MailServerForm(stored, request.POST or None)
    if request.method == "POST" and form.is_valid() and _saved(form, user):
        messages.success(request, _("Saved. Send yourself a test now."))
        return redirect("mail_server")
    context = {"form": form, "stored": stored}
    status = 422 if form.errors else 200
    return render(request, "alerts/server/mail_server.html", context, status=status)


def _saved(form: MailServerForm, user: User) -> bool:
    try:
        servers.save(form.cleaned_data, user)
    except CannotOpen as error:
        form.add_error("password", _("It cannot be stored: %(why)s") % {"why": error})
        return False
    return True


@require_POST
@confirmed_lately
def remove(request: HttpRequest) -> HttpResponse:
    """Back to the folder."""
    servers.remove(_operator(request))
    messages.success(request, _("Removed. Mails go to the folder again."))
    return redirect("mail_server")


def _operator(request: HttpRequest) -> User:
    user = cast(User, request.user)
    if not user.is_superuser:
        raise Http404
    return user


@dataclass(frozen=True, slots=True)
class Shown:
    """One step of the test: how it went ("done", "failed", "not_reached"), and what the relay said."""

    word: str
    state: str
    said: str = ""


@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Mails something to the reader right now, and shows each step of the dialogue."""
    user = cast(User, request.user)
    if not ratelimit.consume(request, action="mail_test", user=user):
        messages.error(request, _("Five tests an hour are enough. Wait a little."))
        return redirect("mail_server" if user.is_superuser else "mail_address")
    talk, error, server = Talk(), None, None
    letter = _letter(user)
    try:
        server = relay.current()
        if server is not None:
            relay.deliver(server, letter, talk, TEST_S)
        else:
            relay.send(letter)
    except OSError as trouble:
        error = trouble
    outcome = describe(error) if error is not None else "sent"
    audit.record("mail.tested", team=None, by=user, after=outcome)
    context = {
        "server": server,
        "steps": _steps(server, talk, error),
        "advice": _advised(error, talk, server),
        "folder": settings.EMAIL_FILE_PATH if server is None and error is None else "",
    }
    return render(request, "alerts/server/test.html", context)  # the test worked, whatever it found


def _letter(user: User) -> EmailMultiAlternatives:
    """In the language of the page that asked for it."""
    context = {"site": settings.PUBLIC_URL, "email": user.email}
    body = render_to_string("alerts/server/test_mail.txt", context)
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMultiAlternatives("[fedisec] " + _("A test"), body, to=[user.email], headers=headers)


def _steps(server: Server | None, talk: Talk, error: OSError | None) -> list[Shown]:
    if server is None:
        return []
    heard, found = dict(talk.lines), []
    for step in Step:
        if (step is Step.LOGIN and not server.username) or (
            step is Step.TLS and server.security is Security.NONE
        ):
            continue
        if step in heard and not (error is not None and step is talk.step):
            found.append(Shown(str(STEPS[step]), "done", heard[step]))
        elif error is not None and step is talk.step:
            found.append(Shown(str(STEPS[step]), "failed", describe(error)))
        elif error is not None and list(Step).index(step) > list(Step).index(talk.step):
            found.append(Shown(str(STEPS[step]), "not_reached"))
    return found


def _advised(error: OSError | None, talk: Talk, server: Server | None) -> Advice | None:
    return advice(error, talk.step, server) if error is not None else None
