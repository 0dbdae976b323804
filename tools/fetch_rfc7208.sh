#!/bin/sh
# fetch_rfc7208.sh PYTHON: the test suite of RFC 7208 into tests/.cache, once.  Where the package index can't be
# reached this says so and succeeds: the tests that need the suite are then skipped.
set -eu
python=$1
suite=tests/.cache/rfc7208-tests.yml

[ -s "$suite" ] && exit 0
mkdir -p "$(dirname "$suite")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! "$python" -m pip download --quiet --disable-pip-version-check --retries 1 --timeout 20 \
    --no-deps --no-binary pyspf --require-hashes -r tools/rfc7208.txt -d "$work" >"$work/log" 2>&1; then
    tail -n 3 "$work/log" >&2
    if grep -q "DO NOT MATCH THE HASHES" "$work/log"; then
        exit 1
    fi
    echo "the RFC 7208 suite could not be fetched: its tests are skipped" >&2
    exit 0
fi
tar -xzOf "$work/pyspf-2.0.14.tar.gz" pyspf-2.0.14/test/rfc7208-tests.yml >"$suite.new"
mv "$suite.new" "$suite"
