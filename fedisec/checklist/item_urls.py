"""Addresses of an item's page and of the answers given there."""

from __future__ import annotations

from django.urls import path

from fedisec.checklist import item_views as views

urlpatterns = [
    path("instances/<str:domain>/dkim-message/", views.dkim_message, name="dkim_message"),
    path("instances/<str:domain>/items/<str:item_id>/", views.item, name="item"),
    path("instances/<str:domain>/items/<str:item_id>/answer/", views.answer, name="answer"),
    path("instances/<str:domain>/items/<str:item_id>/waive/", views.waive, name="waive"),
    path("instances/<str:domain>/items/<str:item_id>/withdraw/", views.withdraw, name="withdraw"),
]
