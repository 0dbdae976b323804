"""Addresses of the mail server, of what became of mails, and of one's own mail address."""

from __future__ import annotations

from django.urls import path

from fedisec.alerts import address_views

urlpatterns = [
    path("account/email/", address_views.address, name="mail_address"),
    path("account/email/again/", address_views.again, name="mail_address_again"),
]
