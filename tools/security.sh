#!/bin/sh
# security.sh PYTHON [--write] [STEP...]: every tool that attacks fedisec or reads its code, a real installation to
# attack, and one table of what was found; --write puts it into docs/security.md.  Exit code 1 for any finding.
# bandit, semgrep, sqlmap and wapiti come from tools/security/.env* (make test-security makes them); slowhttptest from
# Debian, where we are root; MDN's Observatory from npm, without the scripts of any package.  What cannot be had here is
# named in the table as left out.
set -eu
python=$1
shift

if ! command -v slowhttptest >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing: slowhttptest"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slowhttptest; } \
        </dev/null >/dev/null 2>&1 || echo "could not install slowhttptest: slow clients are left out"
fi
there=tools/security/.observatory
if [ ! -d "$there/node_modules/@mdn/mdn-http-observatory" ] && command -v npm >/dev/null 2>&1; then
    echo "installing: MDN's Observatory"
    mkdir -p "$there"
    cp tools/security/package.json tools/security/package-lock.json "$there/"
    (cd "$there" && npm ci --ignore-scripts --no-audit --no-fund --silent >/dev/null 2>&1) ||
        echo "could not install MDN's Observatory: it is left out"
fi

# The tools ask the internet for nothing; in a namespace with no way out they cannot, and the lab has its usual ports.
exec "$python" -m tests.lab.netns "$python" -m tests.security "$@"
