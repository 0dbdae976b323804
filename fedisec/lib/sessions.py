"""Sessions in the database of which a dump opens none.

Django's own store keeps a session under its id, which is what the cookie says: who reads the table is signed
in as everybody.  Here a row stands under a *name*, a hash of the id, and what it holds is sealed with
a key that is made of the id.  The id itself is in the browser alone.

Who lists or ends sessions keeps names and nothing else:

    name = name_of(request.session.session_key)   # 40 characters; keep this beside the person
    SessionStore.standing([name, …])              # which of them still stand, in one query
    SessionStore.end([name, …])                   # ends them; that browser's next request is a stranger's

A name opens nothing: given as a cookie it is hashed once more.  What is in another session can't be read, not
even by fedisec; a list shows what was noted about it when it began.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

NAME_LENGTH = 40  # what the column of Django's table holds: 160 bits, as many as an id has


def name_of(session_id: str) -> str:
    """Under which name the session of this id (the value of the cookie) is stored."""
    return hashlib.sha256(f"fedisec session {session_id}".encode()).hexdigest()[:NAME_LENGTH]


class SessionStore(db.SessionStore):
    """`settings.SESSION_ENGINE`.  Methods that take a `session_key` take the id, as Django's do."""

    @classmethod
    def standing(cls, names: Iterable[str]) -> set[str]:
        """Those of `names` whose session is not over."""
        rows = cls.get_model_class().objects.filter(session_key__in=names, expire_date__gt=timezone.now())
        return set(rows.values_list("session_key", flat=True))

    @classmethod
    def end(cls, names: Iterable[str]) -> int:
        """Ends the sessions of these names; how many there were."""
        return int(cls.get_model_class().objects.filter(session_key__in=names).delete()[0])

    def encode(self, session_dict: dict[str, Any]) -> str:
        return self._box().encrypt(super().encode(session_dict).encode()).decode("ascii")

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            opened = self._box().decrypt(session_data)
        except (InvalidToken, ValueError):
            return {}  # as Django treats a bad signature
        return super().decode(opened.decode())

    def _box(self) -> Fernet:
        made = HKDF(SHA256(), length=32, salt=None, info=b"fedisec session data")
        return Fernet(base64.urlsafe_b64encode(made.derive(str(self.session_key).encode())))

    def load(self) -> dict[str, Any]:
        row = self._row(self.session_key)
        if row is None:
            self._session_key = None  # an id that nobody was given is not taken over
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(name_of(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = name_of(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        session_key = session_key or self.session_key
        if session_key is not None:
            self.end([name_of(session_key)])

    def _row(self, session_id: str | None) -> AbstractBaseSession | None:
        if session_id is None:
            return None
        rows = self.model.objects.filter(session_key=name_of(session_id), expire_date__gt=timezone.now())
        found: AbstractBaseSession | None = rows.first()
        return found

    # fedisec serves by threads.  A way in that is not covered must not store ids in clear.

    async def aload(self) -> dict[str, Any]:
        raise NotImplementedError("sessions of fedisec have no asynchronous side")

    aexists = acreate_model_instance = asave = adelete = acreate = aload  # type: ignore[assignment]  # all refuse
