"""Addresses of what people choose to hear, and of ending it."""

from __future__ import annotations

from django.urls import path

from fedisec.alerts import wish_views

urlpatterns = [
    path("account/notifications/", wish_views.notifications, name="notifications"),
    path("account/notifications/snooze/", wish_views.snooze, name="snooze"),
    path("instances/<str:domain>/hearing/", wish_views.hearing, name="hearing"),
    path(
        "instances/<str:domain>/items/<str:item_id>/acknowledge/", wish_views.acknowledge, name="acknowledge"
    ),
    path("unsubscribe/<str:token>/", wish_views.end_mails, name="unsubscribe"),
]
