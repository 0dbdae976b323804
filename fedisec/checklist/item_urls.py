"""Addresses of an item's page and of the answers given there."""

from __future__ import annotations

from django.urls import path

from fedisec.checklist import answer_views, bulk_views, item_views, own_views

_ITEM = "instances/<str:domain>/items/<str:item_id>/"

urlpatterns = [
    path("team/items/", own_views.own_items, name="own_items"),
    path("team/items/add/", own_views.own_item_add, name="own_item_add"),
    path("team/items/<int:pk>/", own_views.own_item_edit, name="own_item_edit"),
    path("team/items/<int:pk>/retire/", own_views.own_item_retire, name="own_item_retire"),
    path("team/items/<int:pk>/restore/", own_views.own_item_restore, name="own_item_restore"),
    path("instances/<str:domain>/dkim-message/", item_views.dkim_message, name="dkim_message"),
    path("instances/<str:domain>/mails/", item_views.mails, name="mails"),
    path("instances/<str:domain>/answers/", bulk_views.answer_several, name="answer_several"),
    path("instances/<str:domain>/undo/<int:pk>/", answer_views.undo, name="undo"),
    path(_ITEM, item_views.item, name="item"),
    path(f"{_ITEM}look/", item_views.look, name="look"),
    path(f"{_ITEM}follow/", item_views.follow, name="follow"),
    path(f"{_ITEM}answer/", answer_views.answer, name="answer"),
    path(f"{_ITEM}waive/", answer_views.waive, name="waive"),
    path(f"{_ITEM}withdraw/", answer_views.withdraw, name="withdraw"),
    path(f"{_ITEM}remark/", answer_views.remark, name="remark"),
]
