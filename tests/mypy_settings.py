"""Settings for the type checker, which asks Django for them: no key of an installation, nothing written."""

from __future__ import annotations

import os

os.environ.setdefault("FEDISEC_SECRET_KEY", "only-for-types-" + "x" * 50)

from fedisec.settings import *  # noqa: E402, F403
