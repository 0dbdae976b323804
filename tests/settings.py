"""Settings of the test suite: the project's own, quick and closed."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("FEDISEC_SECRET_KEY", "only-for-tests-" + "x" * 50)
if "FEDISEC_DATA" not in os.environ:
    os.environ["FEDISEC_DATA"] = tempfile.mkdtemp(prefix="fedisec-tests-")
    atexit.register(shutil.rmtree, os.environ["FEDISEC_DATA"], ignore_errors=True)

from fedisec.lib.env import KEY_FILE as KEY_NAME  # noqa: E402
from fedisec.lib.env import make_key  # noqa: E402
from fedisec.settings import *  # noqa: E402, F403
from fedisec.settings import DATA, DATABASES, SQLITE, STATIC_ROOT  # noqa: E402

if SQLITE:
    # A file: the heartbeat of a scan is a second connection, and one in memory knows no waiting for locks.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
make_key(DATA / KEY_NAME, 0o400)

MAIL_GROUP_S = 0  # what is told is packed at once
BANNERS_KEPT_S = 0  # each page asks anew
FEEDS = False  # a test that is about them switches them on
ANCHORS = None  # there is no network, and the tests know it

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
}
