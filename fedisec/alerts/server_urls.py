"""Addresses of the mail server, of what became of mails, and of one's own mail address."""

from __future__ import annotations

from django.urls import path

from fedisec.alerts import address_views, log_views, server_views

urlpatterns = [
    path("mail/", server_views.mail_server, name="mail_server"),
    path("mail/remove/", server_views.remove, name="mail_server_remove"),
    path("mail/test/", server_views.test, name="mail_test"),
    path("mail/log/", log_views.log, name="mail_log"),
    path("mail/log/<int:pk>/again/", log_views.again, name="mail_again"),
    path("account/email/", address_views.address, name="mail_address"),
    path("account/email/again/", address_views.again, name="mail_address_again"),
]
