"""The forms of the pages, filled in by programs, so that one set of rules holds for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from fedisec.api.problems import Problem


def filled(values: Mapping[str, Any]) -> QueryDict:
    """The values as a page would have sent them."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        if isinstance(value, bool):
            data[name] = "on" if value else ""
        else:
            data[name] = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return data


def refused(form: forms.BaseForm) -> Problem:
    """What the form says of its fields."""
    errors = [
        {"field": name if name != "__all__" else "", "detail": str(said)}
        for name, all_said in form.errors.items()
        for said in all_said
    ]
    return Problem(422, "invalid", errors=errors)
