"""Addresses of an item's page and of the answers given there."""

from __future__ import annotations

from django.urls import path

from fedisec.checklist import answer_views, bulk_views, item_views

_ITEM = "instances/<str:domain>/items/<str:item_id>/"

urlpatterns = [
    path("instances/<str:domain>/dkim-message/", item_views.dkim_message, name="dkim_message"),
    path("instances/<str:domain>/answers/", bulk_views.answer_several, name="answer_several"),
    path("instances/<str:domain>/undo/<int:pk>/", answer_views.undo, name="undo"),
    path(_ITEM, item_views.item, name="item"),
    path(f"{_ITEM}look/", item_views.look, name="look"),
    path(f"{_ITEM}answer/", answer_views.answer, name="answer"),
    path(f"{_ITEM}waive/", answer_views.waive, name="waive"),
    path(f"{_ITEM}withdraw/", answer_views.withdraw, name="withdraw"),
    path(f"{_ITEM}remark/", answer_views.remark, name="remark"),
]
